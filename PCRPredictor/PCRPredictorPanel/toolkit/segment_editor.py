"""Slicer's Segment Editor inside the panel; made when it is first wanted."""

from __future__ import annotations

from typing import Any

import qt
import slicer


class SegmentEditor:
    """The editor in a frame that is shown while it is used.

    Args:
        frame: widget with a layout.
    """

    def __init__(self, frame: qt.QWidget) -> None:
        self._frame = frame
        self._editor: Any = None
        self._frame.setVisible(False)

    def enter(self, segmentation: Any, source: Any) -> None:
        """Edit a segmentation on a volume."""
        if self._editor is None:
            self._editor = slicer.qMRMLSegmentEditorWidget()
            self._editor.setMaximumNumberOfUndoStates(10)
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

    def leave(self) -> None:
        """Give mouse, keyboard and views back."""
        self._frame.setVisible(False)
        if self._editor is not None:
            self._editor.setActiveEffect(None)
            self._editor.uninstallKeyboardShortcuts()
            self._editor.removeViewObservations()
