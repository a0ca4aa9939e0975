"""*Find tumours*: the candidates of the open exam, looked at one by one, and accepted as the tumour."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial

from ..finding.find import Candidate, find_tumours
from ..finding.grow import describe
from .activity import Activity
from .frontend import ExamScene
from .history import Snapshot
from .tumour import Tumour


class Candidates:
    """Find candidates, jump to and outline each, and make one the tumour.

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
        self._snapshots: tuple[Snapshot, ...] = ()
        self._exam: Hashable = None
        self._is_outlined = False
        self.shown = 0
        activity.on_change.append(self._follow)

    @property
    def found(self) -> tuple[Candidate, ...]:
        """The candidates of the open exam, the most suspicious first."""
        return self._found if self._found and self._scene.volumes_key() == self._exam else ()

    @property
    def is_accepted(self) -> bool:
        """True if the candidate that is shown is the tumour, or one of its lesions."""
        return bool(self.found) and any(x.snapshot == self._snapshots[self.shown] for x in self._tumour.lesions)

    @property
    def words(self) -> str:
        """The candidate that is shown in words; "" if there is none."""
        if not self.found:
            return ""
        _, one = self._activity.translate, self.found[self.shown]
        sides = {"left": _("left"), "right": _("right"), None: _("side unknown")}
        text = _("{number} of {count}: {side}, {size}, looks like {verdict}")
        size = describe(one.volume_ml, one.diameters_mm)
        count = len(self.found)
        line = text.format(number=self.shown + 1, count=count, side=sides[one.side], size=size, verdict=_(one.verdict))
        return f"{line}; {_('accepted as the tumour')}" if self.is_accepted else line

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
            one = self.found[self.shown]
            self._scene.jump_to(one.position)
            if not self.is_accepted:
                name = self._activity.translate("Candidate {number}").format(number=self.shown + 1)
                self._scene.show_candidate(name, one.mask, one.position)
                self._is_outlined = True
            self._activity.emit()

    def accept(self) -> None:
        """Make the candidate that is shown the tumour; it can be undone."""
        if self.found:
            one = self.found[self.shown]
            text = self._activity.translate("Candidate {number} is the tumour now: {size}")
            size = describe(one.volume_ml, one.diameters_mm)
            self._tumour.replace(one.mask, text.format(number=self.shown + 1, size=size))

    def dismiss(self) -> None:
        """Show no candidate any more."""
        self._found = ()
        self._activity.emit()

    def _follow(self) -> None:
        """Take the outline away once the candidate is the tumour, or gone with its exam."""
        if self._is_outlined and (not self.found or self.is_accepted):
            self._is_outlined = False
            self._scene.hide_candidate()

    def _on_found(self, exam: Hashable, found: Sequence[Candidate]) -> None:
        self._found, self._exam, self.shown = tuple(found), exam, 0
        self._snapshots = tuple(Snapshot.of_mask(one.mask) for one in found)
        if not found:
            sentence = "Nothing in this exam enhances like a tumour; click the lesion or paint it."
            self._activity.report_problem(self._activity.translate(sentence))
        self.step(0)
