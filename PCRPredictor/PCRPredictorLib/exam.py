"""The exam: three DCE phases on one voxel lattice, a tumour mask, clinical variables, and where they came from.

Readers make an `Exam`; predictors take one.
Arrays are indexed (k, j, i): slice, row, column, as SimpleITK and `slicer.util.arrayFromVolume` give them.
Physical coordinates are LPS, in mm (DICOM and ITK).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .clinical import contradict
from .errors import DataError, Notice
from .geometry import Geometry as Geometry

PHASE_NAMES = ("pre", "early", "late")
VISITS = ("T0", "T1", "T2", "T3")  # of a patient under treatment, in the order of time, see `response.course`
PHANTOM = "BreastPCR phantom, no patient"  # description in the files of a simulated exam


def bounding_box(mask: np.ndarray) -> tuple[slice, slice, slice]:
    """Return the smallest box around the non-zero voxels of a mask (k, j, i), which must not be empty."""
    k = np.flatnonzero(np.any(mask, axis=(1, 2)))
    part: np.ndarray = np.any(mask[k[0] : k[-1] + 1], axis=0)
    j, i = np.flatnonzero(np.any(part, axis=1)), np.flatnonzero(np.any(part, axis=0))
    return tuple(slice(int(axis[0]), int(axis[-1]) + 1) for axis in (k, j, i))  # type: ignore[return-value]


@dataclass(frozen=True)
class Picked:
    """Name the phases of a dynamic acquisition that were taken as pre, early and late.

    Args:
        found: number of phases in the acquisition.
        phases: position of pre, early and late in the order of time, from 0.
        series: number of the series of each, None if it has no number.
        by_hand: True if the user chose them.
    """

    found: int
    phases: tuple[int, int, int]
    series: tuple[int | None, int | None, int | None]
    by_hand: bool = False

    @property
    def positions(self) -> str:
        """The phases counted from 1, as readers do, with their option, as in "1, 2 and 4 of 4 (--pick 0 1 3)"."""
        pre, early, late = (k + 1 for k in self.phases)
        return f"{pre}, {early} and {late} of {self.found} (--pick {' '.join(map(str, self.phases))})"


@dataclass(frozen=True)
class LeftAside:
    """Name a file or series of the source that was not used.

    Args:
        name: as the user knows it, such as "series 5 (t1 dynamic)" or a file's name.
        reason: why it was not used, such as "has 4 of 10 slices".
        files: number of files that it has.
        looks_like_phase: True if it may be a phase of the exam, by matrix, orientation or description.
    """

    name: str
    reason: str
    files: int = 1
    looks_like_phase: bool = False


@dataclass(frozen=True)
class Provenance:
    """Describe where an exam came from. `patient_id` reaches no log or report unless the user asks for it.

    Args:
        source: kind of source: "file", "dicom", "mrml", "phantom".
        phase_times: seconds from the beginning of the pre-contrast phase to that of each phase, if known. They are
            times of acquisition: how long after the injection a phase was acquired is `after_injection`.
        patient_id: identifier in the source, if known.
        files: DICOM files of the early phase, that of each slice or one that holds all slices as frames; else empty.
        picked: the phases that were taken, if the source has more than three to choose from.
        unusable: clinical variables for which the source has an invalid value.
        frames: for Enhanced MR the frame number of each slice in its file, from 0; else empty.
        left_aside: files and series of the source that were not used.
        notices: warnings about what was guessed or adjusted while reading.
        injection: seconds from the beginning of the pre-contrast phase to the injection, if the source has it.
        first_post: seconds from the beginning of the pre-contrast phase to that of the first phase after contrast,
            if known; the early phase may be a later one.
        simulated: True if the files or volumes say that it is a phantom.
        inputs: files and folders that were read, if known: no result is written among them.
        typed: clinical variables that the user gave by name, in lower case: the model must know them.
        clinical_from: origins of clinical variables by name in lower case: "table" of the cohort, "dicom" headers, or
            "given" with the exam.
        table: columns of the cohort's table that are about the acquisition, such as the scanner; never the outcome.
    """

    source: str = "memory"
    phase_times: tuple[float, float, float] | None = None
    patient_id: str | None = None
    files: tuple[Path, ...] = ()
    picked: Picked | None = None
    unusable: tuple[str, ...] = ()
    frames: tuple[int, ...] = ()
    left_aside: tuple[LeftAside, ...] = ()
    notices: tuple[Notice, ...] = ()
    injection: float | None = None
    first_post: float | None = None
    simulated: bool = False
    inputs: tuple[Path, ...] = field(default=(), compare=False, repr=False)
    typed: tuple[str, ...] = field(default=(), compare=False)
    clinical_from: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    table: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_phantom(self) -> bool:
        """Return True if the exam is simulated, by its source, its files or an identifier as phantoms have them."""
        return self.simulated or self.source == "phantom" or (self.patient_id or "").upper().startswith("PHANTOM_")

    @property
    def after_injection(self) -> tuple[float | None, ...]:
        """Return the seconds of pre, early and late phase after the injection; None if unknown."""
        return self._seconds_after(self.injection)

    @property
    def after_first_post(self) -> tuple[float | None, ...]:
        """Return the seconds of pre, early and late phase after the first phase after contrast; None if unknown."""
        return self._seconds_after(self.first_post)

    @property
    def early_seconds(self) -> float | None:
        """Return the seconds of the early phase after the pre-contrast one; of the first after contrast if unknown."""
        return self.first_post if self.phase_times is None else self.phase_times[1]

    def _seconds_after(self, event: float | None) -> tuple[float | None, ...]:
        if self.phase_times is None or event is None:
            return (None,) * len(PHASE_NAMES)
        return tuple(time - event for time in self.phase_times)


@dataclass(frozen=True, eq=False)
class Lesion:
    """One of several tumours of an exam.

    Args:
        name: as the user knows it, such as "label 2", "left breast" or the name of a segment.
        mask: (k, j, i), non-zero inside.
        label: its value in a mask, None if it has none; see `Exam.with_lesions`.
    """

    name: str
    mask: np.ndarray
    label: int | None = None


@dataclass(frozen=True, eq=False)
class Dynamic:
    """Every phase of the acquisition that pre, early and late were picked from; those are not read again.

    Args:
        read: takes positions and returns for each the array (k, j, i) on the exam's lattice, or why there is none.
        picked: positions of pre, early and late in the order of time, from 0.
        count: number of phases.
        times: seconds of each phase after the pre-contrast one, None if unknown.
    """

    read: Callable[[Sequence[int]], Sequence[np.ndarray | DataError]]
    picked: tuple[int, int, int]
    count: int
    times: tuple[float, ...] | None = None


@dataclass(frozen=True, eq=False)
class Exam:
    """One breast DCE-MRI exam.

    Args:
        pre: pre-contrast phase, (k, j, i), any numeric type, arbitrary units.
        early: early post-contrast phase, same shape and units.
        late: late post-contrast phase, same shape and units.
        geometry: the lattice that all of them share.
        mask: tumour mask, (k, j, i), non-zero inside, or None; of several tumours that of the largest.
        clinical: clinical variables as they were given, by name.
        provenance: source of the exam.
        lesions: every tumour if there are several, the largest first; else empty. See `with_lesions`.
        dynamic: all phases, if the source has more than three. Only curves use the others, no prediction does.

    Raises:
        DataError: if an array is not three-dimensional or not of the geometry's shape.
    """

    pre: np.ndarray
    early: np.ndarray
    late: np.ndarray
    geometry: Geometry
    mask: np.ndarray | None = None
    clinical: Mapping[str, object] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    lesions: tuple[Lesion, ...] = ()
    dynamic: Dynamic | None = None

    def __post_init__(self) -> None:
        arrays = dict(zip(PHASE_NAMES, self.phases, strict=True))
        if self.mask is not None:
            arrays["mask"] = self.mask
        arrays |= {lesion.name: lesion.mask for lesion in self.lesions}
        for name, array in arrays.items():
            if array.shape != self.geometry.shape:
                raise DataError(
                    f"the {name} array must have shape {self.geometry.shape} (slices, rows, columns) like the exam, "
                    f"got {array.shape}; give volumes on one grid"
                )

    @property
    def phases(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return pre, early and late phase."""
        return self.pre, self.early, self.late

    @property
    def has_tumour(self) -> bool:
        """Return True if there is a mask that is not empty."""
        return self.mask is not None and bool(np.any(self.mask))

    @property
    def centre(self) -> np.ndarray:
        """Return LPS mm, (3,), of the tumour's centroid; without a tumour, of the middle of the exam.

        A voxel's centre is at its index. The middle of n voxels is therefore at (n - 1) / 2.
        """
        if not self.has_tumour:
            return self.geometry.to_physical((np.array(self.geometry.size) - 1) / 2)
        box = bounding_box(np.asarray(self.mask))
        voxels = np.nonzero(np.asarray(self.mask)[box])
        index = [axis.mean() + span.start for axis, span in zip(voxels, box, strict=True)]
        return self.geometry.to_physical(np.array(index[::-1]))

    def with_lesions(self, lesions: Sequence[Lesion]) -> Exam:
        """Return the exam with these tumours: `mask` is the largest one's, empty ones are left out.

        A single tumour is the mask alone, whatever its name. Labels are kept if all have different ones, else they are
        the numbers from 1 in the order given.
        """
        sizes = [int(np.count_nonzero(lesion.mask)) for lesion in lesions]
        labels = {lesion.label for lesion in lesions} - {None}
        if len(labels) < len(lesions):
            lesions = [replace(lesion, label=number) for number, lesion in enumerate(lesions, 1)]
        found = tuple(lesions[n] for n in sorted(range(len(lesions)), key=lambda n: -sizes[n]) if sizes[n])
        mask = found[0].mask if found else np.zeros(self.geometry.shape, np.uint8)
        return replace(self, mask=mask, lesions=found if len(found) > 1 else ())

    def labelled_mask(self) -> np.ndarray:
        """Return the tumours in one array, uint8 or, for labels from 256, uint16 (k, j, i): 1, or each its label.

        Where tumours overlap, the largest one's label stands. The exam must have a mask.
        """
        if not self.lesions:
            return np.asarray(np.asarray(self.mask) != 0).astype(np.uint8)
        labels = [int(lesion.label or 0) for lesion in self.lesions]
        array = np.zeros(self.geometry.shape, np.min_scalar_type(max(labels)))
        for lesion, label in reversed([*zip(self.lesions, labels, strict=True)]):
            array[lesion.mask != 0] = label
        return array

    def with_clinical(self, given: Mapping[str, object]) -> Exam:
        """Return the exam with clinical variables that replace those of its source; names are compared without case.

        A notice names each value that differs from the source's.
        """
        new = {str(name).strip().lower(): value for name, value in given.items()}
        kept = {name: value for name, value in self.clinical.items() if name.strip().lower() not in new}
        old = {name.strip().lower(): value for name, value in self.clinical.items() if name not in kept}
        differ = [
            Notice("clinical_replaced", f"{name} is {new[name]} as given; the exam's source has {value}, not used.")
            for name, value in old.items()
            if contradict(value, new[name])
        ]
        origin = self.provenance
        provenance = replace(
            origin,
            unusable=tuple(name for name in origin.unusable if name not in new),
            clinical_from={**origin.clinical_from, **dict.fromkeys(new, "given")},
            notices=(*origin.notices, *differ),
        )
        return replace(self, clinical={**kept, **given}, provenance=provenance)


def exam_to_json(exam: Exam) -> dict[str, object]:
    """Return the description of the exam in `prediction.json`, which does not identify the patient.

    Args:
        exam: that was predicted.

    Returns:
        Plain values, None if unknown.
    """
    provenance, unknown = exam.provenance, (None, None, None)
    picked = provenance.picked
    numbers = picked.phases if picked is not None else unknown
    series = picked.series if picked is not None else unknown
    times = zip(provenance.phase_times or unknown, provenance.after_injection, provenance.after_first_post, strict=True)
    keys = ("index", "series", "seconds", "after_injection", "after_first_post")
    each = zip(PHASE_NAMES, numbers, series, times, strict=True)
    return {
        "source": provenance.source,
        "phases_found": picked.found if picked is not None else None,
        "phases": {name: dict(zip(keys, (n, of, *time), strict=True)) for name, n, of, time in each},
        "injection_seconds": provenance.injection,
        "size": list(exam.geometry.size),
        "spacing_mm": list(exam.geometry.spacing),
        "positions": "LPS, mm",
        "left_aside": [vars(item) for item in provenance.left_aside],
    }
