"""One patient of an archive, where it is predicted: read, predicted and written, whatever its files hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.passing import may_pass
from ..errors import DataError, of_one_patient
from ..exam import Exam
from ..files.vanished import is_gone
from ..lesion.sides import separate_sides
from ..reading.cohort import missing_mask
from ..reading.sources import PatientSource, Source
from .identity import identify
from .journal import Entry
from .rows import error_row, rows_of

if TYPE_CHECKING:
    from ..model.predictor import Predictor
    from ..prediction import Prediction


@dataclass(frozen=True)
class Request:
    """What is asked of every patient; paths and plain values, for it travels to other processes.

    Args:
        bundle: absolute path of the model.
        model: its checksum.
        device: of torch.
        operating_point: its name, None for the model's first.
        does_it_matter: find out what changes of the picture do, too.
        folder: for the files of each patient, absolute; None for the table alone.
        cohort: folder of all of them, absolute. As long as it is there, a file that is missing will not come back.
    """

    bundle: Path
    model: str
    device: str = "cpu"
    operating_point: str | None = None
    does_it_matter: bool = False
    folder: Path | None = None
    cohort: Path | None = None

    def decisive(self) -> dict[str, object]:
        """Return the plain values that decide the results."""
        return {"model": self.model, "operating_point": self.operating_point, "does_it_matter": self.does_it_matter}

    def folder_of(self, patient: str) -> Path | None:
        """Return the folder for the files of a patient."""
        from ..outputs import folder_name

        return None if self.folder is None else self.folder / folder_name(patient)


@dataclass(frozen=True)
class Task:
    """A patient to be predicted."""

    source: Source
    request: Request


class Unusable(DataError):
    """Report that the model cannot be used or results cannot be written: that is no failure of a patient."""


def predict_patient(task: Task, _report: Callable[..., None] = lambda: None) -> Entry:
    """Return what is kept of a patient; a failure is a row with one sentence.

    Raises:
        Unusable: if the model cannot be used, or the files of the patient cannot be written.
    """
    predictor = load_predictor(task.request.bundle, task.request.model, task.request.device)
    name, before = task.source.name, identify_if_there(task.source)
    try:
        with of_one_patient():
            exam = _read(task.source)
            prediction = _predict(predictor, exam, task.request)
            facts = _facts(predictor, exam, prediction)
            _write(exam, prediction, task.request.folder_of(name))
    except Unusable:
        raise
    except DataError as error:
        _remove(task.request.folder_of(name))
        changed = before != identify_if_there(task.source)
        cohort = task.request.cohort
        passing = changed or (cohort is not None and is_gone(cohort)) or may_pass(error, missing_files=cohort is None)
        return Entry(name, [error_row(name, str(error).removeprefix(f"{name}: "))], None, before or "", passing)
    return Entry(name, rows_of(name, prediction), facts, before or "", before is None)


@lru_cache(maxsize=1)
def load_predictor(bundle: Path, model: str, device: str) -> Predictor:
    """Return the predictor of this process.

    Args:
        model: checksum of the bundle.

    Raises:
        Unusable: if it cannot be used, or is a different model here than where the run was started.
    """
    from ..model.bundle import load_bundle
    from ..model.predictor import Predictor

    try:
        found = load_bundle(bundle)
        if found.checksum != model:
            raise Unusable(f"{bundle}: has changed, or is a different model on another machine; put the same one there")
        return Predictor(found, device)
    except DataError as error:
        raise Unusable(str(error)) from None


def identify_if_there(source: Source) -> str | None:
    """Return the hash of what a patient is read from; None if a file is not there."""
    try:
        return identify(source)
    except OSError:
        return None


def _read(source: Source) -> Exam:
    exam = source.read()
    if exam.mask is None:
        place = missing_mask(source.patient) if isinstance(source, PatientSource) else "it"
        raise DataError(f"{source.name}: has no tumour mask; add {place}")
    return separate_sides(exam)


def _predict(predictor: Predictor, exam: Exam, request: Request) -> Prediction:
    found = predictor.predict(exam, request.operating_point)
    if not request.does_it_matter:
        return found
    from ..effects.interventions import intervene

    return intervene(predictor, exam, found)


def _facts(predictor: Predictor, exam: Exam, prediction: Prediction) -> dict[str, object]:
    from ..shift.facts import facts_of_exam

    facts = facts_of_exam(exam, predictor.bundle.schema, prediction.probability)
    return {
        "numbers": dict(facts.numbers),
        "categories": dict(facts.categories),
        "probability": facts.probability,
    }


def _write(exam: Exam, prediction: Prediction, folder: Path | None) -> None:
    if folder is None:
        return
    from ..outputs import write_prediction

    try:
        write_prediction(exam, prediction, folder, scene=False, among_many=True)
    except DataError as error:
        raise Unusable(str(error)) from error


def _remove(folder: Path | None) -> None:
    """Remove the files of an earlier result, maybe of other images."""
    if folder is None:
        return
    from ..outputs import remove_results

    try:
        remove_results(folder)
    except OSError as error:
        raise Unusable(f"{folder}: cannot be replaced ({error.strerror or error}); close what uses it") from None
