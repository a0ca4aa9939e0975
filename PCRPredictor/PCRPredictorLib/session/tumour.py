"""The tumour of the open exam: grown from a click, painted by the frontend, loaded, undone, measured, saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from ..enhancement import FUNCTIONAL_ENHANCEMENT, functional_share
from ..errors import DataError
from ..exam import Exam, Geometry, Lesion
from ..finding.grow import Grown, grow_tumour
from .activity import Activity
from .frontend import ExamScene, Fingerprint
from .history import LesionState, TumourHistory, TumourState, describe_size

Mode = Literal["replace", "add", "new"]


class Tumour:
    """Change, measure and undo the tumour.

    Args:
        scene: with the exam.
        activity: where a tumour is grown.
        update: called when the tumour was changed here.

    Attributes:
        history: its states.
        mode: what a click does: "replace" the active lesion, "add" to it, or begin a "new" one.
        enhancement: least relative enhancement of what a click grows and of the functional volume; 0.7 is +70 %.
        volume_ml: functional volume of the active lesion in ml; None if it cannot be given or nothing is marked.
        size: of the active lesion, as in "4.6 ml, 24 × 22 × 20 mm"; "" if it is empty.
        question: asks whether what a click has grown is to be the tumour; "" if nothing is asked.
        answers: yes and no, in the words of the question.
        is_halfway: True while a state is put into the scene, whose signals call for updates.
    """

    def __init__(self, scene: ExamScene, activity: Activity, update: Callable[[], object]) -> None:
        self._scene, self._activity, self._update = scene, activity, update
        self.history = TumourHistory()
        self.mode: Mode = "replace"
        self.enhancement = FUNCTIONAL_ENHANCEMENT
        self.volume_ml: float | None = None
        self.size = self.question = ""
        self.answers = "", ""
        self._kept: Callable[[], object] = lambda: None  # what is done if the answer is yes
        self._seen: tuple[object, ...] | None = None
        self.is_halfway = False
        self._is_drawn = True  # by hand, unless it is changed here

    @property
    def volume(self) -> str:
        """The functional tumour volume in words; "-" if it cannot be given or nothing is marked."""
        return "-" if self.volume_ml is None else f"{self.volume_ml:.1f} ml"

    @property
    def lesions(self) -> tuple[LesionState, ...]:
        """All lesions, empty ones, too."""
        return self.history.now.lesions if self.history.now is not None else ()

    @property
    def active(self) -> LesionState | None:
        """The lesion that clicks and strokes change."""
        return self.history.now.find(self._scene.active_lesion()) if self.history.now is not None else None

    def grow(
        self, position: Sequence[float] | np.ndarray, grown: Callable[[], object] | None = None, *, box: bool = False
    ) -> None:
        """Grow the enhancing tissue around a click, and do with it what `mode` says; `question` asks if it is no mass.

        Args:
            position: LPS mm of the click, (3,), of the points of a scribble, (n, 3), or of a box's corners, (2, 3).
            grown: called once it is the tumour.
            box: True if `position` holds two corners of a box, which what is grown does not leave.
        """
        base = self.active.snapshot.mask if self.mode == "add" and self.active is not None else None
        self._grow(lambda _geometry: position, self.take, grown, base=base, box=box)

    def grow_from_drawn(self, grown: Callable[[], object] | None = None, *, box: bool = False) -> None:
        """Grow the tumour from what is painted in the active lesion, and put it in its place; it can be undone.

        Args:
            grown: called once it is the tumour.
            box: True to grow in the box around what is painted; False from the painted voxels, as a scribble.
        """
        _, active = self._activity.translate, self.active
        if active is None or not active.snapshot.box:
            self._activity.report_problem(_("Nothing is painted; paint over a part of the lesion, then grow it."))
        elif box and min(span.stop - span.start for span in active.snapshot.box) < 2:
            what = _("The box around what is painted must be two voxels deep; paint in more slices of the lesion.")
            self._activity.report_problem(what)
        else:
            index = active.snapshot.corners if box else active.snapshot.voxels
            self._grow(lambda geometry: geometry.to_physical(index), partial(self._put, active.key), grown, box=box)

    def replace(self, mask: np.ndarray, message: str = "") -> None:
        """Take a mask (k, j, i) as `take` does, but ask first if that discards what was drawn by hand."""
        self._ask_first(partial(self.take, mask, message), self._asks_about_hand_edits)

    def _ask_first(self, act: Callable[[], object], is_replacing: bool, what: str = "") -> None:
        """Do something at once or, if there is `what` to ask or hand edits would be replaced, after the answer."""
        if not what and not is_replacing:
            act()
            return
        _ = self._activity.translate
        by_hand = _("This lesion was changed by hand (to add to it, keep it and choose to add). Replace it?")
        self.question, self._kept = what or by_hand, act
        self.answers = (_("Use it"), _("Do not use it")) if what else (_("Replace it"), _("Keep it"))
        self._activity.emit()

    @property
    def _asks_about_hand_edits(self) -> bool:
        """True if a click would discard what was drawn by hand."""
        return self.mode == "replace" and self.active is not None and self.history.is_by_hand(self.active)

    def answer(self, keep: bool) -> None:
        """Answer `question`: keep what the click has grown, or leave the tumour as it is."""
        kept, self._kept, self.question = self._kept, lambda: None, ""
        if keep:
            kept()
        self._activity.emit()

    def take(self, mask: np.ndarray, message: str = "") -> None:
        """Make a mask (k, j, i) the active lesion or, in the mode "new", a further one; report the message."""
        state, active = self.history.now or TumourState(), self.active
        is_further = active is None or (self.mode == "new" and active.snapshot.box)
        key = state.new_key() if is_further or active is None else active.key
        self._put(key, mask, message)

    def choose(self, key: str) -> None:
        """Let clicks and strokes change the lesion of this key."""
        if key in {lesion.key for lesion in self.lesions}:
            self._scene.choose_lesion(key)
            self._update()

    def remove(self) -> None:
        """Take the active lesion away; it can be undone."""
        if self.active is not None and self.history.now is not None:
            self._set(self.history.now.without(self.active.key))

    def take_up(self, history: TumourHistory) -> None:
        """Draw the tumour as a history of the same exam, opened before, has it; its steps can be undone as then."""
        self.history, history.exam = history, self.history.exam
        self._set(history.now or TumourState())

    def undo(self) -> None:
        """Undo the last click, stroke or loaded mask."""
        if self.history.can_undo:
            self._set(self.history.undo())

    def redo(self) -> None:
        """Redo what was undone last."""
        if self.history.can_redo:
            self._set(self.history.redo())

    def load(self, read: Callable[[Geometry], Sequence[Lesion]]) -> bool:
        """Put lesions from a file in the place of the tumour; return False, and report it, if that is not possible.

        Args:
            read: returns the lesions on the exam's voxels or raises DataError; runs on the worker.
        """
        _ = self._activity.translate
        try:
            if self._activity.doing:
                raise DataError(_("Wait until the running work is done, then load the mask again."))
            _phases, geometry = self._scene.phases()
        except DataError as error:
            self._activity.report_problem(str(error))
            return False
        done = partial(self._on_loaded, self._scene.volumes_key())
        self._activity.start(_("Reading the mask"), partial(read, geometry), done)
        return True

    def exam_to_save(self) -> Exam:
        """Return the exam with the tumour as it is drawn, predicted or not.

        Raises:
            DataError: if there is no tumour.
        """
        if self.history.now is None or not self.history.now.content:
            raise DataError(self._activity.translate("There is no tumour to save; click or paint it first."))
        return self._scene.read().exam

    def save(self, path: Path, write: Callable[[Exam, Path], None]) -> None:
        """Write the tumour as it is drawn, with or without a prediction.

        Args:
            path: of the file, see `outputs.write_tumour`.
            write: that function, passed in: a session must not import `outputs`.
        """
        _ = self._activity.translate
        if (exam := self._activity.attempt(self.exam_to_save)) is None:
            return
        saved = _("Saved in {folder}").format(folder=path)
        self._activity.start(_("Saving"), partial(write, exam, path), lambda _nothing: self._report(saved))

    def set_mode(self, mode: Mode) -> None:
        """Set what the next click does."""
        self.mode = mode
        self._activity.emit()

    def set_enhancement(self, share: float) -> None:
        """Set the least relative enhancement of clicks and of the functional volume."""
        self.enhancement = share
        self._update()

    def reset(self) -> None:
        """Forget the tumour and its history, for a different exam."""
        self.history = TumourHistory()  # a new one: an exam that is opened again takes up its own
        self._seen, self.volume_ml, self.size, self.question = None, None, "", ""

    def update_from(self, now: Fingerprint | None) -> None:
        """Note and measure the tumour if the fingerprint is new; None if there is no exam."""
        if self.is_halfway:
            return
        seen = (now, self.enhancement, self._scene.active_lesion() if now is not None else "")
        if seen == self._seen:
            return
        self._seen, self.volume_ml, self.size = seen, None, ""
        exam = now.identity if now is not None else None
        if exam != self.history.exam:
            self.history = TumourHistory(exam)
            self.question = ""
        if now is None:
            return
        try:
            state = self._scene.tumour()
            if self.history.now is None and not self._is_drawn:  # before the first click there was nothing
                self.history.add(state.emptied())
            if self.history.add(state, drawn=self._is_drawn):
                self._activity.forget_problem()
                self.question = ""
            self._measure()
        except DataError:  # the prediction says what is wrong with the volumes
            return

    def _put(self, key: str, mask: np.ndarray, message: str) -> None:
        self._set((self.history.now or TumourState()).with_lesion(key, mask), key)
        self._activity.message = message
        self._activity.emit()

    def _measure(self) -> None:
        (pre, early, _late), geometry = self._scene.phases()
        if self.active is None or not self.active.snapshot.box:
            return
        snapshot = self.active.snapshot
        inside, ml = snapshot.part != 0, geometry.voxel_volume / 1000
        share = functional_share(pre[snapshot.box][inside], early[snapshot.box][inside], self.enhancement)
        count = int(np.count_nonzero(inside))
        self.volume_ml, self.size = share * count * ml, describe_size(snapshot, geometry, self._activity.translate)

    def _grow(
        self,
        points: Callable[[Geometry], Sequence[float] | np.ndarray],
        use: Callable[[np.ndarray, str], object],
        grown: Callable[[], object] | None,
        **options: object,
    ) -> None:
        if (found := self._activity.attempt(self._scene.phases)) is None:
            return
        (pre, early, _late), geometry = found
        self.question = ""
        options["enhancement"] = self.enhancement
        seeds = np.asarray(points(geometry), float)
        work = partial(grow_tumour, pre, early, geometry, seeds, **options)  # type: ignore[arg-type]
        done = partial(self._on_grown, self._scene.volumes_key(), seeds, use, grown)
        self._activity.start(self._activity.translate("Growing the tumour"), work, done)

    def _on_grown(
        self,
        volumes: object,
        seeds: np.ndarray,
        use: Callable[[np.ndarray, str], object],
        grown: Callable[[], object] | None,
        result: Grown,
    ) -> None:
        if self._scene.volumes_key() != volumes:
            return

        def keep() -> None:
            use(result.mask, result.message)
            if seeds.ndim == 1:  # a click: the other views show its place, too
                self._scene.jump_to((float(seeds[0]), float(seeds[1]), float(seeds[2])))
            if grown is not None:
                grown()

        self._ask_first(keep, use == self.take and self._asks_about_hand_edits, result.question)

    def _on_loaded(self, volumes: object, lesions: Sequence[Lesion]) -> None:
        if self._scene.volumes_key() != volumes:
            return
        if not any(np.any(lesion.mask) for lesion in lesions):
            self._activity.report_problem(self._activity.translate("The mask is empty; the tumour stays as it was."))
            return
        state = TumourState()
        for lesion in lesions:
            state = state.with_lesion(state.new_key(), lesion.mask, lesion.name)
        self._set(state)
        self._report(self._activity.translate("Loaded: {count} lesions.").format(count=len(lesions)))

    def _set(self, state: TumourState, active: str = "") -> None:
        self.is_halfway, self._activity.message = True, ""
        try:
            self._scene.set_tumour(state)
            if active:
                self._scene.choose_lesion(active)
        except DataError as error:
            self._activity.report_problem(str(error))
        finally:
            self.is_halfway = False
        self._is_drawn = False
        self._update()
        self._is_drawn = True

    def _report(self, message: str) -> None:
        self._activity.message = message
