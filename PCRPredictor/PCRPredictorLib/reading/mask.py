"""Tumour masks from files: images in any axis order, and DICOM Segmentations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from pathlib import Path

import numpy as np

from ..dicom.datasets import read_dataset
from ..dicom.segmentation import is_dicom, read_segmentation
from ..errors import DataError, Notice
from ..exam import Exam, Geometry, Lesion
from ..files.names import walk_files
from ..files.voxels import read_volumes
from ..geometry import EXACT, describe_difference
from .images import one_volume, read_header

ALL = "all"  # instead of labels: each label of the mask
_SEARCHED = 100_000  # voxels of a mask that are searched for grey values first
_MOST_SEGMENTS = 200  # an image has more grey values than that
_SHOWN = 12  # labels in a message
_CROPPED = ".seg.nrrd"  # 3D Slicer saves these with the extent of the segments alone, unless told otherwise

Labels = Sequence[int | str]  # values or names of segments, or ALL


@dataclass(frozen=True, eq=False)
class _Found:
    """The labels of a file on the exam's lattice.

    Args:
        sizes: voxels of each, by number.
        mask: of a number, uint8 (k, j, i).
        names: of those that have one.
        notices: what was adjusted.
        frame_of_reference: UID, "" if unknown.
        patient_id: of a segmentation, "" if unknown; never shown.
    """

    sizes: Mapping[int, int]
    mask: Callable[[int], np.ndarray]
    names: Mapping[int, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    frame_of_reference: str = ""
    patient_id: str = ""


def add_mask(exam: Exam, path: Path, labels: Labels = ()) -> Exam:
    """Return the exam with the tumours of a file; arguments as of `read_masks`. What was adjusted is noted.

    Raises:
        DataError: as `read_masks`.
    """
    found = _read(Path(path), exam.geometry, labels)
    notices = (*exam.provenance.notices, *found.notices, *_about_patient(found, exam), *_about_frame(found, exam))
    provenance = replace(exam.provenance, notices=notices)
    return replace(exam, provenance=provenance).with_lesions(_lesions(found, labels, Path(path).name, exam.geometry))


def add_mask_array(exam: Exam, mask: np.ndarray, labels: Labels = ()) -> Exam:
    """Return the exam with the tumours of an array (k, j, i) on its lattice; labels as of `read_masks`.

    Raises:
        DataError: if it holds anything but True and False or whole numbers, is of a different shape, lacks a label, or
            has several and none was chosen.
    """
    if mask.dtype.kind not in "biuf":
        raise DataError(f"mask: must be an array of whole numbers, or of True and False, got {mask.dtype}")
    mask = mask.astype(np.uint8) if mask.dtype.kind == "b" else mask
    whole = replace(exam, mask=mask, lesions=())  # checks the shape
    _check_labels(mask, "mask", labels)
    return whole.with_lesions(_lesions(_found(mask, mask, "mask", ()), labels, "mask", exam.geometry))


def read_masks(path: Path, geometry: Geometry, labels: Labels = ()) -> tuple[Lesion, ...]:
    """Read tumour masks and put them in the exam's axis order, each uint8 (k, j, i).

    Args:
        path: image, or DICOM Segmentation with any name; or a folder with nothing else in it.
        geometry: the exam's.
        labels: values of the tumours, numbers or names of their segments; `ALL` for each; may be empty if there is
            only one label.

    Returns:
        A lesion for each label, in their order.

    Raises:
        DataError: if the file cannot be used, is on a different lattice than the exam, lacks a label, or has several
            labels and none was chosen; the message gives their sizes.
    """
    return _lesions(_read(Path(path), geometry, labels), labels, Path(path).name, geometry)


def read_mask(path: Path, geometry: Geometry, labels: Labels = ()) -> np.ndarray:
    """Read one tumour mask, uint8 (k, j, i), of all `labels` together; arguments as of `read_masks`.

    Raises:
        DataError: as `read_masks`.
    """
    masks = [lesion.mask for lesion in read_masks(path, geometry, labels)]
    return np.any(masks, axis=0).astype(np.uint8) if len(masks) > 1 else masks[0]


def _lesions(found: _Found, labels: Labels, name: str, geometry: Geometry) -> tuple[Lesion, ...]:
    """Return the chosen labels, all of them if there is one; an empty file is one empty mask."""
    if not any(found.sizes.values()) and not labels:
        return (Lesion("tumour", np.zeros(geometry.shape, np.uint8)),)
    chosen = _choose(found, labels, name, geometry.voxel_volume / 1000)
    return tuple(Lesion(found.names.get(n) or f"label {n}", found.mask(n), n) for n in chosen)


def _choose(found: _Found, labels: Labels, name: str, voxel_ml: float) -> list[int]:
    """Return the numbers of the chosen labels."""
    sizes = ", ".join(_describe(n, found, voxel_ml) for n in list(found.sizes)[:_SHOWN])
    sizes += ", ..." if len(found.sizes) > _SHOWN else ""
    filled = [n for n, size in found.sizes.items() if size]
    if not labels and len(filled) > 1:
        raise DataError(
            f'{name}: has {len(filled)} labels, {sizes}; choose the tumour with --label ("label" in cohort.json), '
            f'or each as a lesion with "{ALL}"'
        )
    if not labels or [str(label).lower() for label in labels] == [ALL]:
        return filled
    numbers: dict[str, int] = {text.strip().lower(): n for n, text in found.names.items() if text}
    numbers |= {str(n): n for n in found.sizes}
    words = [text.strip().lower() for n, text in found.names.items() if found.sizes.get(n)]
    for label in labels:
        if words.count(str(label).strip().lower()) > 1:
            raise DataError(f"{name}: has several segments named {label}, got {sizes}; choose them by number")
        if str(label).strip().lower() not in numbers:
            raise DataError(f"{name}: must have label {label}, got {sizes or 'an empty mask'}; choose one of them")
    return list(dict.fromkeys(numbers[str(label).strip().lower()] for label in labels))


def _describe(number: int, found: _Found, voxel_ml: float) -> str:
    text = f" {found.names[number]!r}" if found.names.get(number) else ""
    return f"{number}{text} ({found.sizes[number] * voxel_ml:.3g} ml)"


def _read(path: Path, geometry: Geometry, labels: Labels) -> _Found:
    path = _file_of(path)
    if is_dicom(path):
        return _read_dicom(path, geometry)
    header = one_volume(read_header(path))
    if header.count > np.prod(geometry.size):  # before it takes memory
        raise _off_grid(path, header.geometry, geometry)
    (array,) = read_volumes(header, [0])
    _check_labels(array, path.name, labels)
    found = _to_grid(array, header.geometry, geometry, path)
    return replace(found, names=header.segments, notices=(*header.notices, *found.notices))


def _file_of(path: Path) -> Path:
    """Return the only file of a folder, such as that of a segmentation exported from a PACS."""
    if not path.is_dir():
        return path
    files = list(walk_files(path))
    if len(files) != 1:
        raise DataError(f"{path}: must hold one mask, got {len(files)} files; give the file")
    return files[0]


def _read_dicom(path: Path, geometry: Geometry) -> _Found:
    found = read_segmentation(path, geometry)
    notices = list(_about_offset(found.offset))
    if found.fractional:
        text = "The tumour mask holds shares of voxels; those of one half and more were taken as tumour."
        notices.append(Notice("mask_fractional", text))
    segments = {segment.number: segment for segment in found.segments}
    sizes = {number: len(segment.voxels) for number, segment in segments.items()}
    names = {number: segment.name for number, segment in segments.items()}
    return _Found(sizes, lambda n: segments[n].mask, names, tuple(notices), found.frame_of_reference, found.patient_id)


def _check_labels(mask: np.ndarray, name: str, labels: Labels) -> None:
    """Refuse voxels that are no labels: grey values, probabilities, numbers that are negative or not finite."""
    if mask.dtype.kind == "f" and not np.isfinite([mask.min(), mask.max()]).all():
        raise DataError(f"{name}: has voxels that are not finite numbers; save the mask again as whole numbers")
    some = np.unique(mask[mask != 0][:_SEARCHED])
    if mask.dtype.kind == "f" and (np.any(some % 1) or np.any(mask % 1)):
        raise DataError(
            f"{name}: must be a mask of whole numbers, got {float(mask.min()):.3g} to {float(mask.max()):.3g} in "
            "fractions; give the segmentation, or save what is 0.5 and more as 1"
        )
    if len(some) > _MOST_SEGMENTS:
        raise DataError(f"{name}: must be a mask of whole numbers, got many grey values; give the segmentation")
    if not labels and mask.min() < 0:
        raise DataError(
            f"{name}: must be 0 outside the tumour and positive inside, got {int(mask.min())} to {int(mask.max())}; "
            "save it again, or choose the tumour's value with --label"
        )


def _to_grid(mask: np.ndarray, own: Geometry, geometry: Geometry, path: Path) -> _Found:
    """Return the labels of a mask that is stored in a different axis order, or mirrored, in the exam's order (k, j, i).

    Lossless: voxels are only reordered. DICOM and the NIfTI made from it usually differ like this.
    """
    each = [_reorder(mask, own, order, geometry) for order in permutations(range(3))]
    seen, nearest = min(each, key=lambda pair: (pair[1].offset(geometry), _apart(pair[1], geometry)))
    if path.name.lower().endswith(_CROPPED) and nearest.size != geometry.size:
        seen, nearest = _fill_out(seen, nearest, geometry)
    if not nearest.matches(geometry):
        raise _off_grid(path, nearest, geometry)
    return _found(mask, seen, path.name, tuple(_about_offset(nearest.offset(geometry))))


def _found(mask: np.ndarray, seen: np.ndarray, name: str, notices: tuple[Notice, ...]) -> _Found:
    """Return the labels of a mask, which is `seen` on the exam's lattice (k, j, i)."""
    numbers, counts = np.unique(mask[mask != 0], return_counts=True)
    if len(numbers) > _MOST_SEGMENTS:
        raise DataError(f"{name}: must be a mask of whole numbers, got many grey values; give the segmentation")
    sizes = {int(n): int(count) for n, count in zip(numbers, counts, strict=True)}
    return _Found(sizes, lambda n: np.ascontiguousarray(seen == n).view(np.uint8), {}, notices)


