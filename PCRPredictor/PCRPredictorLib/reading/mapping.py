"""`cohort.json`, a small file in a cohort's folder with the names of its table, columns and files.

    {"table": "patients.xlsx", "sheet": "MRI",
     "columns": {"patient_id": "Patient", "pcr": "Response", "age": "Age at MRI"},
     "values": {"pcr": {"complete": "1", "partial": "0"}},
     "phases": ["scans/{patient_id}/pre.nii.gz", "scans/{patient_id}/post1.nii.gz", "scans/{patient_id}/post4.nii.gz"],
     "mask": ["masks/{patient_id}_checked.nii.gz", "masks/{patient_id}.nii.gz"]}

Every part may be left out; the MAMA-MIA layout (see `cohort`) then holds. Keys that start with // are comments.
`patterns` describes the names of files.
"""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ..errors import DataError
from ..exam import VISITS
from ..files.json_text import read_json, repeated
from .identifiers import identifier_key

MAPPING = "cohort.json"
VISIT = "{visit}"  # in the names of files
_LONGEST_PATTERN, _STARS = 1000, 4  # with more * comparing names takes for ever
_LONGEST_NAME = 255  # bytes, as on usual file systems
_FIELD = re.compile(r"\{(?P<column>[^{}:]+)(?::0(?P<width>\d{1,2}))?\}")
DENIES = r"\b(no|non|not|kein\w*|nicht|npcr|residual\w*|rest\w*|without|ohne|sans)\b"  # in the name of a column
_EXAMPLE = '{"columns": {"patient_id": "Patient", "pcr": "Response"}}'


