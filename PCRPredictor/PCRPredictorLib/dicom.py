"""Reading a DCE-MRI exam from a folder of DICOM files.

Vendors lay the phases of one dynamic acquisition out differently: GE in one series, told apart by trigger time or
temporal position; Siemens in a series a phase, told apart by acquisition time; Philips in one series by temporal
position, often with the same acquisition time in all. Only headers are read to sort them, and only the pixels of the
three phases that are used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk

from .errors import DataError
from .exam import Exam, Geometry, Provenance
from .reading import image_geometry, read_mask

EARLY_SECONDS = 120.0
_TAGS = (
    "SOPClassUID", "PatientID", "PatientName", "PatientAge", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription",
    "ImageType", "ImageOrientationPatient", "ImagePositionPatient", "Rows", "Columns", "PixelSpacing", "NumberOfFrames",
    "InstanceNumber", "AcquisitionNumber", "TemporalPositionIdentifier", "TemporalResolution", "TriggerTime",
    "AcquisitionTime", "ContentTime", "ContrastBolusStartTime",
)  # fmt: skip
_PHASE_TAGS = ("TemporalPositionIdentifier", "TriggerTime", "AcquisitionTime", "ContentTime", "AcquisitionNumber")
_ORDER_TAGS = ("TemporalPositionIdentifier", "AcquisitionNumber", "SeriesNumber", "InstanceNumber")
_COMPUTED = ("SUB", "MIP", "PROJECTION", "MPR", "REFORMAT")  # image types that begin so were made from others
_DAY = 86400.0


@dataclass(frozen=True, eq=False)
class DicomPhase:
    """One phase of a dynamic series.

    Args:
        headers: of its slices, in the order of their positions along the normal.
        files: of its slices, in the same order.
    """

    headers: tuple[pydicom.Dataset, ...]
    files: tuple[Path, ...]

    @property
    def series(self) -> str:
        """Number and description of its series, for messages."""
        first = self.headers[0]
        return f"series {first.get('SeriesNumber', '?')} ({first.get('SeriesDescription', 'no description')})"

    @property
    def lattice(self) -> tuple:
        """What phases of one acquisition have in common: rows, columns, spacing, orientation, ends, slices."""
        first, last = self.headers[0], self.headers[-1]
        numbers = [*first.PixelSpacing, *first.ImageOrientationPatient, *first.ImagePositionPatient]
        numbers += [*last.ImagePositionPatient]
        return int(first.Rows), int(first.Columns), len(self.files), tuple(round(float(x), 2) for x in numbers)

    def clock(self, tag: str) -> float | None:
        """The earliest value of a time tag among its slices in seconds, or None where a slice lacks it."""
        values = [_seconds(header, tag) for header in self.headers]
        return None if None in values else min(v for v in values if v is not None)


@dataclass(frozen=True, eq=False)
class DicomExam:
    """The phases of the dynamic acquisition in a folder.

    Args:
        phases: in the order of time.
        times: seconds of each after the first, or None each where unknown.
        injection: seconds of the injection after the first phase, where known.
        patient_id: never shown in a message.
        age: years, where known.
    """

    phases: tuple[DicomPhase, ...]
    times: tuple[float | None, ...]
    injection: float | None
    patient_id: str | None
    age: float | None

    def __str__(self) -> str:
        lines = (
            f"{k}: {phase.series}" + ("" if time is None else f" at {time:.0f} s")
            for k, (phase, time) in enumerate(zip(self.phases, self.times, strict=True))
        )
        return ", ".join(lines)


def read_dicom_exam(
    folder: Path,
    mask: Path | None = None,
    pick: Sequence[int] | None = None,
    clinical: Mapping[str, object] | None = None,
) -> Exam:
    """Read the exam in a folder of DICOM files.

    Args:
        folder: with the files of one patient, in any order and depth; other series are left aside.
        mask: tumour mask as a file.
        pick: which of the phases found are pre, early and late, from 0; see `pick_phases` for the default.
        clinical: variables as they were given; the age in the headers is used where it is not among them.

    Raises:
        DataError: if there is not exactly one usable dynamic acquisition of one patient.
    """
    found = find_phases(folder)
    chosen = tuple(pick) if pick else pick_phases(found.times, found.injection)
    if len(chosen) != 3 or len(set(chosen)) != 3 or not all(0 <= k < len(found.phases) for k in chosen):
        raise DataError(f"pick must be three different phases, got {chosen}; the folder has {found}")
    volumes = [_read_phase(found.phases[k]) for k in chosen]
    geometry = volumes[0][1]
    times = [found.times[k] for k in chosen]
    known = None if None in times else tuple(float(t) for t in times if t is not None)
    age = {} if found.age is None else {"age": found.age}
    pre, early, late = (array for array, _ in volumes)
    return Exam(
        pre,
        early,
        late,
        geometry,
        read_mask(mask, geometry) if mask else None,
        {**age, **(clinical or {})},
        Provenance("dicom", known, found.patient_id),  # type: ignore[arg-type]
    )


def pick_phases(times: Sequence[float | None], injection: float | None = None) -> tuple[int, int, int]:
    """Which phases are pre, early and late.

    Pre is the first and late the last. Early is the one in between that is nearest to 120 s after the injection; where
    the time of the injection is unknown, that of the first phase stands for it; without times it is the second.

    Args:
        times: seconds of each phase in order, None where unknown.
        injection: seconds on the same clock.

    Raises:
        DataError: if there are fewer than three.
    """
    if len(times) < 3:
        raise DataError(f"an exam must have at least 3 phases, got {len(times)}; add the missing ones")
    between = range(1, len(times) - 1)
    known = [time for time in times if time is not None]
    early = 1
    if len(known) == len(times):
        target = (known[0] if injection is None else injection) + EARLY_SECONDS
        early = min(between, key=lambda k: abs(known[k] - target))
    return 0, early, len(times) - 1


def find_phases(folder: Path) -> DicomExam:
    """Find the dynamic acquisition in a folder: the largest set of phases on one lattice.

    Raises:
        DataError: if the folder has no DICOM images, more than one patient, fewer than three phases, multi-frame
            images, missing slices, or several acquisitions that could be meant.
    """
    headers = _read_headers(folder)
    phases = [phase for group in _group(headers).values() for phase in _split(group)]
    by_lattice = defaultdict(list)
    for phase in phases:
        by_lattice[phase.lattice].append(phase)
    most = max(len(same) for same in by_lattice.values())
    candidates = [same for same in by_lattice.values() if len(same) == most]
    if most < 3:
        raise DataError(_too_few(folder, phases, most))
    if len(candidates) > 1:
        names = " or ".join(same[0].series for same in candidates)
        raise DataError(f"{folder}: has several dynamic series, {names}; give a folder with only one of them")
    return _in_time_order(candidates[0])


def _read_headers(folder: Path) -> dict[Path, pydicom.Dataset]:
    """Headers of the images in a folder that a scanner took, by file."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give the folder with the DICOM files")
    headers = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_TAGS))
        except (pydicom.errors.InvalidDicomError, OSError):
            continue
        if "Rows" in header:
            headers[file] = header
    if not headers:
        raise DataError(f"{folder}: has no DICOM images; give the folder with the DICOM files")
    if len({(str(h.get("PatientID", "")), str(h.get("PatientName", ""))) for h in headers.values()}) > 1:
        raise DataError(f"{folder}: holds more than one patient; give a folder with the files of one patient")
    if any(int(header.get("NumberOfFrames") or 1) > 1 for header in headers.values()):
        raise DataError(f"{folder}: has multi-frame DICOM images; convert them to NIfTI or single-frame DICOM first")
    return {file: h for file, h in headers.items() if "ImagePositionPatient" in h and not _is_computed(h)}


