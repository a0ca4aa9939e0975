"""The exam of a page in Slicer's scene, and what the views show of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import PHASE_NAMES, Dynamic, Exam, Geometry, Provenance
from PCRPredictorLib.mrml.display import apply_overlay, jump_to, set_background
from PCRPredictorLib.mrml.exam import Node, geometry_of, phases_from_nodes, segment_name, segment_part, state_of
from PCRPredictorLib.mrml.marks.candidate import hide_candidate, show_candidate
from PCRPredictorLib.mrml.node_exam import NodeExam
from PCRPredictorLib.mrml.nodes import add_phases, put_subtraction, register_legends, remove, show_overlay
from PCRPredictorLib.mrml.segments import (
    SEGMENT,
    Tumour,
    add_empty_segmentation,
    add_segmentation,
    put_segments,
    remove_segments,
    tumours_of,
)
from PCRPredictorLib.prediction import Prediction
from PCRPredictorLib.report.display import ZOOM_MM
from PCRPredictorLib.report.maps import MapOverlay
from PCRPredictorLib.session.frontend import Fingerprint, Reading
from PCRPredictorLib.session.history import LesionState, Snapshot, TumourState
from PCRPredictorLib.session.overlay import OverlaySettings
from trame_slicer.core import SlicerApp

from .viewing.places import is_placed

BACKGROUNDS = (*PHASE_NAMES, "subtraction")
_NARROWEST = 0.02  # share of the usual grey values


class PageScene:
    """One exam at a time, and the attention of its prediction: an `ExamScene` of a session.

    Args:
        slicer: application whose scene is used.

    Attributes:
        on_edit: called after each stroke.
        on_open: functions to call when a different exam is shown.
        redraw: called when what the views show has changed.
        background: one of `BACKGROUNDS`, shown in the slice views.
        is_placed: False if the sides of the patient are uncertain, see `places.is_placed`.
        is_whole: True if an exam was opened without a tumour, so that the views show all of it.
        overlay: the settings that were applied last.
    """

    def __init__(self, slicer: SlicerApp) -> None:
        self._slicer = slicer
        self._nodes: dict[str, Node] = {}
        self._count = 0  # of exams that were shown
        self._provenance = Provenance()
        self._dynamic: Dynamic | None = None
        self._grey: dict[str, tuple[float, float]] = {}
        self._node_exam = NodeExam()
        self.on_edit: Callable[[], object] = lambda: None
        self.on_open: list[Callable[[], object]] = []
        self.redraw: Callable[[], object] = lambda: None
        self.background, self.overlay, self.is_whole, self.is_placed = "early", OverlaySettings(), False, True
        self.editor = slicer.segmentation_editor
        self.editor.segmentation_modified.connect(self._on_modified)
        register_legends(slicer.scene)

    @property
    def is_open(self) -> bool:
        """True if there is an exam."""
        return "early" in self._nodes

    @property
    def is_from_dicom(self) -> bool:
        """True if the tumour can be saved as DICOM, too."""
        return bool(self._provenance.files)

    @property
    def nodes(self) -> Mapping[str, Node]:
        """By name: the phases, "subtraction", "segmentation" and, after a prediction, "attention"."""
        return self._nodes

    @property
    def scene(self) -> Node:
        """The MRML scene."""
        return self._slicer.scene

    @property
    def is_tool_in_hand(self) -> bool:
        """True while the left button draws a ruler or changes window and level."""
        mode = self._slicer.markups_logic.interaction_node
        return mode is not None and mode.GetCurrentInteractionMode() != mode.ViewTransform

    def volumes(self) -> Mapping[str, Node]:
        """Return the nodes of the phases and the subtraction by name; empty without an exam."""
        return {name: self._nodes[name] for name in BACKGROUNDS} if self.is_open else {}

    def volume_rendering(self) -> Node:
        """Return the logic of Slicer's module Volume Rendering."""
        return self._slicer.app_logic.GetModuleLogic("VolumeRendering")

    def problem(self) -> str | None:
        """Return what to do before the exam can be predicted, or None."""
        if not self.is_open:
            return "Open an exam first."
        if self.tumour().content:
            return None
        return "This exam has no tumour yet: click the lesion, paint it or load its mask, then predict."

    def provenance(self) -> Provenance | None:
        """Return where the exam comes from, None without one."""
        return self._provenance if self.is_open else None

    def volumes_key(self) -> Hashable:
        """Return which exam is shown."""
        return self._count

    def fingerprint(self) -> Fingerprint | None:
        """Return the exam's state, or None without one."""
        return replace(Fingerprint.of(state_of(*self._inputs())), identity=self._count) if self.is_open else None

    def read(self) -> Reading:
        """Return the exam as it is now; raise DataError if it cannot be read."""
        state = Fingerprint.of(state_of(*self._inputs()))
        exam = self._node_exam.read(*self._inputs())
        exam = replace(exam, provenance=self._provenance)  # nodes do not hold the times of the phases
        return Reading(exam, replace(state, identity=self._count))

    def open_exam(self, exam: Exam) -> None:
        """Show an exam in place of the one before."""
        self._close()
        nodes = add_phases(self._slicer.scene, exam, share=True)
        nodes["subtraction"] = put_subtraction(self._slicer.scene, None, exam)
        early = nodes["early"]
        if exam.has_tumour:
            nodes["segmentation"] = add_segmentation(self._slicer.scene, tumours_of(exam), exam.geometry, early)
            field_mm = 1.5 * ZOOM_MM
        else:
            nodes["segmentation"] = add_empty_segmentation(self._slicer.scene, early)
            field_mm = float(np.max(np.array(exam.geometry.size) * exam.geometry.spacing))
        self._grey = {name: _grey_limits(nodes[name]) for name in BACKGROUNDS}
        self._nodes, self._provenance, self._count = nodes, exam.provenance, self._count + 1
        self.is_placed = is_placed(exam.geometry, exam.provenance)
        self.is_whole = not exam.has_tumour
        self._dynamic = exam.dynamic
        self.editor.set_active_segmentation(nodes["segmentation"], early)
        self.editor.show_3d(True)
        show_overlay(self._slicer.scene, early, None, exam.centre.tolist(), field_mm)
        self.show_background(self.background)
        for listener in self.on_open:
            listener()

    def phases(self) -> tuple[Sequence[np.ndarray], Geometry]:
        """Return the voxels (k, j, i) of the phases, not copied, and their geometry.

        Raises:
            DataError: if no exam is open.
        """
        if not self.is_open:
            raise DataError("open an exam first")
        return phases_from_nodes({name: self._nodes[name] for name in PHASE_NAMES})

    def dynamic(self) -> Dynamic | None:
        """Return every phase of the open exam, None if it has but three."""
        return self._dynamic if self.is_open else None

    def tumour(self) -> TumourState:
        """Return the tumour: each segment is a lesion."""
        geometry, node = geometry_of(self._nodes["early"]), self._nodes["segmentation"]
        parts = {key: segment_part(node, key, geometry) for key in self._segment_ids}
        return TumourState(
            tuple(
                LesionState(key, segment_name(node, key), Snapshot.of(part, geometry.shape, box))
                for key, (box, part) in parts.items()
            )
        )

    def set_tumour(self, state: TumourState) -> None:
        """Draw the tumour as in a state; the tool in hand stays. There is always a segment to paint in."""
        geometry, active = geometry_of(self._nodes["early"]), self.active_lesion()
        before = {lesion.key: lesion for lesion in self.tumour().lesions}
        lesions = state.lesions or (LesionState(SEGMENT, SEGMENT, Snapshot(geometry.shape)),)
        changed = [Tumour(x.key, x.name, x.snapshot.box, x.snapshot.part) for x in lesions if before.get(x.key) != x]
        node = self._nodes["segmentation"]
        remove_segments(node, before.keys() - {lesion.key for lesion in lesions})
        put_segments(node, changed, geometry, self._nodes["early"])
        self.choose_lesion(active if active in self._segment_ids else self._segment_ids[0])
        self.redraw()

    def active_lesion(self) -> str:
        """Return the segment that clicks and strokes change; "" without an exam."""
        return self.editor.active_segment_id if self.is_open else ""

    def choose_lesion(self, key: str) -> None:
        """Let clicks and strokes change a segment."""
        self.editor.set_active_segment_id(key)

    def show_candidate(self, name: str, mask: np.ndarray, position: tuple[float, float, float]) -> None:
        """Outline a place that may be the tumour, (k, j, i), and mark its LPS position in mm.

        Raises:
            DataError: if no exam is open.
        """
        show_candidate(self._slicer.scene, mask, position, self.phases()[1], self._nodes["early"], name)
        self.redraw()

    def hide_candidate(self) -> None:
        """Take that place out of the views."""
        hide_candidate(self._slicer.scene)
        self.redraw()

    def show_prediction(self, exam: Exam, prediction: Prediction, kind: str = "attention") -> None:
        """Lay a map over what the views show; at the first prediction of an exam they turn to the attention's peak."""
        attention, nodes = self._nodes.get("attention"), [self._nodes[name] for name in PHASE_NAMES]
        self._nodes["attention"] = self._node_exam.show_prediction(attention, nodes, exam, prediction, kind)
        self.show_background(self.background)

    def show_map(self, exam: Exam, overlay: MapOverlay) -> None:
        """Lay a map that needs no prediction over what the views show."""
        nodes = [self._nodes[name] for name in PHASE_NAMES]
        self._nodes["attention"] = self._node_exam.show_map(self._nodes.get("attention"), nodes, exam, overlay)

    def hide_prediction(self) -> None:
        """Take the attention out of the scene."""
        if (attention := self._nodes.pop("attention", None)) is not None:
            remove(attention)
            self.redraw()

    def keep_result(self, text: str, title: str) -> None:
        """Keep nothing: the page saves no scene."""

    def kept_result(self) -> str:
        """Return "": the page keeps no result."""
        return ""

    def drop_result(self) -> None:
        """Do nothing: the page keeps no result."""

    def apply_overlay(self, settings: OverlaySettings, changed: Collection[str] = ()) -> None:
        """Apply the settings to the views: those that have changed, by their names, or all."""
        self.overlay = settings
        logic = self.volume_rendering()
        attention, segmentation = self._nodes.get("attention"), self._nodes.get("segmentation")
        apply_overlay(self._slicer.scene, attention, segmentation, logic, **asdict(settings), changed=changed)
        self.redraw()

    def show_background(self, name: str) -> None:
        """Show one of `BACKGROUNDS` in the slice views, now and with every exam that follows."""
        self.background = name
        if self.is_open:
            set_background(self._slicer.scene, self._nodes[name])
            self.redraw()

    def show_grey(self, low: float, high: float) -> None:
        """Spread the grey values from black at `low` to white at `high`, shares of those that suit the tumour."""
        for name, (darkest, brightest) in self._grey.items() if self.is_open else ():
            width = brightest - darkest
            display = self._nodes[name].GetDisplayNode()
            display.SetWindowLevelMinMax(darkest + low * width, darkest + max(high, low + _NARROWEST) * width)

    def jump_to(self, position: tuple[float, float, float]) -> None:
        """Centre the views on an LPS position in mm."""
        jump_to(self._slicer.scene, position)
        self.redraw()

    @property
    def _segment_ids(self) -> list[str]:
        return list(self._nodes["segmentation"].GetSegmentation().GetSegmentIDs())

    def _close(self) -> None:
        nodes, self._nodes = self._nodes, {}  # first: the calls below emit segment-modified events
        hide_candidate(self._slicer.scene)
        self.editor.deactivate_effect()
        self.editor.clear()
        for node in nodes.values():
            remove(node)
        self._node_exam.forget()

    def _inputs(self) -> tuple[Node, Node, Node, Node, list[str]]:
        pre, early, late, segmentation = (self._nodes[name] for name in (*PHASE_NAMES, "segmentation"))
        return pre, early, late, segmentation, self._segment_ids

    def _on_modified(self, *_args: object) -> None:
        if self.is_open:
            self.on_edit()


def _grey_limits(volume: Node) -> tuple[float, float]:
    display = volume.GetDisplayNode()
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()
