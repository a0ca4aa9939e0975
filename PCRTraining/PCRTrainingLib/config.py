"""What a training run is told: one frozen dataclass, saved as `config.json` beside what it produced."""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from PCRPredictorLib.clinical import Category, Number
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.grid import GridSpec
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from .schema import USUAL

GuidanceName = Literal["mask cross-entropy", "gradia", "haics", "dice", "rrr", "grad-cam"]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Step:
    """One step of training: what the network has, what is asked of it, and where it starts from.

    Args:
        name: of its folder, fold_k/<name>.
        epochs: passes over the training patients.
        after: the step whose weights it starts from; None for random weights.
        attention: whether the network has its gate.
        clinical: whether the clinical branch is fused.
        guidance: the loss that ties the explanation to the tumour (see `losses.GUIDANCE`); None for none.
        guidance_weight: its weight beside the classification loss (lambda).
        swap: whether backgrounds are swapped between patients.
        learning_rate: highest of the one-cycle schedule.
        image_share: what the image's logit counts in the beginning, as a share of that of the step before: fitted on
            few patients it is too sure of itself, and drowns the clinical variables.
        image_rate: learning rate of the image branch, as a share of `learning_rate`.
        clinical_rate: learning rate of the clinical branch, likewise.
        clinical_fit: whether the clinical branch starts from its own fit on every row with a label.
        clinical_dropout: probability that a variable is taken away, so that a missing one is handled.
        patience: epochs without a better validation loss after which the step stops; None to run all epochs. The
            weights of the best epoch are kept. Needs `validation`.

    Raises:
        ValueError: if the guidance is of a gate that the step does not have.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+-]+$")]
    epochs: Annotated[int, Field(ge=1, le=10000)]
    after: str | None = None
    attention: bool = False
    clinical: bool = False
    guidance: GuidanceName | None = None
    guidance_weight: Annotated[float, Field(ge=0)] = 0.3
    swap: bool = False
    learning_rate: Positive = 3e-3
    image_share: Share = 1.0
    image_rate: Share = 1.0
    clinical_rate: Share = 1.0
    clinical_fit: bool = False
    clinical_dropout: Share = 0.0
    patience: Annotated[int, Field(ge=1)] | None = None

    def __post_init__(self) -> None:
        gate_losses = ("mask cross-entropy", "gradia", "haics", "dice")
        if self.guidance in gate_losses and not self.attention:
            raise ValueError(f"guidance {self.guidance!r} guides the gate, so attention must be true")


@dataclass(frozen=True)
class SplitConfig:
    """How patients are divided; a patient is always on one side.

    Args:
        kind: "folds": stratified by label and `column`; "groups": whole values of `column` are left out (sites,
            manufacturers); "holdout": one part of `share` is left out once; "given": read from `file`.
        folds: how many; for "groups" 0 leaves out one value at a time.
        column: of the table.
        share: of the patients that "holdout" leaves out.
        file: CSV with `patient_id, fold`, or MAMA-MIA's with `train_split, test_split`.

    Raises:
        ValueError: if there are fewer than two folds, or no list is named where it is to be read.
    """

    kind: Literal["folds", "groups", "holdout", "given"] = "folds"
    folds: Annotated[int, Field(ge=0, le=1000)] = 5
    column: str = "site"
    share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    file: str | None = None

    def __post_init__(self) -> None:
        if self.kind == "folds" and self.folds < 2:
            raise ValueError("folds must be 2 or more")
        if self.kind == "given" and not self.file:
            raise ValueError("file must name the list when kind is 'given'")


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a run but the data.

    Args:
        seed: of splits, initial weights, order and augmentation.
        steps: in the order in which they are trained; the last one goes into the bundle.
        split: see there.
        grid: the window that the network reads.
        widths: channels of the stem and of the two stages of the trunk.
        dropout: share of the pooled image features dropped in training.
        clinical_width: hidden units of the clinical branch; 0 makes it a logistic regression.
        clinical_penalty: L2 penalty on the weights of the clinical branch in its own fit (`Step.clinical_fit`).
        clinical: variables of the clinical branch: names of known ones (`schema.KNOWN`) or whole definitions.
        batch_size: patients a step of the optimiser.
        weight_decay: of AdamW.
        contrast: standard deviation of the factor on each channel, as augmentation.
        validation: share of a fold's training patients that early stopping looks at; they are not trained on.
        flips: test-time flips beside the plain image, each a tuple of axes of (slices, rows, columns).

    Raises:
        ValueError: if there are no steps, two of one name, one after a step that is not before it, or a patience
            without patients to watch.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    steps: tuple[Step, ...]
    seed: Annotated[int, Field(ge=0)] = 0
    split: SplitConfig = SplitConfig()
    grid: GridSpec = field(default_factory=GridSpec)
    widths: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (16, 32, 64)
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    clinical_width: Annotated[int, Field(ge=0)] = 16
    clinical_penalty: Annotated[float, Field(ge=0)] = 0.0
    clinical: tuple[str | Category | Number, ...] = USUAL
    batch_size: Annotated[int, Field(ge=2)] = 16
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    contrast: Annotated[float, Field(ge=0, le=1)] = 0.1
    validation: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    flips: tuple[tuple[Annotated[int, Field(ge=0, le=2)], ...], ...] = ((2,),)

    def __post_init__(self) -> None:
        known: set[str] = set()
        for step in self.steps:
            if step.name in known:
                raise ValueError(f"steps must have different names, got {step.name!r} twice")
            if step.after is not None and step.after not in known:
                raise ValueError(f"step {step.name!r} starts after {step.after!r}, which must be an earlier step")
            if step.patience is not None and not self.validation:
                raise ValueError(f"step {step.name!r} has a patience, so validation must be above 0")
            known.add(step.name)
        if not self.steps:
            raise ValueError("steps must not be empty")


def stepwise(epochs: int, *, swap: bool = True, suffix: str = "", **common: Any) -> tuple[Step, Step, Step]:  # noqa: ANN401
    """The three steps of the curriculum, `epochs` each.

    Source: Caragliano et al., arXiv 2605.07561; the background swap goes beyond it.
    """
    guided = Step("step2" + suffix, epochs, "step1", True, False, "mask cross-entropy", swap=swap, **common)
    fused = replace(
        guided,
        name="step3" + suffix,
        after=guided.name,
        clinical=True,
        clinical_fit=True,
        image_rate=1 / 3,
        clinical_rate=1 / 3,
        clinical_dropout=0.2,
    )
    return Step("step1", epochs, **common), guided, fused


PRESETS = {
    "quick": TrainingConfig(stepwise(4), split=SplitConfig(folds=3)),
    "full": TrainingConfig(stepwise(10)),
}
_ADAPTER = TypeAdapter(TrainingConfig)


def read_config(source: str | Path) -> TrainingConfig:
    """A preset by its name, or a JSON file: any part of `config.json`, the rest as in the preset "full".

    Raises:
        DataError: naming the key that is unknown or the value that is out of range.
    """
    if str(source) in PRESETS:
        return PRESETS[str(source)]
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError:
        raise DataError(f"{path}: no such configuration; give a JSON file or one of {', '.join(PRESETS)}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: must be UTF-8 ({error}); save it as UTF-8 again") from None
    return parse_config(text, str(path))


def parse_config(text: str, name: str) -> TrainingConfig:
    """A configuration from JSON text; `name` says where it came from in an error.

    Raises:
        DataError: if it is no JSON object, or a setting is unknown or out of range.
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise DataError(f"{name}: must be JSON ({error}); see config.json of any run") from None
    if not isinstance(given, dict):
        raise DataError(f"{name}: must be a JSON object; see config.json of any run")
    try:
        return _ADAPTER.validate_json(json.dumps({**config_to_json(PRESETS["full"]), **given}))
    except ValidationError as error:
        raise DataError(f"{name}: {_in_words(error)}; see config.json of any run") from None


