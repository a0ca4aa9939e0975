"""`pcr follow`: a patient's exams at several visits, or a table of what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..calls.follow_up import follow_exams, follow_values
from ..errors import Notice, group_problems
from ..follow.content import name_of
from ..formatting import count
from ..visits.given import with_tumours
from ..visits.predictions import TABLE, write_predictions
from ..visits.table import CourseTable, read_courses
from .follow_exams import read_sources, words_by_visit
from .options import GROUP, print_line, print_table, working

if TYPE_CHECKING:
    from ..response.course import Course
    from ..response.model import ResponseModel
    from ..response.prediction import ResponsePrediction

RESPONSE = "response"
_KINDS = ("--visit", "--dicom", "--values", "--table")
_EXAM = "an exam: a DICOM folder, a folder with a file per phase, a 4-D file, or three files"

VisitOption = Annotated[
    list[str],
    typer.Option(
        metavar=f"{GROUP} PATH...",
        help=f"T0 (before treatment), T1, T2 or T3 (before surgery), and {_EXAM}. Give it once for each visit.",
    ),
]
StudiesOption = Annotated[
    list[str],
    typer.Option(help="Visit of each study of --dicom in the order of time; - leaves a study aside: T0 - T1."),
]
MaskOption = Annotated[
    list[str],
    typer.Option(
        metavar=f"{GROUP} FILE",
        help="Visit and its tumour mask; or gone (no tumour any more); or baseline (what enhances inside the outline "
        "of the first visit).",
    ),
]
LabelOption = Annotated[
    list[str], typer.Option(metavar=f"{GROUP} LABEL...", help="Visit and the tumour's label in a mask of several.")
]
PickOption = Annotated[
    list[str], typer.Option(metavar=f"{GROUP} 0 1 2", help="Visit and the phases to use as pre, early and late.")
]
DayOption = Annotated[
    list[str],
    typer.Option(metavar=f"{GROUP} DAYS", help="Visit and its days after the first, if files have no dates: T1 22."),
]


def follow(
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    visit: VisitOption = [],  # noqa: B006
    dicom: Annotated[Path | None, typer.Option(help="DICOM folder with several studies of one patient.")] = None,
    studies: StudiesOption = [],  # noqa: B006
    mask: MaskOption = [],  # noqa: B006
    label: LabelOption = [],  # noqa: B006
    pick: PickOption = [],  # noqa: B006
    day: DayOption = [],  # noqa: B006
    values: Annotated[
        Path | None, typer.Option(help="Table with the measurements of one patient, instead of exams.")
    ] = None,
    table: Annotated[
        list[Path],
        typer.Option(help="Tables of many patients, or cohorts with visits; writes predictions.csv."),
    ] = [],  # noqa: B006
    mapping: Annotated[
        Path | None, typer.Option(help="JSON that names columns and units of a table; pcr init TABLE writes one.")
    ] = None,
    unit: Annotated[
        list[str], typer.Option(help="Unit of a table's columns whose names have none: mm or cm, ml or mm3.")
    ] = [],  # noqa: B006
    clinical: Annotated[list[str], typer.Option(help="CSV or JSON file, or pairs: age=52 hr=positive.")] = [],  # noqa: B006
    model: Annotated[str, typer.Option("--model", help="Response bundle, or the name of a bundled one.")] = RESPONSE,
    operating_point: Annotated[str | None, typer.Option(help="Operating point; default: the model's first.")] = None,
    one_patient: Annotated[
        bool, typer.Option("--one-patient", help="The exams are of one patient although their headers differ.")
    ] = False,
    show_patient_id: Annotated[bool, typer.Option("--show-patient-id", help="Name the patient in the report.")] = False,
    dicom_results: Annotated[
        bool, typer.Option("--dicom-results", help="Also write DICOM objects for a PACS; needs DICOM exams.")
    ] = False,
) -> None:
    """Follow a tumour under treatment: measure it at each visit, and predict pCR from how it responds."""
    kinds = [name for name, given in zip(_KINDS, (visit, dicom, values, table), strict=True) if given]
    of_exams = {"--mask": mask, "--label": label, "--pick": pick, "--one-patient": one_patient}
    of_exams |= {"--dicom-results": dicom_results, "--day": day and values is None}
    _check_words(kinds, bool(studies), of_exams, {"--mapping": mapping, "--unit": unit})
    if table and (clinical or show_patient_id):
        raise typer.BadParameter("--clinical and --show-patient-id are for one patient, not a --table")
    options = _of_visits(mask, label, pick, day)
    response = _load(model)
    if table:
        _follow_table(_read_table(table, mapping, unit), response, operating_point, out)
        return
    known = _clinical(clinical, response)
    if values is not None:
        read = _read_table([values], mapping, unit, known)
        found = follow_values(values, read, known, options[-1], response, operating_point)
    else:
        given = with_tumours(read_sources(visit, dicom, studies), *options)
        with working("reading") as show:
            found = follow_exams(given, known, response, operating_point, one_patient=one_patient, report=show)
    found.write(out, show_patient_id=show_patient_id, dicom=dicom_results)
    print_course(found.course, found.prediction, found.notices)
    name = name_of(found.course, found.prediction)
    for line in (found.prediction.model.use, f"Result {name}, as in its report", f"Written to {out}"):
        print_line(line)


def print_course(course: Course, prediction: ResponsePrediction, notices: Sequence[Notice]) -> None:
    """Print a table with a line per visit, then every warning once."""
    from rich.table import Table

    from ..follow.words import (
        describe_briefly,
        describe_day,
        describe_decision,
        describe_probability,
        format_change,
        format_quantity,
        list_warnings,
    )
    from ..response.course import change

    shown = Table(box=None, pad_edge=False)
    for column in ("visit", "day", "volume (FTV)", "change", "diameter", "change", "pCR probability"):
        shown.add_column(column)
    first = next(iter(course)).values
    for visit, after in zip(course, prediction.visits, strict=True):
        is_first = visit.values is first
        cells = [visit.name, describe_day(course.days[visit.name]) or "?"]
        for name in ("functional_volume_ml", "longest_diameter_mm"):
            now = visit.values.get(name)
            cells += [format_quantity(name, now), "" if is_first else format_change(change(first.get(name), now))]
        shown.add_row(*cells, describe_briefly(after))
    print_table(shown)
    probability = describe_probability(prediction.last, prediction.model.base_rate)
    if prediction.last.decision_withheld:
        print_line(f"No decision: {prediction.last.decision_withheld}")
        print_line(f"Not to be relied on: {probability}")
    else:
        print_line(probability)
        print_line(describe_decision(prediction.last))
    for visits, notice in list_warnings(course, prediction, notices):
        print_line(f"warning: {visits + ': ' if visits else ''}{notice.message}")


def _of_visits(*given: Sequence[str]) -> list[dict[str, list[str]]]:
    """Return the words of --mask, --label, --pick and --day by visit."""
    kinds = (
        ("--mask", "a file, gone or baseline"),
        ("--label", "a label"),
        ("--pick", "three positions of phases"),
        ("--day", "days"),
    )
    return [words_by_visit(words, *kind) for words, kind in zip(given, kinds, strict=True)]


def _check_words(
    kinds: list[str], studies: bool, of_exams: Mapping[str, object], of_tables: Mapping[str, object]
) -> None:
    """Refuse options that do not go together."""
    if len(kinds) != 1:
        raise typer.BadParameter("give exactly one of --visit (once for each visit), --dicom, --values and --table")
    is_table = kinds[0] in ("--values", "--table")
    if wrong := [name for name, given in (of_exams if is_table else of_tables).items() if given]:
        raise typer.BadParameter(f"{wrong[0]} is for {'exams' if is_table else 'tables'}, not for {kinds[0]}")
    if studies and kinds != ["--dicom"]:
        raise typer.BadParameter("--studies names the visits of the studies of a --dicom folder")


def _read_table(
    tables: Sequence[Path], mapping: Path | None, units: Sequence[str], known: Iterable[str] = ()
) -> CourseTable:
    """Read tables and print what was recognised in them, what was not used, and what looks wrong.

    Args:
        known: clinical variables that are given beside the tables, which need no column.
    """
    found = read_courses(tables, mapping, units)
    absent = tuple(f"no column for {name}" for name in known)
    warnings = [text for text in found.warnings if not (absent and text.startswith(absent))]
    for line in (*found.notes, *(f"warning: {text}" for text in warnings)):
        print_line(line)
    return found


def _follow_table(found: CourseTable, model: ResponseModel, operating_point: str | None, out: Path) -> None:
    """Predict every patient of a table and print how many could be."""
    failed = write_predictions(found.courses, found.left_out, model, operating_point, out)
    total = len(found.courses) + len(found.left_out)
    print_line(f"{total - len(failed)} of {count(total, 'patient')} predicted, {len(failed)} failed")
    for group in group_problems(failed):
        print_line(f"  {group.describe(10)}")
    print_line(model.identity.use)
    print_line(f"Written to {out / TABLE}")


def _load(name: str) -> ResponseModel:
    from ..response.bundle import find_response, load_response

    return load_response(find_response(name))


def _clinical(words: Sequence[str], model: ResponseModel) -> dict[str, object]:
    from ..reading.clinical import read_clinical_words

    return read_clinical_words(words, model.schema, print_line)
