"""The exam in MRML nodes, and a prediction shown over it; for panel and page."""

from __future__ import annotations

from collections.abc import Sequence

from ..exam import PHASE_NAMES, Exam
from ..prediction import Prediction
from ..report.maps import MapOverlay, make_overlay
from .exam import Node, exam_from_nodes, state_of
from .maps import put_map
from .nodes import show_overlay


class NodeExam:
    """Read an exam from nodes and show predictions of it. An unchanged exam is not read again."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop the last exam."""
        self._exam: Exam | None = None
        self._state: tuple[object, ...] | None = None
        self.reset_views()

    def reset_views(self) -> None:
        """Turn the views to the tumour at the next result, even if the exam is the same."""
        self._shown: tuple[object, ...] | None = None

    def keep_views(self) -> None:
        """Leave the views alone at the next result of the exam that was read last: they show it already."""
        self._shown = self._state[: len(PHASE_NAMES)] if self._state is not None else None

    def read(self, pre: Node, early: Node, late: Node, segmentation: Node, segment_ids: Sequence[str]) -> Exam:
        """Return the exam that the nodes hold, see `exam_from_nodes`.

        Raises:
            DataError: if the nodes do not form an exam.
        """
        state = state_of(pre, early, late, segmentation, segment_ids)
        if self._exam is None or state != self._state:
            self._exam, self._state = exam_from_nodes(pre, early, late, segmentation, segment_ids), state
        return self._exam

    def show_prediction(
        self,
        attention: Node | None,
        volumes: Sequence[Node],
        exam: Exam,
        prediction: Prediction,
        kind: str = "attention",
    ) -> Node:
        """Lay a map of a prediction over the early phase, and return its node.

        Args:
            attention: node of an earlier map to use again, or None.
            volumes: pre, early and whatever follows; their scene is used.
            exam: that was predicted.
            kind: of the map; attention if the prediction does not have it.
        """
        found = make_overlay(kind, exam, prediction) or make_overlay("attention", exam, prediction)  # type: ignore[arg-type]
        attention = self.show_map(attention, volumes, exam, found)  # type: ignore[arg-type]
        phases = self._state[: len(PHASE_NAMES)] if self._state is not None else None
        if self._shown != phases:  # of the same phases, only the tumour has changed: leave the views alone
            show_overlay(volumes[0].GetScene(), volumes[1], attention, prediction.attention_summary.peak, four_up=False)
            self._shown = phases
        return attention

    def show_map(self, node: Node | None, volumes: Sequence[Node], exam: Exam, overlay: MapOverlay) -> Node:
        """Put a map into a node, that of an earlier map or a new one, and return it; the views stay where they are."""
        return put_map(volumes[0].GetScene(), node, overlay, exam.geometry)
