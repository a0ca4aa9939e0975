"""Reading a DCE-MRI exam from a folder of DICOM files.

Vendors lay the phases of one dynamic acquisition out differently: GE in one series (or the pre-contrast phase in one
and the others in another), told apart by trigger time or temporal position; Siemens in a series a phase, told apart by
acquisition time; Philips in one series by temporal position, often with the same acquisition time in all. Only headers
are read to sort them, and only the pixels of the three phases that are used.
"""

from __future__ import annotations

import datetime
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk

from .errors import DataError
from .exam import Exam, Geometry, Provenance
from .reading import image_geometry, read_mask

EARLY_SECONDS = 120.0
_PLACE_TAGS = (
    "SeriesInstanceUID",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ImageOrientationPatient",
    "ImagePositionPatient",
)
_PHASE_TAGS = (
    "TemporalPositionIdentifier", "TriggerTime", "AcquisitionTime", "AcquisitionDateTime", "ContentTime",
    "AcquisitionNumber",
)  # fmt: skip
_SLICE_TAGS = ("TriggerTime", "AcquisitionDateTime", "AcquisitionTime", "InstanceNumber")
_ORDER_TAGS = ("SeriesNumber", "TemporalPositionIdentifier", "AcquisitionNumber", "InstanceNumber")
_TAGS = (
    *_PLACE_TAGS, *_PHASE_TAGS, *_ORDER_TAGS, "SOPInstanceUID", "StudyInstanceUID", "PatientID", "PatientName",
    "PatientAge", "Modality", "SeriesDescription", "ImageType", "NumberOfFrames", "EchoTime",
    "FlipAngle", "ScanningSequence", "DiffusionBValue", "ContrastBolusStartTime", "RescaleSlope", "RescaleIntercept",
)  # fmt: skip
_COMPUTED = ("SUB", "MIP", "PROJECTION", "MPR", "REFORMAT", "DIFFUSION", "ADC", "TRACEW")  # image types begin so
_NO_MAGNITUDE = {"P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY"}
_WATER = {"W", "WATER"}  # of the images that Dixon gives, the fat-suppressed one
_DAY = 86400.0
_SHORTEST = 60.0  # s from the first phase to the last: clocks that say less tell when images were stored, not taken
_SAME_PLACE = 0.05  # mm: what rounding in headers makes


@dataclass(frozen=True, eq=False)
class _Slice:
    """One image: its file, header, position in mm along its normal, and kind (see `DicomPhase.kind`)."""

    file: Path
    header: pydicom.Dataset
    position: float
    kind: tuple


