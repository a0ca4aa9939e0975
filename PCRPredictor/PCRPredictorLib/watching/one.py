"""One study of a watch: predicted by the same function as `pcr pacs predict`, and what became of it in plain values."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..archive.patients import Unusable, load_predictor
from ..archive.rows import Row, rows_of
from ..engine.passing import may_pass
from ..errors import DataError, trace_of, within_memory
from ..files.digest import digest
from ..outputs import remove_results
from ..pacs.connection import Connection
from ..pacs.errors import PacsError
from ..pacs.predicting import StudyRequest, StudyResult, predict_study
from .records import FETCHED, Outcome
from .stopping import Stopped

if TYPE_CHECKING:
    from ..exam import Exam

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EACCES)  # of this computer's disk


@dataclass(frozen=True)
class Settings:
    """What is wanted of every study; paths and plain values, for it travels to a process.

    Args:
        out: folder of the watch, absolute; each study has a folder in it.
        bundle: absolute path of the model.
        model: its checksum.
        device: of torch.
        operating_point: its name, None for the model's first.
        find_tumour: find the tumour of studies without a segmentation.
        store: send the results to the PACS.
        show_patient_id: name the patient in reports and records.
    """

    out: Path
    bundle: Path
    model: str
    device: str = "cpu"
    operating_point: str | None = None
    find_tumour: bool = False
    store: bool = False
    show_patient_id: bool = False

    def decisive(self) -> dict[str, object]:
        """Return the plain values that decide the results."""
        return {
            "model": self.model,
            "operating_point": self.operating_point,
            "find_tumour": self.find_tumour,
            "results_stored": self.store,
        }

    def folder_of(self, study: str) -> Path:
        """Return the folder for the files of a study."""
        return self.out / study


@dataclass(frozen=True)
class Task:
    """A study to be predicted; `finds` if its tumour is to be found."""

    study: str
    finds: bool
    settings: Settings


def predict_one(connection: Connection, task: Task) -> Outcome:
    """Predict a study and, if that is asked for, store its results; return what became of it.

    Raises:
        Unusable: if the model cannot be used.
        Stopped: if the end is asked for while the PACS is waited for.
    """
    settings, folder = task.settings, task.settings.folder_of(task.study)
    shutil.rmtree(settings.out / FETCHED, ignore_errors=True)
    try:
        with within_memory():
            predictor = load_predictor(settings.bundle, settings.model, settings.device)
    except Unusable:
        raise
    except DataError as error:  # no memory for the model now; other programs may give some back
        return Outcome("waiting", error=str(error))
    request = StudyRequest(
        study=task.study,
        find_tumour=task.finds,
        operating_point=settings.operating_point,
        show_patient_id=settings.show_patient_id,
        store=settings.store,
        keep=settings.out / FETCHED,
    )
    try:
        with within_memory():
            return _predicted(task, predict_study(connection, request, predictor, folder))
    except (Unusable, Stopped):
        raise
    except Exception as error:  # one study, whatever its files raise, does not stop the others
        if isinstance(error, PacsError) or may_pass(error) or _is_of_the_disk(error):
            return Outcome("waiting", error=_sentence(error))
        remove_results(folder)
        return Outcome("failed", error=_sentence(error))


def _predicted(task: Task, result: StudyResult) -> Outcome:
    stored = [item for item in result.items if item.state == "stored"]
    own = {
        "mask": "found, not reviewed" if task.finds else str(result.fetched.mask_from),
        "stored": str(len(stored)) if task.settings.store else "",
        "stored_before": str(len(result.items) - len(stored)) if task.settings.store else "",
    }
    if task.settings.show_patient_id:
        own["patient_id"] = result.fetched.study.patient_id
    rows = [{**own, **_without_name(row)} for row in rows_of(task.study, result.predicted.prediction)]
    return Outcome("predicted", tuple(rows), _made_from(result.predicted.exam))


def _without_name(row: Row) -> Row:
    return {name: text for name, text in row.items() if name != "patient_id"}


def _made_from(exam: Exam) -> str:
    """Return a hash of voxels, mask and positions."""
    return digest([exam.geometry, *exam.phases, exam.labelled_mask()])


def _is_of_the_disk(error: BaseException | None) -> bool:
    """Return True if an error was raised because nothing can be written here: every study would fail of it."""
    return any(isinstance(each, OSError) and each.errno in _FULL for each in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _sentence(error: Exception) -> str:
    if isinstance(error, DataError):
        return str(error)
    kind, *_, place = trace_of(error).splitlines()
    return f"it ended with an unexpected {kind} in {place}; please report this, other studies are not affected"