def _off_grid(path: Path, own: Geometry, geometry: Geometry) -> DataError:
    return DataError(
        f"{path.name}: the mask must lie on the exam's grid of {geometry}, but differs from it in "
        f"{describe_difference(own, geometry)}; resample it onto the exam with nearest neighbour and save it again"
    )


def _fill_out(mask: np.ndarray, own: Geometry, geometry: Geometry) -> tuple[np.ndarray, Geometry]:
    """Return a mask that was cropped to its segments at the exam's size, unchanged if it does not fit into it."""
    start = np.rint(geometry.to_index(np.array(own.origin))).astype(int)
    if np.any(start < 0) or np.any(start + own.size > geometry.size):
        return mask, own
    whole = np.zeros(geometry.shape, mask.dtype)
    whole[tuple(slice(a, a + n) for a, n in zip(start[::-1], mask.shape, strict=True))] = mask
    x, y, z = map(float, own.to_physical(-start))
    return whole, replace(own, size=geometry.size, origin=(x, y, z))


def _apart(one: Geometry, other: Geometry) -> float:
    """Return how far two lattices of different sizes are apart, to find the axis order that is meant."""
    return float(np.abs(one.direction * one.spacing - other.direction * other.spacing).sum())


def _about_offset(voxels: float) -> list[Notice]:
    if voxels < EXACT:
        return []
    text = f"The tumour mask lies up to {voxels:.2f} voxels beside the exam's grid and was used as if it were on it."
    return [Notice("mask_off_grid", text)]


