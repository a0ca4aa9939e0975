"""The first visit and a later one side by side: which, registered or not, and whether the registration holds."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from ...exam import Exam
from ...follow import words
from .analysis import Analysis


class VisitViews(Protocol):
    """The views of a frontend, for two visits side by side."""

    def show(self, baseline: Exam, follow: Exam, matrix: np.ndarray | None) -> None:
        """Show two exams with their tumours.

        Args:
            baseline, follow: with their masks.
            matrix: (4, 4) LPS mm from the first to the second, None to show both where they lie.
        """

    def set_mip(self, mip: bool) -> None:
        """Show the subtractions as maximum intensity projections, or as slices."""

    def hide(self) -> None:
        """Return to the views of the open exam."""

    @property
    def is_shown(self) -> bool:
        """True while two visits are shown; the user may have chosen different views."""


@dataclass(frozen=True)
class ComparisonSettings:
    """What is compared and how.

    Args:
        visit: that is shown beside the first one.
        registered: bring it to the first one by a rigid registration.
        mip: show the subtractions as maximum intensity projections.
    """

    visit: str = ""
    registered: bool = True
    mip: bool = False


class Comparison:
    """Compare two visits.

    Args:
        analysis: with the visits and their registrations.
        views: that show them.

    Attributes:
        settings: change them with `change`.
    """

    def __init__(self, analysis: Analysis, views: VisitViews) -> None:
        self._analysis, self._views = analysis, views
        self._activity = analysis.visits.session.activity
        self.settings = ComparisonSettings()
        self._shown: Hashable = None
        self._beside: Hashable = None  # the exam that was open then
        self._activity.on_change.append(self._follow)

    @property
    def is_shown(self) -> bool:
        """True while two visits are shown."""
        return self._views.is_shown

    @property
    def choices(self) -> list[str]:
        """The visits that can be shown beside the first one that has an exam."""
        entries, baseline = self._analysis.visits.entries.values(), self._analysis.visits.baseline
        return [entry.name for entry in entries if entry.exam is not None and entry is not baseline]

    @property
    def visit(self) -> str:
        """The visit to compare: the one that was chosen, else the last; "" if there is none."""
        found = self.choices
        return self.settings.visit if self.settings.visit in found else (found[-1] if found else "")

    @property
    def words(self) -> str:
        """What is shown, and whether the registration holds."""
        _ = self._activity.translate
        if not self.is_shown or not self.visit:
            return ""
        if not self.settings.registered:
            text = _("Not registered: both exams are shown where they lie, and slices may not match.")
        else:
            text = words.describe_registration(self.visit, self._analysis.registration(self.visit), _)
        outlines = _("Green: tumour of the visit. Yellow: tumour of the first visit, brought over by the registration.")
        return " ".join((text, outlines, words.describe_scale(_)))

    def change(self, **values: object) -> None:
        """Change `settings`, and what is shown."""
        before, self.settings = self.settings, replace(self.settings, **values)  # type: ignore[arg-type]
        if self.is_shown and before.mip != self.settings.mip:
            self._views.set_mip(self.settings.mip)
        if self.is_shown and replace(before, mip=False) != replace(self.settings, mip=False):
            self.show()
        else:
            self._activity.emit()

    def show(self) -> None:
        """Show both visits, registered if that is wanted."""
        if self.settings.registered or not self.visit:
            self._analysis.register(self.visit, self._show)
        else:
            self._show()
            self._activity.emit()

    def hide(self) -> None:
        """Return to the views of the open exam."""
        if self.is_shown:
            self._shown = None
            self._views.hide()
            self._activity.emit()

    def _show(self) -> None:
        visits, name = self._analysis.visits, self.visit
        baseline = visits.baseline
        if baseline is None or not name:
            return
        found = self._analysis.registration(name) if self.settings.registered else None
        matrix = found.matrix if found is not None and found.holds else None
        self._shown, self._beside = self._state(), visits.session.tumour.history.exam
        exams = baseline.drawn_exam(), visits.entries[name].drawn_exam()
        self._views.show(*exams, matrix)
        self._views.set_mip(self.settings.mip)

    def _state(self) -> Hashable:
        baseline, entry = self._analysis.visits.baseline, self._analysis.visits.entries.get(self.visit)
        if baseline is None or entry is None:
            return None
        return baseline.drawn_state, entry.drawn_state

    def _follow(self) -> None:
        """Show outlines as they are drawn now; return to the usual views once a visit or their patient is gone."""
        if not self.is_shown or self._activity.doing or self._activity.opening:
            return
        exam = self._analysis.visits.session.tumour.history.exam
        is_left, self._beside = exam != self._beside and not self._analysis.visits.active, exam
        if self._state() == self._shown and not is_left:
            return
        if self.visit and not is_left:
            self._show()
        else:
            self.hide()
