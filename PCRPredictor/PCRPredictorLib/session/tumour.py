"""The tumour of the open exam: grown from a click, painted by the frontend, undone, measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ..enhancement import FUNCTIONAL_ENHANCEMENT
from ..errors import DataError
from ..finding.grow import Grown, grow_tumour
from .activity import Activity
from .frontend import ExamScene, Fingerprint
from .history import TumourHistory


class Tumour:
    """Change, measure and undo the tumour.

    Args:
        scene: with the exam.
        activity: where a tumour is grown.
        update: called when the tumour was changed here.

    Attributes:
        history: its states.
        enhancement: least relative enhancement of what a click grows and of the functional volume; 0.7 is +70 %.
        volume_ml: functional tumour volume in ml; None if it cannot be given.
    """

    def __init__(self, scene: ExamScene, activity: Activity, update: Callable[[], object]) -> None:
        self._scene, self._activity, self._update = scene, activity, update
        self.history = TumourHistory()
        self.enhancement = FUNCTIONAL_ENHANCEMENT
        self.volume_ml: float | None = None
        self._seen: tuple[Fingerprint | None, float] | None = None

    @property
    def volume(self) -> str:
        """The functional tumour volume in words."""
        return "-" if self.volume_ml is None else f"{self.volume_ml:.1f} ml"

    def grow(self, position: Sequence[float], grown: Callable[[], object] | None = None) -> None:
        """Replace the tumour with the enhancing tissue around a click.

        Args:
            position: of the click, LPS mm.
            grown: called once it is the tumour.
        """
        if self._activity.doing:
            return
        try:
            pre, early, geometry = self._scene.phases()
        except DataError as error:
            self._activity.report_problem(str(error))
            return
        work = partial(grow_tumour, pre, early, geometry, position, enhancement=self.enhancement)
        done = partial(self._on_grown, self._scene.volumes_key(), grown)
        self._activity.start(self._activity.translate("Growing the tumour"), work, done)

    def undo(self) -> None:
        """Undo the last click or stroke."""
        if self.history.can_undo:
            self._set(self.history.undo().mask)

    def redo(self) -> None:
        """Redo the last undone click or stroke."""
        if self.history.can_redo:
            self._set(self.history.redo().mask)

    def set_enhancement(self, share: float) -> None:
        """Set the least relative enhancement of clicks and of the functional volume."""
        self.enhancement = share
        self._update()

    def reset(self) -> None:
        """Forget the tumour and its history, for a different exam."""
        self.history.reset(None)
        self._seen, self.volume_ml = None, None

    def update_from(self, now: Fingerprint | None) -> None:
        """Note and measure the tumour if the fingerprint is new; None if there is no exam."""
        if (now, self.enhancement) == self._seen:
            return
        self._seen, self.volume_ml = (now, self.enhancement), None
        exam = now.identity if now is not None else None
        if exam != self.history.exam:
            self.history.reset(exam)
        if now is None:
            return
        try:
            if self.history.add(self._scene.tumour()):
                self._activity.forget_problem()
            self.volume_ml = self._scene.functional_volume(self.enhancement)
        except DataError:  # the prediction says what is wrong with the volumes
            return

    def _on_grown(self, volumes: object, grown: Callable[[], object] | None, result: Grown) -> None:
        if self._scene.volumes_key() != volumes:
            return
        self._set(result.mask)
        if grown is not None:
            grown()

    def _set(self, mask: np.ndarray) -> None:
        self._scene.set_tumour(mask)
        self._update()
