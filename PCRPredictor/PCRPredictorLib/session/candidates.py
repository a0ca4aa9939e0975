"""*Find tumours*: the candidates of the open exam, looked at one by one, and accepted as the tumour."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial

from ..finding.find import Candidate, find_tumours
from ..finding.grow import describe
from .activity import Activity
from .frontend import ExamScene
from .tumour import Tumour


class Candidates:
    """Find candidates, jump to each, and make one the tumour.

    Args:
        scene: with the exam.
        activity: where they are found.
        tumour: that an accepted one becomes; what `Tumour.mode` says is done with it.

    Attributes:
        shown: number of the candidate that the views show.
    """

    def __init__(self, scene: ExamScene, activity: Activity, tumour: Tumour) -> None:
        self._scene, self._activity, self._tumour = scene, activity, tumour
        self._found: tuple[Candidate, ...] = ()
        self._exam: Hashable = None
        self.shown = 0

    @property
    def found(self) -> tuple[Candidate, ...]:
        """The candidates of the open exam, the most suspicious first."""
        return self._found if self._found and self._scene.volumes_key() == self._exam else ()

    @property
    def words(self) -> str:
        """The candidate that is shown in words; "" if there is none."""
        if not self.found:
            return ""
        _, one = self._activity.translate, self.found[self.shown]
        sides = {"left": _("left"), "right": _("right"), None: _("side unknown")}
        text = _("{number} of {count}: {side}, {size}, looks like {verdict}")
        size = describe(one.volume_ml, one.extent_mm)
        count = len(self.found)
        return text.format(number=self.shown + 1, count=count, side=sides[one.side], size=size, verdict=_(one.verdict))

    def find(self) -> None:
        """Look for tumours in the whole exam, and jump to the most suspicious place."""
        if (found := self._activity.attempt(self._scene.phases)) is None:
            return
        (pre, early, late), geometry = found
        work = partial(find_tumours, pre, early, late, geometry)
        done = partial(self._on_found, self._scene.volumes_key())
        self._activity.start(self._activity.translate("Finding tumours"), work, done)

    def step(self, by: int) -> None:
        """Jump to the next candidate or, with -1, to the one before."""
        if self.found:
            self.shown = (self.shown + by) % len(self.found)
            self._scene.jump_to(self.found[self.shown].position)
            self._activity.emit()

    def accept(self) -> None:
        """Make the candidate that is shown the tumour; it can be undone."""
        if self.found:
            one = self.found[self.shown]
            self._tumour.replace(one.mask, describe(one.volume_ml, one.extent_mm))

    def _on_found(self, exam: Hashable, found: Sequence[Candidate]) -> None:
        self._found, self._exam, self.shown = tuple(found), exam, 0
        if not found:
            sentence = "Nothing in this exam enhances like a tumour; click the lesion or paint it."
            self._activity.report_problem(self._activity.translate(sentence))
        self.step(0)
