"""Slicer's Segment Editor inside a panel; made when it is first opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer


class SegmentEditor:
    """The editor in a frame that is shown while its button is down.

    Args:
        frame: widget with a layout.
        button: checkable.
        choose: returns the segmentation to edit and the volume to show.
        closed: called after the editor was closed.
    """

    def __init__(
        self,
        frame: qt.QWidget,
        button: Any,
        choose: Callable[[], tuple[Any, Any]],
        closed: Callable[[], None] = lambda: None,
    ) -> None:
        self._frame, self._button, self._choose, self._closed = frame, button, choose, closed
        self._editor: Any = None
        self._frame.setVisible(False)
        button.connect("toggled(bool)", self._toggle)

    def release(self) -> None:
        """Close the editor; mouse, keyboard and views are free again."""
        self._button.checked = False

    def _toggle(self, wanted: bool) -> None:
        if wanted:
            self._enter(*self._choose())
        else:
            self._leave()
            self._closed()

    def _enter(self, segmentation: Any, source: Any) -> None:
        if self._editor is None:
            self._editor = slicer.qMRMLSegmentEditorWidget()
            self._editor.setMaximumNumberOfUndoStates(10)
            self._editor.setSegmentationNodeSelectorVisible(False)  # the panel chooses them: a second one would differ
            self._editor.setSourceVolumeNodeSelectorVisible(False)
            self._editor.setSwitchToSegmentationsButtonVisible(False)
            self._frame.layout().addWidget(self._editor)
        node = slicer.mrmlScene.GetSingletonNode("PCRPredictor", "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.vtkMRMLSegmentEditorNode()
            node.SetSingletonTag("PCRPredictor")
            node = slicer.mrmlScene.AddNode(node)
        self._editor.setMRMLSegmentEditorNode(node)  # before the scene, or it makes a node of its own
        self._editor.setMRMLScene(slicer.mrmlScene)
        self._editor.setSegmentationNode(segmentation)
        self._editor.setSourceVolumeNode(source)
        self._editor.setupViewObservations()
        self._editor.installKeyboardShortcuts()
        self._frame.setVisible(True)

    def _leave(self) -> None:
        self._frame.setVisible(False)
        if self._editor is not None:
            self._editor.setActiveEffect(None)
            self._editor.uninstallKeyboardShortcuts()
            self._editor.removeViewObservations()
