"""The layout of MAMA-MIA: a folder of numbered phases per patient, and folders of masks.

    images/<ID>/<id>_000k.nii.gz                          phase k; the case of names varies between copies
    images/<ID>/T0/<id>_000k.nii.gz                       the same with several visits, T0 to T3
    segmentations/{reviewed,expert,automatic}/<id>.nii.gz tumour mask; the first of these that exists
    segmentations/expert/<id>_T0.nii.gz                   the same of a visit

Source: Garrucho et al., Scientific Data 2025 (MAMA-MIA); visits are ours.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from ...dicom.segmentation import is_dicom
from ...errors import DataError, Notice
from ...exam import VISITS, LeftAside
from ...files.names import cannot_list, ending_of, files_in, folders_in, stem_of
from ..identifiers import identifier_key, match_identifiers
from ..mapped import MappedFiles

REVIEWED, EXPERT, AUTOMATIC = "reviewed", "expert", "automatic"  # folders of masks, the best first
_PHASE = re.compile(r"_(\d{4})$")
Numbered = tuple[dict[int, list[Path]], list[LeftAside]]  # phases by number, and other images
_FROM_ONE = "The phases of every patient are numbered from 1; the first was taken as the one before contrast."


def find_layout_patients(cohort: Path, visit: str = "") -> list[MappedFiles]:
    """Return the patients that have a folder of images; of a cohort with visits, those that have this visit.

    Args:
        visit: one of `VISITS`, "" for a cohort with one exam per patient.

    Raises:
        DataError: if there is no folder of images.
    """
    images = folder_of(cohort, "images")
    if not images.is_dir():
        raise DataError(
            f"{cohort}: not a cohort: no folder images, and no cohort.json that names phases; describe it with "
            f"pcr init, make a cohort of DICOM with pcr import, or arrange it as images/<patient>/<phases>, "
            "segmentations/expert and clinical_and_imaging_info.csv"
        )
    folders = {folder.name: place for folder in folders_in(images) if (place := _place_of(folder, visit)).is_dir()}
    keys = {name: f"{name}_{visit}" if visit else name for name in folders}
    masks = find_masks(folder_of(cohort, "segmentations"), (AUTOMATIC, EXPERT, REVIEWED), list(keys.values()))
    listed = {name: _listed(folder) for name, folder in folders.items()}
    first = _first_number(files for files in listed.values() if not isinstance(files, DataError))
    return [
        MappedFiles(name, (), None, str(files))
        if isinstance(files, DataError)
        else _patient_in(name, folders[name], files, *masks.get(keys[name], (None, "")), first)
        for name, files in listed.items()
    ]


def visits_of_layout(cohort: Path) -> tuple[str, ...]:
    """Return the visits that patients have folders of; empty if each patient has one exam.

    Without T0, folders T1 and T2 may be of different sequences.
    """
    images = folder_of(cohort, "images")
    names = {name for folder in folders_in(images) for name in _names_in(folder)}
    return tuple(visit for visit in VISITS if visit in names) if VISITS[0] in names else ()


def find_masks(segmentations: Path, kinds: Iterable[str], names: Sequence[str]) -> dict[str, tuple[Path | None, str]]:
    """Return the mask of each patient and why it cannot be used, "" if it can; the last kind that has one counts."""
    found: dict[str, tuple[Path | None, str]] = {}
    for kind in kinds:
        folder = folder_of(segmentations, kind)
        files = defaultdict(list)
        for file in files_in(folder):
            if file.suffix.lower() != ".csv":  # the list of reviews
                files[identifier_key(stem_of(file.name))].append(file)
        for name, key in match_identifiers(names, files, str(folder)).items():
            found[name] = files[key][0], _mask_problem(files[key])
    return found


def _mask_problem(files: Sequence[Path]) -> str:
    if len(files) > 1:
        return f"has two masks, {' and '.join(file.name for file in files)}; keep one"
    return "" if files[0].exists() else f"{files[0].name} is a link to a file that is not there; fetch or copy the file"


def folder_of(parent: Path, name: str) -> Path:
    """Return the folder with this lower-case name, however it is written on disk."""
    found = [path for path in parent.iterdir() if path.name.lower() == name] if parent.is_dir() else []
    return found[0] if found else parent / name


def _names_in(folder: Path) -> set[str]:
    """Return the names of the folders in a folder, in upper case; none if it cannot be read."""
    try:
        return {sub.name.upper() for sub in folders_in(folder)}
    except OSError:
        return set()


def _place_of(folder: Path, visit: str) -> Path:
    """Return where the images of a patient's visit are; one whose folder cannot be read has them there."""
    try:
        return folder_of(folder, visit.lower()) if visit else folder
    except OSError:
        return folder


def _listed(folder: Path) -> Numbered | DataError:
    """Return the images of a patient, see `_numbered`, or why the folder cannot be read."""
    try:
        return _numbered(folder)
    except OSError as error:
        return cannot_list(folder, error)


def _patient_in(name: str, folder: Path, found: Numbered, mask: Path | None, problem: str, first: int) -> MappedFiles:
    """Return a patient with its phases, and why they cannot be used: a gap, a dead link, two files for one phase.

    Args:
        first: number of the first phase.
    """
    phases, others = found
    if not phases and len(others) == 1:  # one file with all phases
        return MappedFiles(name, (folder / others[0].name,), mask, problem)
    files = [file for _, found in sorted(phases.items()) for file in found]
    for number in range(first, max(phases, default=-1) + 1):
        if number not in phases:
            problem = problem or f"has no phase _{number:04d}, but has {', '.join(f.name for f in files)}; add the file"
        elif len(phases[number]) > 1:
            names = " and ".join(file.name for file in phases[number])
            problem = problem or f"has two files for one phase, {names}; keep one"
    if dead := [file.name for file in files if not file.exists()]:
        problem = f"{dead[0]} is a link to a file that is not there; fetch or copy the file"
    notices = (Notice("phases_from_one", _FROM_ONE),) if first and files else ()
    return MappedFiles(name, tuple(files), mask, problem, tuple(others), notices)


def _numbered(folder: Path) -> Numbered:
    """Return the phases of a folder by number, and its other images."""
    phases, others = defaultdict(list), []
    for file in files_in(folder):
        if match := _PHASE.search(stem_of(file.name)):
            phases[int(match.group(1))].append(file)
        elif ending_of(file.name) or is_dicom(file):
            others.append(LeftAside(file.name, "its name does not end in the number of a phase, such as _0000"))
    return phases, others


def _first_number(listed: Iterable[Numbered]) -> int:
    """Return the number of the first phase: 1 if that of every patient is 1, else 0 as in MAMA-MIA."""
    lowest = [min(phases) for phases, _ in listed if phases]
    return 1 if len(lowest) > 1 and set(lowest) == {1} else 0
