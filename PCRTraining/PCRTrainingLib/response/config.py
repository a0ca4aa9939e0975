"""What a run of a response model is asked for, and its JSON form."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.json_text import read_json
from PCRPredictorLib.response.course import QUANTITIES
from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..schema import KNOWN

Inputs = Literal["changes", "levels", "change alone"]
_EXACT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Candidate:
    """One way to fit, of which the inner folds choose.

    Args:
        inputs: "changes": each quantity at the first visit, and its changes since; "levels": at every visit;
            "change alone": the changes without the first visit, or its level if there is no other.
        strength: inverse of the L2 penalty on standardised inputs (scikit-learn's C), above 0.
    """

    __pydantic_config__ = _EXACT

    inputs: Inputs = "changes"
    strength: float = 0.1


@dataclass(frozen=True)
class ResponseConfig:
    """What a run is asked for.

    Args:
        quantities: names of `QUANTITIES` that may be read; those that no patient has are left out.
        clinical: names of `schema.KNOWN`, likewise.
        candidates: the few ways to fit that are tried.
        folds: of the patients, inner and outer; each inner one leaves a fit in the model.
        repeats: of the outer cross-validation, each with its own folds.
        seed: of the folds.

    Raises:
        ValueError: if a name is not known, or a number is out of range.
    """

    __pydantic_config__ = _EXACT

    quantities: tuple[str, ...] = tuple(quantity.name for quantity in QUANTITIES)
    clinical: tuple[str, ...] = ("age", "hr", "her2")
    candidates: tuple[Candidate, ...] = tuple(
        Candidate(inputs, strength) for inputs in ("changes", "levels") for strength in (0.03, 0.1, 0.3)
    )
    folds: int = 5
    repeats: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [*(set(self.quantities) - {q.name for q in QUANTITIES}), *(set(self.clinical) - {*KNOWN})]
        if unknown:
            raise ValueError(f"{sorted(unknown)[0]!r} is not a quantity or clinical variable that is known")
        if not self.candidates or any(each.strength <= 0 for each in self.candidates):
            raise ValueError("candidates must be one or more, each with a strength above 0")
        if self.folds < 2 or self.repeats < 1 or self.seed < 0:
            raise ValueError("folds must be 2 or more, repeats 1 or more, and seed not negative")


PRESETS = {"full": ResponseConfig(), "quick": ResponseConfig(repeats=1)}  # of --config


def config_to_json(config: ResponseConfig) -> dict[str, Any]:
    """Return plain values."""
    return asdict(config)


def choose_config(name: str, seed: int | None = None) -> ResponseConfig:
    """Return the configuration of `--config`: full, quick (one repeat), or a JSON file.

    Args:
        seed: instead of the configuration's.

    Raises:
        DataError: if it cannot be read.
    """
    config = PRESETS[name] if name in PRESETS else read_config(Path(name))
    return config if seed is None else replace(config, seed=seed)


def read_config(file: Path | None) -> ResponseConfig:
    """Read a configuration; without a file, the usual one.

    Raises:
        DataError: if it cannot be read, or a part of it is not known.
    """
    if file is None:
        return ResponseConfig()
    try:
        return TypeAdapter(ResponseConfig).validate_python(read_json(file))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise DataError(f"{file}: {f'{place}: ' if place else ''}{message}; correct it") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(
            f"{file}: must be a JSON file with any part of a response model's config ({reason}); correct it"
        ) from None
