"""Where the phases of one exam are: in one file with all of them, or in the numbered or named files of a folder."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError
from ..exam import PHASE_NAMES, LeftAside
from ..files.names import ending_of, files_in, stem_of
from ..phases import may_be_phase, order_names
from .images import read_header

MASK_NAMES = ("tumour", "tumor", "mask", "segmentation")
_NUMBER = re.compile(r"_(\d{4})$")  # of a phase in the MAMA-MIA layout
_SHOWN = 4  # names in a message


@dataclass(frozen=True)
class Series:
    """The files of an exam.

    Args:
        files: in the order of time, each with one or several phases.
        mask: of the tumour beside them, or None.
        left_aside: images of the folder that are not used.
    """

    files: tuple[Path, ...]
    mask: Path | None = None
    left_aside: tuple[LeftAside, ...] = ()


def find_series(place: Path) -> Series | None:
    """Return the phases that a file holds, or a folder; None if these are not the phases of one exam.

    Raises:
        DataError: if a file with an ending of images cannot be used, or a numbered phase is missing.
    """
    if not place.is_dir():
        return Series((_with_phases(place),)) if ending_of(place.name) and place.is_file() else None
    images = [file for file in files_in(place) if ending_of(file.name)]
    masks = [file for file in images if stem_of(file.name).lower() in MASK_NAMES]
    mask = masks[0] if len(masks) == 1 else None
    phases = [file for file in images if file not in masks and may_be_phase(stem_of(file.name))]
    aside = tuple(
        LeftAside(file.name, "its name is not that of a phase") for file in images if file not in (*masks, *phases)
    )
    if len(phases) == 1:
        return Series((phases[0],), mask, aside) if read_header(phases[0]).volumes >= len(PHASE_NAMES) else None
    order = order_names([stem_of(file.name) for file in phases]) if len(phases) >= len(PHASE_NAMES) else None
    if order is None:
        return None
    files = tuple(phases[k] for k in order)
    check_numbers(files)
    return Series(files, mask, aside)


def given_series(places: Sequence[Path]) -> Series:
    """Return the phases that the user named: one file with all of them, a folder, or several files in order of time.

    Raises:
        DataError: if a place does not exist or holds no phases, or their order cannot be told.
    """
    if len(places) > 1:
        return Series(tuple(places))
    if places[0].is_dir():
        if found := find_series(places[0]):
            return found
        raise DataError(
            f"{places[0]}: must hold one image with all phases, or one for each with names that give the order, such "
            "as pre, post1, post2; give the files in order of time instead"
        )
    return Series((_with_phases(places[0]),))


def check_numbers(files: Sequence[Path]) -> None:
    """Check that no phase is missing if all files are numbered _0000, _0001 and so on.

    Raises:
        DataError: if one is; the next one would be taken for it.
    """
    numbers = [int(match[1]) for file in files if (match := _NUMBER.search(stem_of(file.name)))]
    if len(numbers) < len(files):
        return
    if missing := [number for number in range(max(numbers)) if number not in numbers]:
        names = ", ".join(file.name for file in files[:_SHOWN])
        raise DataError(f"has no phase _{missing[0]:04d}, but has {names}; add the file")


def _with_phases(file: Path) -> Path:
    """Return a file that holds an exam.

    Raises:
        DataError: if it has fewer than three volumes, or cannot be used.
    """
    if (volumes := read_header(file).volumes) < len(PHASE_NAMES):
        raise DataError(
            f"{file.name}: must have at least 3 phases, got {volumes}; give a file with all phases, or three files by "
            "--phases"
        )
    return file
