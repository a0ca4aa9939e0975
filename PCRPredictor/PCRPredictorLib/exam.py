"""The exam: three DCE phases on one voxel lattice, a tumour mask, clinical variables, and where they came from.

Everything that reads makes an `Exam`; everything that predicts takes one.
Arrays are indexed (k, j, i): slice, row, column, as SimpleITK and `slicer.util.arrayFromVolume` give them.
Physical coordinates are LPS, in mm (DICOM and ITK).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .errors import DataError

if TYPE_CHECKING:
    import SimpleITK as sitk

PHASE_NAMES = ("pre", "early", "late")
_LATTICE_TOLERANCE = 0.01  # of a voxel: what rounding in file headers makes, far below what could shift a tumour


@dataclass(frozen=True, eq=False)
class Geometry:
    """A voxel lattice in space.

    Args:
        size: voxels along i, j, k (columns, rows, slices).
        spacing: mm along i, j, k.
        origin: LPS position in mm of the centre of voxel (0, 0, 0).
        direction: (3, 3), column n is the LPS unit vector of index axis n.
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: np.ndarray = field(default_factory=lambda: np.eye(3))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of an array on this lattice: (k, j, i)."""
        return self.size[::-1]

    @property
    def voxel_volume(self) -> float:
        """Volume of a voxel in mm^3."""
        return float(np.prod(self.spacing))

    def to_physical(self, index: np.ndarray) -> np.ndarray:
        """LPS mm of continuous indices, (..., 3) in the order i, j, k."""
        return np.asarray(index, float) * self.spacing @ self.direction.T + self.origin

    def to_index(self, point: np.ndarray) -> np.ndarray:
        """Continuous indices, (..., 3) in the order i, j, k, of LPS points in mm."""
        return (np.asarray(point, float) - self.origin) @ np.linalg.inv(self.direction).T / self.spacing

    def matches(self, other: Geometry) -> bool:
        """Whether both lattices have the same size and no corner is further apart than a hundredth of a voxel."""
        if tuple(self.size) != tuple(other.size):
            return False
        corners = np.stack(np.meshgrid(*[(0, n - 1) for n in self.size], indexing="ij"), -1).reshape(-1, 3)
        return bool(np.abs(other.to_index(self.to_physical(corners)) - corners).max() < _LATTICE_TOLERANCE)

    @staticmethod
    def of_image(image: sitk.Image | sitk.ImageFileReader, name: str) -> Geometry:
        """Return the lattice of a SimpleITK image, or of the file whose header a reader has read.

        Args:
            image: three-dimensional, with one value per voxel.
            name: of the file or series, for the message.

        Raises:
            DataError: if it is not three-dimensional or has several values per voxel.
        """
        values = "GetNumberOfComponentsPerPixel" if hasattr(image, "GetPixel") else "GetNumberOfComponents"
        channels = getattr(image, values)()
        if image.GetDimension() != 3 or channels != 1:
            shape = " x ".join(str(n) for n in image.GetSize())
            todo = "save each phase as its own file" if channels == 1 else "save overlapping segments as one labelmap"
            raise DataError(
                f"{name}: must be one three-dimensional volume with one value per voxel, got {shape} with {channels}; "
                f"{todo}"
            )
        direction = np.reshape(image.GetDirection(), (3, 3))
        return Geometry(image.GetSize(), image.GetSpacing(), image.GetOrigin(), direction)

    def __str__(self) -> str:
        size = " x ".join(str(n) for n in self.size)
        spacing = " x ".join(f"{s:.3g}" for s in self.spacing)
        origin = ", ".join(f"{o:.1f}" for o in self.origin)
        return f"{size} voxels of {spacing} mm at ({origin})"


def bounding_box(mask: np.ndarray) -> tuple[slice, slice, slice]:
    """Smallest box around the non-zero voxels of a mask (k, j, i) that is not empty."""
    k = np.flatnonzero(np.any(mask, axis=(1, 2)))
    part: np.ndarray = np.any(mask[k[0] : k[-1] + 1], axis=0)
    j, i = np.flatnonzero(np.any(part, axis=1)), np.flatnonzero(np.any(part, axis=0))
    return tuple(slice(int(axis[0]), int(axis[-1]) + 1) for axis in (k, j, i))  # type: ignore[return-value]


@dataclass(frozen=True)
class Picked:
    """Which phases of a dynamic acquisition were taken as pre, early and late.

    Args:
        found: how many phases there were.
        phases: number of each of the three in the order of time, from 0.
        series: number of each one's series in the source, None where it has none.
        by_hand: whether a person chose them.
    """

    found: int
    phases: tuple[int, int, int]
    series: tuple[int | None, int | None, int | None]
    by_hand: bool = False


@dataclass(frozen=True)
class Provenance:
    """Where an exam came from. `patient_id` never reaches a log or a report unless the user asks for it.

    Args:
        source: kind of source: "file", "dicom", "mrml", "phantom".
        phase_times: seconds of each phase after the pre-contrast one, where known.
        patient_id: identifier in the source, where known.
        files: DICOM files of the early phase, one a slice or one with all of them as frames; else empty.
        frames: of a file with all slices the number of each one's frame, from 0; else empty.
        picked: which phases of the source were taken, where it has more to choose from than three files.
        unusable: clinical variables that the source has, but not as values that can be used.
    """

    source: str = "memory"
    phase_times: tuple[float, float, float] | None = None
    patient_id: str | None = None
    files: tuple[Path, ...] = ()
    picked: Picked | None = None
    unusable: tuple[str, ...] = ()
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Exam:
    """One breast DCE-MRI exam.

    Args:
        pre: pre-contrast phase, (k, j, i), any numeric type, arbitrary units.
        early: early post-contrast phase, same shape and units.
        late: late post-contrast phase, same shape and units.
        geometry: the lattice that all of them share.
        mask: tumour mask, (k, j, i), non-zero inside, or None.
        clinical: clinical variables as they were given, by name.
        provenance: where it came from.

    Raises:
        DataError: if an array is not three-dimensional or not of the geometry's shape.
    """

    pre: np.ndarray
    early: np.ndarray
    late: np.ndarray
    geometry: Geometry
    mask: np.ndarray | None = None
    clinical: Mapping[str, object] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        arrays = dict(zip(PHASE_NAMES, self.phases, strict=True))
        if self.mask is not None:
            arrays["mask"] = self.mask
        for name, array in arrays.items():
            if array.shape != self.geometry.shape:
                raise DataError(
                    f"the {name} array must have shape {self.geometry.shape} (slices, rows, columns) like the exam, "
                    f"got {array.shape}; give volumes on one grid"
                )

    @property
    def phases(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pre, early and late phase."""
        return self.pre, self.early, self.late

    @property
    def has_tumour(self) -> bool:
        """Whether there is a mask with any voxel in it."""
        return self.mask is not None and bool(np.any(self.mask))

    @property
    def centre(self) -> np.ndarray:
        """LPS mm, (3,), of the tumour's centroid; without a tumour of the middle of the exam.

        Indices are those of voxel centres, so that the middle of n voxels is at (n - 1) / 2.
        """
        if not self.has_tumour:
            return self.geometry.to_physical((np.array(self.geometry.size) - 1) / 2)
        box = bounding_box(np.asarray(self.mask))
        voxels = np.nonzero(np.asarray(self.mask)[box])
        index = [axis.mean() + span.start for axis, span in zip(voxels, box, strict=True)]
        return self.geometry.to_physical(np.array(index[::-1]))

    def with_clinical(self, given: Mapping[str, object]) -> Exam:
        """Return the exam with clinical variables that replace those of its source; names are compared without case."""
        names = {str(name).strip().lower() for name in given}
        kept = {name: value for name, value in self.clinical.items() if name.strip().lower() not in names}
        unusable = tuple(name for name in self.provenance.unusable if name not in names)
        return replace(self, clinical={**kept, **given}, provenance=replace(self.provenance, unusable=unusable))
