"""A click in a view: a button that stays down until a point is placed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import qt
import slicer
from PCRPredictorLib.mrml.exam import LPS_TO_RAS
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

_DELAY_MS = 100


class OneClick(VTKObservationMixin):
    """Waits for a click while its button is down.

    Args:
        button: checkable.
        clicked: called with the position, LPS mm (3,), once the button is up again.
    """

    def __init__(self, button: Any, clicked: Callable[[Any], None]) -> None:
        VTKObservationMixin.__init__(self)
        self._button, self._clicked = button, clicked
        self._point: Any = None
        button.connect("toggled(bool)", self._set_waiting)

    def release(self) -> None:
        """Stop waiting for a click."""
        self._button.checked = False

    def close(self) -> None:
        """Stop waiting for good."""
        self.release()
        self.removeObservers()

    def _set_waiting(self, wanted: bool) -> None:
        application = slicer.app.applicationLogic()
        interaction, selection = application.GetInteractionNode(), application.GetSelectionNode()
        if self._point is not None:
            self.removeObserver(self._point, slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent, self._on_point)
            self.removeObservers(self._on_mode)
            if self._point.GetScene() is not None:  # else the scene was closed
                slicer.mrmlScene.RemoveNode(self._point)
            self._point = None
        if not wanted:
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)
            return
        self._point = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", _("Click"))
        self._point.SetSaveWithScene(False)
        self._point.CreateDefaultDisplayNodes()
        self.addObserver(self._point, slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent, self._on_point)
        selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsFiducialNode")
        selection.SetActivePlaceNodeID(self._point.GetID())
        self.addObserver(interaction, interaction.InteractionModeChangedEvent, self._on_mode)
        interaction.SetPlaceModePersistence(0)
        interaction.SetCurrentInteractionMode(interaction.Place)

    def _on_mode(self, *_args: object) -> None:
        qt.QTimer.singleShot(_DELAY_MS, self._stop_without_click)  # a click ends the mode, too, and is read first

    def _stop_without_click(self) -> None:
        """Release the button after Esc or a different mouse mode."""
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        waiting = self._point is not None and self._point.GetNumberOfDefinedControlPoints() == 0
        if waiting and interaction.GetCurrentInteractionMode() != interaction.Place:
            self._button.checked = False

    def _on_point(self, caller: Any, _event: str) -> None:
        position = [0.0, 0.0, 0.0]
        caller.GetNthControlPointPositionWorld(0, position)
        point = LPS_TO_RAS[:3, :3] @ position
        qt.QTimer.singleShot(0, partial(self._finish, point))  # not while observers of the point's own node are called

    def _finish(self, point: Any) -> None:
        self._button.checked = False
        self._clicked(point)
