"""`pcr predict --cohort`: a whole cohort or archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich import progress as bars

from ..child import emit
from ..engine.waiting import lines_elsewhere
from ..errors import DataError, Problem, group_problems
from ..files.names import does_not_exist
from ..reading.labels import LABEL
from .options import console, print_line, working

if TYPE_CHECKING:
    from ..archive.journal import Entry
    from ..archive.patients import Request
    from ..archive.predict import Predicted
    from ..engine.many import Place
    from ..model.bundle import Bundle
    from ..reading.sources import Source, Sources

_SHOWN = 10  # patients named for a problem that they share; the table names all


@dataclass(frozen=True)
class Wanted:
    """What is wanted of each patient, see `archive.patients.Request`, with the files of each if `each`."""

    operating_point: str | None = None
    does_it_matter: bool = False
    device: str = "cpu"
    each: bool = False


def predict_patients(
    cohort: Path,
    bundle: Bundle,
    out: Path,
    wanted: Wanted,
    cluster: str | None = None,
    workers: int | None = None,
    *,
    resume: bool = False,
) -> None:
    """Predict every patient of a cohort into a table, with the files of each patient on request.

    Raises:
        DataError: if the cohort cannot be read, or is gone meanwhile, or the folder cannot be written.
    """
    from ..archive.table import TABLE, check_folder

    check_folder(out, resume=resume)
    if not cohort.exists():
        raise DataError(does_not_exist(cohort))
    if wanted.device != "cpu" and cluster is None:
        from ..model.predictor import check_device

        check_device(wanted.device)
    print_line(f"Reading {cohort}")
    patients = _find_patients(cohort, bundle)
    from ..archive.patients import Request
    from ..engine.many import Place
    from ..files.vanished import refuse_vanished
    from ..shift.report import PAGE

    labels, unclear = labels_of(patients)
    for line in (*patients.said, *unclear):
        print_line(line)
        emit("said", text=line)
    request = Request(
        bundle.path.absolute(),
        bundle.checksum,
        wanted.device,
        wanted.operating_point,
        wanted.does_it_matter,
        out.absolute() if wanted.each else None,
        cohort.absolute(),
    )
    emit("patients", count=len(patients))
    found = _predict_with_bar(patients, request, out, Place(cluster, workers), resume=resume)
    print_failures(found)
    if found.failed:
        refuse_vanished(cohort, len(found.facts), "give --resume")
    print_shift(cohort, bundle, found, labels, out)
    print_line(f"Written to {out / TABLE}; beside the training patients: {out / PAGE}")


def _find_patients(cohort: Path, bundle: Bundle) -> Sources:
    """Return the patients of a cohort; those whose clinical values are in doubt have that as their problem."""
    from ..reading.sources import Sources, find_sources, mark_doubts

    with working("looking for patients"):
        sources = find_sources([cohort.absolute()])
        return Sources(mark_doubts(sources, bundle.schema), sources.said)


def _predict_with_bar(
    patients: Sequence[Source], request: Request, out: Path, place: Place, *, resume: bool
) -> Predicted:
    """Predict all patients under a bar, which goes if nobody could be predicted."""
    from ..archive.predict import predict_cohort

    with bars.Progress(*bars.Progress.get_default_columns(), console=console) as progress:
        task = progress.add_task("Predicting", total=len(patients))
        done = progress.tasks[task]

        def see(entry: Entry) -> None:
            progress.advance(task)
            for row in entry.rows:
                emit("patient", **row)

        try:
            with lines_elsewhere(console, lambda: f"Predicting {done.completed:.0f}/{len(patients)}"):
                return predict_cohort(patients, request, out, place, resume=resume, see=see, say=print_line)
        except DataError:
            progress.update(task, visible=done.completed > 0)
            raise


def print_shift(cohort: Path, bundle: Bundle, found: Predicted, labels: Mapping[str, int], out: Path) -> None:
    """Write how the cohort differs from the training patients, and print it; patients of the training are left out."""
    from ..shift.report import KnownPatients, write_shift

    known = found.known_images | found.known_names
    facts = [replace(each, label=labels.get(name)) for name, each in found.facts.items() if name not in known]
    counts = KnownPatients(len(found.known_images), len(found.known_names))
    with working("comparing them with the training patients"):
        sentences = write_shift(bundle, facts, cohort.resolve().name, out, counts)
    for sentence in sentences:
        print_line(sentence)


def print_failures(found: Predicted) -> None:
    """Print how many patients were predicted, and why the others were not."""
    predicted, failed = len(found.facts), len(found.failed)
    console.print(f"{predicted} of {predicted + failed} patients predicted, {failed} failed")
    for group in group_problems(Problem(name, reason) for name, reason in found.failed.items()):
        print_line(f"  {group.describe(_SHOWN)}")
    if found.passing:
        print_line(f"  {found.passing} of them for a reason that may pass; --resume tries them again")


def labels_of(patients: Sequence[Source]) -> tuple[dict[str, int], list[str]]:
    """Return the labels of a cohort's patients by identifier, and sentences about those that are not clear."""
    from ..reading.labels import parse_labels
    from ..reading.sources import PatientSource

    rows = {patient.name: patient.patient.row for patient in patients if isinstance(patient, PatientSource)}
    labels, reasons = parse_labels([str(row.get(LABEL, "")) for row in rows.values()])
    names = list(rows)
    problems = group_problems(Problem(names[k], reason) for k, reason in reasons.items())
    found = {name: label for name, label in zip(names, labels, strict=True) if label is not None}
    return found, [f"label not used: {group.describe(_SHOWN)}" for group in problems]
