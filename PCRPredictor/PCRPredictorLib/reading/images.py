"""Reading volumes from files: NIfTI, NRRD and MHA, with SimpleITK."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..dicom.segmentation import is_dicom, read_segmentation
from ..errors import DataError
from ..exam import PHASE_NAMES, Exam, Geometry, Provenance
from .nifti import read_nifti_voxels

_META_HEADER = 2**14  # bytes of a MetaImage that its header is looked for in
_LOOKED_AT = 100_000  # voxels of a mask whose values are told apart
_MOST_SEGMENTS = 64  # an image has more grey values than that
ENDINGS = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


def read_exam(
    phases: Sequence[Path],
    mask: Path | None = None,
    clinical: Mapping[str, object] | None = None,
    provenance: Provenance | None = None,
    label: int | None = None,
) -> Exam:
    """Read an exam from three phases and a mask.

    Args:
        phases: pre-contrast, early, late; all on one lattice.
        mask: tumour mask; its voxels may be stored in another axis order.
        clinical: variables as they were given.
        label: value of the tumour in a mask of several segments; by default all that is not zero is tumour.

    Raises:
        DataError: if a file cannot be used, or the phases differ in geometry (both files and geometries are named).
    """
    if len(phases) != len(PHASE_NAMES):
        raise DataError(f"phases must be three files (pre-contrast, early, late), got {len(phases)}; give all three")
    is_image = mask is not None and not is_dicom(Path(mask))
    files = [Path(file) for file in (*phases, *([mask] if mask is not None and is_image else []))]
    with ThreadPoolExecutor(len(files)) as pool:
        volumes = list(pool.map(read_volume, files))
    geometry = volumes[0][1]
    for file, (_, other) in zip(files[1:3], volumes[1:3], strict=True):
        if not geometry.matches(other):
            raise DataError(
                f"the phases must lie on one grid, but {files[0].name} has {geometry} and {file.name} has {other}; "
                "export them from one registered series"
            )
    pre, early, late = (array for array, _ in volumes[:3])
    tumour = to_grid(*volumes[3], geometry, files[3], label) if is_image else None
    if mask is not None and not is_image:
        tumour = read_mask(mask, geometry, label)
    return Exam(pre, early, late, geometry, tumour, clinical or {}, provenance or Provenance("file"))


def read_mask(path: Path, geometry: Geometry, label: int | None = None) -> np.ndarray:
    """Read a tumour mask and put it in the exam's axis order, uint8 (k, j, i).

    Args:
        path: of the mask: an image, or a DICOM Segmentation with any name.
        geometry: the exam's.
        label: value of the tumour in a mask of several segments; by default all that is not zero is tumour.

    Raises:
        DataError: if the file cannot be used, its voxels are not the exam's, or none of them has the label.
    """
    if is_dicom(Path(path)):
        return read_segmentation(Path(path), geometry, label)
    return to_grid(*read_volume(path), geometry, Path(path), label)


def to_grid(mask: np.ndarray, own: Geometry, geometry: Geometry, path: Path, label: int | None = None) -> np.ndarray:
    """A mask whose voxels are the exam's, though stored in another axis order or mirrored, in the exam's: (k, j, i).

    Lossless: voxels are only reordered. DICOM and the NIfTI made from it usually differ like this.

    Args:
        mask: (k, j, i) in its own axis order.
        own: geometry of the mask.
        geometry: the exam's.
        path: of the mask, for messages.
        label: value of the tumour; by default all that is not zero is tumour.

    Raises:
        DataError: if the voxels are not the same, some are not finite numbers, or none has the label.
    """
    if mask.dtype.kind == "f" and not np.isfinite([mask.min(), mask.max()]).all():
        raise DataError(f"{path.name}: has voxels that are not finite numbers; save the mask again as whole numbers")
    labels = np.unique(mask[mask != 0][:_LOOKED_AT]).tolist()
    if len(labels) > _MOST_SEGMENTS:
        raise DataError(f"{path.name}: must be a mask of whole numbers, got many grey values; give the segmentation")
    if label is not None:
        if label == 0 or not (found := mask == label).any():
            raise DataError(f"{path.name}: must have label {label}, got {labels[:20]}; choose one of them")
        mask = found
    for order in permutations(range(3)):
        seen, reordered = _reorder(mask, own, order, geometry)
        if reordered.matches(geometry):
            return np.ascontiguousarray(seen != 0).view(np.uint8)
    raise DataError(
        f"{path.name}: the mask must lie on the exam's grid of {geometry}, got {own}; "
        "resample it onto the exam with nearest neighbour and save it again"
    )


def read_volume(path: Path) -> tuple[np.ndarray, Geometry]:
    """Read a scalar volume: array (k, j, i) in its stored type, perhaps read-only, and its geometry.

    Raises:
        DataError: if the file is missing, of an unknown kind, damaged, cut short, or not three-dimensional.
    """
    path = Path(path)
    _check_file(path)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        return _read_nifti(path)
    if path.name.lower().endswith((".mha", ".mhd")):
        _check_dimensions(path)
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError:
        raise DataError(f"{path.name}: cannot be read as an image; export it again") from None
    if path.name.lower().endswith((".mha", ".mhd")):
        _check_compressed(path)
    geometry = image_geometry(image, path.name)
    return sitk.GetArrayFromImage(image), geometry


def _check_file(path: Path) -> None:
    if not path.exists():
        raise DataError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give a file, or a folder of DICOM files with --dicom")
    if not path.name.lower().endswith(ENDINGS):
        raise DataError(f"{path.name}: unknown kind of file; give one of {', '.join(ENDINGS)}, or as mask a DICOM SEG")


def _check_dimensions(path: Path) -> None:
    """MetaImage's reader in ITK writes beyond its memory where a header names more dimensions than it has room for."""
    with path.open("rb") as file:
        fields = [line.partition(b"=") for line in file.read(_META_HEADER).splitlines()]
    named = [value.strip() for key, _, value in fields if key.strip().lower() in (b"ndims", b"dimsize")]
    counts = [int(value) for value in named if value.isdigit() and len(value) < 3]
    sizes = [value.split() for value in named if not value.isdigit()]
    if counts[:1] != [3] or len(named) != 2 or any(not size.isdigit() for value in sizes for size in value):
        raise DataError(f"{path.name}: must be one three-dimensional volume with a whole header; export it again")


