"""A prediction, what it was made from, and the values that were entered, as one JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import DataError
from ..exam import Exam, exam_to_json
from ..files.digest import digest
from ..files.json_text import parse_json
from ..prediction import RESEARCH_USE_ONLY, LesionPrediction, Prediction
from .maps import pack, unpack
from .records import from_plain, to_plain

FORMAT = 1
KIND = "BreastPCR result"
_ARRAYS = ("attention", "evidence_map")
_SKIPPED = (*_ARRAYS, "basis", "lesions")
_WHAT_TO_DO = "predict again, or open the scene with the version that saved it"


@dataclass(frozen=True, eq=False)
class Packed:
    """What takes long to write: the maps, and a digest of the phases.

    Args:
        maps: attention and evidence of the exam and of each further lesion; None for a map that there is none of.
        phases: `digest` of the voxels.
    """

    maps: tuple[Mapping[str, object] | None, ...]
    phases: str


@dataclass(frozen=True, eq=False)
class SavedResult:
    """A result as a scene keeps it.

    Args:
        prediction: with its maps; it cannot answer for other clinical values.
        entered: clinical values by name, as they were entered.
        meaning: the same as the model read them.
        phases: `digest` of the voxels that were predicted.
        tumour: `digest` of the tumours that were predicted.
        shown: number of the lesion that was shown.
    """

    prediction: Prediction
    entered: Mapping[str, object]
    meaning: Mapping[str, object]
    phases: str
    tumour: str
    shown: int = 0


def pack_result(exam: Exam, prediction: Prediction) -> Packed:
    """Return what takes long to write; runs on any thread."""
    each = [prediction, *(lesion.prediction for lesion in prediction.lesions)]
    arrays = [getattr(one, name) for one in each for name in _ARRAYS]
    same = {id(array): pack(array) for array in arrays if array is not None}
    return Packed(tuple(same.get(id(array)) for array in arrays), digest(exam.phases))


def write_result(saved: SavedResult, packed: Packed, exam: Exam) -> str:
    """Return a result as text."""
    prediction = saved.prediction
    content = {
        "format": FORMAT,
        "kind": KIND,
        "disclaimer": RESEARCH_USE_ONLY,
        "decision": prediction.decision,
        "prediction": to_plain(prediction, _SKIPPED),
        "lesions": [
            {"name": lesion.name, "label": lesion.label, "prediction": to_plain(lesion.prediction, _SKIPPED)}
            for lesion in prediction.lesions
        ],
        "shown": saved.shown,
        "made_from": {
            "exam": exam_to_json(exam),
            "phases": packed.phases,
            "tumour": saved.tumour,
            "entered": to_plain(saved.entered),
            "read_as": to_plain(saved.meaning),
        },
        "maps": list(packed.maps),
    }
    return json.dumps(content, ensure_ascii=True)


def read_result(text: str, shape: Sequence[int]) -> SavedResult:
    """Return the result of a text.

    Args:
        shape: of the exam (k, j, i).

    Raises:
        DataError: if the text is of a different version, damaged, or of a different exam; in one sentence.
    """
    try:
        content = parse_json(text, most=len(text), longest=len(text))  # it is in memory already
        if not isinstance(content, dict) or content.get("kind") != KIND:
            raise ValueError(f"it must be a {KIND}")
        if content.get("format") != FORMAT:
            raise ValueError(f"its format must be {FORMAT}, got {content.get('format')!r}")
        return _read(content, tuple(shape))
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise DataError(f"the result in the scene cannot be read: {reason}; {_WHAT_TO_DO}") from None


def _read(content: Mapping[str, Any], shape: tuple[int, ...]) -> SavedResult:
    made_from, lesions = content["made_from"], content["lesions"]
    arrays = [None if packed is None else unpack(packed, shape) for packed in content["maps"]]
    if len(arrays) != len(_ARRAYS) * (1 + len(lesions)):
        raise ValueError(f"it must have {len(_ARRAYS)} maps for each lesion, got {len(arrays)}")
    pairs = [dict(zip(_ARRAYS, arrays[k : k + 2], strict=True)) for k in range(0, len(arrays), 2)]
    prediction = from_plain(Prediction, content["prediction"], "prediction", **pairs[0])
    each = tuple(_lesion(*pair) for pair in zip(lesions, pairs[1:], strict=True))
    _check_probabilities([prediction, *(lesion.prediction for lesion in each)])
    shown = content["shown"]
    return SavedResult(
        replace(prediction, lesions=each),
        from_plain(Mapping[str, object], made_from["entered"], "entered"),
        from_plain(Mapping[str, object], made_from["read_as"], "read_as"),
        from_plain(str, made_from["phases"], "phases"),
        from_plain(str, made_from["tumour"], "tumour"),
        shown if isinstance(shown, int) and 0 <= shown < max(len(each), 1) else 0,
    )


def _check_probabilities(predictions: Iterable[Prediction]) -> None:
    for each in predictions:
        found = (each.probability, *each.interval, *each.fold_probabilities, each.image_probability)
        if bad := [value for value in (*found, each.operating_point.threshold) if not 0 <= value <= 1]:
            raise ValueError(f"its probabilities must lie between 0 and 1, got {bad[0]:g}")


def _lesion(content: Mapping[str, Any], arrays: Mapping[str, object]) -> LesionPrediction:
    prediction = from_plain(Prediction, content["prediction"], "prediction", **arrays)
    name, label = from_plain(str, content["name"], "name"), from_plain(int | None, content["label"], "label")
    return LesionPrediction(name, prediction, label)
