"""What the files of an image bundle may hold: types, ranges and sizes, beyond what any model of this kind needs.

A bundle comes from elsewhere. Its JSON is checked here, before anything is built from it, so that no number in it makes
a network, a window or a table that fills the memory. The bounds are about ten times what training makes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from ..backbones.names import NAMES
from ..errors import DataError

LARGEST_BUNDLE = 500 * 2**20  # bytes of all files
MOST_FILES = 1000
MOST_VOXELS = 2**21  # of a window
_MOST_FEATURES = 2**26  # numbers in the stem's output, 256 MB
_LONGEST = 20_000  # characters of a text
_FAR = 1e6  # beyond any calibration, range or scale

Check = Callable[[object, str], None]  # of a value and its place; raises ValueError


def check_folder(path: Path) -> None:
    """Check that a bundle has no link that leaves it, and no more files or bytes than a model needs.

    Raises:
        DataError: naming the file.
    """
    size, base = 0, path.resolve()
    for number, file in enumerate(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_symlink() and not file.resolve().is_relative_to(base):
            raise DataError(f"{path}: {name} is a link that leaves the bundle; copy the file itself into its place")
        size += file.stat().st_size if file.is_file() else 0
        if number >= MOST_FILES or size > LARGEST_BUNDLE:
            raise DataError(
                f"{path}: a bundle must have at most {MOST_FILES} files of {LARGEST_BUNDLE >> 20} MB together, this "
                "folder has more; give the folder of the bundle alone"
            )


def check_settings(inference: Mapping[str, object], width: int) -> None:
    """Check `inference.json`.

    Args:
        inference: its content.
        width: of the clinical schema.

    Raises:
        ValueError: naming the first value that is missing or out of its range.
    """
    _SETTINGS(inference, "inference.json")
    network, grid = inference["network"], inference["grid"]
    assert isinstance(network, Mapping) and isinstance(grid, Mapping)
    voxels = grid.get("slices", 8) * grid.get("size", 64) ** 2
    features = voxels / 4 * network.get("widths", (16,))[0]
    _require(voxels <= MOST_VOXELS, f"grid must have at most {MOST_VOXELS} voxels, got {voxels}")
    _require(features <= _MOST_FEATURES, "network.widths must be smaller for a grid of this size")
    inputs = network.get("clinical_inputs", 0)
    _require(inputs in (0, width), f"network.clinical_inputs must be {width}, as its clinical variables, got {inputs}")
    points = [point["name"] for point in inference["operating_points"]]  # type: ignore[attr-defined]
    _require(len(set(points)) == len(points), "operating_points must have different names")


def check_metadata(metadata: Mapping[str, object]) -> None:
    """Check the card and the clinical schema of `metadata.json`.

    Raises:
        ValueError: naming the first value that is missing or out of its range.
    """
    _some({"card": _CARD}, {"card", "clinical_schema"})(metadata, "")
    check_schema(metadata["clinical_schema"])


def check_schema(variables: object) -> None:
    """Check clinical variables, as `ClinicalSchema.to_json` gives them.

    Raises:
        ValueError: naming the first value that is missing or out of its range.
    """
    _list(_variable, 0, 200)(variables, "clinical_schema")
    names = [variable["name"].lower() for variable in variables]  # type: ignore[attr-defined]
    _require(len(set(names)) == len(names), "clinical_schema must have variables of different names")


def check_parts(images: object, distribution: object, recalibration: object) -> None:
    """Check the optional files of `configs`: marks of training patients, what these were like, how it was adapted.

    Raises:
        ValueError: naming the first value that is missing or out of its range.
    """
    _some({"fingerprints": _MARKS, "patients": _MARKS}, set())(images, "training_images.json")
    if distribution is not None:
        _DISTRIBUTION(distribution, "training_distribution.json")
    if recalibration is not None:
        _some({"patients": _number(0, 1e9, whole=True)}, {"patients"})(recalibration, "recalibration.json")


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise ValueError(sentence)


def _number(low: float = -_FAR, high: float = _FAR, *, whole: bool = False) -> Check:
    def check(value: object, place: str) -> None:
        kind = "a whole number" if whole else "a number"
        is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not is_number or not low <= value <= high or math.isnan(value):  # type: ignore[operator, arg-type]
            raise ValueError(f"{place} must be {kind} from {low:g} to {high:g}, got {value!r}")

    return check


def _text(pattern: str = "", longest: int = _LONGEST) -> Check:
    def check(value: object, place: str) -> None:
        if not isinstance(value, str) or len(value) > longest or not re.match(pattern, value):
            raise ValueError(f"{place} must be a text of at most {longest} characters, got {value!r}")

    return check


def _one_of(*values: object) -> Check:
    def check(value: object, place: str) -> None:
        if not any(type(value) is type(known) and value == known for known in values):
            raise ValueError(f"{place} must be one of {', '.join(map(str, values))}, got {value!r}")

    return check


def _optional(inner: Check) -> Check:
    def check(value: object, place: str) -> None:
        if value is not None:
            inner(value, place)

    return check


def _list(inner: Check, least: int, most: int) -> Check:
    def check(value: object, place: str) -> None:
        if not isinstance(value, list) or not least <= len(value) <= most:
            got = f"{len(value)} items" if isinstance(value, list) else repr(value)
            raise ValueError(f"{place} must be a list of {least} to {most} items, got {got}")
        for number, item in enumerate(value):
            inner(item, f"{place}.{number}")

    return check


def _map(inner: Check, most: int = 500) -> Check:
    def check(value: object, place: str) -> None:
        if not isinstance(value, dict) or len(value) > most or any(len(name) > 300 for name in value):
            raise ValueError(f"{place} must be a JSON object of at most {most} entries, got {value!r}")
        for name, item in value.items():
            inner(item, f"{place}.{name}")

    return check


def _some(checks: Mapping[str, Check], required: set[str]) -> Check:
    """Return the check of an object that must have some entries; those without a check are not read."""

    def check(value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{place or 'the file'} must be a JSON object, got {value!r}")
        prefix = f"{place}." if place else ""
        for name in sorted(required - set(value)):
            raise ValueError(f"{prefix}{name} is missing")
        for name in set(checks) & set(value):
            checks[name](value[name], prefix + name)

    return check


def _only(checks: Mapping[str, Check], required: set[str]) -> Check:
    """Return the check of an object that has no entries but these."""

    def check(value: object, place: str) -> None:
        _some(checks, required)(value, place)
        assert isinstance(value, dict)
        for name in sorted(set(value) - set(checks)):
            raise ValueError(f"{place}: {name!r} is not part of it")

    return check


def _measure(value: object, place: str, depth: int = 0) -> None:
    """Check a value of the card: a number, a short text, nothing, or several of them by name."""
    if isinstance(value, dict) and depth < 4:
        _map(lambda item, at: _measure(item, at, depth + 1))(value, place)
    elif not (value is None or isinstance(value, bool)):
        (_text() if isinstance(value, str) else _number(-1e12, 1e12))(value, place)


def _variable(value: object, place: str) -> None:
    (_CATEGORY if isinstance(value, dict) and "codings" in value else _NUMBER)(value, place)


_SHARE, _FLAG, _NAME = _optional(_number(0, 1)), _one_of(True, False), _text(r"[^\s\x00-\x1f]", 200)
_PAIR = _optional(_list(_number(0, 1), 2, 2))
_RANGE = {"low": _number(-1e9, 1e9), "high": _number(-1e9, 1e9)}
_RATES = ("sensitivity", "specificity", "ppv", "npv")
_POINT = {"name": _NAME, "threshold": _number(0, 1), "share_above": _SHARE, "patients": _optional(_number(whole=True))}
_POINT |= {rate: _SHARE for rate in _RATES} | {f"{rate}_interval": _PAIR for rate in _RATES}
_TIMES = {
    "phase": _one_of("early", "late"),
    "quartiles": _list(_number(), 3, 3),
    "patients": _number(0, whole=True),
    **_RANGE,
}
_NETWORK_ARGUMENTS = {
    "_target_": _text(),
    "in_channels": _number(3, 3, whole=True),
    "widths": _list(_number(1, 512, whole=True), 3, 3),
    "attention": _FLAG,
    "clinical_inputs": _number(0, 2000, whole=True),
    "clinical_width": _number(0, 2000, whole=True),
    "dropout": _number(0, 0.999),
    "backbone": _one_of(*NAMES),
}
_GRID = {
    "window": _number(10, 500),
    "size": _number(16, 512, whole=True),
    "slices": _number(1, 128, whole=True),
    "middle": _number(0.01, 1),
}
_SETTINGS = _only(
    {
        "network": _only(_NETWORK_ARGUMENTS, {"_target_"}),
        "grid": _only(_GRID, set()),
        "flips": _list(_list(_number(0, 2, whole=True), 0, 3), 0, 8),
        "calibration": _list(_number(-1e4, 1e4), 2, 2),
        "operating_points": _list(_only(_POINT, {"name", "threshold"}), 1, 50),
        "familiar": _list(_only({"quantity": _NAME, **_RANGE}, {"quantity", "low", "high"}), 0, 100),
        "times": _list(_only(_TIMES, set(_TIMES)), 0, 2),
        "base_rate": _SHARE,
        "averaging": _one_of("logit", "probability"),
        "typical": _optional(
            _only({"image": _number(), "variables": _map(_number())}, {"image", "variables"}),
        ),
    },
    {"network", "grid", "flips", "calibration", "operating_points", "familiar"},
)
_TEXTS = (
    *("name", "version", "description", "authors", "licence", "training_data", "intended_use", "not_intended_use"),
    *("known_limits", "timing", "elsewhere"),
)
_SUBGROUP = {"patients": _number(0, 1e9, whole=True), "positives": _number(0, 1e9, whole=True), "auc": _measure}
_CARD = _only(
    {
        **{name: _text() for name in _TEXTS},
        "metrics": _map(_measure),
        "changelog": _map(_text()),
        "subgroups": _map(_some(_SUBGROUP, {"patients", "positives"})),
        "failures": _list(_text(), 0, 1000),
        "variables": _list(_text(), 0, 1000),
    },
    set(_TEXTS) - {"timing", "elsewhere"},
)
_CATEGORY = _only(
    {
        **{"name": _NAME, "label": _text(longest=200), "combined": _FLAG, "optional": _FLAG},
        "codings": _map(_list(_text(longest=200), 0, 200), 200),
    },
    {"name", "label", "codings"},
)
_NUMBER = _only(
    {
        **{"name": _NAME, "label": _text(longest=200), "unit": _text(longest=50), "measured": _FLAG},
        **{name: _number(-1e9, 1e9) for name in ("minimum", "maximum", "mean")},
        **{name: _optional(_number(-1e9, 1e9)) for name in ("low", "high")},
        "sd": _number(1e-9, 1e9),
        "columns": _map(_number(1e-12, 1e12)),
        "agreement": _optional(_map(_optional(_number(-1e12, 1e12)))),
    },
    {"name", "label", "unit", "minimum", "maximum", "mean", "sd"},
)
_MARKS = _list(_text(longest=200), 0, 10**6)
_VARIABLE = {
    **{"name": _NAME, "label": _text(longest=300), "unit": _text(longest=50), "patients": _number(0, 1e9, whole=True)},
    **{"percentiles": _map(_optional(_number(-1e12, 1e12))), "shares": _map(_number(0, 1))},
    **{"mean": _optional(_number(-1e12, 1e12)), "sd": _optional(_number(0, 1e12))},
}
_DISTRIBUTION = _some(
    {
        **{"patients": _number(0, 1e9, whole=True), "pcr": _optional(_number(0, 1e9, whole=True))},
        **{"variables": _list(_only(_VARIABLE, {"name", "label"}), 0, 500), "missing": _text()},
    },
    {"format", "variables"},
)
