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

_MOMENT_MS = 100


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
        button.connect("toggled(bool)", self._wait)

    def release(self) -> None:
        """Give the mouse back."""
        self._button.checked = False

    def close(self) -> None:
        """Give the mouse back for good."""
        self.release()
        self.removeObservers()

    def _wait(self, wanted: bool) -> None:
        application = slicer.app.applicationLogic()
        interaction, selection = application.GetInteractionNode(), application.GetSelectionNode()
        if self._point is not None:
            self.removeObserver(self._point, slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent, self._take)
            self.removeObservers(self._look_at_mode)
            if self._point.GetScene() is not None:  # else the scene was closed
                slicer.mrmlScene.RemoveNode(self._point)
            self._point = None
        if not wanted:
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)
            return
        self._point = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", _("Click"))
        self._point.SetSaveWithScene(False)
        self._point.CreateDefaultDisplayNodes()
        self.addObserver(self._point, slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent, self._take)
        selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsFiducialNode")
        selection.SetActivePlaceNodeID(self._point.GetID())
        self.addObserver(interaction, interaction.InteractionModeChangedEvent, self._look_at_mode)
        interaction.SetPlaceModePersistence(0)
        interaction.SetCurrentInteractionMode(interaction.Place)

    def _look_at_mode(self, *_args: object) -> None:
        qt.QTimer.singleShot(_MOMENT_MS, self._give_up)  # the mode also ends with the click, which comes first then

    def _give_up(self) -> None:
        """Esc or another mouse mode: nobody will click any more."""
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        waiting = self._point is not None and self._point.GetNumberOfDefinedControlPoints() == 0
        if waiting and interaction.GetCurrentInteractionMode() != interaction.Place:
            self._button.checked = False

    def _take(self, caller: Any, _event: str) -> None:
        position = [0.0, 0.0, 0.0]
        caller.GetNthControlPointPositionWorld(0, position)
        point = LPS_TO_RAS[:3, :3] @ position
        qt.QTimer.singleShot(0, partial(self._finish, point))  # not while observers of the point's own node are called

    def _finish(self, point: Any) -> None:
        self._button.checked = False
        self._clicked(point)
