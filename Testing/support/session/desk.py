"""A session whose exam lies in memory and whose worker waits to be run, for tests without a widget."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from PCRPredictorLib.exam import Lesion
from PCRPredictorLib.model.bundle import find_bundle
from PCRPredictorLib.session.frontend import Fingerprint, Reading
from PCRPredictorLib.session.history import LesionState, Snapshot, TumourState
from PCRPredictorLib.session.session import Session

from support.examples import tiny_exam, tiny_prediction


class Table:
    """An exam in memory: an `ExamScene`."""

    def __init__(self):
        self.exam, self.strokes, self.opened = None, 0, 0
        self.shown = self.overlay = self.position = self.map = None
        self.lesions, self.names, self.active = {}, {}, ""
        self.remark = self.candidate = ""
        self.kept = {}

    def problem(self):
        return "Choose an exam." if self.exam is None else None

    def provenance(self):
        return self.exam.provenance if self.exam is not None else None

    def volumes_key(self):
        return self.opened

    def fingerprint(self):
        return None if self.exam is None else Fingerprint(self.opened, id(self.exam.early), self.strokes)

    def read(self):
        lesions = [Lesion(key, mask) for key, mask in self.lesions.items()]
        return Reading(self.exam.with_lesions(lesions), self.fingerprint(), self.remark)

    def open_exam(self, exam):
        self.exam, self.opened = exam, self.opened + 1
        empty = np.zeros(exam.geometry.shape, np.uint8)
        self.lesions = {lesion.name: lesion.mask for lesion in exam.lesions}
        self.lesions = self.lesions or {"tumour": empty if exam.mask is None else exam.mask}
        self.active = next(iter(self.lesions))

    @property
    def mask(self):
        """The first lesion's."""
        return next(iter(self.lesions.values()))

    def phases(self):
        return self.exam.phases, self.exam.geometry

    def dynamic(self):
        return self.exam.dynamic

    def tumour(self):
        parts = [(key, self.names.get(key, key), mask) for key, mask in self.lesions.items()]
        return TumourState(tuple(LesionState(key, name, Snapshot.of_mask(mask)) for key, name, mask in parts))

    def set_tumour(self, state):
        self.lesions = {lesion.key: lesion.snapshot.mask for lesion in state.lesions}
        self.names = {lesion.key: lesion.name for lesion in state.lesions}
        self.strokes += 1

    def active_lesion(self):
        return self.active

    def choose_lesion(self, key):
        self.active = key

    def jump_to(self, position):
        self.position = position

    def show_candidate(self, name, mask, position):
        self.candidate = name

    def hide_candidate(self):
        self.candidate = ""

    def show_prediction(self, _exam, prediction, kind="attention"):
        self.shown, self.kind = prediction, kind

    def show_map(self, _exam, overlay):
        self.map = overlay

    def hide_prediction(self):
        self.shown = self.map = None

    def keep_result(self, text, title):
        self.kept[self.opened] = text

    def kept_result(self):
        return self.kept.get(self.opened, "")

    def drop_result(self):
        self.kept.pop(self.opened, None)

    def apply_overlay(self, settings, changed=()):
        self.overlay, self.changed = settings, changed


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
        runner = SimpleNamespace(predict=lambda exam, bundle, device="": predict(exam, bundle), what_if=lambda *_: None)
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
        mask = np.array(self.table.lesions[self.table.active])
        mask[voxel] = 1
        self.table.lesions[self.table.active] = mask
        self.table.strokes += 1
        self.session.update()
