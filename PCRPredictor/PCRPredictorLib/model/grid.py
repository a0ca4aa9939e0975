"""The model grid: a window around the tumour, sampled from the exam, and maps on it in the exam's space.

The window keeps the acquisition frame. Array axes are only reordered and mirrored, without interpolation. An exam then
gives the same grid however its voxels are stored, unless they are cubes: these do not show which axis the slices were.
80 mm in plane and a fixed number of slices through the tumour are sampled. Only voxels inside the window are read.
Resampling is one small weight matrix per axis, both there (`sample`) and back (`to_exam_space`). The position of a
voxel's centre is therefore exact in both directions. scipy and SimpleITK take 1.4 to 3 times as long, and have no
kernel that widens with the pixels.

Source: ours; the method page of the documentation gives the reasons.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from ..bundles.bounds import MOST_VOXELS
from ..exam import Geometry

_MOST_PIXELS, _MOST_SLICES = 512, 128  # of a window, as a bundle may have
# For each slice direction: the world axes (0 left, 1 posterior, 2 superior in LPS) of slices, rows and columns, and the
# sign in which they run, as a radiologist's viewer shows each plane.
_DISPLAY_AXES = {
    2: ((2, +1), (1, +1), (0, +1)),  # axial: upward, to posterior, to left
    0: ((0, +1), (2, -1), (1, +1)),  # sagittal: to left, downward, to posterior
    1: ((1, +1), (2, -1), (0, +1)),  # coronal: to posterior, downward, to left
}


@dataclass(frozen=True)
class GridSpec:
    """The part of an exam that a model reads.

    Args:
        window: edge of the square window in plane, mm.
        size: pixels along that edge.
        slices: number of slices through the tumour.
        middle: share of the tumour's extent that the slices cover; its ends hold little tumour.

    Raises:
        ValueError: if a number is out of its range.
    """

    window: float = 80.0
    size: int = 64
    slices: int = 8
    middle: float = 0.7

    def __post_init__(self) -> None:
        if not self.window > 0:
            raise ValueError(f"window must be above 0 mm, got {self.window}")
        if self.size < 16 or self.slices < 1:
            raise ValueError(f"size must be 16 or more and slices 1 or more, got {self.size} and {self.slices}")
        if self.size > _MOST_PIXELS or self.slices > _MOST_SLICES or self.slices * self.size**2 > MOST_VOXELS:
            raise ValueError(
                f"size must be at most {_MOST_PIXELS}, slices at most {_MOST_SLICES}, and size x size x slices at most "
                f"{MOST_VOXELS}, got {self.size} and {self.slices}"
            )
        if not 0 < self.middle <= 1:
            raise ValueError(f"middle must be above 0 and at most 1, got {self.middle}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the shape of a sampled phase: (slices, rows, columns)."""
        return self.slices, self.size, self.size


@dataclass(frozen=True)
class AxisOrder:
    """A lossless view of an array as (slices, rows, columns): axes are transposed, then mirrored.

    Args:
        axes: array axis of slices, rows, columns.
        mirrored: whether each of the three is reversed.
    """

    axes: tuple[int, int, int]
    mirrored: tuple[bool, bool, bool]

    def view(self, array: np.ndarray) -> np.ndarray:
        """Return the same voxels as (slices, rows, columns), without a copy; writing to it writes to `array`."""
        steps = tuple(slice(None, None, -1 if mirror else 1) for mirror in self.mirrored)
        return array.transpose(self.axes)[steps]

    def spacing(self, geometry: Geometry) -> tuple[float, float, float]:
        """Return mm between slices, rows and columns."""
        by_array_axis = geometry.spacing[::-1]
        return tuple(by_array_axis[a] for a in self.axes)  # type: ignore[return-value]


def acquisition_order(geometry: Geometry) -> AxisOrder:
    """Return the order in which an exam's voxels are read: its own slices, rows and columns, as a viewer shows them."""
    columns = geometry.direction[:, ::-1]  # column a is the direction of array axis a
    world_of = max(permutations(range(3)), key=lambda world: sum(abs(columns[w, a]) for a, w in enumerate(world)))
    display = _DISPLAY_AXES[world_of[geometry.slice_axis]]
    axes = tuple(world_of.index(world) for world, _ in display)
    mirrored = tuple(bool(columns[world, axis] * sign < 0) for axis, (world, sign) in zip(axes, display, strict=True))
    return AxisOrder(axes, mirrored)  # type: ignore[arg-type]


def plane_of(geometry: Geometry) -> str:
    """Return the plane of an exam's slices, the nearest one if they are oblique: "axial", "coronal" or "sagittal"."""
    through = geometry.direction[:, 2 - geometry.slice_axis]
    return ("sagittal", "coronal", "axial")[int(np.abs(through).argmax())]


