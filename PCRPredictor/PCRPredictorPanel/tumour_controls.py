"""The section "Tumour": the segment, the one-click tumour, the Segment Editor, the functional volume."""

from __future__ import annotations

from typing import Any

import slicer
from PCRPredictorLib.session.session import Session
from slicer.util import VTKObservationMixin

from .node_scene import NodeScene
from .toolkit.one_click import OneClick
from .toolkit.segment_editor import SegmentEditor


class TumourControls(VTKObservationMixin):
    """Chooses and changes the tumour.

    Args:
        ui: the panel's widgets by name.
        scene: with the exam.
        session: that works on it.
    """

    def __init__(self, ui: Any, scene: NodeScene, session: Session) -> None:
        VTKObservationMixin.__init__(self)
        self._ui, self._scene, self._session = ui, scene, session
        self._listed: Any = None  # the segmentation whose segments are listed
        self._editor = SegmentEditor(ui.editorFrame, ui.editButton, scene.edit, session.update)
        self._click = OneClick(ui.clickButton, session.tumour.grow)
        field = ui.segmentationSelector
        field.connect("nodeActivated(vtkMRMLNode*)", lambda node: scene.choose({"segmentation": node}))
        ui.segmentSelector.connect("currentIndexChanged(int)", self._choose_segment)
        session.activity.on_change.append(self.update)

    def release(self) -> None:
        """Give mouse, keyboard and views back, when the module is left or the scene closes."""
        self._click.release()
        self._editor.release()

    def close(self) -> None:
        """Give everything back at the end of the module."""
        self.release()
        self._click.close()
        self.removeObservers()

    def read_parameters(self) -> None:
        """Take the least enhancement of the parameters, and look at the exam again."""
        self._session.tumour.set_enhancement(self._scene.parameters.enhancement / 100)

    def update(self) -> None:
        """Show the segments and the volume."""
        if self._scene.segmentation is not self._listed:
            self._observe(self._scene.segmentation)
        self._ui.clickButton.enabled = self._ui.editButton.enabled = None not in self._scene.volumes
        self._ui.volumeLabel.text = self._session.tumour.volume

    def _observe(self, segmentation: Any) -> None:
        self.removeObservers()
        self._listed = segmentation
        if segmentation is not None:
            events, content = slicer.vtkSegmentation, segmentation.GetSegmentation()
            self.addObserver(content, events.SegmentAdded, self._list_segments)
            self.addObserver(content, events.SegmentRemoved, self._list_segments)
            self.addObserver(content, events.SourceRepresentationModified, lambda *_: self._session.update())
        self._list_segments()

    def _list_segments(self, *_args: object) -> None:
        selector, chosen = self._ui.segmentSelector, self._scene.segment_id
        content = self._listed.GetSegmentation() if self._listed is not None else None
        before = selector.blockSignals(True)
        selector.clear()
        for k in range(content.GetNumberOfSegments() if content is not None else 0):
            identifier = content.GetNthSegmentID(k)
            selector.addItem(content.GetSegment(identifier).GetName(), identifier)
        selector.setCurrentIndex(selector.findData(chosen))
        selector.blockSignals(before)
        self._choose_segment()
        self._session.update()

    def _choose_segment(self, *_args: object) -> None:
        if self._scene.parameters is not None:
            self._scene.parameters.segmentId = self._ui.segmentSelector.currentData or ""
