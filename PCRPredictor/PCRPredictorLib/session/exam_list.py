"""The exams to choose from, with the probability of each that was predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..errors import DataError
from ..exam import Exam
from ..prediction import Prediction
from ..reading.sources import Source
from .activity import TOO_LARGE
from .face import Worker
from .result import Result
from .session import Session

Predict = Callable[[Exam], Prediction]


@dataclass(frozen=True)
class Row:
    """An exam of the list: its name, its probability in words or "", and why there is none or ""."""

    name: str
    probability: str = ""
    problem: str = ""


class ExamList:
    """Open exams in a session, and predict all of them.

    Args:
        sources: of the list.
        session: that an exam is opened in; its model predicts the list.
        worker: where the list is predicted, between the session's own work.

    Attributes:
        rows: one per source.
        chosen: number of the row on the table, -1 if it is a different exam.
        is_predicting: whether the list is being predicted.
    """

    def __init__(self, sources: Sequence[Source], session: Session, worker: Worker) -> None:
        self._sources, self._session, self._worker = sources, session, worker
        self.rows = [Row(source.name) for source in sources]
        self.chosen = -1
        self.is_predicting = False
        self.on_change: list[Callable[[], object]] = []
        self._round = 0
        self._noted: Result | None = None
        self._model: str | None = None
        session.activity.on_change.append(self._follow)

    def open(self, number: int) -> None:
        """Open an exam; a number that is not of the list does nothing."""
        if isinstance(number, int) and 0 <= number < len(self._sources):
            source = self._sources[number]
            self._session.open(source.read, source.name, partial(self.choose, number))

    def choose(self, number: int) -> None:
        """Note which row is on the table, -1 if it is a different exam."""
        self.chosen = number
        self._emit()

    def predict_all(self) -> None:
        """Predict one exam after the other, or stop doing so."""
        self._round += 1  # what is still running is not noted
        if self.is_predicting:
            self._stop()
            return
        model = self._session.model
        try:
            bundle = model.check()
        except DataError as error:
            self._session.activity.report_problem(str(error))
            return
        self._session.activity.forget_problem()
        self.is_predicting = True
        predict = partial(self._session.runner.predict, bundle=bundle, device=model.device)
        self._predict_next(self._round, predict, list(range(len(self.rows))))

    def _predict_next(self, this_round: int, predict: Predict, waiting: Sequence[int]) -> None:
        waiting = [number for number in waiting if not self.rows[number].probability]
        if not waiting:
            self._stop()
            return
        number, *rest = waiting
        work = partial(_predict_source, self._sources[number], predict)
        done = partial(self._on_predicted, this_round, number, partial(self._predict_next, this_round, predict, rest))
        self._worker.start(work, done, partial(self._on_failed, this_round))
        self._emit()

    def _on_predicted(self, this_round: int, number: int, go_on: Callable[[], None], row: Row) -> None:
        if this_round == self._round:
            self._set(number, row)
            go_on()

    def _on_failed(self, this_round: int, error: Exception) -> None:
        self._session.activity.report_problem(str(error))
        if this_round == self._round:
            self._stop()

    def _stop(self) -> None:
        self.is_predicting = False
        self._emit()

    def _follow(self) -> None:
        """Note the session's result; what a different model predicted is forgotten."""
        bundle, result = self._session.model.bundle, self._session.result
        if (model := bundle.checksum if bundle is not None else None) != self._model:
            self._model = model
            self._round += 1
            self.is_predicting = False
            self.rows = [Row(row.name) for row in self.rows]
            self._emit()
        if result is not None and self.chosen >= 0 and (self._noted is None or result.asked is not self._noted.asked):
            self._noted = result
            probability = f"{result.prediction.probability:.0%}"
            self._set(self.chosen, Row(self.rows[self.chosen].name, probability))

    def _set(self, number: int, row: Row) -> None:
        self.rows = [*self.rows[:number], row, *self.rows[number + 1 :]]
        self._emit()

    def _emit(self) -> None:
        for listener in self.on_change:
            listener()


def _predict_source(source: Source, predict: Predict) -> Row:
    row = Row(source.name)
    try:
        exam = source.read()
        if exam.mask is None:
            return replace(row, problem="open this exam and segment the tumour first")
        return replace(row, probability=f"{predict(exam).probability:.0%}")
    except DataError as error:
        return replace(row, problem=str(error))
    except MemoryError:
        return replace(row, problem=TOO_LARGE)
