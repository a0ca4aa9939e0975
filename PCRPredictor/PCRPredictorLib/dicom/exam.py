"""Reading a DCE-MRI exam from a folder of DICOM files.

Vendors store the phases of a dynamic acquisition differently. GE writes one series (or one for the pre-contrast phase
and one for the others), in which trigger time or temporal position distinguish the phases. Siemens writes one series
per phase with different acquisition times. Philips writes one series with temporal positions, often with one
acquisition time for all. Canon may write a series per slice position. Each may write Enhanced MR instead, with all
phases in one file, one file per phase or one per slice (see `frames`). Only headers are read to sort the phases, and
only the pixels of the three phases that are used (of the others for curves). What is not used is recorded with the
reason (see `aside`).
"""

import math
import warnings
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..enhancement import seems_enhanced
from ..errors import DataError, Notice
from ..exam import Exam, LeftAside, Picked, Provenance
from ..files.limits import EXAM
from ..geometry import EXACT
from ..phases import find_first_post, pick_phases
from .acquisitions import find_sets, whole_phases
from .aside import Account, explain_too_few
from .folder import ImageFile, digest_pixels, drop_copies, read_folder
from .frames import dynamic_of, read_pixels
from .headers import tag_integer, tag_text, tag_years
from .identity import check_patient, check_studies, check_visit, warn_of_text
from .injection import about_injection, find_first_contrast, injection_time
from .kinds import named_otherwise
from .phases import DicomPhase
from .times import (
    by_number,
    clock_times,
    has_long_pause,
    moment_of,
    repeated_acquisitions,
    warn_of_order,
    why_first_is_missing,
)

_WATER = {"W", "WATER"}  # image types of the fat-suppressed one among the images of Dixon
_UNEVEN_ACROSS, _UNEVEN_ALONG = 0.5, 0.15  # voxels between a slice and its place; a missing slice moves one by a half


@dataclass(frozen=True, eq=False)
class DicomExam:
    """The phases of the dynamic acquisition in a folder.

    Args:
        phases: in the order of time, also those with a fault.
        times: seconds of each phase after the first, None if unknown.
        injection: seconds of the injection after the first phase, if known; negative before it.
        patient_id: never shown in a message.
        age: years, if known.
        age_unusable: whether the headers have an invalid age.
        first_post: position of the first phase after contrast.
        left_aside: files and series of the folder that are not phases.
        notices: warnings about what was guessed.
    """

    phases: tuple[DicomPhase, ...]
    times: tuple[float | None, ...]
    injection: float | None
    patient_id: str | None
    age: float | None
    age_unusable: bool = False
    first_post: int = 1
    left_aside: tuple[LeftAside, ...] = ()
    notices: tuple[Notice, ...] = ()

    def __str__(self) -> str:
        lines = (
            f"{k}: {phase.series}" + ("" if time is None else f" at {time:.0f} s") + f" {phase.fault}".rstrip()
            for k, (phase, time) in enumerate(zip(self.phases, self.times, strict=True))
        )
        return ", ".join(lines)


def read_dicom_exam(folder: Path, pick: Sequence[int] | None = None, files: Collection[Path] = ()) -> Exam:
    """Read the exam in a folder of DICOM files, without a mask; of the clinical variables the headers have the age.

    Args:
        folder: with the files of one patient, in any order and depth.
        pick: positions of pre, early and late among the phases found, from 0; see `pick_phases` for the default. Then
            what may be a phase but cannot be used is a warning, not refused.
        files: of the folder that are read, such as those of one study; empty for all.

    Raises:
        DataError: if there is not exactly one usable dynamic acquisition of one patient.
    """
    found = find_phases(folder, bool(pick), files)
    chosen = tuple(pick) if pick else pick_phases(found.times, found.injection, found.first_post)
    if len(chosen) != 3 or len(set(chosen)) != 3 or not all(0 <= k < len(found.phases) for k in chosen):
        raise DataError(f"pick must be three different phases, got {chosen}; the folder has {found}")
    phases = [found.phases[k] for k in chosen]
    for k, phase in zip(chosen, phases, strict=True):
        if phase.fault:
            raise DataError(f"phase {k} cannot be used, it {phase.fault}; pick others, the folder has {found}")
        if problem := phase.geometry.problem():
            raise DataError(f"{phase.series}: {problem}; export the series again")
        _refuse_uneven(phase)
    _refuse_large(phases)
    pre, early, late = (read_pixels(phase.slices, phase.series) for phase in phases)
    found = replace(found, notices=(*found.notices, *_warn_of_grids(phases), *_warn_of_contrast(pre, early)))
    clinical = {} if found.age is None else {"age": found.age}
    origin, dynamic = _origin(found, chosen, bool(pick)), dynamic_of(found.phases, found.times, chosen)
    origin = replace(origin, clinical_from=dict.fromkeys(clinical, "dicom"))
    return Exam(pre, early, late, phases[0].geometry, None, clinical, origin, dynamic=dynamic)


