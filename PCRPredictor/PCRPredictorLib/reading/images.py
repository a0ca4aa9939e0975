"""Volumes and exams from files: NIfTI, NRRD and MetaImage. `FORMATS` lists what is read, and how."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import DataError, Notice
from ..exam import PHASE_NAMES, Dynamic, Exam, LeftAside, Picked, Provenance
from ..files.header import Header
from ..files.json_text import read_json
from ..files.meta_image import read_meta_image_header
from ..files.names import does_not_exist, ending_of
from ..files.nifti import read_nifti_header
from ..files.nrrd import read_nrrd_header
from ..files.opening import open_file
from ..files.voxels import cannot_read, check_size, read_volumes
from ..geometry import EXACT, ON_GRID, Geometry, describe_difference
from ..phases import parse_times, pick_phases

TIMES = "times.json"  # beside phases: when they were acquired
FORMATS = {  # ending of the name: function that reads the header of such a file
    ".nii": read_nifti_header,
    ".nii.gz": read_nifti_header,
    ".nrrd": read_nrrd_header,
    ".nhdr": read_nrrd_header,
    ".mha": read_meta_image_header,
    ".mhd": read_meta_image_header,
}
_POINTERS = (b"annex/objects/", b"git-lfs.github.com/spec/")  # in a file that names content which was not fetched
_OTHERS = {  # first bytes, in lower case, of what is saved under an image's name: what it is, and what to do
    b"<!doctype html": ("a web page, such as a login", "download the image again"),
    b"<html": ("a web page, such as a login", "download the image again"),
    b"pk\x03\x04": ("a zip archive", "unpack it"),
}


def read_exam(phases: Sequence[Path]) -> Exam:
    """Read an exam without a mask (see `add_mask`) from three files.

    Args:
        phases: pre-contrast, early, late; all on one lattice.

    Raises:
        DataError: if a file cannot be used, or two phases differ in geometry; the message names both files.
    """
    if len(phases) != len(PHASE_NAMES):
        raise DataError(f"phases must be three files (pre-contrast, early, late), got {len(phases)}; give all three")
    headers = [one_volume(read_header(Path(file))) for file in phases]
    return _read(headers, [0, 0, 0], Provenance("file"))


def times_beside(phases: Sequence[Path]) -> tuple[list[float], tuple[Notice, ...]]:
    """Return the seconds of phases by the file `times.json` in their folder, and a warning if it cannot be used.

    The file is an object whose `acquisition_times` are rising seconds, one for each phase.
    """
    file = Path(phases[0]).parent / TIMES
    if {Path(phase).parent for phase in phases} != {file.parent} or not file.is_file():
        return [], ()
    try:
        times = parse_times(read_json(file)["acquisition_times"])  # type: ignore[index]
    except (OSError, ValueError, TypeError, KeyError):
        times = []
    if len(times) == len(phases):
        return times, ()
    reason = f"must hold acquisition_times, the rising seconds of the {len(phases)} phases"
    return [], (Notice("phase_times_invalid", f"{TIMES} {reason}; they count as unknown."),)


def read_series(files: Sequence[Path], pick: Sequence[int] = (), times: Sequence[float] = ()) -> Exam:
    """Read an exam without a mask from files with all its phases: one with all of them, or several in order of time.

    Args:
        files: each with one or several volumes, all on one lattice.
        pick: positions of pre, early and late among all volumes, from 0; see `pick_phases` for the default.
        times: seconds of each volume; without them those of a single file, if it has any.

    Raises:
        DataError: if a file cannot be used, there are fewer than three volumes, or a picked one does not exist.
    """
    found = [_header_or_error(Path(file)) for file in files]
    if len(found) == 1 and isinstance(found[0], DataError):
        raise found[0]
    volumes = [(header, k) for header in found for k in range(getattr(header, "volumes", 1))]
    known = tuple(times) or (getattr(found[0], "times", None) if len(found) == 1 else None)
    known = known if known is not None and len(known) == len(volumes) else None
    chosen = _choose(len(volumes), pick, known, Path(files[0]).name if len(files) == 1 else f"{len(files)} files")
    headers = [volumes[k][0] for k in chosen]
    for header in headers:
        if isinstance(header, DataError):
            raise header
    unread = [(file, str(each)) for file, each in zip(files, found, strict=True) if isinstance(each, DataError)]
    unread += _off_grid([header for header in headers if isinstance(header, Header)], found)
    start = 0.0 if known is None else known[chosen[0]]
    plain = len(files) == len(volumes) == len(PHASE_NAMES) and not pick  # a file each: nothing to choose
    provenance = Provenance(
        "file",
        None if known is None else tuple(known[k] - start for k in chosen),  # type: ignore[arg-type]
        picked=None if plain else Picked(len(volumes), chosen, (None,) * 3, by_hand=bool(pick)),
        first_post=None if known is None or chosen[0] + 1 >= len(known) else known[chosen[0] + 1] - start,
        left_aside=tuple(LeftAside(file.name, why, looks_like_phase=True) for file, why in unread),
    )
    exam = _read([each for each in headers if isinstance(each, Header)], [volumes[k][1] for k in chosen], provenance)
    times_after = None if known is None else tuple(time - start for time in known)
    read = partial(_read_others, volumes, exam.geometry)
    return replace(exam, dynamic=Dynamic(read, chosen, len(volumes), times_after)) if len(volumes) > 3 else exam


def _read_others(
    volumes: Sequence[tuple[Header | DataError, int]], geometry: Geometry, wanted: Sequence[int]
) -> list[np.ndarray | DataError]:
    """Return phases that were not picked, or why they cannot be used; each file is read once."""
    found: dict[int, np.ndarray | DataError] = {}
    files: dict[int, tuple[Header, list[int]]] = {}
    for k in wanted:
        header = volumes[k][0]
        if isinstance(header, DataError):
            found[k] = header
        elif not geometry.offset(header.geometry) < ON_GRID:
            found[k] = DataError(f"{header.name} lies on a different grid")
        else:
            files.setdefault(id(header), (header, []))[1].append(k)
    for header, numbers in files.values():
        try:
            found |= zip(numbers, read_volumes(header, [volumes[k][1] for k in numbers]), strict=True)
        except DataError as error:
            found |= dict.fromkeys(numbers, error)
    return [found[k] for k in wanted]


def _off_grid(used: Sequence[Header], found: Sequence[Header | DataError]) -> list[tuple[Path, str]]:
    """Return the files of phases that were not chosen and lie on a different grid than those that were, and why."""
    others = (each for each in found if isinstance(each, Header) and each not in used)
    grid = used[0].geometry
    return [
        (Path(each.name), f"differs from {used[0].name} in {describe_difference(grid, each.geometry)}")
        for each in others
        if not grid.offset(each.geometry) < ON_GRID
    ]


def _header_or_error(path: Path) -> Header | DataError:
    """Return a header, or why there is none: an unusable phase that is not picked costs nothing."""
    try:
        return read_header(path)
    except DataError as error:
        return error


def _choose(count: int, pick: Sequence[int], times: Sequence[float] | None, where: str) -> tuple[int, int, int]:
    """Return the positions of pre, early and late among so many phases."""
    if count < len(PHASE_NAMES):
        raise DataError(f"{where}: must have at least 3 phases, got {count}; give all of them")
    chosen = tuple(pick) or pick_phases(times or [None] * count)
    if len(set(chosen)) != 3 or len(chosen) != 3 or not all(0 <= k < count for k in chosen):
        got = " ".join(str(k) for k in chosen)
        raise DataError(f"{where}: pick must be three different phases of 0 to {count - 1}, got {got}")
    return chosen


def read_volume(path: Path) -> tuple[np.ndarray, Geometry]:
    """Read a scalar volume: array (k, j, i) in its stored type, perhaps read-only, and geometry.

    Raises:
        DataError: if the file is missing, of an unknown kind, damaged, cut short or not three-dimensional.
    """
    header = one_volume(read_header(Path(path)))
    return read_volumes(header, [0])[0], header.geometry


def read_header(path: Path) -> Header:
    """Read and check what the header of a file says, before any voxel.

    Raises:
        DataError: if the file is missing, of an unknown kind or damaged, or its geometry is impossible.
    """
    _check_file(path)
    return FORMATS[ending_of(path.name)](path)


def _check_file(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        raise DataError(f"{path.name}: is a link to a file that is not there; fetch it, for example with git annex get")
    if not path.exists():
        raise DataError(does_not_exist(path))
    if path.is_dir():
        raise DataError(f"{path}: is a folder; give a file, or a folder of DICOM files with --dicom")
    if not ending_of(path.name):
        raise DataError(f"{path.name}: unknown kind of file; give one of {', '.join(FORMATS)}, or as mask a DICOM SEG")
    try:
        with open_file(path) as file:
            start = file.read(64)
    except OSError as error:
        raise cannot_read(path, error) from None
    if not start:
        raise DataError(f"{path.name}: is empty; copy or export it again")
    if any(pointer in start for pointer in _POINTERS):
        raise DataError(f"{path.name}: names its content, which was not fetched; fetch it with git annex or git lfs")
    for first, (what, advice) in _OTHERS.items():
        if start.lstrip().lower().startswith(first):
            raise DataError(f"{path.name}: is {what}, not an image; {advice}")


def one_volume(header: Header) -> Header:
    """Return the header of a file with a single volume.

    Raises:
        DataError: if it has several.
    """
    if header.volumes != 1:
        raise DataError(
            f"{header.name}: must be one three-dimensional volume with one value per voxel, got {header.volumes} "
            "volumes; give a file with all phases by --series, and save overlapping segments as one labelmap"
        )
    return header


def _read(headers: Sequence[Header], numbers: Sequence[int], provenance: Provenance) -> Exam:
    """Return the exam of one volume each of three headers, which may be the same."""
    first, notices = headers[0], dict.fromkeys(notice for header in headers for notice in header.notices)
    notices |= dict.fromkeys(filter(None, (_compare(first, header) for header in headers[1:])))
    check_size(headers)
    wanted: dict[Path, tuple[Header, list[int]]] = {}
    for header, number in zip(headers, numbers, strict=True):
        wanted.setdefault(header.file, (header, []))[1].append(number)
    with ThreadPoolExecutor(len(wanted)) as pool:
        read = dict(zip(wanted, pool.map(lambda each: read_volumes(*each), wanted.values()), strict=True))
    pre, early, late = (read[header.file].pop(0) for header in headers)
    provenance = replace(provenance, notices=tuple(notices), simulated=all(header.simulated for header in headers))
    return Exam(pre, early, late, first.geometry, provenance=provenance)


def _compare(first: Header, header: Header) -> Notice | None:
    """Refuse a phase that is not on the grid of the first one; return a warning if it is only nearly on it."""
    off = first.geometry.offset(header.geometry)
    if not off < ON_GRID:
        raise DataError(
            f"the phases must lie on one grid, but {first.name} and {header.name} differ in "
            f"{describe_difference(first.geometry, header.geometry)}; export them from one registered series"
        )
    if off < EXACT:
        return None
    text = f"The phases lie up to {off:.2f} voxels beside each other and were used as if they were on one grid."
    return Notice("phases_off_grid", text)