def _about_patient(found: _Found, exam: Exam) -> list[Notice]:
    """Warn of a segmentation with the identifier of a different patient, which de-identification may have changed."""
    known = exam.provenance.patient_id if exam.provenance.files else None
    if not found.patient_id or not known or found.patient_id.lower() == known.lower():
        return []
    text = "PatientID of the segmentation differs from that of the exam; check that it is of this patient."
    return [Notice("mask_other_patient", text)]


def _about_frame(found: _Found, exam: Exam) -> list[Notice]:
    """Warn of a segmentation in a different frame of reference than the DICOM exam: positions may not be comparable."""
    if not found.frame_of_reference or not exam.provenance.files:
        return []
    header = read_dataset(exam.provenance.files[0], stop_before_pixels=True, specific_tags=["FrameOfReferenceUID"])
    if header.get("FrameOfReferenceUID") in (None, "", found.frame_of_reference):
        return []
    text = "The segmentation has a different frame of reference than the exam; check that it lies on the tumour."
    return [Notice("mask_other_frame", text)]


def _reorder(array: np.ndarray, own: Geometry, order: Sequence[int], target: Geometry) -> tuple[np.ndarray, Geometry]:
    """Return a view with index axes in `order`, mirrored to run like the target's, and its geometry."""
    order = list(order)
    direction = own.direction[:, order]
    mirror = np.einsum("wa,wa->a", direction, target.direction) < 0
    size, spacing = np.array(own.size)[order], np.array(own.spacing)[order]
    corner = np.zeros(3)
    corner[order] = np.where(mirror, size - 1, 0)
    geometry = Geometry(
        tuple(int(n) for n in size),  # type: ignore[arg-type]
        tuple(float(s) for s in spacing),  # type: ignore[arg-type]
        tuple(float(x) for x in own.to_physical(corner)),  # type: ignore[arg-type]
        direction * np.where(mirror, -1, 1),
    )
    array_order = [2 - order[2 - axis] for axis in range(3)]
    steps = tuple(slice(None, None, -1 if mirror[2 - axis] else 1) for axis in range(3))
    return array.transpose(array_order)[steps], geometry
