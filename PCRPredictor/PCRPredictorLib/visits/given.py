"""The visits that a user names: an exam for each, what counts as its tumour, and which phases are read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import DataError
from ..files.names import does_not_exist
from ..reading.sources import DicomSource, PatientSource, Source, find_sources, given_source
from ..response.course import VISITS, Use
from .propose import ASIDE, check_names
from .studies import Studies

WAYS = "a DICOM folder, a folder with a file per phase, a 4-D file, or three files (before contrast, early, late)"


@dataclass(frozen=True)
class GivenVisit:
    """A visit before it is read.

    Args:
        name: one of `VISITS`.
        source: of the exam, with the file of the tumour's mask if there is one.
        use: what counts as the tumour: what is "drawn" in the mask, none as it is "gone", or what enhances inside the
            outline of the "baseline".
        day: after the first visit, if the user or a table says it; it replaces the dates of the exams.
    """

    name: str
    source: Source
    use: Use = "drawn"
    day: int | None = None


def by_visit(groups: Sequence[Sequence[str]], option: str, example: str) -> dict[str, list[str]]:
    """Return the words of an option that is given once for each visit, by the visit's name.

    Args:
        groups: of each time that the option was given: the visit and its words.
        option: as it is typed, for messages.
        example: of its words, for messages.

    Raises:
        DataError: if a visit is unknown or given twice, or nothing follows it.
    """
    found: dict[str, list[str]] = {}
    for group in groups:
        (name,) = check_names(group[:1] or [""])
        if name == ASIDE or name in found:
            raise DataError(f"{option} must name each visit once, got {group[0]} again; give one {option} per visit")
        if len(group) < 2:
            raise DataError(f"{option} {name} must be followed by {example}, got nothing; add it")
        found[name] = list(group[1:])
    return {name: found[name] for name in VISITS if name in found}


def source_of(name: str, paths: Sequence[Path]) -> Source:
    """Return the exam of a visit.

    Args:
        name: of the visit, for messages.
        paths: one place, or the phases in order of time.

    Raises:
        DataError: if a path does not exist, or they do not hold one exam.
    """
    if missing := [path for path in paths if not path.exists()]:
        raise DataError(f"{name}: {does_not_exist(missing[0])}, or give {WAYS}")
    if len(paths) > 1 and (folders := [path for path in paths if path.is_dir()]):
        raise DataError(f"{name}: several paths must be files, got the folder {folders[0]}; give each visit a --visit")
    if len(paths) == 2:
        raise DataError(f"{name}: an exam must have at least 3 phases, got 2 files; give {WAYS}")
    if len(paths) == 3:
        return given_source(paths)
    if len(paths) > 3:
        return given_source((), series=paths)
    try:
        found = find_sources(paths)
    except DataError as error:
        raise DataError(f"{name}: {str(error).replace('three files with --phases', 'three files')}") from None
    if len(found) != 1 or isinstance(found[0], PatientSource):
        raise DataError(f"{name}: {paths[0]} is a cohort of {len(found)}; give the exam of one patient as {WAYS}")
    return found[0]


def sources_of_studies(found: Studies, names: Sequence[str]) -> dict[str, Source]:
    """Return the exams of a folder with several studies by visit.

    Args:
        found: the studies.
        names: of the visit of each study that may be an exam; `-` leaves it aside.

    Raises:
        DataError: if a chosen study cannot be read as an exam.
    """
    chosen = [(name, study) for name, study in zip(names, found.exams, strict=True) if name != ASIDE]
    if wrong := [(name, study) for name, study in chosen if study.exam is None]:
        name, study = wrong[0]
        raise DataError(f"{name}: the study cannot be read, {study.fault}; leave it aside with {ASIDE} in --studies")
    return {
        name: DicomSource(name=name, folder=found.folder, files=study.files)
        for name, study in sorted(chosen, key=lambda pair: VISITS.index(pair[0]))
    }


def with_tumours(
    sources: Mapping[str, Source],
    masks: Mapping[str, Sequence[str]],
    labels: Mapping[str, Sequence[str]],
    picks: Mapping[str, Sequence[str]],
    days: Mapping[str, Sequence[str]] = {},
) -> list[GivenVisit]:
    """Return the visits with what counts as the tumour of each.

    Args:
        sources: of the exams, by visit.
        masks: by visit one word: a file, "gone" or "baseline".
        labels: by visit, of the tumour in a mask of several.
        picks: by visit, positions of pre, early and late among the phases.
        days: by visit one word, days after the first visit.

    Raises:
        DataError: if an option names a visit without an exam, or has words that it cannot have.
    """
    for option, given in (("--mask", masks), ("--label", labels), ("--pick", picks), ("--day", days)):
        if others := [name for name in given if name not in sources]:
            raise DataError(
                f"{option} {others[0]}: {others[0]} has no exam; give one with --visit {others[0]}, or leave "
                f"{option} {others[0]} out"
            )
    if wrong := [name for name, words in masks.items() if len(words) > 1]:
        raise DataError(f"--mask {wrong[0]} must be one file, gone or baseline, got {' '.join(masks[wrong[0]])}")
    found = [
        _with_tumour(name, source, next(iter(masks.get(name, ())), ""), labels.get(name, ()), picks.get(name, ()))
        for name, source in sources.items()
    ]
    read = read_days(days, sources)
    return [replace(visit, day=read.get(visit.name)) for visit in found]


def read_days(days: Mapping[str, Sequence[str]], visits: Collection[str]) -> dict[str, int]:
    """Return the days after the first visit, by visit.

    Args:
        days: by visit one word.
        visits: that there are.

    Raises:
        DataError: if it is not a number of days, or of no visit that there is.
    """
    if others := [name for name in days if name not in visits]:
        raise DataError(f"--day {others[0]}: there is no {others[0]}; leave --day {others[0]} out")
    for name, words in days.items():
        if len(words) != 1 or not re.fullmatch(r"-?\d{1,6}", words[0]):
            shown = " ".join(words)
            raise DataError(f"--day {name} must be days after the first visit, got {shown}; as --day {name} 22")
    return {name: int(words[0]) for name, words in days.items()}


def _with_tumour(name: str, source: Source, mask: str, labels: Sequence[str], picks: Sequence[str]) -> GivenVisit:
    if len(picks) not in (0, 3) or not all(re.fullmatch(r"\d{1,6}", word) for word in picks):
        raise DataError(f"--pick {name} must be three positions of phases, from 0, got {' '.join(picks)}; as 0 1 3")
    source = source.with_overrides(None, {}, labels, [int(word) for word in picks])
    if mask.lower() == "gone":
        return GivenVisit(name, replace(source, mask=None), "gone")
    if mask.lower() == "baseline":
        return GivenVisit(name, replace(source, mask=None), "baseline")
    if mask and not Path(mask).exists():
        raise DataError(f"{name}: the mask {does_not_exist(Path(mask))}, or write gone or baseline")
    return GivenVisit(name, replace(source, mask=Path(mask)) if mask else source)
