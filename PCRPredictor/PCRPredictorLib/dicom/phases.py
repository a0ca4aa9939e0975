"""From slices to phases: what one series or many hold is divided by position and time, and phases are compared.

Slices are grouped by what they are: settings, matrix and orientation, then by series. Series of one position or one
file each, which Canon and de-identifiers write (rordenlab/dcm2niix, issue 495), are joined first.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pydicom

from ..geometry import ON_GRID, Geometry
from .headers import (
    PHASE_TAGS,
    as_floats,
    name_series,
    tag_integer,
    tag_number,
    tag_seconds,
    tag_text,
    tag_value,
)
from .kinds import Kind, Slice

_SLICE_TAGS = ("TriggerTime", "AcquisitionDateTime", "AcquisitionTime", "InstanceNumber")
_SAME_PLACE = 0.2  # mm along the normal: more than rounding in headers, less than any distance between slices
_ROUNDING = 0.05  # mm in plane
_PHASE_WORDS = {"pre", "post", "phase", "ph", "pass", "contrast", "gd", "c"}  # they differ between names of phases


@dataclass(frozen=True, eq=False)
class DicomPhase:
    """One phase of a dynamic acquisition: its slices in the order of their positions along the normal.

    Args:
        slices: one per position, unless it has a fault.
        fault: why it cannot be used, such as "has 4 of 10 slices"; else empty.
    """

    slices: tuple[Slice, ...]
    fault: str = ""

    @property
    def first(self) -> pydicom.Dataset:
        """Return the header of the first slice."""
        return self.slices[0].header

    @property
    def series(self) -> str:
        """Return number and description of its series, for messages."""
        return name_series(self.first)

    @property
    def series_number(self) -> int | None:
        """Return the number of its series."""
        return tag_integer(self.first, "SeriesNumber") or None

    @property
    def stem(self) -> str | None:
        """Return the description without numbers and words for phases, which phases in separate series share."""
        return stem_of(self.first)

    @property
    def kind(self) -> Kind:
        """Return the settings that phases of one acquisition share."""
        return self.slices[0].kind

    @property
    def positions(self) -> np.ndarray:
        """Return the position in mm of the first voxel of each slice, (slices, 3)."""
        return np.array([as_floats(s.header.ImagePositionPatient) for s in self.slices])

    @property
    def geometry(self) -> Geometry:
        """Return its lattice from the headers."""
        across, down = np.reshape(as_floats(self.first.ImageOrientationPatient), (2, 3))
        steps = len(self.slices) - 1
        depth = (self.slices[-1].position - self.slices[0].position) / steps if steps else 1.0
        rows, columns = as_floats(self.first.PixelSpacing)
        return Geometry(
            (int(self.first.Columns), int(self.first.Rows), len(self.slices)),
            (columns, rows, depth or 1.0),
            tuple(as_floats(self.first.ImagePositionPatient)),  # type: ignore[arg-type]
            np.stack([across, down, np.cross(across, down)], axis=1),
        )

    def clock(self, tag: str, delay: str | None = None) -> float | None:
        """Return the earliest time of its slices in seconds, plus their delay if any; None if most have no time."""
        times = [tag_seconds(s.header, tag) for s in self.slices]
        delays = [(tag_seconds(s.header, delay) or 0.0) if delay else 0.0 for s in self.slices]
        known = [time + wait for time, wait in zip(times, delays, strict=True) if time is not None]
        return min(known) if 2 * len(known) > len(self.slices) else None


def stem_of(header: pydicom.Dataset) -> str | None:
    """Return the description of a series without numbers and words for phases; None without a description."""
    if not (description := tag_text(header, "SeriesDescription").lower()):
        return None
    words = re.findall(r"[^\W\d_]+", re.sub(r"\d+(st|nd|rd|th)?", " ", description))
    return " ".join(word for word in words if word not in _PHASE_WORDS)


def divide_slices(slices: Iterable[Slice]) -> list[list[DicomPhase]]:
    """Return the phases among slices, in one list for each set of settings, matrix and orientation."""
    families: list[list[list[Slice]]] = []
    buckets = defaultdict(list)
    for item in slices:
        h = item.header
        plane = (str(h.PixelSpacing), str(h.ImageOrientationPatient))
        buckets[h.Rows, h.Columns, plane, item.kind].append(item)
    for bucket in buckets.values():
        for family in families:
            if not bucket[0].kind.difference(family[0][0].kind) and _same_plane(bucket[0].header, family[0][0].header):
                family.append(bucket)
                break
        else:
            families.append([bucket])
    together = [[item for bucket in family for item in bucket] for family in families]
    return [[phase for group in _by_series(family) for phase in split_series(group)] for family in together]


def split_series(group: Sequence[Slice]) -> list[DicomPhase]:
    """Divide a series into phases, each with a position at most once; one phase with a fault if that fails."""
    stacks = _by_position(group)
    counts = Counter(len(stack) for stack in stacks)
    if max(counts) == 1:
        return [as_phase(group)]
    for repeats, doubles in ((max(counts), False), (counts.most_common(1)[0][0], True)):
        for tag in PHASE_TAGS:
            if parts := _by_value(stacks, tag, repeats, doubles):
                return parts
        for tag in () if doubles else _SLICE_TAGS:
            if parts := _by_rank(stacks, tag) if len(counts) == 1 else _by_run(stacks, tag, repeats):
                return parts
        if parts := [] if doubles else _by_block(stacks, repeats):
            return parts
    times = f"has every slice {max(counts)} times, and nothing tells them apart"
    return [replace(as_phase(group), fault=times if len(counts) == 1 else "has slices that are missing or doubled")]


def as_phase(slices: Iterable[Slice]) -> DicomPhase:
    """Return slices as a phase, in the order of their positions."""
    return DicomPhase(tuple(sorted(slices, key=lambda s: s.position)))


def find_acquisitions(phases: Iterable[DicomPhase]) -> list[list[DicomPhase]]:
    """Return sets of phases of one family that share most slices; those that differ from most have a fault."""
    sets: list[list[DicomPhase]] = []
    for phase in sorted(phases, key=lambda phase: (bool(phase.fault), -len(phase.slices))):
        for same in sets:
            if share_slices(same[0], phase):
                same.append(phase)
                break
        else:
            sets.append([phase])
    return [_with_faults(same) for same in sets]


def share_slices(one: DicomPhase, other: DicomPhase) -> bool:
    """Return True if at least half of the slices of the shorter of two phases are slices of the other one, too."""
    few, many = sorted((one, other), key=lambda phase: len(phase.slices))
    between = few.positions[:, None] - many.positions
    along = between @ many.geometry.direction[:, 2]
    across = np.linalg.norm(between - along[..., None] * many.geometry.direction[:, 2], axis=-1)
    same = (np.abs(along) < _SAME_PLACE) & (across < max(_ROUNDING, ON_GRID * min(many.geometry.spacing[:2])))
    return bool(2 * np.count_nonzero(same.any(axis=1)) >= len(few.slices))


def _with_faults(same: Sequence[DicomPhase]) -> list[DicomPhase]:
    """Return phases of one lattice; those whose slices are not those of most of them have a fault."""
    ordered = sorted((s.position, n, k) for n, phase in enumerate(same) for k, s in enumerate(phase.slices))
    places = np.cumsum(np.diff([position for position, _, _ in ordered], prepend=ordered[0][0]) > _SAME_PLACE)
    held: list[set[int]] = [set() for _ in same]
    for (_, n, _), place in zip(ordered, places, strict=True):
        held[n].add(int(place))
    counts = Counter(frozenset(own) for own, phase in zip(held, same, strict=True) if not phase.fault)
    usual = max(counts, key=lambda own: (counts[own], len(own)), default=frozenset())
    return [
        phase if phase.fault else replace(phase, fault=_fault_of(phase, own, usual))
        for own, phase in zip(held, same, strict=True)
    ]


def _fault_of(phase: DicomPhase, own: set[int], usual: frozenset[int]) -> str:
    """Return why a phase with slices at some places cannot be used among others; nothing if it can."""
    if usual - own and own - usual:
        return f"has {len(own & usual)} of the {len(usual)} slices of the other phases"
    if own != usual:
        return f"has {len(own)} {'of' if len(own) < len(usual) else 'slices instead of'} {len(usual)} slices"
    if len(own) == 1:
        return "has a single slice"
    if damaged := [s.fault for s in phase.slices if s.fault]:
        return f"has {len(damaged)} of {len(phase.slices)} images that cannot be used (the first {damaged[0]})"
    return ""


def _same_plane(one: pydicom.Dataset, other: pydicom.Dataset) -> bool:
    """Return True if spacing and orientation of two images move no voxel by a tenth."""
    if (one.Rows, one.Columns) != (other.Rows, other.Columns):
        return False
    size = np.array([one.Columns, one.Rows])
    steps = [
        np.reshape(as_floats(h.ImageOrientationPatient), (2, 3)) * np.array(as_floats(h.PixelSpacing))[::-1, None]
        for h in (one, other)
    ]
    moved = np.abs((steps[0] - steps[1]) * size[:, None]).sum(axis=0)
    return bool(np.linalg.norm(moved) < ON_GRID * min(as_floats(one.PixelSpacing)))


def _by_series(family: Sequence[Slice]) -> list[list[Slice]]:
    """Return slices by series; series of a single position are joined if they have one number."""
    series = defaultdict(list)
    for item in family:
        series[tag_text(item.header, "SeriesInstanceUID")].append(item)
    joined: dict[str, list[Slice]] = defaultdict(list)
    groups = []
    for group in series.values():
        if len(_by_position(group)) > 1:
            groups.append(group)
        else:
            joined[tag_text(group[0].header, "SeriesNumber")] += group
    return [*groups, *joined.values()]


def _by_position(group: Sequence[Slice]) -> list[list[Slice]]:
    """Return slices by their position along the normal."""
    ordered = sorted(group, key=lambda s: s.position)
    places = np.cumsum(np.diff([s.position for s in ordered], prepend=ordered[0].position) > _SAME_PLACE)
    stacks: list[list[Slice]] = [[] for _ in range(places[-1] + 1)]
    for item, place in zip(ordered, places, strict=True):
        stacks[place].append(item)
    return stacks


def _by_value(stacks: Sequence[Sequence[Slice]], tag: str, repeats: int, doubles: bool) -> list[DicomPhase]:
    """Return phases of one value of a tag each; empty if there are not as many values as repeated positions."""
    parts: dict[str, list[Slice]] = defaultdict(list)
    twice: Counter[str] = Counter()
    for stack in stacks:
        for item in stack:
            parts[str(tag_value(item.header, tag))].append(item)
        here = Counter(str(tag_value(item.header, tag)) for item in stack)
        twice.update(value for value, count in here.items() if count > 1)
    if len(parts) != repeats or (twice and not doubles):
        return []
    return [replace(as_phase(part), fault=_fault_of_doubles(twice[value])) for value, part in parts.items()]


def _fault_of_doubles(count: int) -> str:
    slices = "a slice" if count == 1 else f"{count} slices"
    return f"has {slices} twice, with different pixels" if count else ""


def _by_rank(stacks: Sequence[Sequence[Slice]], tag: str) -> list[DicomPhase]:
    """Return phases of which the n-th has the n-th slice of each position by a number or time; empty if it has none."""
    ranked = [_ranked(stack, tag) for stack in stacks]
    return [as_phase(part) for part in zip(*ranked, strict=True)] if all(ranked) else []


def _by_run(stacks: Sequence[Sequence[Slice]], tag: str, repeats: int) -> list[DicomPhase]:
    """Return phases that follow each other by a number or time, if some lack slices; empty if that is not clear."""
    place = {id(item): n for n, stack in enumerate(stacks) for item in stack}
    runs: list[dict[int, Slice]] = [{}]
    ordered = _ranked([item for stack in stacks for item in stack], tag)
    for item in ordered:
        if place[id(item)] in runs[-1]:
            runs.append({})
        runs[-1][place[id(item)]] = item
    steady = all(list(run) in (sorted(run), sorted(run, reverse=True)) for run in runs)
    return [as_phase(run.values()) for run in runs] if ordered and steady and len(runs) == repeats else []


def _by_block(stacks: Sequence[Sequence[Slice]], repeats: int) -> list[DicomPhase]:
    """Return phases of images that are numbered position by position, if some are missing; empty if they are not."""
    numbers = [[tag_integer(s.header, "InstanceNumber") for s in stack] for stack in stacks]
    first = min(map(min, numbers))
    blocks = [{(number - first) // repeats for number in own} for own in numbers]
    if not first or any(len(block) > 1 for block in blocks) or len(set(map(min, blocks))) < len(stacks):
        return []
    parts = defaultdict(list)
    for stack, own in zip(stacks, numbers, strict=True):
        for item, number in zip(stack, own, strict=True):
            parts[(number - first) % repeats].append(item)
    unique = all(len(set(own)) == len(own) for own in numbers)
    return [as_phase(part) for part in parts.values()] if unique and len(parts) == repeats else []


def _ranked(stack: Sequence[Slice], tag: str) -> list[Slice]:
    """Return slices in the order of a number or time; empty if it does not distinguish all of them."""
    values = [tag_seconds(s.header, tag) if "Time" in tag else tag_number(s.header, tag) for s in stack]
    known = [value for value in values if value is not None]
    return [stack[k] for k in np.argsort(known)] if len(set(known)) == len(stack) else []