@dataclass(frozen=True, eq=False)
class Window:
    """Position of a model grid in an exam; positions are continuous indices of the exam seen in `order`.

    Args:
        order: view of the exam's array as (slices, rows, columns).
        shape: of the exam in that order.
        slices: positions of the sampled slices, ascending, (spec.slices,).
        rows, columns: edges of the window.
        tumour: first and last slice of the tumour, both included.
        covered: first and last slice that the sampled ones represent, up to half a step beyond them.
        spec: the model's grid.
    """

    order: AxisOrder
    shape: tuple[int, int, int]
    slices: np.ndarray
    rows: tuple[float, float]
    columns: tuple[float, float]
    tumour: tuple[int, int]
    covered: tuple[int, int]
    spec: GridSpec

    @property
    def inside(self) -> tuple[slice, slice, slice]:
        """Return the exam's voxels that the window represents, in the order (slices, rows, columns)."""
        slices = slice(self.covered[0], self.covered[1] + 1)
        return slices, _voxels_inside(self.rows, self.shape[1]), _voxels_inside(self.columns, self.shape[2])

    @property
    def region(self) -> tuple[slice, slice, slice]:
        """Return the same voxels as indices of the exam's own array, (k, j, i)."""
        own = [slice(0)] * 3
        for span, count, axis, mirror in zip(
            self.inside, self.shape, self.order.axes, self.order.mirrored, strict=True
        ):
            own[axis] = slice(count - span.stop, count - span.start) if mirror else span
        return tuple(own)  # type: ignore[return-value]


def place_window(mask: np.ndarray, geometry: Geometry, spec: GridSpec) -> Window:
    """Place the window around a tumour.

    In plane it is centred on the mask's bounding box and moved inside the field if the field is large enough.
    Through plane the slices are spread evenly over the middle of the tumour's extent. On a side on which the tumour
    reaches the end of the volume they go up to that end. A slab that was cut out of an exam by this same rule is
    therefore read slice by slice.

    Args:
        mask: (k, j, i), non-zero inside the tumour; must not be empty.
        geometry: of the exam.
        spec: the model's grid.
    """
    order = acquisition_order(geometry)
    seen = order.view(mask)
    spacing = order.spacing(geometry)
    first, last = _bounds(seen, 0)
    tumour = seen[first : last + 1]
    margin = (1 - spec.middle) / 2 * (last - first)
    low = first if first == 0 else first + margin
    high = last if last == seen.shape[0] - 1 else last - margin
    rows, columns = (_edges(_bounds(tumour, axis), seen.shape[axis], spec.window / spacing[axis]) for axis in (1, 2))
    slices = np.linspace(low, high, spec.slices) if spec.slices > 1 else np.array([(low + high) / 2])
    half = (high - low) / max(spec.slices - 1, 1) / 2
    covered = max(round(low - half), first), min(round(high + half), last)
    return Window(order, seen.shape, slices, rows, columns, (first, last), covered, spec)


def _bounds(mask: np.ndarray, axis: int) -> tuple[int, int]:
    """Return the first and last index along `axis` at which the mask has a voxel."""
    present = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
    return int(present[0]), int(present[-1])


def _edges(bounds: tuple[int, int], count: int, width: float) -> tuple[float, float]:
    """Return the edges of `width` voxels centred on `bounds`, inside the field of `count` voxels if they fit."""
    start = (bounds[0] + bounds[1] - width) / 2
    start = float(np.clip(start, -0.5, count - 0.5 - width)) if width <= count else (count - 1 - width) / 2
    return start, start + width


def sample(array: np.ndarray, window: Window) -> np.ndarray:
    """Sample an exam's array on the model grid.

    Interpolation is linear. In plane, if the grid's pixels are larger than the exam's, the kernel is as wide as they
    are, which avoids aliasing. Positions outside the field are 0.

    Args:
        array: (k, j, i) of the exam, any numeric type.
        window: from `place_window`.

    Returns:
        float32, (slices, rows, columns).
    """
    weights = [
        _sampling_weights(window.slices, 1.0, window.shape[0]),
        _sampling_weights(*_centres(window.rows, window.spec.size), window.shape[1]),
        _sampling_weights(*_centres(window.columns, window.spec.size), window.shape[2]),
    ]
    spans = [_span(w) for w in weights]
    values = window.order.view(array)[tuple(spans)].astype(np.float32)
    return _apply([w[:, span] for w, span in zip(weights, spans, strict=True)], values)


