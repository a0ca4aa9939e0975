"""The tumour mask of a patient whose exam is DICOM: a DICOM Segmentation, or an image beside it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PCRPredictorLib.dicom.datasets import read_dataset
from PCRPredictorLib.dicom.segmentation import is_dicom
from PCRPredictorLib.errors import DataError, of_one_patient
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.files.names import ending_of
from PCRPredictorLib.reading.mask import read_mask

from .dicom_files import DicomPatient, Study
from .images import Image
from .names import MASK, read_name
from .patients import place_patients, same_key
from .words import simple

_TUMOUR = ("tumor", "tumour", "lesion", "mass", "cancer", "carcinom", "neoplasm", "malign", "karzinom", "ftv")


@dataclass(frozen=True, eq=False)
class FoundMask:
    """The mask of a patient, uint8 (k, j, i), or None; and a sentence about it."""

    mask: np.ndarray | None
    remark: str


def share_masks(patients: Sequence[DicomPatient], files: Sequence[Path], folder: Path) -> dict[str, list[Path]]:
    """Return the images that are masks, by the key of their patient.

    A mask belongs to the patient in whose folder it lies, or whose PatientID or folder its path names.
    """
    inside = defaultdict(set)  # patients with images in a folder or below it
    for patient in patients:
        for place in patient.folders:
            for above in (place, *place.parents):
                inside[above].add(patient.key)
    found: dict[str, list[Path]] = {patient.key: [] for patient in patients}
    loose: dict[str, Path] = {}
    for file in files:
        if len(holders := inside.get(file.parent, ())) == 1:
            found[next(iter(holders))].append(file)
        else:
            loose[file.relative_to(folder).as_posix()] = file
    owned = defaultdict(set)
    for patient in patients:
        for name in _names(patient, folder):
            owned[same_key(name)].add(patient.key)
    names = {name: owners.pop() for name, owners in owned.items() if len(owners) == 1}
    images = [_as_image(path) for path in loose]
    for placed in place_patients(images, frozenset(names)) if images else ():
        if key := names.get(same_key(placed.patient)):
            found[key].append(loose[placed.image.path])
    return found


def masks_of(patient: DicomPatient, study: Study) -> list[Path]:
    """Return the DICOM Segmentations of a study: with its UID, or in the frame of reference of its images.

    Those of which neither is known belong to every study.
    """
    frames = {_tag(file, "FrameOfReferenceUID") for file in study.files[:1]} - {""}
    found = []
    for file in patient.masks:
        uid, frame = _tag(file, "StudyInstanceUID"), _tag(file, "FrameOfReferenceUID")
        others = {other.uid for other in patient.studies} - {study.uid}
        if uid == study.uid or frame in frames or (uid not in others and frame not in patient.frames):
            found.append(file)
    return found


def _tag(file: Path, name: str) -> str:
    header = read_dataset(file, stop_before_pixels=True, specific_tags=[name])
    return str(header.get(name) or "").strip()


def find_mask(
    patient: DicomPatient, files: Sequence[Path], geometry: Geometry, labels: Sequence[int | str]
) -> FoundMask:
    """Return the mask that lies on the exam's grid.

    Args:
        files: images that may be masks, see `share_masks`.
        geometry: of the exam.
        labels: of the tumour in a mask of several segments.
    """
    named = [file for file in files if read_name(_stem(file)).kind == MASK] or list(files)
    fitting, problems = [], []
    for file in (*patient.masks, *named):
        try:
            with of_one_patient():
                chosen, remark = _choose_segment(file, labels)
                fitting.append((read_mask(file, geometry, chosen), remark))
        except DataError as error:
            problems.append(str(error).replace(f"{file}", file.name))
    different = {mask.tobytes() for mask, _ in fitting}
    if len(different) == 1:
        return FoundMask(*fitting[0])
    if fitting:
        return FoundMask(None, f"{len(fitting)} different masks, of which none was taken; leave one of them")
    return FoundMask(None, f"no mask ({problems[0]})" if problems else "no mask")


def _choose_segment(file: Path, labels: Sequence[int | str]) -> tuple[list[int | str], str]:
    """Return the segments to read and a sentence about them; of several, the only one that is named like a tumour.

    Raises:
        DataError: if there are several and none, or more than one, is named so.
    """
    if not is_dicom(file):
        return list(labels), "mask from an image"
    segments = _segments(file)
    shown = ", ".join(f"{number} {name}" for number, name in segments.items())
    if labels or len(segments) < 2:
        return list(labels), f"mask from SEG, segment {shown}" if not labels else "mask from SEG"
    tumours = [n for n, name in segments.items() if any(word in simple(name) for word in _TUMOUR)]
    if len(tumours) != 1:
        raise DataError(f"the SEG has {len(segments)} segments, {shown}; choose with --label")
    return list(tumours), f"mask from SEG, segment {tumours[0]} {segments[tumours[0]]} of {len(segments)}"


def _segments(file: Path) -> dict[int, str]:
    header = read_dataset(file, stop_before_pixels=True, specific_tags=["SegmentSequence"])
    return {int(item.SegmentNumber): str(item.get("SegmentLabel", "")) for item in header.get("SegmentSequence", [])}


def _names(patient: DicomPatient, folder: Path) -> Iterable[str]:
    """Return PatientID and the names of the folders that belong to this patient."""
    yield patient.key
    for place in patient.folders:
        yield from place.relative_to(folder).parts


def _as_image(path: str) -> Image:
    *folders, name = path.split("/")
    stem = _stem(Path(name))
    said = read_name(stem)
    rests = (*folders, said.rest if said.kind == MASK else stem)
    return Image((*folders, stem), name[len(stem) :], said.kind, rests=rests)


def _stem(file: Path) -> str:
    return file.name[: len(file.name) - len(ending_of(file.name))]
