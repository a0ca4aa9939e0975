"""Reading a DCE-MRI exam from a folder of DICOM files.

Vendors store the phases of a dynamic acquisition differently. GE writes one series (or one for the pre-contrast phase
and one for the others), in which trigger time or temporal position distinguish the phases. Siemens writes one series
per phase with different acquisition times. Philips writes one series with temporal positions, often with one
acquisition time for all. Each may write Enhanced MR instead, with all phases in one file or one file per phase (see
`frames`). Only headers are read to sort the phases, and only the pixels of the three phases that are used.
"""

import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk

from ..errors import DataError
from ..exam import Exam, Geometry, Picked, Provenance
from ..phases import find_first_post, pick_phases
from .frames import as_slices, read_frames
from .headers import ORDER_TAGS, as_floats, read_headers, tag_frames, tag_integer, tag_number, tag_years
from .injection import about_injection, find_first_contrast, injection_time
from .phases import (
    DicomPhase,
    as_phase,
    belong_together,
    clock_times,
    find_acquisitions,
    group_slices,
    share_slices,
    split_series,
)

_WATER = {"W", "WATER"}  # image types of the fat-suppressed one among the images of Dixon


@dataclass(frozen=True, eq=False)
class DicomExam:
    """The phases of the dynamic acquisition in a folder.

    Args:
        phases: in the order of time.
        times: seconds of each phase after the first, None if unknown.
        injection: seconds of the injection after the first phase, if known; negative before it.
        patient_id: never shown in a message.
        age: years, if known.
        age_unusable: whether the headers have an invalid age.
        first_post: position of the first phase after contrast.
    """

    phases: tuple[DicomPhase, ...]
    times: tuple[float | None, ...]
    injection: float | None
    patient_id: str | None
    age: float | None
    age_unusable: bool = False
    first_post: int = 1

    def __str__(self) -> str:
        lines = (
            f"{k}: {phase.series}" + ("" if time is None else f" at {time:.0f} s")
            for k, (phase, time) in enumerate(zip(self.phases, self.times, strict=True))
        )
        return ", ".join(lines)


def read_dicom_exam(folder: Path, pick: Sequence[int] | None = None) -> Exam:
    """Read the exam in a folder of DICOM files, without a mask; of the clinical variables the headers have the age.

    Args:
        folder: with the files of one patient, in any order and depth; series of other kinds are ignored.
        pick: positions of pre, early and late among the phases found, from 0; see `pick_phases` for the default.

    Raises:
        DataError: if there is not exactly one usable dynamic acquisition of one patient.
    """
    found = find_phases(folder)
    chosen = tuple(pick) if pick else pick_phases(found.times, found.injection, found.first_post)
    if len(chosen) != 3 or len(set(chosen)) != 3 or not all(0 <= k < len(found.phases) for k in chosen):
        raise DataError(f"pick must be three different phases, got {chosen}; the folder has {found}")
    with ThreadPoolExecutor(3) as pool, _silence_itk():
        (pre, geometry), (early, _), (late, _) = pool.map(_read_phase, [found.phases[k] for k in chosen])
    clinical = {} if found.age is None else {"age": found.age}
    return Exam(pre, early, late, geometry, None, clinical, _origin(found, chosen, bool(pick)))


def _origin(found: DicomExam, chosen: Sequence[int], by_hand: bool) -> Provenance:
    """Describe where the chosen phases come from."""
    phases = [found.phases[k] for k in chosen]
    times = [found.times[k] for k in chosen]
    known = None if None in times else tuple(time - times[0] for time in times)  # type: ignore[operator]
    files, frames = _files_of(phases[1])
    series = tuple(phase.series_number for phase in phases)
    picked = Picked(len(found.phases), tuple(chosen), series, by_hand)  # type: ignore[arg-type]
    start, first_post = times[0], found.times[max(found.first_post, chosen[0] + 1)]
    return Provenance(
        "dicom",
        known,  # type: ignore[arg-type]
        found.patient_id,
        files,
        picked,
        ("age",) if found.age_unusable else (),
        frames,
        notices=about_injection(found.injection),
        injection=None if found.injection is None or start is None else found.injection - start,
        first_post=None if first_post is None or start is None else first_post - start,
    )