def _refuse_large(phases: Sequence[DicomPhase]) -> None:
    voxels = sum(math.prod(phase.geometry.size) for phase in phases)
    size = voxels * max(tag_integer(phase.first, "BitsAllocated") // 8 or 2 for phase in phases)
    if size > EXAM:
        raise DataError(
            f"{phases[0].series}: the phases must take at most {EXAM / 2**30:.3g} GB of memory, got "
            f"{size / 2**30:.3g} GB; crop the images around the breasts"
        )


def find_phases(folder: Path, by_hand: bool = False, files: Collection[Path] = ()) -> DicomExam:
    """Find the dynamic acquisition in a folder: the largest set of phases of one kind on one lattice.

    Args:
        folder: with the files of one patient.
        by_hand: whether the user chooses the phases: then what may be a phase but cannot be used is only recorded.
        files: of the folder that are read; empty for all.

    Raises:
        DataError: if the folder has no DICOM images, several patients, studies or acquisitions to choose from, fewer
            than three whole phases, or something that may be a phase and cannot be used.
    """
    folder = Path(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of pydicom, about values that the standard does not allow
        images, others = read_folder(folder, files)
        notices = check_patient(folder, [image.header for image in images])
        images, copies = drop_copies(images)
        sets, rejected = find_sets(images)
        check_studies(folder, [same for same in sets if len(whole_phases(same)) >= 3])
        if len(whole_phases(max(sets, key=lambda same: len(whole_phases(same)), default=[]))) < 3:
            raise DataError(explain_too_few(folder, sets, rejected, others))
        chosen = _choose(folder, sets)
        notices += [*check_visit(folder, chosen), *warn_of_text(chosen)]
        account = Account(folder)
        account.add_copies(copies)
        found = _in_order(_without_doubles(folder, _without_others(chosen, account), images, account))
        account.add_faults(found.phases)
        for same in (same for same in sets if same is not chosen):
            account.add_set(same, found.phases)
        account.add_images(rejected, found.phases)
        used = [s.file for phase in chosen for s in phase.slices]
        least = min(len({s.file for s in phase.slices}) for phase in whole_phases(found.phases))
        account.add_files(others, used, {image.file for image in images} - set(used), least)
        account.refusals += _doubts(found, images)
    if account.refusals and not by_hand:
        raise DataError(
            f"{folder}: {'; '.join(account.refusals)}; copy again what is of the exam and leave out the rest, or "
            f"choose three phases with --pick ({found})"
        )
    return replace(found, left_aside=tuple(account.entries), notices=(*notices, *found.notices))


def _choose(folder: Path, sets: Sequence[Sequence[DicomPhase]]) -> Sequence[DicomPhase]:
    """Return the acquisition with most whole phases, of Dixon the water images."""
    most = max(len(whole_phases(same)) for same in sets)
    largest = [same for same in sets if len(whole_phases(same)) == most]
    largest = [same for same in largest if not _WATER.isdisjoint(same[0].kind.image_type)] or largest
    if len(largest) > 1:
        first, second = largest[0][0], largest[1][0]
        names = " or ".join(dict.fromkeys(same[0].series for same in largest))
        difference = second.kind.difference(first.kind) or "grids differ"
        raise DataError(
            f"{folder}: has several dynamic series, {names} (of the second, the {difference}); give a folder with only "
            "one of them"
        )
    return largest[0]


def _without_others(phases: Sequence[DicomPhase], account: Account) -> Sequence[DicomPhase]:
    """Return phases without those that are named like other images, if three others are whole."""
    words = [named_otherwise(tag_text(phase.first, "SeriesDescription")) for phase in phases]
    kept = [phase for phase, word in zip(phases, words, strict=True) if not word]
    if len(whole_phases(kept)) < 3:
        return phases
    for phase, word in zip(phases, words, strict=True):
        if word:
            account.add(phase.series, f"is named like other images ({word})", len({s.file for s in phase.slices}), True)
    return kept


def _without_doubles(
    folder: Path, phases: Sequence[DicomPhase], images: Iterable[ImageFile], account: Account
) -> list[DicomPhase]:
    """Return phases without identical copies in a different series.

    Raises:
        DataError: if two series show the same moment: they are one phase in two versions, and to choose is a guess.
    """
    moments = [moment_of(phase) for phase in phases]
    if None in moments or len(set(moments)) == 1:
        return list(phases)
    files = {image.file: image for image in images}
    kept: dict[object, DicomPhase] = {}
    for phase, moment in zip(phases, moments, strict=True):
        other = kept.setdefault(moment, phase)
        if other is phase:
            continue
        contents = [
            [(digest_pixels(files[s.file]), s.frame, str(s.header.get("RescaleSlope"))) for s in one.slices]
            for one in (phase, other)
        ]
        if contents[0] != contents[1]:
            raise DataError(
                f"{folder}: {other.series} and {phase.series} were taken at the same time; give a folder with only the "
                "series of the dynamic acquisition"
            )
        account.add(phase.series, f"is an identical copy of {other.series}", len({s.file for s in phase.slices}))
    return list(kept.values())


def _in_order(phases: Sequence[DicomPhase]) -> DicomExam:
    """Sort phases by the first clock that distinguishes all of them, else by their numbers."""
    first = phases[0].first
    years, has_age = tag_years(first), bool(tag_text(first, "PatientAge"))
    patient = tag_text(first, "PatientID") or None, years, has_age and years is None
    if (clock := clock_times(phases)) is None:
        ordered = by_number(phases)
        first_post = find_first_contrast(ordered) or 1
        unknown = (None,) * len(ordered)
        return DicomExam(tuple(ordered), unknown, None, *patient, first_post, notices=tuple(warn_of_order(ordered)))
    order = np.argsort(clock)
    times = tuple(float(clock[k] - min(clock)) for k in order)
    ordered = [phases[k] for k in order]
    injection = injection_time(ordered, times[-1])
    first_post = find_first_contrast(ordered) or find_first_post(times, injection)
    notices = (*about_injection(ordered, injection), *warn_of_order(ordered))
    return DicomExam(tuple(ordered), times, injection, *patient, first_post, notices=notices)


def _doubts(found: DicomExam, images: Iterable[ImageFile]) -> list[str]:
    """Return signs that the phases are not one acquisition from the pre-contrast phase on."""
    first = found.phases[0]
    doubts = [f"has two dynamic acquisitions, {one} and {other}" for one, other in repeated_acquisitions(found.phases)]
    if has_long_pause(found.times):
        doubts.append("a long pause divides the phases, as if there were two dynamic acquisitions")
    is_before_contrast = find_first_contrast(found.phases) is not None or (found.injection or 0.0) > 0
    reason = "" if is_before_contrast else why_first_is_missing(found.phases, [image.header for image in images])
    if reason:
        doubts.append(f"the pre-contrast phase may be missing, since of the first phase, {first.series}, {reason}")
    return doubts


def _refuse_uneven(phase: DicomPhase) -> None:
    """Refuse slices that do not lie on a lattice: some are missing from every phase."""
    index = phase.geometry.to_index(phase.positions)
    off = np.abs(index - np.arange(len(index))[:, None] * (0, 0, 1)).max(axis=0)
    if max(off[:2]) > _UNEVEN_ACROSS or off[2] > _UNEVEN_ALONG:
        raise DataError(f"{phase.series}: slices are missing, their distances differ; copy the whole series again")


def _warn_of_grids(phases: Sequence[DicomPhase]) -> list[Notice]:
    """Return a warning if the grids of the phases differ by more than rounding, but by less than a tenth of a voxel."""
    offset = max(phase.geometry.offset(phases[0].geometry) for phase in phases)
    if offset < EXACT:
        return []
    message = f"The grids of the phases differ by up to {offset:.2g} voxels; that of the pre-contrast phase was used."
    return [Notice("phases_off_grid", message)]


def _warn_of_contrast(pre: np.ndarray, early: np.ndarray) -> list[Notice]:
    """Return a warning if the first phase seems to show contrast already."""
    if not seems_enhanced(pre, early):
        return []
    message = (
        "From the first to the early phase hardly more brightens than darkens: the first may already show contrast. "
        "Check that the pre-contrast phase is in the folder."
    )
    return [Notice("pre_enhanced", message)]


def _origin(found: DicomExam, chosen: Sequence[int], by_hand: bool) -> Provenance:
    """Describe where the chosen phases come from."""
    phases = [found.phases[k] for k in chosen]
    times = [found.times[k] for k in chosen]
    known = None if None in times else tuple(time - times[0] for time in times)  # type: ignore[operator]
    files, frames = _files_of(phases[1])
    series = tuple(phase.series_number for phase in phases)
    picked = Picked(len(found.phases), tuple(chosen), series, by_hand)  # type: ignore[arg-type]
    start, first_post = times[0], found.times[min(max(found.first_post, chosen[0] + 1), len(found.times) - 1)]
    return Provenance(
        "dicom",
        known,  # type: ignore[arg-type]
        found.patient_id,
        files,
        picked,
        ("age",) if found.age_unusable else (),
        frames,
        found.left_aside,
        found.notices,
        injection=None if found.injection is None or start is None else found.injection - start,
        first_post=None if first_post is None or start is None else first_post - start,
    )


def _files_of(phase: DicomPhase) -> tuple[tuple[Path, ...], tuple[int, ...]]:
    """Return the file of each slice, and its frame number in Enhanced MR; one file if it holds all slices."""
    files, frames = tuple(s.file for s in phase.slices), tuple(s.frame for s in phase.slices if s.frame is not None)
    if frames and len(frames) < len(files):  # a mixture of both kinds
        return (), ()
    return (files[:1] if frames and len(set(files)) == 1 else files), frames
