"""The exams to choose from, with the probability of each that was predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..errors import DataError, of_one_patient
from ..exam import Exam, Lesion
from ..prediction import Prediction
from ..reading.labels import LABEL, parse_labels
from ..reading.sources import PatientSource, Source, mark_doubts
from ..report.wording import Translate, describe_briefly
from .frontend import Worker
from .history import Snapshot, TumourHistory
from .result import Result
from .session import Session

_RESULT = "prediction.json"  # of `outputs`, which a session must not import
Predict = Callable[[Exam], Prediction]


@dataclass(frozen=True)
class Row:
    """An exam of the list.

    Args:
        label: "known: pCR" or "known: no pCR" if the cohort's table says so, else "".
        probability: in words, or why there is no decision; "" before a prediction.
        warnings: number of the prediction's warnings.
        problem: why the exam could not be predicted, or "".
        state: of the open exam, in words; of the others only if the tumour has changed since the prediction, else "".
    """

    name: str
    label: str = ""
    probability: str = ""
    warnings: int = 0
    problem: str = ""
    state: str = ""

    def predicted(self, prediction: Prediction, _: Translate = str) -> Row:
        """Return the row with the result of a prediction."""
        return replace(self, probability=describe_briefly(prediction, _), warnings=len(prediction.notices), problem="")


class ExamList:
    """Open exams in a session, and predict all of them. A tumour that was changed comes back with its exam.

    Args:
        sources: of the list.
        session: that an exam is opened in; its model predicts the list.
        worker: where the list is predicted, between the session's own work.

    Attributes:
        rows: one per source.
        chosen: number of the open row, -1 if it is a different exam.
    """

    def __init__(self, sources: Sequence[Source], session: Session, worker: Worker) -> None:
        self._sources, self._session, self._worker = sources, session, worker
        self._marked = sources
        self.rows = [Row(source.name, label) for source, label in zip(sources, _labels(sources), strict=True)]
        self.chosen = -1
        self._open: object = None  # identity of the exam that was opened as the chosen row
        self._translate = session.activity.translate
        self._running: Predict | None = None  # what predicts the list now
        self._noted: Result | None = None
        self._drawn: dict[int, TumourHistory] = {}  # of the rows whose tumour was changed
        self._of_files: dict[int, tuple[Snapshot, ...]] = {}  # the tumour of each row that was opened
        self._predicted: dict[int, tuple[Snapshot, ...] | None] = {}  # the tumour of a row's result; None: of the files
        self._model: str | None = None
        self._follow()
        session.activity.on_change.append(self._follow)

    @property
    def is_predicting(self) -> bool:
        """True while the list is being predicted."""
        return self._running is not None

    def open(self, number: int) -> None:
        """Open an exam; a number that is not of the list does nothing."""
        if isinstance(number, int) and 0 <= number < len(self._sources):
            source = self._sources[number]
            self._session.open(source.read, source.name, partial(self.choose, number))

    def choose(self, number: int) -> None:
        """Note which row is open; it is so until a different exam is opened, wherever that comes from."""
        self.chosen, self._open = number, self._session.tumour.history.exam
        if (drawn := self._drawn.get(number)) is not None:
            self._take_up(drawn)
        elif (now := self._session.tumour.history.now) is not None:
            self._of_files[number] = now.content
        self._session.activity.emit()

    def _take_up(self, drawn: TumourHistory) -> None:
        """Draw the tumour of the open exam as it was when that was left."""
        _, activity, tumour = self._translate, self._session.activity, self._session.tumour
        states = [each.now for each in (tumour.history, drawn) if each.now is not None]
        if len({lesion.snapshot.shape for state in states for lesion in state.lesions}) > 1:
            text = _("The files of this exam have changed; the tumour that was drawn is left out.")
            activity.report_problem(text)
            return
        tumour.take_up(drawn)
        text = _("The tumour is as it was drawn before the exam was left, not that of the files; Undo goes back.")
        activity.message = text

    @property
    def remark(self) -> str:
        """A sentence if results lie beside the open exam that are not shown; "" if none do, or after a prediction."""
        if self.chosen < 0 or self._session.result is not None:
            return ""
        files = self._sources[self.chosen].inputs[:1]
        folders = {folder for file in files for folder in (file, *file.parents[:2])}
        if not any((folder / _RESULT).is_file() for folder in folders):
            return ""
        text = "The folder of this exam holds results of an earlier prediction; press Predict for new ones."
        return self._translate(text)

    def predict_all(self) -> None:
        """Predict one exam after the other, or stop doing so."""
        session = self._session
        if self.is_predicting:
            self._stop()
            return
        try:
            bundle = session.model.check()
        except DataError as error:
            session.activity.report_problem(str(error))
            return
        session.activity.forget_problem()
        self._marked = mark_doubts(self._sources, bundle.schema)
        self._running = partial(session.runner.predict, bundle=bundle, device=session.model.device)
        self._predict_from(self._running, 0)

    def _predict_from(self, predict: Predict, number: int) -> None:
        while number < len(self.rows) and self.rows[number].probability:
            number += 1
        if number == len(self.rows):
            self._stop()
            return
        drawn = self._drawn_content(number)
        work = partial(_predict_source, self._marked[number], self.rows[number], predict, self._translate, drawn)
        self._worker.start(work, partial(self._on_predicted, predict, number, drawn), self._on_failed)
        self._session.activity.emit()

    def _on_predicted(self, predict: Predict, number: int, drawn: tuple[Snapshot, ...] | None, row: Row) -> None:
        if predict is self._running:
            self.rows[number], self._predicted[number] = row, drawn
            self._predict_from(predict, number + 1)

    def _on_failed(self, error: Exception) -> None:
        self._running = None
        self._session.activity.report_problem(str(error))

    def _stop(self) -> None:
        self._running = None
        self._session.activity.emit()

    def _follow(self) -> None:
        """Note the session's exam and result; forget what a different model predicted."""
        history = self._session.tumour.history
        if history.exam != self._open:
            self.chosen = -1
        elif self.chosen >= 0 and (history.can_undo or history.can_redo):
            self._drawn[self.chosen] = history
        bundle, result = self._session.model.bundle, self._session.result
        if (model := bundle.checksum if bundle is not None else None) != self._model:
            self._model, self._running = model, None
            self.rows = [Row(row.name, row.label) for row in self.rows]
        if result is not None and self.chosen >= 0 and (self._noted is None or result.inputs is not self._noted.inputs):
            self._noted = result
            self.rows[self.chosen] = self.rows[self.chosen].predicted(result.prediction, self._translate)
            self._predicted[self.chosen] = result.inputs.tumour
        self.rows = [replace(row, state=self._describe_state(n, row)) for n, row in enumerate(self.rows)]

    def _drawn_content(self, number: int) -> tuple[Snapshot, ...] | None:
        """Return the tumour of a row as it was drawn, None if it was never changed."""
        history = self._drawn.get(number)
        return history.now.content if history is not None and history.now is not None else None

    def _is_changed(self, number: int) -> bool:
        """Return True if the tumour of a row is not the one that was predicted."""
        then, now = self._predicted.get(number), self._drawn_content(number)
        return now is not None and now != (self._of_files.get(number) if then is None else then)

    def _describe_state(self, number: int, row: Row) -> str:
        """Return what is true of the open exam, or of a different one whose tumour was changed."""
        _, session, is_changed = self._translate, self._session, bool(row.probability) and self._is_changed(number)
        if number != self.chosen:
            return _("tumour changed since its prediction") if is_changed else ""
        if session.result is None:
            if is_changed:
                return _("open, changed since its prediction")
            return _("open, predicted before; press Predict to see it") if row.probability else _("open, not predicted")
        if session.hypothesis is not None:
            return _("open, hypothetical values")
        return _("open, changed since its prediction") if session.is_stale else _("open, predicted")


def _predict_source(
    source: Source, row: Row, predict: Predict, _: Translate, drawn: tuple[Snapshot, ...] | None
) -> Row:
    try:
        with of_one_patient():
            exam = source.read()
            if drawn is not None:
                exam = exam.with_lesions([Lesion(f"tumour {n}", each.mask) for n, each in enumerate(drawn, 1)])
            if exam.mask is None or drawn == ():
                return replace(row, problem=_("open this exam and segment the tumour first"))
            return row.predicted(predict(exam), _)
    except DataError as error:
        return replace(row, problem=str(error))


def _labels(sources: Sequence[Source]) -> list[str]:
    """Return the label of each source that is a patient of a cohort's table, in words; "" if it is not known."""
    cells = [str(each.patient.row.get(LABEL, "")) if isinstance(each, PatientSource) else "" for each in sources]
    labels, _reasons = parse_labels(cells)
    words = {1: "known: pCR", 0: "known: no pCR", None: ""}
    return [words[label] for label in labels]
