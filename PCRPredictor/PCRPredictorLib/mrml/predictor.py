"""From MRML nodes to a prediction, and its attention back in the scene; for panel and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..exam import PHASE_NAMES, Exam, Geometry
from .exam import Node, exam_from_nodes, state_of
from .nodes import put_attention, show_overlay, to_vtk_image

if TYPE_CHECKING:
    from ..model.bundle import Bundle
    from ..model.predictor import Predictor
    from ..prediction import Prediction


class NodePredictor:
    """Predict the exam in MRML nodes. An unchanged exam is not read again, and a model is loaded once."""

    def __init__(self) -> None:
        self.predictor: Predictor | None = None
        self._predictor_of: tuple[str, str] | None = None  # checksum and device
        self.forget()

    def forget(self) -> None:
        """Drop the last exam."""
        self._exam: Exam | None = None
        self._exam_of: tuple[object, ...] | None = None
        self.reset_views()

    def reset_views(self) -> None:
        """Turn the views to the tumour at the next result, even if the exam is the same."""
        self._shown: tuple[object, ...] | None = None

    def read_exam(
        self, pre: Node, early: Node, late: Node, segmentation: Node, segment_id: str, clinical: Mapping[str, object]
    ) -> Exam:
        """Return the exam that the nodes hold, see `exam_from_nodes`.

        Raises:
            DataError: if the nodes do not form an exam.
        """
        state = state_of(pre, early, late, segmentation, segment_id)
        if self._exam is None or state != self._exam_of:
            self._exam = exam_from_nodes(pre, early, late, segmentation, segment_id)
            self._exam_of = state
        return replace(self._exam, clinical=clinical)

    def predict(self, exam: Exam, bundle: Bundle, device: str = "automatic") -> tuple[Prediction, Node]:
        """Return the prediction and a VTK image of its attention; uses no node, so that it can run on any thread.

        Args:
            device: "cpu", "cuda", or "automatic": a GPU if there is one.

        Raises:
            DataError: if the exam, a clinical value or the model cannot be used.
        """
        import torch

        from ..model.predictor import Predictor

        if device == "automatic":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if self.predictor is None or self._predictor_of != (bundle.checksum, device):
            self.predictor = Predictor(bundle, device)
            self._predictor_of = (bundle.checksum, device)
        prediction = self.predictor.predict(exam)
        return prediction, to_vtk_image(prediction.attention)

    def show_prediction(
        self, attention: Node | None, nodes: Sequence[Node], geometry: Geometry, prediction: Prediction, image: Node
    ) -> Node:
        """Show the attention over the early phase.

        Args:
            attention: the node of an earlier prediction, which is changed in place, or None.
            nodes: pre, early and further ones; the attention is added to their scene.
            geometry: of the exam.
            image: from `predict`.

        Returns:
            The node of the attention.
        """
        scene, early = nodes[0].GetScene(), nodes[1]
        attention = put_attention(scene, attention, image, geometry)
        phases = self._exam_of[: len(PHASE_NAMES)] if self._exam_of is not None else None
        if self._shown != phases:  # the views stay if only the tumour was edited
            show_overlay(scene, early, attention, prediction.attention_summary.peak)
            self._shown = phases
        return attention
