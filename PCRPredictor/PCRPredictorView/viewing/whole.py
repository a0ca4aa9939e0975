"""The whole exam in every slice view, from when it is opened until a view is moved.

The size of a view is not known before the browser has laid it out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from PCRPredictorLib.mrml.display import matrix_of
from trame_slicer.views import SliceView


class WholeExam:
    """Fit views to an exam, again whenever the browser gives them a different size.

    Args:
        is_wanted: returns whether the exam is to be shown as a whole.
    """

    def __init__(self, is_wanted: Callable[[], bool]) -> None:
        self._is_wanted = is_wanted
        self._views: list[SliceView] = []
        self._fitted: dict[str, tuple[tuple[int, ...], list[float]]] = {}  # size and place by view

    def attach(self, view: SliceView) -> None:
        """Fit a view from now on."""
        self._views.append(view)
        view.modified.connect(self._follow)

    def fit(self) -> None:
        """Show the whole exam that was opened, if that is wanted."""
        self._fitted = {}
        for view in self._views if self._is_wanted() else ():
            self._fit(view)

    def _fit(self, view: SliceView) -> None:
        self._fitted.pop(view.name, None)  # what it emits now is not the user's
        view.reset_view()
        node = view.get_view_node()
        self._fitted[view.name] = node.GetDimensions(), matrix_of(node)

    def _follow(self, view: SliceView) -> None:
        if view.name not in self._fitted:
            return
        (size, place), node = self._fitted[view.name], view.get_view_node()
        if node.GetDimensions() != size:
            self._fitted.pop(view.name)
            asyncio.get_running_loop().call_soon(self._fit, view)  # the slice is computed before this during a resize
        elif not np.allclose(matrix_of(node), place, rtol=0, atol=1e-3):
            self._fitted = {}  # moved
