"""Display of an exam: orientation, slices, grey values and colours, on arrays; nothing is drawn here.

Arrays are of any shape, the same for all arguments of a function, unless stated otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..exam import Exam, Geometry
from ..lesion.colours import TUMOUR_RGB
from ..model.grid import AxisOrder, acquisition_order

ZOOM_MM = 80.0
OPACITY = 0.45  # of attention over a phase in Slicer's views
FAINT = 0.15  # attention below this share of its peak is not coloured
OUTLINE_RGB = TUMOUR_RGB
# Violet over red and orange to pale yellow: rising lightness, distinct with any colour vision, never grey.
ATTENTION_RGB = (
    (0.30, 0.05, 0.45),
    (0.53, 0.13, 0.42),
    (0.74, 0.22, 0.33),
    (0.90, 0.36, 0.19),
    (0.98, 0.56, 0.05),
    (0.97, 0.79, 0.22),
    (0.99, 1.00, 0.64),
)
_LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))  # as Slicer and the page write them
_WORDS = (("left", "right"), ("posterior", "anterior"), ("superior", "inferior"))
_OBLIQUE = np.sin(np.deg2rad(20))  # a second letter is shown beyond this tilt


@dataclass(frozen=True)
class Box:
    """A rectangle in a slice: edges in mm from the centre of its first pixel, rightwards and downwards."""

    left: float
    right: float
    top: float
    bottom: float

    @property
    def width(self) -> float:
        """Return mm across."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Return mm down."""
        return self.bottom - self.top

    @property
    def square(self) -> Box:
        """Return the smallest square around it."""
        edge = max(self.width, self.height)
        x, y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        return Box(x - edge / 2, x + edge / 2, y - edge / 2, y + edge / 2)


@dataclass(frozen=True, eq=False)
class SliceView:
    """An exam's own slices as a viewer shows them; nothing is interpolated.

    Args:
        geometry: of the exam.
        order: turns an array of the exam into (slices, rows, columns).
    """

    geometry: Geometry
    order: AxisOrder

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the numbers of slices, rows and columns."""
        return tuple(self.geometry.shape[a] for a in self.order.axes)  # type: ignore[return-value]

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Return mm between slices, rows and columns."""
        return self.order.spacing(self.geometry)

    @property
    def field(self) -> Box:
        """Return the whole slice."""
        (_, rows, columns), (_, down, across) = self.shape, self.spacing
        return Box(-0.5 * across, (columns - 0.5) * across, -0.5 * down, (rows - 0.5) * down)

    @property
    def letters(self) -> tuple[str, str, str, str]:
        """Return the patient directions at the left, right, top and bottom edge."""
        down, across = self._direction(1), self._direction(2)
        return direction_letters(-across), direction_letters(across), direction_letters(-down), direction_letters(down)

    def label(self, index: int) -> str:
        """Return the stored number of a slice and the position of its middle, such as "slice 57/120, S 12 mm"."""
        count, rows, columns = self.shape
        stored = count - index if self.order.mirrored[0] else index + 1
        middle = np.zeros(3)
        for axis, position in zip(self.order.axes, (stored - 1, (rows - 1) / 2, (columns - 1) / 2), strict=True):
            middle[2 - axis] = position
        world = int(np.abs(self._direction(0)).argmax())
        position = float(self.geometry.to_physical(middle)[world])
        return f"slice {stored}/{count}, {_LETTERS[world][position < 0]} {abs(position):.0f} mm"

    def zoom(self, mask: np.ndarray, least: float = ZOOM_MM) -> Box:
        """Return a square of 80 mm around the tumour, larger for a large tumour, moved inside the field if it fits.

        Args:
            mask: (k, j, i), not empty.
            least: mm of its edge.
        """
        _, down, across = self.spacing
        present = np.any(self.order.view(mask), axis=0)
        rows, columns = (np.flatnonzero(np.any(present, axis=a))[[0, -1]] for a in (1, 0))
        field = self.field
        tumour = 10 + max(np.ptp(rows) * down, np.ptp(columns) * across)
        edge = max(least, min(tumour, field.square.width))
        left, right = _interval(columns.mean() * across, edge, field.left, field.right)
        top, bottom = _interval(rows.mean() * down, edge, field.top, field.bottom)
        return Box(left, right, top, bottom)

    def _direction(self, axis: int) -> np.ndarray:
        """Return the LPS direction in which slices, rows or columns (0, 1, 2) run on display."""
        return self.geometry.direction[:, 2 - self.order.axes[axis]] * (-1 if self.order.mirrored[axis] else 1)