def config_to_json(config: TrainingConfig) -> dict[str, object]:
    """Plain values for `config.json`."""
    return _ADAPTER.dump_python(config, mode="json")


def setting_schema(path: str) -> dict[str, Any]:
    """What a form needs to know of a setting.

    Args:
        path: "dropout", "split.folds", or "*.epochs" for one of a step.

    Returns:
        "title", "description" (from the docstring), "type" ("boolean", "integer", "number" or "choice"), "minimum" and
        "maximum", and "choices", of which "" stands for none.
    """
    owner, _, name = path.rpartition(".")
    cls = {"": TrainingConfig, "split": SplitConfig, "*": Step}[owner]
    found = TypeAdapter(cls).json_schema()["properties"][name]
    options = [option for option in found.get("anyOf", [found]) if option.get("type") != "null"]
    kind = options[0]
    described = re.search(
        rf"^    {name}: (.*?)(?=^    [\w, ]+: |^\S|\Z)", inspect.getdoc(cls) or "", re.DOTALL | re.MULTILINE
    )
    return {
        "title": name.replace("_", " ").capitalize(),
        "description": " ".join(described.group(1).split()) if described else "",
        "type": "choice" if "enum" in kind else kind["type"],
        "minimum": kind.get("minimum", kind.get("exclusiveMinimum", 0)),
        "maximum": kind.get("maximum", kind.get("exclusiveMaximum", 9999)),
        "choices": ([""] if "anyOf" in found else []) + kind.get("enum", []),
    }


def _in_words(error: ValidationError) -> str:
    """The first thing that is wrong, in a sentence."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"] if not str(part).startswith("function"))
    if first["type"] == "unexpected_keyword_argument":
        return f"{place} is not a known setting; use one of {', '.join(sorted(_known(place)))}"
    message = first["msg"].removeprefix("Value error, ").replace("Input should", f"{place} must", 1)
    if place and place not in message:
        message = f"{place}: {message}"
    value = first["input"]
    return message + (f", got {value!r}" if isinstance(value, (str, int, float)) else "")


def _known(place: str) -> list[str]:
    """The settings beside an unknown one."""
    owner: Any = {"steps": Step, "split": SplitConfig, "grid": GridSpec}.get(place.split(".")[0])
    return [part.name for part in fields(owner if owner and "." in place else TrainingConfig)]
