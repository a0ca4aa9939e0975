"""Helpers for tests of the panels: fill them, wait for them, look at their views."""

import time
from pathlib import Path

import numpy as np
import slicer
from harness import session
from PCRPredictorLib.mrml.nodes import add_exam

from support.examples import tiny_exam

MODULE = Path(__file__).parents[2] / "PCRPredictor" / "PCRPredictor.py"
TRAINING_MODULE = MODULE.parents[1] / "PCRTraining" / "PCRTraining.py"
RUN_TIMEOUT_S = 240
ROLES = ("pre", "early", "late", "segmentation")


def choose(panel, exam):
    """Put an exam into the scene and choose it in the panel; return its nodes by role."""
    nodes = add_exam(slicer.mrmlScene, exam)
    for role in ROLES:
        getattr(panel.ui, f"{role}Selector").setCurrentNode(nodes[role])
    return nodes


def pick(selector, index):
    """Choose an entry of a drop-down list as a person does."""
    selector.setCurrentIndex(index)
    selector.activated.emit(index)


def pick_node(selector, node):
    """Choose a node as a person does."""
    selector.setCurrentNode(node)
    selector.nodeActivated.emit(node)


def predict(panel):
    """Click the button and wait for the result."""
    panel.ui.predictButton.click()
    wait(panel)


def wait(panel):
    """Wait until nothing runs in the background."""
    return session.wait(lambda: not panel.background.busy)


def click(panel, lps):
    """Place a point in a view, as a click does."""
    panel.ui.clickButton.checked = True
    (node,) = slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")
    node.AddControlPointWorld(*(np.array(lps) * [-1, -1, 1]))
    slicer.app.processEvents()
    wait(panel)


def brightest(exam):
    """Return the LPS position of the tumour voxel that enhances most."""
    gain = np.where(exam.mask, exam.early.astype(float) - exam.pre, -np.inf)
    return exam.geometry.to_physical(np.array(np.unravel_index(gain.argmax(), gain.shape))[::-1])


def column(table, k):
    """Return the texts of a column of a table."""
    return [table.item(row, k).text() for row in range(table.rowCount)]


def check(panel, session):
    """Check the cohort of the training panel."""
    panel.ui.checkButton.click()
    session.wait(lambda: not panel.cohort.checking, 60)


def finish(panel, session):
    """Wait for the end of a run; return the longest time in s for which the panel was blocked."""
    return session.wait(lambda: not panel.run.running, RUN_TIMEOUT_S, time.thread_time)


def choose_tiny(panel):
    """Choose a tiny exam in the panel; return it and its nodes."""
    exam = tiny_exam()
    return exam, choose(panel, exam)


def view(name="Red"):
    """Return a view of the layout."""
    return slicer.app.layoutManager().views[name]


def inside_and_air(view, exam, pixels_margin=6):
    """Return masks of a slice view: well inside the tumour, and in air (darker than a tenth of the brightest)."""
    rows, columns = view.window.GetSize()[1], view.window.GetSize()[0]
    y, x = np.mgrid[:rows, :columns]
    to_ras = view.node.GetXYToRAS()
    matrix = np.array([[to_ras.GetElement(r, c) for c in range(4)] for r in range(4)])
    points = np.stack([x, rows - 1 - y, 0 * x, 0 * x + 1], -1) @ matrix.T
    lps = points[..., :3] * [-1, -1, 1]
    index = np.round(exam.geometry.to_index(lps)).astype(int)
    valid = ((index >= 0) & (index < exam.geometry.size)).all(-1)
    clipped = np.clip(index, 0, np.array(exam.geometry.size) - 1)
    i, j, k = np.moveaxis(clipped, -1, 0)
    inside = (np.asarray(exam.mask)[k, j, i] != 0) & valid
    early = np.asarray(exam.early)
    dark = (early[k, j, i] < 0.1 * np.percentile(early, 99)) | ~valid
    return _eroded(inside, pixels_margin), _eroded(dark, pixels_margin)


def _eroded(image, margin):
    """Return the pixels that keep a margin to the edge of the mask."""
    from scipy.ndimage import binary_erosion

    return binary_erosion(image, iterations=margin)