def _check_compressed(path: Path) -> None:
    """The compressed voxels of a MetaImage carry a checksum, which its reader in ITK does not look at."""
    compressed, name = False, b""
    with path.open("rb") as file:
        while not name and (line := file.readline(1000)):
            key, _, value = (part.strip() for part in line.partition(b"="))
            compressed = compressed or (key == b"CompressedData" and value.lower() == b"true")
            name = value if key == b"ElementDataFile" else b""
        if not compressed:
            return
        content = file.read() if name == b"LOCAL" else (path.parent / name.decode()).read_bytes()
    inflate = zlib.decompressobj(wbits=47)  # zlib or gzip
    try:
        inflate.decompress(content)
    except zlib.error:
        raise DataError(f"{path.name}: its voxels are damaged; copy or export it again") from None


def _read_nifti(path: Path) -> tuple[np.ndarray, Geometry]:
    """Voxels by our own reader, which notices damage and NaN; geometry as ITK, and so Slicer, reads the header."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        voxels = read_nifti_voxels(path)
        reader.ReadImageInformation()
        geometry = image_geometry(reader, path.name)
        return voxels.reshape(geometry.shape), geometry
    except DataError:
        raise
    except (RuntimeError, ValueError, OverflowError) as error:
        sheared = "orthonormal" in str(error)
        what = (
            "its axes are not at right angles; resample it"
            if sheared
            else "cannot be read as an image; export it again"
        )
        raise DataError(f"{path.name}: {what}") from None


def image_geometry(image: sitk.Image | sitk.ImageFileReader, name: str) -> Geometry:
    """Lattice of a three-dimensional SimpleITK image, or of the file that a reader has looked at.

    Raises:
        DataError: if it is not three-dimensional or has several values a voxel.
    """
    channels = (
        image.GetNumberOfComponents()
        if isinstance(image, sitk.ImageFileReader)
        else image.GetNumberOfComponentsPerPixel()
    )
    if image.GetDimension() != 3 or channels != 1:
        shape = " x ".join(str(n) for n in image.GetSize())
        todo = "save each phase as a file of its own" if channels == 1 else "save overlapping segments as one labelmap"
        raise DataError(
            f"{name}: must be one three-dimensional volume with one value a voxel, got {shape} with {channels}; {todo}"
        )
    return Geometry(image.GetSize(), image.GetSpacing(), image.GetOrigin(), np.reshape(image.GetDirection(), (3, 3)))


def _reorder(array: np.ndarray, own: Geometry, order: Sequence[int], target: Geometry) -> tuple[np.ndarray, Geometry]:
    """The same voxels with index axes in `order`, mirrored to run as the target's do; a view and its geometry."""
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