def _is_computed(header: pydicom.Dataset) -> bool:
    """Subtractions, projections, reformats: made from the phases, not phases."""
    kinds = [str(kind).upper() for kind in header.get("ImageType", [])]
    return kinds[:2] == ["DERIVED", "SECONDARY"] or any(kind.startswith(_COMPUTED) for kind in kinds)


def _group(headers: Mapping[Path, pydicom.Dataset]) -> dict[tuple, list[tuple[Path, pydicom.Dataset]]]:
    """Images by series, size and orientation."""
    groups = defaultdict(list)
    for file, h in headers.items():
        orientation = tuple(round(float(x), 3) for x in h.ImageOrientationPatient)
        groups[h.SeriesInstanceUID, h.Rows, h.Columns, tuple(h.PixelSpacing), orientation].append((file, h))
    return groups


def _split(group: Sequence[tuple[Path, pydicom.Dataset]]) -> list[DicomPhase]:
    """Divide a series into phases, each with every slice position once."""
    positions: dict[float, list] = defaultdict(list)
    for file, header in group:
        positions[round(_position(header), 1)].append((file, header))
    repeats = len(group) / len(positions)
    if repeats == 1:
        return [_phase(group)]
    for tag in _PHASE_TAGS:
        parts = defaultdict(list)
        for file, header in group:
            parts[str(header.get(tag))].append((file, header))
        if len(parts) == repeats and all(
            len({round(_position(h), 1) for _, h in part}) == len(part) == len(positions) for part in parts.values()
        ):
            return [_phase(part) for part in parts.values()]
    if any(len(same) != repeats for same in positions.values()):
        series = _phase(group).series
        raise DataError(f"{series}: slices are missing in some of its phases; copy the whole series again")
    ordered = [sorted(same, key=lambda item: int(item[1].get("InstanceNumber") or 0)) for same in positions.values()]
    return [_phase(part) for part in zip(*ordered, strict=True)]


