"""Two visits side by side in the views of the page, see `session.course.comparison.VisitViews`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.mrml.display import match_view
from PCRPredictorLib.mrml.exam import geometry_of
from PCRPredictorLib.mrml.follow import (
    BASELINE,
    VISIT_VIEWS,
    SideBySide,
    fill_views,
    put_side_by_side,
    remove_side_by_side,
    turn_to,
)
from trame_slicer.core import SlicerApp
from trame_slicer.views import SliceView

from .places import is_placed


class VisitViews:
    """Show two visits.

    Args:
        slicer: application whose scene is used.
        arrange: shows the arrangement of the visits with True, the usual one with False.
        is_arranged: returns whether the visits are arranged.

    Attributes:
        on_show: functions to call when two visits are shown.
        is_placed: False if the sides of the patient are uncertain in either exam, see `places.is_placed`.
    """

    def __init__(self, slicer: SlicerApp, arrange: Callable[[bool], object], is_arranged: Callable[[], bool]) -> None:
        self._slicer, self._arrange, self._is_arranged = slicer, arrange, is_arranged
        self._shown: SideBySide | None = None
        self._centre: np.ndarray | None = None  # of views that have not got their size yet
        self.on_show: list[Callable[[], object]] = []
        self.is_placed = True
        self._mip = self._is_aligning = False
        self._sizes: dict[str, tuple[int, ...]] = {}

    @property
    def is_shown(self) -> bool:
        """True while two visits are shown."""
        return self._shown is not None and self._is_arranged()

    def show(self, baseline: Exam, follow: Exam, matrix: np.ndarray | None) -> None:
        """Show two exams; the views stay where they are if they were shown already.

        Args:
            baseline, follow: with their masks.
            matrix: (4, 4) LPS mm from the first to the second, None to show both where they lie.
        """
        was_shown = self.is_shown
        self._forget()
        self.is_placed = all(is_placed(exam.geometry, exam.provenance) for exam in (baseline, follow))
        self._shown = put_side_by_side(self._slicer.scene, baseline, follow, matrix)
        self._arrange(True)
        self.fill()
        if not was_shown:
            self._centre = baseline.centre
            self._turn()
            for listener in self.on_show:
                listener()

    def set_mip(self, mip: bool) -> None:
        """Show the subtractions as projections or slices."""
        self._mip = mip
        self.fill()

    def hide(self) -> None:
        """Return to the usual views."""
        self._forget()
        self._arrange(False)

    def fill(self) -> None:
        """Give each view its volume and outlines, which opening an exam or a prediction may have replaced."""
        if self._shown is not None:
            fill_views(self._slicer.scene, self._shown, mip=self._mip)
            for name in VISIT_VIEWS:
                if (view := self._slicer.view_manager.get_view(name)) is not None:
                    view.schedule_render()

    def attach(self, view: SliceView) -> None:
        """Let a view of the visits move the others with it."""
        view.modified.connect(self._align_others)

    def geometry(self) -> Geometry | None:
        """Return the lattice of the baseline, in whose space the views are; None if no visits are shown."""
        return geometry_of(self._shown.volumes[BASELINE]) if self._shown is not None else None

    def _turn(self) -> None:
        if self._shown is not None and self._centre is not None:
            self._is_aligning = True
            turn_to(self._slicer.scene, self._shown, self._centre)
            self._is_aligning = False

    def _align_others(self, view: SliceView) -> None:
        node = view.get_view_node()
        before, self._sizes[view.name] = self._sizes.get(view.name), node.GetDimensions()
        if self._is_aligning or not self.is_shown:
            return
        if before != node.GetDimensions():  # the browser has just laid it out
            self._turn()
            return
        self._centre = None
        self._is_aligning = True
        for name in VISIT_VIEWS:
            other = self._slicer.view_manager.get_view(name)
            if other is not None and other is not view:
                match_view(other.get_view_node(), node)
        self._is_aligning = False

    def _forget(self) -> None:
        if self._shown is not None:
            remove_side_by_side(self._slicer.scene, self._shown)
        self._shown = None
