"""All phases of an exam in memory, whole or in a box, with their times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..errors import DataError, Notice
from ..exam import Dynamic, Exam, Provenance

Box = tuple[slice, slice, slice]
WHOLE: Box = (slice(None),) * 3
MOST_BYTES = 2 << 30  # that the phases beyond pre, early and late may take: twenty of 512 x 512 x 200


@dataclass(frozen=True, eq=False)
class Phases:
    """The phases of an exam in the order of time.

    Args:
        arrays: (k, j, i) each, of one shape.
        picked: positions of pre, early and late among them.
        seconds: of the beginning of each, after the injection if `since_injection`, else after that of the pre-contrast
            phase; None if unknown.
        since_injection: True if the time of the injection is known.
        notices: phases that the source has and the curves have not.
    """

    arrays: tuple[np.ndarray, ...]
    picked: tuple[int, int, int]
    seconds: tuple[float, ...] | None = None
    since_injection: bool = False
    notices: tuple[Notice, ...] = ()

    def take(self, box: Box) -> Phases:
        """Return the phases in a box, not copied."""
        return replace(self, arrays=tuple(array[box] for array in self.arrays))

    def means(self, where: tuple[np.ndarray, ...]) -> np.ndarray:
        """Return the mean signal of the n phases at N voxels, (n,) float64.

        Args:
            where: indices along k, j and i, (N,) each.
        """
        return np.array([array[where].mean(dtype=np.float64) for array in self.arrays])


def phases_of(arrays: Sequence[np.ndarray], provenance: Provenance) -> Phases:
    """Return pre, early and late alone, (k, j, i) each."""
    return _timed(Phases(tuple(arrays), (0, 1, 2)), provenance.phase_times, provenance.injection)


def load_phases(exam: Exam, box: Box = WHOLE, most_bytes: int = MOST_BYTES) -> Phases:
    """Return all phases of an exam; pre, early and late are those that it holds already, see `join_phases`."""
    return join_phases(exam.phases, exam.provenance, exam.dynamic, box, most_bytes)


def join_phases(
    arrays: Sequence[np.ndarray],
    provenance: Provenance,
    dynamic: Dynamic | None,
    box: Box = WHOLE,
    most_bytes: int = MOST_BYTES,
) -> Phases:
    """Return pre, early and late, and the other phases of their acquisition.

    A phase that cannot be read, or does not lie on the exam's grid, is left out with a notice. If the others would take
    more than `most_bytes`, they are read one by one for a box, and left out with a notice for a whole exam.

    Args:
        arrays: pre, early and late, (k, j, i) each.
    """
    held = phases_of([array[box] for array in arrays], provenance)
    if dynamic is None or dynamic.count <= len(dynamic.picked):
        return held
    others = [k for k in range(dynamic.count) if k not in dynamic.picked]
    size = len(others) * arrays[1].nbytes
    if size > most_bytes and box == WHOLE:
        return replace(held, notices=(_too_large(dynamic, size),))
    found = dict(zip(dynamic.picked, held.arrays, strict=True))
    notices = []
    for part in [others] if size <= most_bytes else [[k] for k in others]:
        for k, array in zip(part, dynamic.read(part), strict=True):
            if isinstance(array, DataError) or array.shape != arrays[1].shape:
                notices.append(_left_out(k, array))
            else:
                found[k] = array[box].copy() if box != WHOLE else array
    return _joined(found, dynamic, provenance, tuple(notices))


def hold_phases(exam: Exam, most_bytes: int = MOST_BYTES) -> Exam:
    """Return the exam with its other phases in memory, so that its files are not needed any more, if they fit."""
    dynamic = exam.dynamic
    if dynamic is None:
        return exam
    others = [k for k in range(dynamic.count) if k not in dynamic.picked]
    if len(others) * exam.early.nbytes > most_bytes:
        return exam
    held = dict(zip(others, dynamic.read(others), strict=True))
    return replace(exam, dynamic=replace(dynamic, read=partial(_take, held)))


def _take(held: Mapping[int, np.ndarray | DataError], wanted: Sequence[int]) -> list[np.ndarray | DataError]:
    return [held[k] for k in wanted]


def _joined(
    found: dict[int, np.ndarray], dynamic: Dynamic, provenance: Provenance, notices: tuple[Notice, ...]
) -> Phases:
    """Return the phases that were found, in the order of time."""
    order = sorted(found)
    picked = tuple(order.index(k) for k in dynamic.picked)
    times = None if dynamic.times is None else tuple(dynamic.times[k] for k in order)
    held = Phases(tuple(found[k] for k in order), picked, notices=notices)  # type: ignore[arg-type]
    return _timed(held, times, provenance.injection)


def _timed(phases: Phases, times: Sequence[float] | None, injection: float | None) -> Phases:
    if times is None:
        return phases
    start = injection or 0.0
    return replace(phases, seconds=tuple(time - start for time in times), since_injection=injection is not None)


def _left_out(k: int, why: object) -> Notice:
    reason = str(why) if isinstance(why, DataError) else "it has a different size"
    return Notice("curve_phase_left_out", f"Phase {k + 1} (--pick {k}) is missing from the curves: {reason}.")


def _too_large(dynamic: Dynamic, size: int) -> Notice:
    text = (
        f"The curves have 3 of {dynamic.count} phases: the others would take {size / 2**30:.1f} GB of memory. Crop the "
        "exam around the breasts to see all of them."
    )
    return Notice("curve_phases_too_large", text)
