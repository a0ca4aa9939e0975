"""Response models on disk: a bundle without networks.

    configs/metadata.json    card, clinical schema, kind "response"
    configs/inference.json   scales, levels, formulas with their fits, filling, bands, groups, costs
    configs/training_patients.json  marks of the identifiers trained on, to refuse an evaluation on them; optional
    docs/README.md           the model card for people
    checksums.json           SHA-256 of the files above

`bundles.folder` has what all kinds of models share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..bundles import folder
from ..bundles.bounds import check_parts
from ..bundles.folder import CHECKSUMS, INFERENCE, METADATA, README, check_kind, checksums, read_json, verify_bundle
from ..clinical import Category, ClinicalSchema, Number
from ..errors import DataError
from ..model.card import ModelCard, common_metadata
from ..model.training_marks import to_marks
from ..writing import whole_folder, write_json
from .model import ResponseModel
from .settings import ResponseSettings, check_settings, read_as, settings_from_json, settings_to_json

if TYPE_CHECKING:
    pass

KIND: folder.Kind = "response"
FORMAT = 1
DEFAULT = "response"  # the model that ships
TRAINING_PATIENTS = "configs/training_patients.json"


def bundled_responses() -> dict[str, Path]:
    """Return name and folder of the response models that ship."""
    return folder.bundled_models(KIND)


def find_response(name: str | Path = DEFAULT) -> Path:
    """Return the folder of a response model: a bundle, that of a training run, or a bundled model of that name.

    Raises:
        DataError: if it is none of these, or a model of a different kind.
    """
    return folder.find_bundle(name, KIND)


def load_response(path: Path) -> ResponseModel:
    """Read and verify a response model.

    Raises:
        DataError: if a file is missing, changed or of a different format, or the model is of a different kind.
    """
    checksum = verify_bundle(path)
    check_kind(path, KIND)
    metadata, inference = read_json(path / METADATA), read_json(path / INFERENCE)
    if metadata.get("response_format") != FORMAT:
        found = metadata.get("response_format")
        raise DataError(f"{path}: format of a response model must be {FORMAT}, got {found!r}; update BreastPCR")
    try:
        schema = ClinicalSchema(tuple(map(_read_variable, metadata["clinical_schema"])))
        card, settings = read_as(ModelCard, metadata["card"]), settings_from_json(inference, schema)
        known = read_json(path / TRAINING_PATIENTS)["patients"] if (path / TRAINING_PATIENTS).is_file() else []
        check_parts({"patients": known}, None, None)
        model = ResponseModel(card, schema, settings, checksum, path, frozenset(known))
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: not a response model ({error}); get it again from where it came from") from None
    return model


def write_response_bundle(
    path: Path,
    card: ModelCard,
    schema: ClinicalSchema,
    settings: ResponseSettings,
    readme: str,
    patients: Sequence[str] = (),
    more: Mapping[str, object] = {},
) -> None:
    """Write a bundle folder, completely or not at all.

    Args:
        schema: clinical variables; none of them is measured in the exam.
        readme: the model card for people, Markdown.
        patients: hashes of the identifiers trained on, see `model.training_marks`, whose marks are written.
        more: further files, relative name to their plain values.

    Raises:
        DataError: if it cannot be written.
        ValueError: if the settings do not fit together.
    """
    check_settings(settings, schema)
    with whole_folder(path) as staging:
        for sub in ("configs", "docs"):
            (staging / sub).mkdir()
        kind = {"kind": KIND, "response_format": FORMAT}
        write_json({**kind, **common_metadata(card, schema, _inputs(settings))}, staging / METADATA)
        write_json(settings_to_json(settings), staging / INFERENCE)
        if patients:
            write_json({"patients": to_marks(patients)}, staging / TRAINING_PATIENTS)
        for name, content in more.items():
            write_json(content, staging / name)
        (staging / README).write_text(readme, encoding="utf-8")
        write_json(checksums(staging), staging / CHECKSUMS)


def _read_variable(content: Mapping[str, object]) -> Number | Category:
    """Return a clinical variable.

    Raises:
        ValueError: if a part of it is missing or of a different type.
    """
    return read_as(Category, content) if "codings" in content else read_as(Number, content)


def _inputs(settings: ResponseSettings) -> dict[str, object]:
    """Return what the model reads, for readers of MONAI bundles."""
    units = {scale.quantity: scale.measure.unit for scale in settings.scales}
    return {level.name: {"type": "number", "unit": units[level.quantity]} for level in settings.levels}
