"""The first visit and a later one side by side, in linked views of the scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.mrml.display import show_four_up
from PCRPredictorLib.mrml.follow import (
    FOLLOW_LAYOUT,
    SideBySide,
    fill_views,
    put_side_by_side,
    remove_side_by_side,
    show_side_by_side,
    turn_to,
)
from PCRPredictorLib.session.course.comparison import Comparison
from PCRPredictorLib.session.session import Session


class SceneVisits:
    """The views of the desktop, see `session.course.comparison.VisitViews`.

    Args:
        release: gives mouse and editor back: a stroke beside the baseline would be in the baseline's space.
    """

    def __init__(self, release: Callable[[], object]) -> None:
        self._release = release
        self._shown: SideBySide | None = None

    @property
    def is_shown(self) -> bool:
        """True while the layout of the visits is shown."""
        layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        return self._shown is not None and layout.GetViewArrangement() == FOLLOW_LAYOUT

    def show(self, baseline: Exam, follow: Exam, matrix: np.ndarray | None) -> None:
        """Show two exams in a layout of their own; the views stay where they are if they were shown already."""
        is_again = self.is_shown
        self._release()
        self.forget()
        self._shown = shown = put_side_by_side(slicer.mrmlScene, baseline, follow, matrix)
        show_side_by_side(slicer.mrmlScene, shown)
        if not is_again:
            turn_to(slicer.mrmlScene, shown, baseline.centre)

    def set_mip(self, mip: bool) -> None:
        """Show the subtractions as projections or slices."""
        if self._shown is not None:
            fill_views(slicer.mrmlScene, self._shown, mip=mip)

    def hide(self) -> None:
        """Return to the usual views."""
        self.forget()
        show_four_up(slicer.mrmlScene)

    def forget(self) -> None:
        """Remove the nodes, if they are still in the scene."""
        if self._shown is not None:
            remove_side_by_side(slicer.mrmlScene, self._shown)
        self._shown = None


class SideBySideControls:
    """Compares two visits.

    Args:
        ui: the section's widgets by name.
        session: whose listeners are called.
        comparison: what is compared.
    """

    def __init__(self, ui: Any, session: Session, comparison: Comparison) -> None:
        self._ui, self._comparison = ui, comparison
        ui.followCompareButton.connect("clicked(bool)", lambda *_: comparison.show())
        ui.followViewsButton.connect("clicked(bool)", lambda *_: comparison.hide())
        ui.followCompareSelector.connect("activated(int)", lambda *_: self._choose())
        ui.followRegisterCheck.connect("toggled(bool)", lambda on: comparison.change(registered=on))
        ui.followMipCheck.connect("toggled(bool)", lambda on: comparison.change(mip=on))
        session.activity.on_change.append(self.update)

    def update(self) -> None:
        """Show which visits can be compared, and what is shown."""
        ui, comparison = self._ui, self._comparison
        selector, choices = ui.followCompareSelector, comparison.choices
        before = selector.blockSignals(True)
        if [selector.itemText(k) for k in range(selector.count)] != choices:
            selector.clear()
            selector.addItems(choices)
        selector.setCurrentIndex(choices.index(comparison.visit) if comparison.visit else -1)
        selector.blockSignals(before)
        ui.followCompareButton.enabled = bool(choices)
        ui.followViewsButton.enabled = ui.followMipCheck.enabled = comparison.is_shown
        ui.followCompareLabel.text = comparison.words

    def _choose(self) -> None:
        self._comparison.change(visit=self._ui.followCompareSelector.currentText)