def to_exam_space(values: np.ndarray, window: Window) -> np.ndarray:
    """Return a map on the model grid, at any resolution of it, on the exam's voxels.

    Interpolation is linear inside the window, constant in the half step at its edges; outside, the map is 0.

    Args:
        values: (slices, rows, columns); rows and columns may be coarser than the grid's, slices may not.
        window: from `place_window`.

    Returns:
        float32 (k, j, i), on the exam's lattice.
    """
    inside = window.inside
    positions = [
        np.interp(np.arange(inside[0].start, inside[0].stop), window.slices, np.arange(len(window.slices))),
        *(
            (np.arange(span.start, span.stop) - edges[0]) / (edges[1] - edges[0]) * count - 0.5
            for span, edges, count in zip(inside[1:], (window.rows, window.columns), values.shape[1:], strict=True)
        ),
    ]
    weights = [_linear_weights(p, n) for p, n in zip(positions, values.shape, strict=True)]
    if window.slices[0] == window.slices[-1]:  # all grid slices are the same slice of the exam
        weights[0] = np.full_like(weights[0], 1 / values.shape[0])
    inverse = np.argsort(window.order.axes)
    exam = np.zeros([window.shape[a] for a in inverse], np.float32)
    window.order.view(exam)[inside] = _apply(weights, values.astype(np.float32))
    return exam


def spread_in_exam(values: np.ndarray, window: Window) -> np.ndarray:
    """Return a density on the model grid on the exam's voxels, with its sum kept.

    Each value is divided among the voxels that it stands for, with triangle weights as wide as the grid's step or the
    exam's voxel, whichever is larger; outside the window the result is 0. Values that lie outside the field of the
    exam go to its nearest voxels.

    Args:
        values: (slices, rows, columns), of either sign; rows and columns may be coarser than the grid's.
        window: from `place_window`.

    Returns:
        float32 (k, j, i), on the exam's lattice.
    """
    step = (window.slices[-1] - window.slices[0]) / max(len(window.slices) - 1, 1)
    centres = [
        (window.slices, float(step)),
        *(_centres(edges, n) for edges, n in zip((window.rows, window.columns), values.shape[1:], strict=True)),
    ]
    inside = window.inside
    weights = [_dividing_weights(*at, span) for at, span in zip(centres, inside, strict=True)]
    inverse = np.argsort(window.order.axes)
    exam = np.zeros([window.shape[a] for a in inverse], np.float32)
    window.order.view(exam)[inside] = _apply([w.T for w in weights], values.astype(np.float64))
    return exam


def share_inside(mask: np.ndarray, window: Window) -> float:
    """Return the share of the mask's voxels, (k, j, i), that lie inside the window in plane, in [0, 1]."""
    seen = window.order.view(mask)[window.tumour[0] : window.tumour[1] + 1]
    return float(np.count_nonzero(seen[(slice(None), *window.inside[1:])]) / np.count_nonzero(seen))


def _centres(edges: tuple[float, float], count: int) -> tuple[np.ndarray, float]:
    """Return the centres of `count` equal pixels between two edges, and their width, all in voxels of the exam."""
    width = (edges[1] - edges[0]) / count
    return edges[0] + width * (np.arange(count) + 0.5), width


def _sampling_weights(centres: np.ndarray, width: float, count: int) -> np.ndarray:
    """Return triangle weights, (len(centres), count), as wide as the larger of pixel and voxel; rows sum to 1."""
    distance = np.abs(np.arange(count) - centres[:, None]) / max(width, 1.0)
    weights = np.maximum(1 - distance, 0)
    inside = (centres >= -0.5) & (centres <= count - 0.5)
    return (weights / np.maximum(weights.sum(1, keepdims=True), 1e-9) * inside[:, None]).astype(np.float32)


def _dividing_weights(centres: np.ndarray, width: float, inside: slice) -> np.ndarray:
    """Return triangle weights, (len(centres), voxels inside), of each centre among the voxels; rows sum to 1."""
    voxels = np.arange(inside.start, inside.stop)
    held = np.clip(centres, voxels[0], voxels[-1])
    weights = np.maximum(1 - np.abs(voxels - held[:, None]) / max(width, 1.0), 0)
    return weights / weights.sum(1, keepdims=True)


def _linear_weights(positions: np.ndarray, count: int) -> np.ndarray:
    """Return weights, (len(positions), count), of linear interpolation; constant beyond both ends."""
    held = np.clip(positions, 0, count - 1)
    return np.maximum(1 - np.abs(held[:, None] - np.arange(count)), 0).astype(np.float32)


def _voxels_inside(edges: tuple[float, float], count: int) -> slice:
    """Return the voxels whose centre lies between two edges."""
    return slice(max(int(np.ceil(edges[0])), 0), min(int(np.floor(edges[1])), count - 1) + 1)


def _span(weights: np.ndarray) -> slice:
    """Return the voxels that have any weight."""
    used = np.flatnonzero(weights.any(0))
    return slice(int(used[0]), int(used[-1]) + 1)


def _apply(weights: list[np.ndarray], values: np.ndarray) -> np.ndarray:
    """Apply one weight matrix per axis to (slices, rows, columns)."""
    through = np.tensordot(weights[0], values, (1, 0))
    return np.matmul(np.matmul(weights[1], through), weights[2].T)