def _files_of(phase: DicomPhase) -> tuple[tuple[Path, ...], tuple[int, ...]]:
    """Return the files of a phase, and frame numbers if one file holds all slices; empty if several files do."""
    files, frames = tuple(s.file for s in phase.slices), tuple(s.frame for s in phase.slices if s.frame is not None)
    if not frames:
        return files, ()
    return (files[:1], frames) if len(set(files)) == 1 and len(frames) == len(files) else ((), ())


def find_phases(folder: Path) -> DicomExam:
    """Find the dynamic acquisition in a folder: the largest set of phases of one kind on one lattice.

    Raises:
        DataError: if the folder has no DICOM images, several patients, fewer than three phases, only multi-frame images
            that are not Enhanced MR, missing or duplicate slices, several studies or acquisitions to choose from, or a
            phase that lies on a different lattice or lacks slices.
    """
    folder = Path(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of pydicom, about values that the standard does not allow
        headers = read_headers(folder)
        slices = [s for file, header in headers.items() for s in as_slices(file, header)]
        phases, broken = [], []
        for group in group_slices(slices):
            parts = split_series(group)
            phases += parts
            broken += [] if parts else [as_phase(group)]
        sets = find_acquisitions(phases)
        most = max((len(same) for same in sets), default=0)
        largest = [same for same in sets if len(same) == most]
        largest = [same for same in largest if not _WATER.isdisjoint(same[0].kind[1])] or largest
        if most < 3:
            raise DataError(_too_few(folder, headers.values(), phases, broken, most))
        _refuse_studies(folder, [same for same in sets if len(same) >= 3])
        if len(largest) > 1:
            names = " or ".join(dict.fromkeys(same[0].series for same in largest))
            raise DataError(f"{folder}: has several dynamic series, {names}; give a folder with only one of them")
        _refuse_left_out(folder, largest[0], [same for same in sets if same is not largest[0]], broken)
        return _in_time_order(folder, largest[0])


def _in_time_order(folder: Path, phases: Sequence[DicomPhase]) -> DicomExam:
    """Sort phases by the first clock that distinguishes all of them, else by their numbers."""
    first = phases[0].first
    years, has_age = tag_years(first), bool(str(first.get("PatientAge") or "").strip())
    patient = str(first.get("PatientID", "")) or None, years, has_age and years is None
    _refuse_doubles(folder, phases)
    if (clock := clock_times(phases)) is None:
        ordered = sorted(phases, key=lambda phase: [tag_integer(phase.first, tag) for tag in ORDER_TAGS])
        first_post = find_first_contrast(ordered) or 1
        return DicomExam(tuple(ordered), (None,) * len(ordered), None, *patient, first_post)
    order = np.argsort(clock)
    times = tuple(float(clock[k] - min(clock)) for k in order)
    ordered = [phases[k] for k in order]
    injection = injection_time(ordered, times[-1])
    first_post = find_first_contrast(ordered) or find_first_post(times, injection)
    return DicomExam(tuple(ordered), times, injection, *patient, first_post)


def _refuse_left_out(
    folder: Path, chosen: Sequence[DicomPhase], sets: Sequence[Sequence[DicomPhase]], broken: Iterable[DicomPhase]
) -> None:
    """Refuse to leave out a phase for its lattice: if it is the first, an enhanced one would count as pre-contrast."""
    for other in (*(same[0] for same in sets), *broken):
        if share_slices(chosen[0], other):
            raise DataError(
                f"{folder}: {chosen[0].series} has {len(chosen[0].slices)} slices of a phase and {other.series} has "
                f"{len(other.slices)} on the same grid; copy both again, or leave out the one that is not of the exam"
            )
    for few in (same for same in sets if len(same) < 3):  # three and more are a separate acquisition
        if sibling := next((phase for phase in chosen if belong_together(phase, few[0])), None):
            raise DataError(_off_grid(folder, few[0], sibling))


def _refuse_studies(folder: Path, acquisitions: Iterable[Sequence[DicomPhase]]) -> None:
    """Refuse baseline and follow-up of one patient: both are complete, and more phases do not mean the right one."""
    studies: dict[str, list[str]] = defaultdict(list)
    for same in acquisitions:
        studies[str(same[0].first.get("StudyInstanceUID"))].append(f"{len(same)} phases from {same[0].series}")
    if len(studies) > 1:
        found = ", and ".join(" or ".join(names) for names in studies.values())
        raise DataError(
            f"{folder}: holds {len(studies)} studies with a dynamic acquisition each ({found}); give a folder with one "
            "study"
        )


def _off_grid(folder: Path, one: DicomPhase, other: DicomPhase) -> str:
    return (
        f"{folder}: the phases must lie on one grid, but {one.series} has {one.geometry} and {other.series} has "
        f"{other.geometry}; export them from one registered series, or leave out what is not of the exam"
    )


def _refuse_doubles(folder: Path, phases: Sequence[DicomPhase]) -> None:
    """Refuse two series of the same time: they are one phase in two versions, and to choose one would be a guess."""
    seen: dict[float, DicomPhase] = {}
    clocks = [phase.clock("AcquisitionTime", "TriggerTime") for phase in phases]
    for phase, clock in zip(phases, clocks, strict=True):
        if clock is None or len(set(clocks)) == 1:
            return
        other = seen.setdefault(clock, phase)
        if other.first.SeriesInstanceUID != phase.first.SeriesInstanceUID:
            raise DataError(
                f"{folder}: {other.series} and {phase.series} were taken at the same time; give a folder with only the "
                "series of the dynamic acquisition"
            )


def _too_few(
    folder: Path,
    headers: Iterable[pydicom.Dataset],
    phases: Sequence[DicomPhase],
    broken: Sequence[DicomPhase],
    most: int,
) -> str:
    """Return the message that explains why no set of three phases was found."""
    by_kind = defaultdict(list)
    for phase in phases:
        by_kind[phase.kind, phase.geometry.size[:2]].append(phase)
    alike = max(by_kind.values(), key=len, default=[])
    if len(alike) >= 3:
        one, other = next((a, b) for a in alike for b in alike if not a.geometry.matches(b.geometry))
        return _off_grid(folder, one, other)
    nothing = not phases and not broken
    if nothing and any(h.get("Modality", "MR") == "MR" and tag_frames(h) > 1 for h in headers):
        return (
            f"{folder}: has multi-frame DICOM images that are not Enhanced MR, or only derived ones; convert them to "
            "NIfTI or single-frame DICOM first"
        )
    found = sorted({phase.series for phase in phases})
    found += sorted({f"{phase.series}, in which slices are missing or doubled" for phase in broken})
    names = ", ".join(found) or "only other images"
    what = "copy the whole series again" if broken else "add the missing ones"
    return f"{folder}: must have at least 3 phases on one grid, got {most} (found {names}); {what}"


class _silence_itk:
    """Silence ITK, which warns of rounded slice positions; missing slices are reported as errors."""

    def __enter__(self) -> None:
        self._shown = sitk.ProcessObject.GetGlobalWarningDisplay()
        sitk.ProcessObject.SetGlobalWarningDisplay(False)

    def __exit__(self, *_: object) -> None:
        sitk.ProcessObject.SetGlobalWarningDisplay(self._shown)


def _read_phase(phase: DicomPhase) -> tuple[np.ndarray, Geometry]:
    """Read pixels and geometry of one phase, rescaled slice by slice by its headers."""
    corners = np.array([as_floats(s.header.ImagePositionPatient) for s in phase.slices])
    steps = np.diff(corners, axis=0)
    if len(steps) and np.ptp(steps, axis=0).max() > 0.05 * np.median(np.linalg.norm(steps, axis=1)):
        raise DataError(f"{phase.series}: slices are missing, their distances differ; copy the whole series again")
    if any(s.frame is not None for s in phase.slices):
        return read_frames(phase.slices, phase.series), phase.geometry
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(s.file) for s in phase.slices])
    tags = ("RescaleSlope", "RescaleIntercept")
    scales = {tuple(tag_number(s.header, tag) or 0.0 for tag in tags) for s in phase.slices}
    if len(scales) > 1 or not all(scale.is_integer() for scale in min(scales)):
        reader.SetOutputPixelType(sitk.sitkFloat32)  # the reader would use the type of the first slice for all
    try:
        image = reader.Execute()
    except RuntimeError:
        raise DataError(f"{phase.series}: its pixels cannot be read; export the series again") from None
    return sitk.GetArrayFromImage(image), Geometry.of_image(image, phase.series)
