"""Volumes from files: NIfTI, NRRD and MHA, most of it with SimpleITK. `FORMATS` lists what is read, and how."""

import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..errors import DataError
from ..exam import PHASE_NAMES, Exam, Geometry, Provenance
from ..geometry import describe_difference
from .nifti import read_nifti_voxels

_META_HEADER = 2**14  # bytes of a MetaImage that are searched for its header


def read_exam(phases: Sequence[Path]) -> Exam:
    """Read an exam without a mask (see `add_mask`) from three files.

    Args:
        phases: pre-contrast, early, late; all on one lattice.

    Raises:
        DataError: if a file cannot be used, or two phases differ in geometry; the message names both files.
    """
    if len(phases) != len(PHASE_NAMES):
        raise DataError(f"phases must be three files (pre-contrast, early, late), got {len(phases)}; give all three")
    files = [Path(file) for file in phases]
    with ThreadPoolExecutor(len(files)) as pool:
        volumes = list(pool.map(read_volume, files))
    geometry = volumes[0][1]
    for file, (_, other) in zip(files[1:], volumes[1:], strict=True):
        if not geometry.matches(other):
            raise DataError(
                f"the phases must lie on one grid, but {files[0].name} and {file.name} differ in "
                f"{describe_difference(geometry, other)}; export them from one registered series"
            )
    pre, early, late = (array for array, _ in volumes)
    return Exam(pre, early, late, geometry, provenance=Provenance("file"))


def read_volume(path: Path) -> tuple[np.ndarray, Geometry]:
    """Read a scalar volume: array (k, j, i) in its stored type, perhaps read-only, and geometry.

    Raises:
        DataError: if the file is missing, of an unknown kind, damaged, cut short or not three-dimensional.
    """
    path = Path(path)
    _check_file(path)
    return FORMATS[_ending(path)](path)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise DataError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give a file, or a folder of DICOM files with --dicom")
    if not _ending(path):
        raise DataError(f"{path.name}: unknown kind of file; give one of {', '.join(FORMATS)}, or as mask a DICOM SEG")


def _ending(path: Path) -> str:
    """The longest of the endings in `FORMATS` that the name has, "" if it has none of them."""
    return max((ending for ending in FORMATS if path.name.lower().endswith(ending)), key=len, default="")


def _read_itk(path: Path) -> tuple[np.ndarray, Geometry]:
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError:
        raise DataError(f"{path.name}: cannot be read as an image; export it again") from None
    return sitk.GetArrayFromImage(image), Geometry.of_image(image, path.name)


def _read_meta_image(path: Path) -> tuple[np.ndarray, Geometry]:
    _check_dimensions(path)
    volume = _read_itk(path)
    _check_compressed(path)
    return volume


def _check_dimensions(path: Path) -> None:
    """Refuse more than three dimensions: ITK's reader of MetaImage would write beyond its memory."""
    with path.open("rb") as file:
        fields = [line.partition(b"=") for line in file.read(_META_HEADER).splitlines()]
    named = [value.strip() for key, _, value in fields if key.strip().lower() in (b"ndims", b"dimsize")]
    counts = [int(value) for value in named if value.isdigit() and len(value) < 3]
    sizes = [value.split() for value in named if not value.isdigit()]
    if counts[:1] != [3] or len(named) != 2 or any(not size.isdigit() for value in sizes for size in value):
        raise DataError(f"{path.name}: must be one three-dimensional volume with a whole header; export it again")


def _check_compressed(path: Path) -> None:
    """Check the checksum of a MetaImage's compressed voxels, which ITK's reader ignores."""
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
    """Read voxels with our own reader, which notices damage and NaN, and the geometry with ITK, as Slicer does."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        voxels = read_nifti_voxels(path)
        reader.ReadImageInformation()
        geometry = Geometry.of_image(reader, path.name)
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


FORMATS = {  # ending of the name: function that reads such a file
    ".nii": _read_nifti,
    ".nii.gz": _read_nifti,
    ".nrrd": _read_itk,
    ".nhdr": _read_itk,
    ".mha": _read_meta_image,
    ".mhd": _read_meta_image,
}
