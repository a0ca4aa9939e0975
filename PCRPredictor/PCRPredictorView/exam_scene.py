"""The exam in Slicer's scene: its nodes, its tumour, and what the views show of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from PCRPredictorLib.exam import PHASE_NAMES, Exam, Provenance
from PCRPredictorLib.mrml.display import set_background
from PCRPredictorLib.mrml.exam import Node, functional_volume, geometry_of, scalar_array, state_of
from PCRPredictorLib.mrml.nodes import (
    add_empty_segmentation,
    add_phases,
    add_segmentation,
    put_subtraction,
    register_legends,
    remove,
    set_segment,
    show_overlay,
)
from PCRPredictorLib.mrml.predictor import NodePredictor
from PCRPredictorLib.prediction import Prediction
from PCRPredictorLib.report.display import ZOOM_MM
from trame_slicer.core import SlicerApp
from undo_stack import UndoStack

BACKGROUNDS = (*PHASE_NAMES, "subtraction")
_NARROWEST = 0.02  # share of the usual grey values
_UNDO = 20  # strokes


class ExamScene:
    """One exam at a time, and the last prediction of it.

    Args:
        slicer: application whose scene is used.
        edited: called when the tumour has changed.
    """

    def __init__(self, slicer: SlicerApp, edited: Callable[[], None]) -> None:
        self._slicer, self._edited = slicer, edited
        self._nodes: dict[str, Node] = {}
        self._provenance = Provenance()
        self._grey: dict[str, tuple[float, float]] = {}
        self._asked: object = None  # state of the nodes that a prediction is being made of
        self._predicted: tuple[object, np.ndarray] | None = None  # that state, and the tumour (k, j, i)
        register_legends(slicer.scene)
        self.predictor = NodePredictor()
        self.editor = slicer.segmentation_editor
        self.undo_stack = UndoStack(undo_limit=_UNDO)
        self.editor.set_undo_stack(self.undo_stack)
        self.editor.segmentation_modified.connect(self._on_edit)

    @property
    def scene(self) -> Node:
        """Slicer's scene."""
        return self._slicer.scene

    @property
    def is_open(self) -> bool:
        """Whether there is an exam."""
        return "early" in self._nodes

    @property
    def nodes(self) -> Mapping[str, Node]:
        """By name: the phases, "subtraction", "segmentation" and, after a prediction, "attention"."""
        return self._nodes

    @property
    def has_tumour(self) -> bool:
        """Whether anything is segmented."""
        return self.is_open and bool(self._tumour().any())

    @property
    def _segment_id(self) -> str:
        return self._nodes["segmentation"].GetSegmentation().GetNthSegmentID(0)

    def open(self, exam: Exam) -> None:
        """Take the last exam out of the scene and put this one in."""
        self.close()
        nodes = add_phases(self.scene, exam)
        nodes["subtraction"] = put_subtraction(self.scene, None, exam)
        early = nodes["early"]
        if exam.mask is not None and np.any(exam.mask):
            mask = np.asarray(exam.mask)
            nodes["segmentation"] = add_segmentation(self.scene, mask, exam.geometry, early)
            centre = exam.geometry.to_physical(np.argwhere(mask).mean(axis=0)[::-1])
            field = 1.5 * ZOOM_MM
        else:
            nodes["segmentation"] = add_empty_segmentation(self.scene, early)
            centre = exam.geometry.to_physical((np.array(exam.geometry.size) - 1) / 2)
            field = float(np.max(np.array(exam.geometry.size) * exam.geometry.spacing))
        self._nodes, self._provenance = nodes, exam.provenance
        self._grey = {name: _grey_limits(nodes[name]) for name in BACKGROUNDS}
        self.editor.set_active_segmentation(nodes["segmentation"], early)
        self.editor.show_3d(True)
        self.show_around(centre, field)

    def close(self) -> None:
        """Take everything out of the scene."""
        self.editor.deactivate_effect()
        self.editor.clear()
        for node in self._nodes.values():
            remove(node)
        self._nodes, self._predicted = {}, None
        self.predictor.forget()

    def show_around(self, centre: np.ndarray, field_mm: float) -> None:
        """Centre every view on an LPS point in mm, (3,), with a field of view of `field_mm`."""
        show_overlay(self.scene, self._nodes["early"], self._nodes.get("attention"), centre.tolist(), field_mm)

    def show_background(self, name: str) -> None:
        """Show one of `BACKGROUNDS` in the slice views."""
        if self.is_open:
            set_background(self.scene, self._nodes[name])

    def show_grey(self, low: float, high: float) -> None:
        """Spread the grey values from black at `low` to white at `high`, shares of those that suit the tumour."""
        for name, (darkest, brightest) in self._grey.items() if self.is_open else ():
            width = brightest - darkest
            display = self._nodes[name].GetDisplayNode()
            display.SetWindowLevelMinMax(darkest + low * width, darkest + max(high, low + _NARROWEST) * width)

    def phases(self) -> tuple[np.ndarray, np.ndarray]:
        """Voxels (k, j, i) before contrast and early, not copied."""
        return scalar_array(self._nodes["pre"]), scalar_array(self._nodes["early"])

    def set_tumour(self, mask: np.ndarray) -> None:
        """Make a mask (k, j, i) the tumour."""
        self.undo_stack.clear()
        early = self._nodes["early"]
        set_segment(self._nodes["segmentation"], mask, geometry_of(early), early)
        self.editor.set_active_segmentation(self._nodes["segmentation"], early)
        self._on_edit()

    def tumour_volume(self, enhancement: float) -> float | None:
        """Functional tumour volume in ml, see `functional_volume`."""
        early = self._nodes["early"]
        return functional_volume(self._nodes["pre"], early, self._nodes["segmentation"], self._segment_id, enhancement)

    def read(self, clinical: Mapping[str, object]) -> Exam:
        """The exam that the scene holds now; raises DataError."""
        self._asked = self._state()
        exam = self.predictor.read_exam(*self._inputs(), clinical)
        return replace(
            exam, provenance=self._provenance
        )  # which nodes do not hold: times of the phases, for the report

    def show_prediction(self, exam: Exam, prediction: Prediction, image: Node) -> None:
        """Lay the attention over what the views show; another exam's views are turned to it."""
        attention, nodes = self._nodes.get("attention"), [self._nodes[name] for name in PHASE_NAMES]
        self._nodes["attention"] = self.predictor.show_prediction(attention, nodes, exam.geometry, prediction, image)
        self._predicted = self._asked, np.asarray(exam.mask) > 0

    def forget_prediction(self) -> None:
        """Take the attention out of the scene."""
        self._predicted = None
        if (attention := self._nodes.pop("attention", None)) is not None:
            remove(attention)

    @property
    def is_stale(self) -> bool:
        """Whether the tumour is another than the one that was predicted; a stroke that was taken back is none."""
        if self._predicted is None:
            return False
        state, tumour = self._predicted
        return self._state() != state and not np.array_equal(self._tumour(), tumour)

    def _tumour(self) -> np.ndarray:
        """Voxels (k, j, i) of the tumour."""
        return np.asarray(self.editor.get_segment_labelmap(self._segment_id, as_numpy_array=True)) > 0

    def _inputs(self) -> tuple[Node, Node, Node, Node, str]:
        pre, early, late, segmentation = (self._nodes[name] for name in (*PHASE_NAMES, "segmentation"))
        return pre, early, late, segmentation, self._segment_id

    def _state(self) -> tuple[object, ...]:
        return state_of(*self._inputs())

    def _on_edit(self, *_args: object) -> None:
        if self.is_open:
            self._edited()


def _grey_limits(volume: Node) -> tuple[float, float]:
    display = volume.GetDisplayNode()
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()