def _phase(items: Sequence[tuple[Path, pydicom.Dataset]]) -> DicomPhase:
    ordered = sorted(items, key=lambda item: _position(item[1]))
    return DicomPhase(tuple(header for _, header in ordered), tuple(file for file, _ in ordered))


def _position(header: pydicom.Dataset) -> float:
    """mm along the normal of the slice."""
    across, down = np.reshape([float(x) for x in header.ImageOrientationPatient], (2, 3))
    return float(np.cross(across, down) @ [float(x) for x in header.ImagePositionPatient])


def _in_time_order(phases: Sequence[DicomPhase]) -> DicomExam:
    """Sort phases by the first clock that tells all of them apart."""
    header = phases[0].headers[0]
    age = str(header.get("PatientAge", ""))
    patient = {
        "patient_id": str(header.get("PatientID", "")) or None,
        "age": float(age[:-1]) if age[:-1].isdigit() and age.endswith("Y") else None,
    }
    for tag in ("TriggerTime", "AcquisitionTime", "ContentTime"):
        clocks = [phase.clock(tag) for phase in phases]
        known = [clock for clock in clocks if clock is not None]
        if len(set(known)) == len(phases):
            if max(known) - min(known) > _DAY / 2:  # past midnight
                known = [clock + _DAY * (clock < _DAY / 2) for clock in known]
            order = np.argsort(known)
            start = known[order[0]]
            times = tuple(float(known[k] - start) for k in order)
            injected = None if tag == "TriggerTime" else _seconds(header, "ContrastBolusStartTime")
            injection = injected - start if injected is not None and 0 <= injected - start <= times[-1] else None
            return DicomExam(tuple(phases[k] for k in order), times, injection, **patient)  # type: ignore[arg-type]
    ordered = sorted(phases, key=lambda phase: [int(phase.headers[0].get(tag) or 0) for tag in _ORDER_TAGS])
    return DicomExam(tuple(ordered), (None,) * len(ordered), None, **patient)  # type: ignore[arg-type]


def _seconds(header: pydicom.Dataset, tag: str) -> float | None:
    """A time tag in seconds: TriggerTime is in ms, the others are times of the day, HHMMSS.FFFFFF."""
    text = str(header.get(tag) or "").strip()
    try:
        if tag == "TriggerTime":
            return float(text) / 1000
        return int(text[:2]) * 3600 + int(text[2:4]) * 60 + float(text[4:])
    except ValueError:
        return None


def _too_few(folder: Path, phases: Sequence[DicomPhase], most: int) -> str:
    """Why no set of three phases was found."""
    shapes = defaultdict(list)
    for phase in phases:
        shapes[phase.lattice[:3]].append(phase)
    alike = max(shapes.values(), key=len)
    if len(alike) >= 3:
        first, other = next((a, b) for a in alike for b in alike if a.lattice != b.lattice)
        geometries = [_read_phase(phase)[1] for phase in (first, other)]
        return (
            f"{folder}: the phases must lie on one grid, but {first.series} has {geometries[0]} and {other.series} has "
            f"{geometries[1]}; export them from one registered series"
        )
    found = ", ".join(sorted({phase.series for phase in phases}))
    return f"{folder}: must have at least 3 phases on one grid, got {most} (found {found}); add the missing ones"


def _read_phase(phase: DicomPhase) -> tuple[np.ndarray, Geometry]:
    """Pixels and geometry of one phase, rescaled as its headers say."""
    positions = np.array([_position(header) for header in phase.headers])
    steps = np.diff(positions)
    if len(steps) and np.ptp(steps) > 0.05 * np.median(steps):
        raise DataError(f"{phase.series}: slices are missing, their distances differ; copy the whole series again")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(file) for file in phase.files])
    try:
        image = reader.Execute()
    except RuntimeError:
        raise DataError(f"{phase.series}: its pixels cannot be read; export the series again") from None
    return sitk.GetArrayFromImage(image), image_geometry(image, phase.series)