@dataclass(frozen=True, eq=False)
class DicomPhase:
    """One phase of a dynamic acquisition: its slices in the order of their positions along the normal."""

    slices: tuple[_Slice, ...]

    @property
    def first(self) -> pydicom.Dataset:
        """Header of the first slice."""
        return self.slices[0].header

    @property
    def series(self) -> str:
        """Number and description of its series, for messages."""
        return f"series {self.first.get('SeriesNumber', '?')} ({self.first.get('SeriesDescription', 'no description')})"

    @property
    def kind(self) -> tuple:
        """What phases of one acquisition share beside the lattice: study, image type, echo time, flip angle.

        It keeps apart water and fat, magnitude and phase, filtered and unfiltered copies, and the flip angles of a T1
        map, all of which lie on the lattice of the phases.
        """
        return self.slices[0].kind

    @property
    def geometry(self) -> Geometry:
        """Its lattice, as the headers tell."""
        across, down = np.reshape(_numbers(self.first.ImageOrientationPatient), (2, 3))
        steps = len(self.slices) - 1
        depth = (self.slices[-1].position - self.slices[0].position) / steps if steps else 1.0
        rows, columns = _numbers(self.first.PixelSpacing)
        return Geometry(
            (int(self.first.Columns), int(self.first.Rows), len(self.slices)),
            (columns, rows, depth),
            tuple(_numbers(self.first.ImagePositionPatient)),  # type: ignore[arg-type]
            np.stack([across, down, np.cross(across, down)], axis=1),
        )

    def clock(self, tag: str, delay: str | None = None) -> float | None:
        """The earliest time among its slices in seconds, plus their delay where there is one; None where one lacks."""
        times = [_seconds(s.header, tag) for s in self.slices]
        delays = [(_seconds(s.header, delay) or 0.0) if delay else 0.0 for s in self.slices]
        known = [time + wait for time, wait in zip(times, delays, strict=True) if time is not None]
        return min(known) if len(known) == len(self.slices) else None


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
    label: int | None = None,
) -> Exam:
    """Read the exam in a folder of DICOM files.

    Args:
        folder: with the files of one patient, in any order and depth; other series are left aside.
        mask: tumour mask as a file.
        pick: which of the phases found are pre, early and late, from 0; see `pick_phases` for the default.
        clinical: variables as they were given; the age in the headers is used where it is not among them.
        label: value of the tumour in a mask of several segments; by default all that is not zero is tumour.

    Raises:
        DataError: if there is not exactly one usable dynamic acquisition of one patient.
    """
    found = find_phases(folder)
    chosen = tuple(pick) if pick else pick_phases(found.times, found.injection)
    if len(chosen) != 3 or len(set(chosen)) != 3 or not all(0 <= k < len(found.phases) for k in chosen):
        raise DataError(f"pick must be three different phases, got {chosen}; the folder has {found}")
    with ThreadPoolExecutor(3) as pool, _quiet_itk():
        (pre, geometry), (early, _), (late, _) = pool.map(_read_phase, [found.phases[k] for k in chosen])
    times = [found.times[k] for k in chosen]
    known = None if None in times else tuple(float(t) for t in times if t is not None)
    age = {} if found.age is None else {"age": found.age}
    return Exam(
        pre,
        early,
        late,
        geometry,
        read_mask(mask, geometry, label) if mask else None,
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
    """Find the dynamic acquisition in a folder: the largest set of phases of one kind on one lattice.

    Raises:
        DataError: if the folder has no DICOM images, more than one patient, fewer than three phases, only multi-frame
            images, missing slices, or several acquisitions that could be meant.
    """
    folder = Path(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pydicom, of values that are not as the standard wants them
        headers = _read_headers(folder)
        slices = [s for file, header in headers.items() if (s := _as_slice(file, header))]
        phases, broken = [], []
        for group in _group(slices):
            parts = _split(group)
            phases += parts
            broken += [] if parts else [_phase(group)]
        sets = _acquisitions(phases)
        most = max((len(same) for same in sets), default=0)
        largest = [same for same in sets if len(same) == most]
        largest = [same for same in largest if not _WATER.isdisjoint(same[0].kind[1])] or largest
        if most < 3:
            raise DataError(_too_few(folder, headers.values(), phases, broken, most))
        if len(largest) > 1:
            names = " or ".join(dict.fromkeys(same[0].series for same in largest))
            raise DataError(f"{folder}: has several dynamic series, {names}; give a folder with only one of them")
        return _in_time_order(folder, largest[0])


def _read_headers(folder: Path) -> dict[Path, pydicom.Dataset]:
    """Headers of the images in a folder, by file; a file that is there twice counts once."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give the folder with the DICOM files")
    headers = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_TAGS))
        except Exception:  # damaged headers raise anything; slices that are missed by it are noticed later
            continue
        _drop_invalid(header)
        if "Rows" in header:
            headers[str(header.get("SOPInstanceUID") or file)] = file, header
    if not headers:
        raise DataError(f"{folder}: has no DICOM images; give the folder with the DICOM files")
    if len({(str(h.get("PatientID", "")), str(h.get("PatientName", ""))) for _, h in headers.values()}) > 1:
        raise DataError(f"{folder}: holds more than one patient; give a folder with the files of one patient")
    return dict(headers.values())


def _drop_invalid(header: pydicom.Dataset) -> None:
    """Values that cannot be converted count as missing; pydicom converts when they are first looked at."""
    for tag in _TAGS:
        try:
            header.get(tag)
        except Exception:  # whatever a damaged value raises
            del header[tag]


def _as_slice(file: Path, header: pydicom.Dataset) -> _Slice | None:
    """An image that could be a slice of a phase, or None."""
    if header.get("Modality", "MR") != "MR" or _frames(header) > 1 or _is_other(header):
        return None
    if any(header.get(tag) in (None, "") for tag in _PLACE_TAGS):
        return None
    try:
        across, down = np.reshape(_numbers(header.ImageOrientationPatient), (2, 3))
        normal = np.cross(across, down)
        position = float(normal @ _numbers(header.ImagePositionPatient))
        rows, columns = _numbers(header.PixelSpacing)
    except (ValueError, TypeError):
        return None
    if not np.isfinite(position) or not 0.9 < np.linalg.norm(normal) < 1.1:
        return None
    if min(rows, columns, _integer(header, "Rows"), _integer(header, "Columns")) <= 0:
        return None
    settings = [_number(header, tag) for tag in ("EchoTime", "FlipAngle")]
    settings = [None if value is None else round(value, 1) for value in settings]
    return _Slice(file, header, position, (str(header.get("StudyInstanceUID")), _words(header, "ImageType"), *settings))


def _is_other(header: pydicom.Dataset) -> bool:
    """Subtractions, projections and reformats are made from the phases; spin and planar echo, diffusion are no DCE."""
    kinds, sequence = _words(header, "ImageType"), _words(header, "ScanningSequence")
    return (
        kinds[:2] == ("DERIVED", "SECONDARY")
        or any(kind.startswith(_COMPUTED) for kind in kinds)
        or not _NO_MAGNITUDE.isdisjoint(kinds)
        or "EP" in sequence
        or ("SE" in sequence and "GR" not in sequence)
        or header.get("DiffusionBValue") is not None
    )


def _group(slices: Iterable[_Slice]) -> list[list[_Slice]]:
    """Slices by series, size, orientation and kind."""
    groups = defaultdict(list)
    for item in slices:
        h = item.header
        spacing, turn = (tuple(round(x, 3) for x in _numbers(h[tag].value)) for tag in _PLACE_TAGS[3:5])
        groups[str(h.SeriesInstanceUID), h.Rows, h.Columns, spacing, turn, item.kind].append(item)
    return list(groups.values())


def _split(group: Sequence[_Slice]) -> list[DicomPhase]:
    """Divide a series into phases, each with every slice position once; none if that cannot be done."""
    ordered = sorted(group, key=lambda s: s.position)
    places = np.cumsum(np.diff([s.position for s in ordered], prepend=ordered[0].position) > _SAME_PLACE)
    stacks: list[list[_Slice]] = [[] for _ in range(places[-1] + 1)]
    for item, place in zip(ordered, places, strict=True):
        stacks[place].append(item)
    repeats = len(stacks[0])
    if any(len(stack) != repeats for stack in stacks):
        return []
    for tag in _PHASE_TAGS:
        columns = [{str(s.header.get(tag)): s for s in stack} for stack in stacks]
        if len(columns[0]) == repeats and all(column.keys() == columns[0].keys() for column in columns):
            return [_phase([column[value] for column in columns]) for value in columns[0]]
    for tag in _SLICE_TAGS:  # a value for each slice: the n-th of every position make the n-th phase
        ranked = [_ranked(stack, tag) for stack in stacks]
        if all(ranked):
            return [_phase(part) for part in zip(*ranked, strict=True)]
    return []


def _ranked(stack: Sequence[_Slice], tag: str) -> list[_Slice]:
    """Slices in the order of a number or time, or none where it does not tell all of them apart."""
    values = [_seconds(s.header, tag) if "Time" in tag else _number(s.header, tag) for s in stack]
    known = [value for value in values if value is not None]
    return [stack[k] for k in np.argsort(known)] if len(set(known)) == len(stack) else []


def _phase(slices: Iterable[_Slice]) -> DicomPhase:
    return DicomPhase(tuple(sorted(slices, key=lambda s: s.position)))


def _acquisitions(phases: Iterable[DicomPhase]) -> list[list[DicomPhase]]:
    """Phases of one kind on one lattice."""
    sets: list[list[DicomPhase]] = []
    for phase in phases:
        for same in sets:
            if same[0].kind == phase.kind and same[0].geometry.matches(phase.geometry):
                same.append(phase)
                break
        else:
            sets.append([phase])
    return sets


def _in_time_order(folder: Path, phases: Sequence[DicomPhase]) -> DicomExam:
    """Sort phases by the first clock that tells all of them apart, else by their numbers."""
    first = phases[0].first
    age = str(first.get("PatientAge", ""))
    years = float(age[:-1]) if age.endswith("Y") and age[:-1].isdigit() else None
    patient_id = str(first.get("PatientID", "")) or None
    _refuse_doubles(folder, phases)
    if (clock := _clock(phases)) is None:
        ordered = sorted(phases, key=lambda phase: [_integer(phase.first, tag) for tag in _ORDER_TAGS])
        return DicomExam(tuple(ordered), (None,) * len(ordered), None, patient_id, years)
    order = np.argsort(clock)
    times = tuple(float(clock[k] - min(clock)) for k in order)
    ordered = [phases[k] for k in order]
    return DicomExam(tuple(ordered), times, _injection(ordered, times[-1]), patient_id, years)


def _clock(phases: Sequence[DicomPhase]) -> list[float] | None:
    """Seconds of each phase on the first clock that tells them apart, or None.

    Trigger time runs from the start of its series (GE, Philips), so it orders the phases of one series only; with
    several series it is added to the acquisition time where that is the same throughout a series.
    """
    clocks: list[tuple[str, ...]] = [("AcquisitionDateTime",), ("AcquisitionTime",)]
    several = len({phase.first.SeriesInstanceUID for phase in phases}) > 1
    clocks.insert(2 if several else 0, ("AcquisitionTime", "TriggerTime") if several else ("TriggerTime",))
    for tags in (*clocks, ("ContentTime",)):
        values = [value for phase in phases if (value := phase.clock(*tags)) is not None]
        if len(set(values)) < len(phases):
            continue
        if tags[0] != "AcquisitionDateTime" and max(values) - min(values) > _DAY / 2:  # past midnight
            values = [value + _DAY * (value < _DAY / 2) for value in values]
        if max(values) - min(values) >= _SHORTEST:
            return values
    return None


def _injection(phases: Sequence[DicomPhase], last: float) -> float | None:
    """Seconds of the injection after the first phase, where the headers have one that lies within the acquisition."""
    start = phases[0].clock("AcquisitionTime")
    for phase in phases:
        injected = _seconds(phase.first, "ContrastBolusStartTime")
        if start is not None and injected is not None and (after := (injected - start) % _DAY) < last:
            return after
    return None


def _refuse_doubles(folder: Path, phases: Sequence[DicomPhase]) -> None:
    """Two series of one moment are one phase in two versions; to mix them would be a guess."""
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


def _seconds(header: pydicom.Dataset, tag: str) -> float | None:
    """A time tag in seconds: TriggerTime in ms, AcquisitionDateTime YYYYMMDDHHMMSS.F&ZZXX, the others HHMMSS.F."""
    text = str(header.get(tag) or "").strip().replace(":", "")
    if tag == "TriggerTime":
        return None if (delay := _number(header, tag)) is None else delay / 1000
    try:
        days = 0.0
        if tag == "AcquisitionDateTime":
            days = datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()
            text = text[8:].split("+")[0].split("-")[0]
        return days * _DAY + int(text[:2]) * 3600 + int(text[2:4]) * 60 + float(text[4:] or 0)
    except ValueError:
        return None


def _numbers(value: Iterable) -> list[float]:
    return [float(x) for x in value]


def _number(header: pydicom.Dataset, tag: str) -> float | None:
    try:
        return float(header[tag].value)
    except (KeyError, TypeError, ValueError):
        return None


def _integer(header: pydicom.Dataset, tag: str) -> int:
    value = header.get(tag)
    return value if isinstance(value, int) else 0


def _words(header: pydicom.Dataset, tag: str) -> tuple[str, ...]:
    """Values of a tag that may have one or several, in capitals."""
    value = header.get(tag) or ()
    return tuple(str(word).upper() for word in ([value] if isinstance(value, str) else value))


def _frames(header: pydicom.Dataset) -> int:
    return _integer(header, "NumberOfFrames")


def _too_few(
    folder: Path,
    headers: Iterable[pydicom.Dataset],
    phases: Sequence[DicomPhase],
    broken: Sequence[DicomPhase],
    most: int,
) -> str:
    """Why no set of three phases was found."""
    by_kind = defaultdict(list)
    for phase in phases:
        by_kind[phase.kind, phase.geometry.size[:2]].append(phase)
    alike = max(by_kind.values(), key=len, default=[])
    if len(alike) >= 3:
        one, other = next((a, b) for a in alike for b in alike if not a.geometry.matches(b.geometry))
        return (
            f"{folder}: the phases must lie on one grid, but {one.series} has {one.geometry} and {other.series} has "
            f"{other.geometry}; export them from one registered series"
        )
    if any(h.get("Modality", "MR") == "MR" and _frames(h) > 1 for h in headers):
        return f"{folder}: has multi-frame DICOM images; convert them to NIfTI or single-frame DICOM first"
    found = sorted({phase.series for phase in phases}) or ["only other images"]
    found += sorted({f"{phase.series}, in which slices are missing" for phase in broken})
    names = ", ".join(found)
    return f"{folder}: must have at least 3 phases on one grid, got {most} (found {names}); add the missing ones"


class _quiet_itk:
    """ITK warns of slice positions that are rounded; missing slices are an error of ours."""

    def __enter__(self) -> None:
        self._shown = sitk.ProcessObject.GetGlobalWarningDisplay()
        sitk.ProcessObject.SetGlobalWarningDisplay(False)

    def __exit__(self, *_: object) -> None:
        sitk.ProcessObject.SetGlobalWarningDisplay(self._shown)


def _read_phase(phase: DicomPhase) -> tuple[np.ndarray, Geometry]:
    """Pixels and geometry of one phase, rescaled slice by slice as its headers say."""
    corners = np.array([_numbers(s.header.ImagePositionPatient) for s in phase.slices])
    steps = np.diff(corners, axis=0)
    if len(steps) and np.ptp(steps, axis=0).max() > 0.05 * np.median(np.linalg.norm(steps, axis=1)):
        raise DataError(f"{phase.series}: slices are missing, their distances differ; copy the whole series again")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(s.file) for s in phase.slices])
    scales = {_number(s.header, tag) or 0.0 for s in phase.slices for tag in ("RescaleSlope", "RescaleIntercept")}
    if not all(scale.is_integer() for scale in scales):
        reader.SetOutputPixelType(sitk.sitkFloat32)  # the reader would take the first slice's type for all
    try:
        image = reader.Execute()
    except RuntimeError:
        raise DataError(f"{phase.series}: its pixels cannot be read; export the series again") from None
    return sitk.GetArrayFromImage(image), image_geometry(image, phase.series)
