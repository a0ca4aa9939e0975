"""What of a folder is not used, with the reason, and whether the exam can be trusted without it.

Everything is recorded (`LeftAside`). What may be a phase is a warning. What may be the pre-contrast phase, or lacks
slices, is refused unless the user chose the phases, since an enhanced phase would pass for it.
Names are those of series: file names in hospitals may be those of patients, so only a refusal shows them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pydicom

from ..exam import LeftAside
from ..geometry import describe_difference
from .folder import NOT_DICOM, ImageFile, OtherFile, name_files
from .headers import name_series, tag_integer, tag_text
from .phases import DicomPhase, share_slices, stem_of
from .times import by_number, is_named_pre, moment_of

_PLURAL = (("is ", "are "), ("has ", "have "), ("belongs ", "belong "), ("leads ", "lead "))
_FINER = 0.9  # of a voxel's volume: a second acquisition that is finer is not passed over for one of more phases
_PARALLEL = 0.98  # cosine between normals of series that show the same plane


@dataclass(frozen=True, eq=False)
class Rejected:
    """An image that is no slice of a phase; `certain` if it cannot be one, else only something is missing."""

    file: Path
    header: pydicom.Dataset
    reason: str
    certain: bool


@dataclass(eq=False)
class Account:
    """Record of what is not used: `entries` for the result, and `refusals`, reasons not to use the exam without it."""

    folder: Path
    entries: list[LeftAside] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def add(self, name: str, reason: str, files: int, looks_like_phase: bool = False, refused: bool = False) -> None:
        """Add an entry, and a refusal if the exam cannot be trusted without it."""
        self.entries.append(LeftAside(name, reason, files, looks_like_phase))
        if refused:
            self.refusals.append(f"{name} may be a phase of the exam but {reason}")

    def add_faults(self, phases: Sequence[DicomPhase]) -> None:
        """Add the phases of the acquisition that cannot be used, with their numbers for --pick."""
        for number, phase in enumerate(phases):
            if phase.fault:
                files = len({s.file for s in phase.slices})
                self.add(f"phase {number}, {phase.series},", phase.fault, files, True)
                self.refusals.append(f"phase {number}, {phase.series}, {phase.fault}{_damaged(self.folder, phase)}")

    def add_copies(self, copies: Iterable[ImageFile]) -> None:
        """Add images that are identical to others."""
        for name, files in _by_name((name_series(image.header), image.file) for image in copies).items():
            self.add(name, "has identical copies of other images", len(set(files)))

    def add_set(self, same: Sequence[DicomPhase], chosen: Sequence[DicomPhase]) -> None:
        """Add phases of one grid that are not of the acquisition which is used."""
        used = chosen[0]
        is_second = sum(not phase.fault for phase in same) >= 3 and not all(_is_version(p, chosen) for p in same)
        is_finer = same[0].geometry.voxel_volume < _FINER * used.geometry.voxel_volume
        second = f"is of a second dynamic acquisition, since {_why(same[0], used)}"
        grouped = defaultdict(list)
        for phase in same:
            grouped[phase.series, second if is_second else _why(phase, used)].append(phase)
        for (name, reason), found in grouped.items():
            looks = [phase for phase in found if _looks_alike(phase, chosen)]
            few = len(same) < 3 and any(_belongs_to(phase, used) for phase in looks)
            refused = few or (is_second and is_finer) or any(_may_be_first(phase, chosen) for phase in looks)
            files = {s.file for phase in found for s in phase.slices}
            self.add(name, reason, len(files), is_second or bool(looks), refused)

    def add_images(self, rejected: Iterable[Rejected], chosen: Sequence[DicomPhase]) -> None:
        """Add images that are no slices of a phase, by series."""
        grouped = defaultdict(list)
        for item in rejected:
            grouped[name_series(item.header), item.reason].append(item)
        size, stem = chosen[0].geometry.size[:2], chosen[0].stem
        for (name, reason), items in grouped.items():
            possible = [item.header for item in items if not item.certain]
            same_name = any(stem is not None and stem_of(header) == stem for header in possible)
            same_size = any((tag_integer(h, "Columns"), tag_integer(h, "Rows")) == size for h in possible)
            files = len({item.file for item in items})
            self.add(name, reason, files, same_name or same_size, same_name and same_size)

    def add_files(self, others: Iterable[OtherFile], used: Iterable[Path], unused: Iterable[Path], least: int) -> None:
        """Add files without an image.

        Args:
            others: the files.
            used: files of phases that are used.
            unused: files of other series; an unreadable file that lies only among them is one of theirs.
            least: number of files of a phase; fewer files that were never DICOM are no phase.
        """
        homes = {file.parent for file in unused} - {file.parent for file in used}
        grouped = defaultdict(list)
        for item in others:
            doubtful = item.may_be_image and item.file.parent not in homes
            grouped[item.series, item.reason, item.may_be_image, doubtful].append(item.file)
        for (series, reason, unreadable, doubtful), files in grouped.items():
            name = series or f"{len(files)} {'unreadable ' * unreadable}file{'s' * (len(files) > 1)}"
            several = not series and len(files) > 1
            verb = next((reason.replace(one, many, 1) for one, many in _PLURAL if several and one in reason), reason)
            self.add(name, verb, len(files), doubtful)
            if doubtful and (reason != NOT_DICOM or len(files) >= least):
                self.refusals.append(f"{name} {verb}: {name_files(self.folder, files)}")


def explain_too_few(
    folder: Path,
    sets: Iterable[Sequence[DicomPhase]],
    rejected: Iterable[Rejected],
    others: Iterable[OtherFile],
) -> str:
    """Return the message that explains why no set of three whole phases was found."""
    phases = by_number([phase for same in sets for phase in same])
    whole = [phase for phase in phases if not phase.fault]
    for one in whole:
        alike = [phase for phase in whole if _belongs_to_grid(phase, one)]
        other = next((phase for phase in alike if not share_slices(one, phase)), None)
        if other is not None and len(alike) >= 3:
            return (
                f"{folder}: the phases must lie on one grid, but {one.series} and {other.series} differ in "
                f"{describe_difference(one.geometry, other.geometry)}; export them from one registered series, or "
                "leave out what is not of the exam"
            )
    reasons: dict[str, dict[str, None]] = defaultdict(dict)
    for phase in phases:
        reasons[f", of which a phase {phase.fault}{_damaged(folder, phase)}" if phase.fault else ""][phase.series] = (
            None
        )
    for item in rejected:
        if not item.certain:
            reasons[f", which {item.reason}"][name_series(item.header)] = None
    names = [_shorten(list(series)) + reason for reason, series in sorted(reasons.items())]
    unread = [item.file for item in others if item.may_be_image]
    names += [f"{len(unread)} files that cannot be read, {name_files(folder, unread)}"] if unread else []
    most = max((sum(not phase.fault for phase in same) for same in sets), default=0)
    todo = "copy or export them again" if unread or set(reasons) - {""} else "add the missing ones"
    found = "; ".join(names) or "only other images"
    return f"{folder}: must have at least 3 whole phases on one grid, got {most} (found {found}); {todo}"


def _belongs_to_grid(one: DicomPhase, other: DicomPhase) -> bool:
    """Return True if two phases have one kind and one matrix."""
    return not one.kind.difference(other.kind) and one.geometry.size[:2] == other.geometry.size[:2]


def _belongs_to(one: DicomPhase, other: DicomPhase) -> bool:
    """Return True if kind, matrix and description assign two phases on different lattices to one acquisition."""
    return _belongs_to_grid(one, other) and one.stem is not None and one.stem == other.stem


def _why(phase: DicomPhase, used: DicomPhase) -> str:
    """Return why a phase is not of the acquisition of the one that is used."""
    if difference := phase.kind.difference(used.kind):
        return f"its {difference}"
    one, other = phase.geometry, used.geometry
    if one.size[:2] != other.size[:2]:
        if fault := phase.slices[0].fault:
            return f"has images that cannot be used (the first {fault})"
        return f"has {one.size[0]} x {one.size[1]} pixels instead of {other.size[0]} x {other.size[1]}"
    if _is_turned(phase, used):
        return "lies in a different plane"
    return f"lies on a different grid: {describe_difference(one, other)}"


def _is_turned(phase: DicomPhase, used: DicomPhase) -> bool:
    """Return True if two phases show different planes, such as sagittal and axial."""
    return bool(abs(phase.geometry.direction[:, 2] @ used.geometry.direction[:, 2]) < _PARALLEL)


def _damaged(folder: Path, phase: DicomPhase) -> str:
    """Return the names of the files of a phase that cannot be used, in brackets; nothing if there are none."""
    files = list(dict.fromkeys(s.file for s in phase.slices if s.fault))
    return f" ({name_files(folder, files)})" if files else ""


def _is_version(phase: DicomPhase, chosen: Sequence[DicomPhase]) -> bool:
    """Return True if a phase shows the moment of one that is used, such as the fat image of Dixon."""
    moments = {moment_of(other) for other in chosen}
    return len(moments) > 1 and moment_of(phase) in moments - {None}


def _looks_alike(phase: DicomPhase, chosen: Sequence[DicomPhase]) -> bool:
    """Return True if a phase of a different acquisition may be one of the phases, by plane, matrix, name and number."""
    used = chosen[0]
    if _is_version(phase, chosen):
        return False
    if _belongs_to(phase, used):
        return True
    if _is_turned(phase, used):
        return False
    if phase.stem is not None and phase.stem == used.stem:
        return True
    numbers = [tag_integer(other.first, "SeriesNumber") for other in chosen]
    between = min(numbers) < tag_integer(phase.first, "SeriesNumber") < max(numbers)
    same_size = phase.geometry.size[:2] == used.geometry.size[:2]
    return same_size and (between or phase.geometry.matches(used.geometry))


def _may_be_first(phase: DicomPhase, chosen: Sequence[DicomPhase]) -> bool:
    """Return True if a phase has the name of the acquisition, or a pre-contrast one, and does not come after it."""
    used = chosen[0]
    named = [is_named_pre(tag_text(other.first, "SeriesDescription")) for other in (phase, *chosen)]
    takes_its_place = named[0] and not any(named[1:]) and phase.geometry.matches(used.geometry)
    if not takes_its_place and (phase.stem is None or phase.stem != used.stem):
        return False
    times = [other.clock("AcquisitionTime", "TriggerTime") for other in (phase, used)]
    if times[0] is not None and times[1] is not None and times[0] != times[1]:
        return times[0] < times[1]
    numbers = [tag_integer(other.first, "SeriesNumber") for other in (phase, used)]
    return numbers[0] <= numbers[1]


def _shorten(names: Sequence[str]) -> str:
    """Return the first names of a list, for a message."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more series" if len(names) > 3 else "")


def _by_name(pairs: Iterable[tuple[str, Path]]) -> dict[str, list[Path]]:
    grouped = defaultdict(list)
    for name, file in pairs:
        grouped[name].append(file)
    return grouped
