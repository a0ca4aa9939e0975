"""The views side by side of one exam, which move together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from PCRPredictorLib.mrml.display import COMPARE_VIEWS, match_view
from PCRPredictorLib.mrml.exam import Node
from PCRPredictorLib.mrml.nodes import nodes_of
from trame_slicer.core import SlicerApp
from trame_slicer.views import SliceView

_FOLLOW_S = 0.1  # between two moves of linked views, which are drawn 10 times per second


class LinkedViews:
    """Let the views of `COMPARE_VIEWS` follow the one that is moved.

    Args:
        slicer: application with the views.
        is_linked: returns whether an arrangement of these views is shown.
    """

    def __init__(self, slicer: SlicerApp, is_linked: Callable[[], bool]) -> None:
        self._slicer, self._is_linked = slicer, is_linked
        self._is_aligning = False
        self._sizes: dict[str, tuple[int, int, int]] = {}
        self._moved: SliceView | None = None  # to where hidden views have to follow
        self._waiting: asyncio.TimerHandle | None = None  # until linked views follow
        self._followed = 0.0  # when they did
        self._never_shown = set(COMPARE_VIEWS)  # the size of these is provisional

    def attach(self, view: SliceView) -> None:
        """Link a view with the others."""
        view.modified.connect(self._align_others)

    def move_hidden(self) -> None:
        """Let the views that are not shown, and the axial one of the four, follow the last one that was moved."""
        moved, self._moved = self._moved, None
        if moved is not None:
            self._is_aligning = True
            self._match(COMPARE_VIEWS, moved)
            match_view(self._axial(), moved.get_view_node())
            self._is_aligning = False

    def _align_others(self, view: SliceView) -> None:
        """Move the views side by side to where one of them has moved; hidden ones follow later."""
        node = view.get_view_node()
        before, self._sizes[view.name] = self._sizes.get(view.name), node.GetDimensions()
        if self._is_aligning or not self._is_linked():
            return
        self._is_aligning = True
        is_resized = before != node.GetDimensions()
        if view.name in self._never_shown and is_resized and before is not None:
            self._never_shown.remove(view.name)
            match_view(node, self._axial())  # as wide in mm; a view that is resized later keeps its mm per pixel
            asyncio.get_running_loop().call_soon(node.Modified)  # the slice is computed before this during a resize
        elif view.name not in self._never_shown and not is_resized:
            self._moved = view
            self._follow_in_time()
        self._is_aligning = False

    def _follow_in_time(self) -> None:
        """Move the other views that are shown now, or in a moment if they were moved just now: they cost as much."""
        if self._waiting is None:
            wait = max(0.0, self._followed + _FOLLOW_S - time.monotonic())
            if wait:
                self._waiting = asyncio.get_running_loop().call_later(wait, self._move_shown)
            else:
                self._move_shown()

    def _move_shown(self) -> None:
        self._waiting, self._followed = None, time.monotonic()
        if self._moved is not None:
            shown = self._slicer.view_manager.get_current_view_ids()
            was_aligning, self._is_aligning = self._is_aligning, True
            self._match([name for name in COMPARE_VIEWS if name in shown], self._moved)
            self._is_aligning = was_aligning

    def _match(self, names: Iterable[str], leader: SliceView) -> None:
        for other in map(self._slicer.view_manager.get_view, names):
            if other not in (None, leader):
                match_view(other.get_view_node(), leader.get_view_node())

    def _axial(self) -> Node:
        return nodes_of(self._slicer.scene, "vtkMRMLSliceNode")[0]
