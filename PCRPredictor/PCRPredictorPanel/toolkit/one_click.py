"""A click in a lesion grows the tumour: a toggled button, a point placed in a view, the growing off this thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import qt
import slicer
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.grow import grow_tumour
from PCRPredictorLib.mrml.exam import LPS_TO_RAS, geometry_of, scalar_array
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from .background import Background

_MOMENT_MS = 100


class OneClick(VTKObservationMixin):
    """Waits for a click while its button is down.

    Args:
        button: checkable.
        phases: gives the volumes before contrast and early.
        enhancement: gives the least enhancement, as a share.
        background: where the tumour is grown.
        grown: called with the volume before contrast and the mask (k, j, i).
        complain: called with a sentence when nothing could be grown.
    """

    def __init__(
        self,
        button: Any,
        phases: Callable[[], tuple[Any, Any]],
        enhancement: Callable[[], float],
        background: Background,
        grown: Callable[[Any, Any], None],
        complain: Callable[[str], None],
    ) -> None:
        VTKObservationMixin.__init__(self)
        self._button, self._phases, self._enhancement = button, phases, enhancement
        self._background, self._grown, self._complain = background, grown, complain
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
        qt.QTimer.singleShot(0, partial(self._grow, point))  # not while the point's own node is being told of

    def _grow(self, point: Any) -> None:
        self._button.checked = False
        pre, early = self._phases()
        try:
            arrays, geometry = [scalar_array(node) for node in (pre, early)], geometry_of(pre)
        except DataError as error:
            self._complain(str(error))
            return
        work = partial(grow_tumour, *arrays, geometry, point, enhancement=self._enhancement())
        self._background.start(work, partial(self._finish, pre), lambda error: self._complain(str(error)))

    def _finish(self, reference: Any, mask: Any) -> None:
        if slicer.mrmlScene.GetNodeByID(reference.GetID() or "") is reference:  # else the exam was closed meanwhile
            self._grown(reference, mask)