@dataclass(frozen=True)
class CohortMapping:
    """Names that a cohort uses.

    Args:
        table: file of the table, in the cohort's folder.
        sheet: of an Excel table; None for `dataset_info`, or the first sheet.
        columns: our name to the table's.
        values: our column name to the meaning of its cells, as in {"pcr": {"complete": "1"}}.
        phases: files in the order of acquisition, with columns of the table in braces and * for any text. If they name
            {patient_id} alone, every patient with a file counts, else every row of the table.
        series: instead of phases, one file with all of them.
        pick: positions of pre, early and late among the phases, from 0, if they must not be chosen by time.
        mask: files likewise; the first that exists is used.
        label: value of the tumour in a mask of several, or several; "all" for each.
        lesions: "each" if every tumour of a mask counts on its own, such as one in each breast.
        follow_links: use links that lead out of the cohort's folder.
        visits: name of a visit (T0 to T3) to the text that stands for {visit} in the names of its files, by default
            the name itself.

    Raises:
        ValueError: if there are one or two phases, a phase twice, phases without a mask, a value with two meanings, or
            {visit} in some of the patterns only.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    table: str | None = None
    sheet: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    phases: tuple[str, ...] = ()
    series: str = ""
    pick: tuple[int, ...] = ()
    mask: tuple[str, ...] = ()
    label: tuple[int | str, ...] | int | str = ()
    follow_links: bool = False
    lesions: Literal["each"] | None = None
    visits: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.phases and len(self.phases) < 3:
            raise ValueError(f"phases must name 3 files or more (before contrast, early, late), got {len(self.phases)}")
        if self.phases and self.series:
            raise ValueError("phases and series must not be given together; name the one that the patients have")
        if bool(self.images) != bool(self.mask):
            raise ValueError("phases (or series) and mask must be given together")
        if self.pick and (len(self.pick) != 3 or len(set(self.pick)) != 3 or min(self.pick) < 0):
            raise ValueError("pick must be three different positions, from 0")
        if wrong := [text for text in (*self.phases, *self.mask, self.series) if not text.isprintable()]:
            raise ValueError(f"phases and mask must name files, got {wrong[0]!a}")
        if len(set(self.phases)) < len(self.phases):
            raise ValueError("phases must name a different file each, got one twice")
        _check_patterns((*self.images, *self.mask))
        _check_visits(self.visits, (*self.images, *self.mask))
        _check_label(self.columns.get("pcr", ""), "pcr" in {name.lower() for name in self.values})
        for column, meanings in self.values.items():
            twice = set(repeated([identifier_key(text) for text in meanings]))
            if first := next((text for text in meanings if identifier_key(text) in twice), None):
                raise ValueError(f"values must give {first!r} of {column} one meaning, got two")

    @property
    def images(self) -> tuple[str, ...]:
        """Return the patterns of the images: of each phase, or of the file with all of them; empty without any."""
        return self.phases or ((self.series,) if self.series else ())

    @property
    def has_visits(self) -> bool:
        """Return True if the files of each visit have names of their own."""
        return any(VISIT in pattern for pattern in self.images)

    def at(self, visit: str) -> "CohortMapping":
        """Return the mapping of one visit, as if it were a cohort of its own.

        Args:
            visit: one of `VISITS`.
        """
        text = self.visits.get(visit, visit)
        phases, mask = (tuple(pattern.replace(VISIT, text) for pattern in of) for of in (self.phases, self.mask))
        return replace(self, phases=phases, series=self.series.replace(VISIT, text), mask=mask, visits={})

    @property
    def labels(self) -> tuple[int | str, ...]:
        """Return the labels of the tumours in a mask, see `mask.read_masks`."""
        return self.label if isinstance(self.label, tuple) else (self.label,)


def _check_patterns(patterns: Iterable[str]) -> None:
    for text in patterns:
        if len(text) > _LONGEST_PATTERN or any(part.count("*") > _STARS for part in text.split("/")):
            raise ValueError(
                f"{text[:60]!r} must have at most {_LONGEST_PATTERN} characters, and {_STARS} * in a name; shorten it"
            )
        if "{" not in text.replace(VISIT, ""):
            raise ValueError(f"{text!r} is one file for all patients; name {{patient_id}} in it")
        if ".." in Path(text).parts or PurePosixPath(text).is_absolute() or PureWindowsPath(text).drive:
            raise ValueError(f"{text!r} must stay inside the cohort's folder, as masks/{{patient_id}}.nii.gz does")


def _check_visits(visits: Mapping[str, str], patterns: Iterable[str]) -> None:
    """Refuse visits with unknown names or one text, and patterns of which only some name the visit."""
    if unknown := [name for name in visits if name not in VISITS]:
        raise ValueError(f"visits must be named {', '.join(VISITS)}, got {unknown[0]!r}")
    if wrong := [text for text in visits.values() if not text.strip(". ") or re.search(r"[/\\{}*]", text)]:
        raise ValueError(f"visits must be parts of the files' names, got {wrong[0]!r}")
    if len({text.lower() for text in visits.values()}) < len(visits):
        raise ValueError("visits must have a different text each, got one twice")
    named = [VISIT in pattern for pattern in patterns]
    if any(named) and not all(named):
        raise ValueError(f"phases and mask must all name {VISIT}, or none of them")
    if visits and not any(named):
        raise ValueError(f"visits have no use unless phases and mask name {VISIT}")


def _check_label(column: str, has_values: bool) -> None:
    """Refuse a column that holds the opposite of pCR, or classes, without `values`: its yes would count as pCR."""
    words = re.sub(r"[\W_]+", " ", column.lower())
    if "rcb" in words and not has_values:
        raise ValueError("values must say what each RCB class means for pcr: class 0 is the complete response")
    if re.search(DENIES, words) and not has_values:
        raise ValueError(
            f"values must say what the cells of {column!r} mean for pcr, as its name may say the opposite: "
            '"1" for a complete response, "0" for none'
        )


def read_mapping(cohort: Path) -> CohortMapping:
    """Read the mapping of a cohort; without the file, that of the MAMA-MIA layout.

    Raises:
        DataError: if it cannot be read, or has an unknown part or a value of the wrong kind.
    """
    path = cohort / MAPPING
    if not path.is_file():
        return CohortMapping()
    try:
        return TypeAdapter(CohortMapping).validate_python(_with_lists(_without_comments(path)))
    except ValidationError as error:
        raise DataError(f"{path}: {_describe_error(error)}") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: must be JSON ({error}), for example {_EXAMPLE}") from None


def _without_comments(path: Path) -> object:
    def keep(pairs: list[tuple[str, object]]) -> dict[str, object]:
        kept = [(key, value) for key, value in pairs if not key.startswith("//")]
        if twice := repeated([key for key, _ in kept]):
            raise ValueError(f"{twice[0]!r} is given twice")
        return dict(kept)

    return read_json(path, keep)


def _with_lists(parts: object) -> object:
    """Return the parts with a single mask as a list, and / between the folders of patterns."""
    if not isinstance(parts, dict):
        return parts
    listed = {key: [value] if key == "mask" and isinstance(value, str) else value for key, value in parts.items()}
    for key in ("phases", "mask"):
        if isinstance(listed.get(key), list):
            listed[key] = [text.replace("\\", "/") if isinstance(text, str) else text for text in listed[key]]
    return listed


def _describe_error(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "unexpected_keyword_argument":
        return f"{place} is not known here; use {', '.join(part.name for part in fields(CohortMapping))}"
    if first["type"] == "dataclass_type":
        return f"must be an object, as in {_EXAMPLE}"
    message = first["msg"].removeprefix("Value error, ").replace("Input should", "must", 1)
    message = message.replace("a valid tuple", "a list in [ ]")
    message = re.sub("a valid (dictionary|mapping)", "an object in { }", message)
    got = repr(first["input"])
    return f"{place} {message}, got {got[:60]}{'...' if len(got) > 60 else ''}" if place else message


def resolve(cohort: Path, pattern: str, row: Mapping[str, str], follow_links: bool = False) -> Path:
    """Return the file that a pattern names for one patient.

    Args:
        follow_links: allow a link that leads out of the cohort's folder.

    Raises:
        DataError: if the pattern names an unknown column, cannot be a file's name or leaves the cohort's folder.
    """
    check_columns(cohort, pattern, row)
    name = _FIELD.sub(lambda found: _fill(row[found["column"]], found["width"]), pattern)
    if not name.isprintable() or any(len(part.encode()) > _LONGEST_NAME for part in name.split("/")):
        raise DataError(f"{cohort / MAPPING}: {_short(pattern)} must name a file, got {_short(name)}")
    check_inside(cohort, cohort / name, pattern, follow_links)
    return cohort / name


def check_columns(cohort: Path, pattern: str, columns: Collection[str]) -> None:
    """Check that a pattern names columns of the table, and has no other braces.

    Raises:
        DataError: if it does not.
    """
    rest, named = _FIELD.sub("", pattern), {found["column"] for found in _FIELD.finditer(pattern)}
    if "{" in rest or "}" in rest or not named <= set(columns):
        raise DataError(
            f"{cohort / MAPPING}: {_short(pattern)} must have columns of the table in its braces, as in {{patient_id}} "
            "or {patient_id:03} for at least 3 digits"
        )


def _fill(value: str, width: str | None) -> str:
    """Return a value, with zeros before it up to a width."""
    return value.zfill(int(width or 0))


def _short(text: str) -> str:
    shown = ascii(text) if not text.isprintable() else repr(text)
    return shown if len(shown) <= 80 else f"{shown[:80]}..."


def check_inside(cohort: Path, path: Path, pattern: str, follow_links: bool = False) -> None:
    """Check that the file that a pattern names is in the cohort's folder.

    Raises:
        DataError: if it is not; a link that leads out of the folder may be allowed.
    """
    if not Path(os.path.normpath(path.absolute())).is_relative_to(os.path.normpath(cohort.absolute())):
        raise DataError(f"{cohort / MAPPING}: {pattern!r} must stay inside the cohort's folder, got {path}")
    try:
        inside = follow_links or path.resolve().is_relative_to(cohort.resolve())
    except (OSError, RuntimeError):  # of a circle, until Python 3.13
        raise DataError(f"{path}: is a link that leads in a circle; copy the file there") from None
    if not inside:
        raise DataError(
            f"{path}: is a link that leads out of the cohort's folder; copy the file, or write "
            f'"follow_links": true into {MAPPING}'
        )
