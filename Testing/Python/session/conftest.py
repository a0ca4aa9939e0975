"""A session whose exam lies in memory and whose worker waits to be run, for tests without a widget."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PCRPredictorLib.model.bundle import find_bundle
from PCRPredictorLib.session.frontend import Fingerprint, Reading
from PCRPredictorLib.session.history import Snapshot
from PCRPredictorLib.session.session import Session
from support.examples import tiny_exam, tiny_prediction


class Table:
    """An exam in memory: an `ExamScene`."""

    def __init__(self):
        self.exam, self.strokes, self.opened = None, 0, 0
        self.shown = self.overlay = None
        self.remark = ""

    def problem(self):
        return "Choose an exam." if self.exam is None else None

    def provenance(self):
        return self.exam.provenance if self.exam is not None else None

    def volumes_key(self):
        return self.opened

    def fingerprint(self):
        return None if self.exam is None else Fingerprint(self.opened, id(self.exam.early), self.strokes)

    def read(self):
        return Reading(self.exam, self.fingerprint(), self.remark)

    def open_exam(self, exam):
        self.exam, self.opened = exam, self.opened + 1

    def phases(self):
        return self.exam.pre, self.exam.early, self.exam.geometry

    def tumour(self):
        mask = self.exam.mask
        return Snapshot.of_mask(mask if mask is not None else np.zeros(self.exam.geometry.shape, np.uint8))

    def set_tumour(self, mask):
        self.exam, self.strokes = replace(self.exam, mask=mask), self.strokes + 1

    def functional_volume(self, enhancement):
        return enhancement * np.count_nonzero(self.exam.mask) / 1000

    def show_prediction(self, _exam, prediction):
        self.shown = prediction

    def hide_prediction(self):
        self.shown = None

    def apply_overlay(self, settings):
        self.overlay = settings


class Queue:
    """A worker that runs nothing before `run` is called."""

    def __init__(self):
        self.waiting = []

    def start(self, function, done, failed):
        self.waiting.append((function, done, failed))

    def run(self):
        while self.waiting:
            function, done, failed = self.waiting.pop(0)
            try:
                found = function()
            except Exception as error:
                failed(error)
            else:
                done(found)


class Desk:
    """A session with the model "phantom" and a tiny exam on the table; its table, worker and problems.

    Args:
        exam: on the table.
        predict: takes exam and bundle; by default the tiny prediction, as the bundle's own.
    """

    def __init__(self, exam=None, predict=None):
        self.table, self.queue, self.problems = Table(), Queue(), []
        predict = predict or (lambda exam, bundle: replace(tiny_prediction(exam), model=bundle.identity))
        runner = SimpleNamespace(predict=lambda exam, bundle, device="": predict(exam, bundle))
        self.session = Session(self.table, self.queue, runner)
        self.session.activity.on_problem.append(self.problems.append)
        self.session.choose_model(find_bundle("phantom"))
        self.session.open(lambda: exam or tiny_exam(), "an exam")
        self.queue.run()

    def predict(self):
        """Predict, and wait for the result."""
        self.session.predict()
        self.queue.run()
        return self.session.result

    def paint(self, voxel=(0, 0, 0)):
        """Make a stroke of one voxel (k, j, i)."""
        mask = np.array(self.table.exam.mask)
        mask[voxel] = 1
        self.table.set_tumour(mask)
        self.session.update()


@pytest.fixture
def desk():
    """A session with a tiny exam."""
    return Desk()


@pytest.fixture
def new_desk():
    """Make a desk, see there."""
    return Desk
