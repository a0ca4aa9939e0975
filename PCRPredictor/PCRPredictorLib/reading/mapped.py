"""The patients of a cohort whose files `cohort.json` names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from ..errors import DataError, Notice
from ..exam import LeftAside
from ..files.names import cannot_list
from .identifiers import identifier_key
from .mapping import MAPPING, CohortMapping, check_columns, check_inside, resolve
from .patterns import PATIENT, PatternFiles, names_only_patient

Rows = Mapping[str, Mapping[str, str]]
Files = Sequence[Sequence[Path]]  # the files that each pattern names for one patient
T = TypeVar("T")


@dataclass(frozen=True)
class MappedFiles:
    """The files of one patient.

    Args:
        patient_id: as in the files' names, or as in the table if its columns name the files.
        phases: in the order of acquisition, up to the last that exists.
        mask: the first that exists, or None.
        problem: why they cannot be used, as a sentence; "" if they can.
        others: images in the patient's folder that are no phases, by their names.
        notices: warnings about how the patient was found.
    """

    patient_id: str
    phases: tuple[Path, ...]
    mask: Path | None
    problem: str = ""
    others: tuple[LeftAside, ...] = ()
    notices: tuple[Notice, ...] = ()


def find_mapped(cohort: Path, mapping: CohortMapping, rows: Rows) -> list[MappedFiles]:
    """Return the patients that have at least one phase.

    If the patterns name the patient alone, these are the patients on disk, with or without a row in the table; else
    those of the table. A missing phase before the last one keeps its place, so that reading it is refused. Files that
    must not be used, such as links out of the cohort, are a problem of their patient.

    Args:
        rows: of the table, by `identifier_key`.

    Raises:
        DataError: if a pattern names an unknown column, or a folder that all share cannot be read.
    """
    files = PatternFiles(cohort, partial(check_inside, cohort, follow_links=mapping.follow_links))
    on_disk = names_only_patient((*mapping.images, *mapping.mask))
    named = list(_named_on_disk(mapping, files) if on_disk else _named_in_table(cohort, mapping, files, rows))
    if "" in files.problems:  # of a folder that all share
        raise DataError(files.problems[""])
    problems = [find_named(files.problems, name) or "" for name, _, _ in named]
    each = zip(named, problems, strict=True)
    return [_choose(cohort, mapping, *files, problem) for files, problem in each if any(files[1]) or problem]


def find_named(values: Mapping[str, T], name: str) -> T | None:
    """Return the value of a patient by `identifier_key`: 1 finds 001 if nothing else does.

    Spreadsheets drop leading zeros.
    """
    if identifier_key(name) in values:
        return values[identifier_key(name)]
    number = name.lstrip("0")
    alike = [key for key in values if name.isdecimal() and key.isdecimal() and key.lstrip("0") == number]
    return values[alike[0]] if len(alike) == 1 else None


def _named_on_disk(mapping: CohortMapping, files: PatternFiles) -> Iterator[tuple[str, Files, Files]]:
    found = [files.by_patient(text) for text in (*mapping.images, *mapping.mask)]
    by_key = [{identifier_key(name): paths for name, paths in of.items()} for of in found]
    names = {identifier_key(name): name for of in reversed(found[: len(mapping.images)]) for name in of}
    for name in names.values():
        own = [find_named(of, name) or [] for of in by_key]
        yield name, own[: len(mapping.images)], own[len(mapping.images) :]


def _named_in_table(
    cohort: Path, mapping: CohortMapping, files: PatternFiles, rows: Rows
) -> Iterator[tuple[str, Files, Files]]:
    def find(pattern: str, row: Mapping[str, str]) -> Sequence[Path]:
        try:
            path = resolve(cohort, pattern, row, mapping.follow_links)
            if "*" in pattern:
                return files.matching(path.relative_to(cohort).as_posix())
            return [path] if path.is_file() else []
        except OSError as error:
            problem = str(cannot_list(path.parent, error))
        except DataError as error:
            problem = str(error)
        files.problems.setdefault(identifier_key(row["patient_id"]), problem)
        return []

    for pattern in (*mapping.images, *mapping.mask) if rows else ():
        check_columns(cohort, pattern, next(iter(rows.values())))
    for row in rows.values():
        yield (
            row["patient_id"],
            [find(text, row) for text in mapping.images],
            [find(text, row) for text in mapping.mask],
        )


def _choose(
    cohort: Path, mapping: CohortMapping, name: str, phases: Files, masks: Files, problem: str = ""
) -> MappedFiles:
    several = [found for found in (*phases, *masks) if len(found) > 1]
    names = ", ".join(file.relative_to(cohort).as_posix() for file in several[0]) if several else ""
    if several and not problem:
        problem = f"{MAPPING} must name one file for each phase and mask, got {names}; name one of them"
    last = max((k for k, found in enumerate(phases) if found), default=-1)
    known = zip(mapping.images, phases[: last + 1], strict=False)
    paths = tuple(found[0] if found else cohort / text.replace(PATIENT, name) for text, found in known)
    return MappedFiles(name, paths, next((found[0] for found in masks if found), None), problem)
