"""The states of the tumour, clicked, painted or loaded, for undo and redo."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from scipy.ndimage import label

from ..exam import Geometry, bounding_box
from ..finding.grow import describe, measure
from ..report.wording import Translate

_STATES = 21  # that are kept: as many steps can be undone, less one


@dataclass(frozen=True)
class Snapshot:
    """A tumour as the bits in its bounding box, so that many take little memory.

    Args:
        shape: of the exam (k, j, i).
        box: of the tumour; no slices if it is empty.
        bits: of the voxels in the box.
    """

    shape: tuple[int, ...]
    box: tuple[slice, ...] = ()
    bits: bytes = b""

    @staticmethod
    def of(part: np.ndarray, shape: tuple[int, ...], where: Sequence[slice]) -> Snapshot:
        """Return the snapshot of a mask (k, j, i), non-zero inside, of which only a part is given.

        Args:
            part: of the mask (k, j, i); there is no tumour outside it.
            shape: of the whole mask.
            where: box of the part.
        """
        if not np.any(part):
            return Snapshot(shape)
        own = bounding_box(part)
        box = tuple(slice(w.start + b.start, w.start + b.stop) for w, b in zip(where, own, strict=True))
        return Snapshot(shape, box, np.packbits(part[own] != 0).tobytes())

    @staticmethod
    def of_mask(mask: np.ndarray) -> Snapshot:
        """Return the snapshot of a whole mask (k, j, i), non-zero inside."""
        return Snapshot.of(mask, mask.shape, (slice(0, None),) * 3)

    @property
    def mask(self) -> np.ndarray:
        """The tumour as uint8 (k, j, i)."""
        mask = np.zeros(self.shape, np.uint8)
        if self.box:
            mask[self.box] = self.part
        return mask

    @property
    def part(self) -> np.ndarray:
        """The voxels in the box as uint8 (k, j, i)."""
        size = tuple(span.stop - span.start for span in self.box) or (0, 0, 0)
        bits = np.frombuffer(self.bits, np.uint8)
        return np.unpackbits(bits, count=int(np.prod(size))).reshape(size)

    def covers(self, other: Snapshot) -> bool:
        """Return True if every voxel of a second snapshot of the same exam is in this one."""
        return bool(np.all(self.mask[other.box] >= other.part)) if other.box else True

    @property
    def voxels(self) -> np.ndarray:
        """The indices (i, j, k) of the voxels inside, (n, 3)."""
        return (np.argwhere(self.part) + [span.start for span in self.box])[:, ::-1]

    @property
    def corners(self) -> np.ndarray:
        """The indices (i, j, k) of the first and the last voxel of the box, (2, 3); only if it is not empty."""
        return np.array([[span.start, span.stop - 1] for span in self.box[::-1]]).T


@dataclass(frozen=True)
class LesionState:
    """A lesion as it is drawn.

    Args:
        key: by which the frontend knows it, such as the identifier of a segment.
        name: as the user sees it.
        snapshot: its voxels.
    """

    key: str
    name: str
    snapshot: Snapshot


@dataclass(frozen=True)
class TumourState:
    """All lesions as they are drawn.

    Args:
        lesions: in the frontend's order.
        place: where the frontend holds them, such as the identifier of a segmentation; None: where it puts new ones.
    """

    lesions: tuple[LesionState, ...] = ()
    place: Hashable = None

    @property
    def content(self) -> tuple[Snapshot, ...]:
        """The voxels of each lesion that is not empty, which is what a prediction depends on."""
        return tuple(lesion.snapshot for lesion in self.lesions if lesion.snapshot.box)

    def find(self, key: str) -> LesionState | None:
        """Return the lesion of a key; the first one if it is gone, None if there is none."""
        return next((lesion for lesion in self.lesions if lesion.key == key), next(iter(self.lesions), None))

    def with_lesion(self, key: str, mask: np.ndarray, name: str = "") -> TumourState:
        """Return the state with one lesion changed or added, to be put into a place of the frontend's choice.

        Args:
            mask: (k, j, i), non-zero inside.
        """
        snapshot = Snapshot.of_mask(mask)
        new = [replace(lesion, snapshot=snapshot) if lesion.key == key else lesion for lesion in self.lesions]
        if key not in {lesion.key for lesion in self.lesions}:
            new.append(LesionState(key, name or key, snapshot))
        return TumourState(tuple(new))

    def without(self, key: str) -> TumourState:
        """Return the state without one lesion."""
        return TumourState(tuple(lesion for lesion in self.lesions if lesion.key != key))

    def emptied(self) -> TumourState:
        """Return the state with every lesion empty."""
        lesions = (replace(lesion, snapshot=Snapshot(lesion.snapshot.shape)) for lesion in self.lesions)
        return replace(self, lesions=tuple(lesions))

    def new_key(self) -> str:
        """Return a key that no lesion has: "tumour", "tumour 2", ..."""
        taken = {lesion.key for lesion in self.lesions}
        keys = ("tumour" if n == 1 else f"tumour {n}" for n in count(1))
        return next(key for key in keys if key not in taken)


def _content(snapshot: Snapshot) -> tuple[object, ...]:
    return snapshot.shape, tuple((span.start, span.stop) for span in snapshot.box), snapshot.bits


class TumourHistory:
    """The tumour of one exam as it is and as it was; whatever changed it can be undone, a click as well as a stroke.

    Args:
        exam: its identity, see `Fingerprint`; None without one.
    """

    def __init__(self, exam: Hashable = None) -> None:
        self.exam = exam
        self._states: list[TumourState] = []
        self._now = -1
        self._made: set[tuple[object, ...]] = set()  # what was not drawn by hand

    def is_by_hand(self, lesion: LesionState) -> bool:
        """Return True if a lesion is as somebody drew it: neither as it was opened, nor as a click or file made it."""
        return bool(lesion.snapshot.box) and _content(lesion.snapshot) not in self._made

    def _keeps_hand_edits(self, lesion: LesionState) -> bool:
        """Return True if a lesion was drawn by hand until now, and all of that is still in it."""
        old = next((old for old in self.now.lesions if old.key == lesion.key), None) if self.now is not None else None
        return old is not None and self.is_by_hand(old) and lesion.snapshot.covers(old.snapshot)

    @property
    def now(self) -> TumourState | None:
        """The tumour as it is; None before the first `add`."""
        return self._states[self._now] if self._states else None

    @property
    def can_undo(self) -> bool:
        """True if there is an earlier state."""
        return self._now > 0

    @property
    def can_redo(self) -> bool:
        """True if a state was undone."""
        return self._now < len(self._states) - 1

    def add(self, state: TumourState, *, drawn: bool = False) -> bool:
        """Note a state and return whether it differs from the last one; if so, what was undone cannot be redone.

        Args:
            drawn: True if it was drawn by hand. If it is then the earlier or the later state, it was undone or redone
                there, as in Slicer's Segment Editor, and so it is here.
        """
        if state == self.now:
            return False
        if not drawn or self.now is None:
            self._made |= {_content(lesion.snapshot) for lesion in state.lesions if not self._keeps_hand_edits(lesion)}
        for step in (-1, 1) if drawn else ():
            if 0 <= self._now + step < len(self._states) and self._states[self._now + step] == state:
                self._now += step
                return True
        self._states = [*self._states[: self._now + 1], state][-_STATES:]
        self._now = len(self._states) - 1
        return True

    def undo(self) -> TumourState:
        """Return to the earlier state; only if `can_undo`."""
        self._now -= 1
        return self._states[self._now]

    def redo(self) -> TumourState:
        """Return to the state that was undone last; only if `can_redo`."""
        self._now += 1
        return self._states[self._now]


def describe_size(snapshot: Snapshot, geometry: Geometry, _: Translate = str) -> str:
    """Return volume, diameters and pieces of a lesion, as in "4.6 ml, 24 × 22 × 20 mm, ..."; "" if it is empty.

    The diameters are those of the result, see `lesion.measurements`.
    """
    if not snapshot.box:
        return ""
    text = describe(*measure(snapshot.part, geometry))
    pieces = label(snapshot.part, np.ones((3, 3, 3)))[1]
    apart = _("over {count} separate pieces; erase what does not belong to the lesion").format(count=pieces)
    return f"{text} {apart}" if pieces > 1 else text
