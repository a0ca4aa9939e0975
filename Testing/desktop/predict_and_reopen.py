"""For a real Slicer, started by open_modules.sh: an exam is loaded with the module open, predicted, saved and reopened.

Slicer prints what is raised in a slot, and goes on; so errors are counted here, also those that a dialog would show,
which Slicer logs in its testing mode. Ends Slicer with an exit code. Needs the packages of the module.
"""

import logging
import sys
import tempfile
import time
from pathlib import Path

import slicer

LONGEST_S = 300
errors = []


def count(kind, error, trace):
    """Whatever Python raises beyond this file comes through here."""
    errors.append(error)
    sys.__excepthook__(kind, error, trace)


class Counter(logging.Handler):
    """Counts what is logged as an error."""

    def emit(self, record):
        errors.append(record.getMessage())


def wait(panel):
    """Let Slicer work until the panel is idle."""
    end = time.monotonic() + LONGEST_S
    while panel.background.busy:
        if time.monotonic() > end:
            raise RuntimeError(f"nothing was finished in {LONGEST_S} s")
        slicer.app.processEvents()
        time.sleep(0.02)
    slicer.app.processEvents()


def result_of(panel):
    """Return what the panel shows: the probability, and the name of the map over the exam."""
    if panel.session.result is None:
        raise RuntimeError(f"there is no result: {panel.session.status or panel.session.problem()}")
    return panel.ui.probabilityLabel.text, panel.scene.attention.GetName(), panel.scene.segment_ids


def reopen(panel, path):
    """Open a scene while the module is open."""
    slicer.mrmlScene.Clear(False)
    slicer.util.loadScene(str(path))
    slicer.app.processEvents()
    wait(panel)


def predict_and_reopen(folder):
    """Take an exam through the panel as a user does."""
    from PCRPredictorPanel.sample import load_sample

    slicer.util.selectModule("PCRPredictor")
    panel = slicer.modules.PCRPredictorWidget
    exam, predicted = folder / "exam.mrb", folder / "predicted.mrb"
    load_sample()
    if not slicer.util.saveScene(str(exam)):
        raise RuntimeError("the exam cannot be saved")
    reopen(panel, exam)
    panel.ui.guessButton.click()
    panel.models.refresh("phantom")
    panel.ui.predictButton.click()
    wait(panel)
    before = result_of(panel)
    if not slicer.util.saveScene(str(predicted)):
        raise RuntimeError("the result cannot be saved")
    reopen(panel, predicted)
    if (after := result_of(panel)) != before:
        raise RuntimeError(f"the reopened scene must show {before}, got {after}")
    slicer.util.selectModule("Welcome")
    slicer.util.selectModule("PCRPredictor")


sys.excepthook = count
logging.info("BreastPCR: the test begins")
sys.stdout.write(f"log file: {slicer.app.errorLogModel().filePath}\n")
counter = Counter(logging.ERROR)
logging.getLogger().addHandler(counter)
try:
    with tempfile.TemporaryDirectory() as temporary:
        predict_and_reopen(Path(temporary))
except Exception:
    count(*sys.exc_info())
logging.getLogger().removeHandler(counter)
if not errors:
    sys.stdout.write("predicted and reopened\n")
slicer.util.exit(1 if errors else 0)