def slice_view(geometry: Geometry) -> SliceView:
    """Return the view with anterior up and the patient's right on the left (axial) or with the head up (other planes).

    In sagittal slices, anterior is on the left.
    """
    return SliceView(geometry, acquisition_order(geometry))


def direction_letters(direction: np.ndarray) -> str:
    """Return the letters of an LPS direction (3,): the main one, and a second one if it is over 20 degrees oblique."""
    main, second, _ = np.argsort(-np.abs(direction), kind="stable")
    shown = [main, second] if abs(direction[second]) > _OBLIQUE else [main]
    return "".join(_LETTERS[axis][int(direction[axis] < 0)] for axis in shown)


def describe_offset(offset: Iterable[float]) -> str:
    """Return an LPS offset in mm in words, such as "12 mm left, 5 mm superior"; parts that round to 0 are left out."""
    parts = [f"{abs(x):.0f} mm {pair[int(x < 0)]}" for pair, x in zip(_WORDS, offset, strict=True) if abs(x) > 0.5]
    return ", ".join(parts)


def main_slice(attention: np.ndarray, mask: np.ndarray) -> int:
    """Return the slice of highest attention; without attention, of most tumour. Arrays (slices, rows, columns)."""
    peaks = attention.max(axis=(1, 2))
    return int(peaks.argmax() if peaks.max() > 0 else np.count_nonzero(mask, axis=(1, 2)).argmax())


def slices_through(mask: np.ndarray, count: int) -> list[int]:
    """Return up to `count` slices, ascending, spread over those of (slices, rows, columns) that hold tumour."""
    present = np.flatnonzero(mask.any(axis=(1, 2)))
    spread = (np.arange(count) + 0.5) / count * len(present) - 0.5
    return sorted({int(present[n]) for n in spread.round().astype(int).clip(0, len(present) - 1)})


def subtract(later: np.ndarray, earlier: np.ndarray) -> np.ndarray:
    """Return the difference of two phases without overflow: int16 if it fits, else float32."""
    if not np.issubdtype(np.result_type(later, earlier), np.integer):
        return later.astype(np.float32) - earlier.astype(np.float32)
    difference = later.astype(np.int64 if later.dtype.itemsize > 2 else np.int32) - earlier
    limits = np.iinfo(np.int16)
    fits = limits.min <= difference.min() and difference.max() <= limits.max
    return difference.astype(np.int16 if fits else np.float32)


def grey_limits(values: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """Return black and white level for these values; neither the field nor a small bright tumour saturates."""
    low, high = np.percentile(values, [1, 99.8])
    if mask.any():
        high = max(high, np.percentile(values[mask != 0], 99))
    return float(low), float(max(high, low + 1e-3 * max(abs(low), 1)))


def enhancement_limits(later: np.ndarray, earlier: np.ndarray, mask: np.ndarray) -> tuple[float, float]:
    """Return black and white level for a difference of phases: black is no enhancement."""
    return 0.0, max(grey_limits(subtract(later, earlier), mask)[1], 1e-3)


def near_tumour(exam: Exam) -> tuple[slice, slice, slice]:
    """Return the voxels (k, j, i) of the tumour's slices inside the zoomed square."""
    view, mask = slice_view(exam.geometry), np.asarray(exam.mask) != 0
    box = view.zoom(mask)
    present = np.flatnonzero(view.order.view(mask).any(axis=(1, 2)))
    _, down, across = view.spacing
    spans = (
        (present[0], present[-1]),
        (box.top / down, box.bottom / down),
        (box.left / across, box.right / across),
    )
    own = [slice(0)] * 3
    for (low, high), count, axis, mirrored in zip(spans, view.shape, *_axes(view), strict=True):
        first, last = max(int(np.ceil(low)), 0), min(int(np.floor(high)), count - 1)
        own[axis] = slice(count - 1 - last, count - first) if mirrored else slice(first, last + 1)
    return tuple(own)  # type: ignore[return-value]


def attention_opacity(attention: np.ndarray) -> np.ndarray:
    """Return the opacity of attention: 0 below `FAINT`, then rising, never hiding the lesion."""
    return np.where(attention < FAINT, 0.0, 0.15 + 0.45 * attention)


def _axes(view: SliceView) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    return view.order.axes, view.order.mirrored


def _interval(middle: float, length: float, low: float, high: float) -> tuple[float, float]:
    """Return an interval of `length` around `middle`, moved inside [low, high] if it fits, else around their middle."""
    start = np.clip(middle - length / 2, low, high - length) if length <= high - low else (low + high - length) / 2
    return float(start), float(start + length)
