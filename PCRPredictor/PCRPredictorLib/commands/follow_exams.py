"""The exams that a call of `pcr follow` names: by visit, or by the studies of one DICOM folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from ..errors import DataError
from ..reading.sources import Source
from ..visits.given import by_visit, source_of, sources_of_studies
from ..visits.propose import ASIDE, example, list_studies, parse_visits, propose_visits
from ..visits.studies import Study, find_studies
from .options import print_line, words_of


def words_by_visit(groups: Sequence[str], option: str, example: str) -> dict[str, list[str]]:
    """Return the words of an option by visit.

    Args:
        groups: as the command line gives them.
        option: as it is typed, for messages.
        example: of its words, for messages.

    Raises:
        typer.BadParameter: if they cannot be read; the call is at fault, exit code 2.
    """
    try:
        return by_visit(words_of(groups), option, example)
    except DataError as error:
        raise typer.BadParameter(str(error)) from None


def read_sources(visit: Sequence[str], dicom: Path | None, studies: Sequence[str]) -> dict[str, Source]:
    """Return the exams of the call by visit, in the order of time.

    Args:
        visit: words of --visit.
        dicom: folder with several studies, instead of them.
        studies: visit of each study; empty to ask.

    Raises:
        DataError: if a visit has no exam, or it is not known which study is which visit.
        typer.BadParameter: if the words cannot be read.
    """
    if dicom is not None:
        return _of_studies(dicom, studies)
    words = words_by_visit(visit, "--visit", "its exam")
    return {name: source_of(name, [Path(word) for word in paths]) for name, paths in words.items()}


def _of_studies(folder: Path, words: Sequence[str]) -> dict[str, Source]:
    """Return the exams of a folder with several studies by visit, after asking which study is which."""
    found = find_studies(folder)
    if len(found.exams) < 2:
        for line in list_studies(found):
            print_line(line)
        raise DataError(
            f"{folder}: must hold two studies with a dynamic series or more, got {len(found.exams)}; give the exam of "
            "each visit with --visit, or predict one exam with pcr predict"
        )
    proposed = propose_visits(found.exams)
    names = parse_visits(words, found.exams) if words else None
    for line in list_studies(found, names or proposed):
        print_line(line)
    for notice in found.notices:
        print_line(f"warning: {notice.message}")
    return sources_of_studies(found, names or _ask(found.exams, proposed))


def _ask(exams: Sequence[Study], proposed: Sequence[str] | None) -> Sequence[str]:
    """Return the names that the user gives on a terminal; without one, say how to give them."""
    if not sys.stdin.isatty():
        shown = " ".join(example(exams))
        raise DataError(
            f"the visit of each study must be confirmed; call it again with --studies {shown} ({ASIDE} leaves a study "
            "aside), if that is right"
        )
    while True:
        text = f"Visit of each study, {ASIDE} to leave one aside"
        words = typer.prompt(text, default=" ".join(proposed) if proposed else None).split()
        try:
            return parse_visits(words, exams)
        except DataError as error:
            print_line(str(error))
