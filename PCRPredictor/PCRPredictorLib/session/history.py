"""The states of the tumour, clicked or painted, for undo and redo."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from ..exam import bounding_box

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
            part = mask[self.box]
            part[:] = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=part.size).reshape(part.shape)
        return mask


class TumourHistory:
    """The tumour of one exam as it is and as it was; whatever changed it can be undone, a click as well as a stroke."""

    def __init__(self) -> None:
        self.reset(None)

    def reset(self, exam: Hashable) -> None:
        """Forget the states of the exam before."""
        self.exam = exam
        self._states: list[Snapshot] = []
        self._now = -1

    @property
    def now(self) -> Snapshot | None:
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

    def add(self, state: Snapshot) -> bool:
        """Note a state and return whether it differs from the last one; if so, what was undone cannot be redone."""
        if state == self.now:
            return False
        self._states = [*self._states[: self._now + 1], state][-_STATES:]
        self._now = len(self._states) - 1
        return True

    def undo(self) -> Snapshot:
        """Return to the earlier state; only if `can_undo`."""
        self._now -= 1
        return self._states[self._now]

    def redo(self) -> Snapshot:
        """Return to the state that was undone last; only if `can_redo`."""
        self._now += 1
        return self._states[self._now]
