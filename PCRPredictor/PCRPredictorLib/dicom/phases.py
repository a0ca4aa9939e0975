"""From slices to phases: a series is divided, and the phases of one acquisition are put in the order of time."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pydicom

from ..exam import Geometry
from .headers import (
    DYNAMIC_BEGIN,
    PHASE_TAGS,
    PLACE_TAGS,
    SECONDS_PER_DAY,
    Slice,
    as_floats,
    tag_integer,
    tag_number,
    tag_seconds,
)

_SLICE_TAGS = ("TriggerTime", "AcquisitionDateTime", "AcquisitionTime", "InstanceNumber")
_SHORTEST = 60.0  # s; a clock that spans less records storage, not acquisition
_SAME_PLACE = 0.05  # mm, as large as rounding in headers
_PHASE_WORDS = {"pre", "post", "phase", "ph", "pass", "contrast", "gd", "c"}  # they differ between names of phases


@dataclass(frozen=True, eq=False)
class DicomPhase:
    """One phase of a dynamic acquisition: its slices in the order of their positions along the normal."""

    slices: tuple[Slice, ...]

    @property
    def first(self) -> pydicom.Dataset:
        """Return the header of the first slice."""
        return self.slices[0].header

    @property
    def series(self) -> str:
        """Return number and description of its series, for messages."""
        return f"series {self.first.get('SeriesNumber', '?')} ({self.first.get('SeriesDescription', 'no description')})"

    @property
    def series_number(self) -> int | None:
        """Return the number of its series."""
        return tag_integer(self.first, "SeriesNumber") or None

    @property
    def stem(self) -> str | None:
        """Return the description without numbers and words for phases, which phases in separate series share."""
        if not (description := str(self.first.get("SeriesDescription") or "").lower()):
            return None
        words = re.findall(r"[^\W\d_]+", re.sub(r"\d+(st|nd|rd|th)?", " ", description))
        return " ".join(word for word in words if word not in _PHASE_WORDS)

    @property
    def kind(self) -> tuple:
        """Return the values that phases of one acquisition share: study, image type, echo time, flip angle.

        It separates water and fat, magnitude and phase, filtered and unfiltered copies, and the flip angles of a T1
        map, all of which lie on the lattice of the phases.
        """
        return self.slices[0].kind

    @property
    def geometry(self) -> Geometry:
        """Return its lattice from the headers."""
        across, down = np.reshape(as_floats(self.first.ImageOrientationPatient), (2, 3))
        steps = len(self.slices) - 1
        depth = (self.slices[-1].position - self.slices[0].position) / steps if steps else 1.0
        rows, columns = as_floats(self.first.PixelSpacing)
        return Geometry(
            (int(self.first.Columns), int(self.first.Rows), len(self.slices)),
            (columns, rows, depth),
            tuple(as_floats(self.first.ImagePositionPatient)),  # type: ignore[arg-type]
            np.stack([across, down, np.cross(across, down)], axis=1),
        )

    def clock(self, tag: str, delay: str | None = None) -> float | None:
        """Return the earliest time of its slices in seconds, plus their delay if any; None if a slice has no time."""
        times = [tag_seconds(s.header, tag) for s in self.slices]
        delays = [(tag_seconds(s.header, delay) or 0.0) if delay else 0.0 for s in self.slices]
        known = [time + wait for time, wait in zip(times, delays, strict=True) if time is not None]
        return min(known) if len(known) == len(self.slices) else None


def group_slices(slices: Iterable[Slice]) -> list[list[Slice]]:
    """Return slices by series, size, orientation and kind."""
    groups = defaultdict(list)
    for item in slices:
        h = item.header
        spacing, turn = (tuple(round(x, 3) for x in as_floats(h[tag].value)) for tag in PLACE_TAGS[3:5])
        groups[str(h.SeriesInstanceUID), h.Rows, h.Columns, spacing, turn, item.kind].append(item)
    return list(groups.values())


def split_series(group: Sequence[Slice]) -> list[DicomPhase]:
    """Divide a series into phases, each with every slice position once; empty if that is not possible."""
    ordered = sorted(group, key=lambda s: s.position)
    places = np.cumsum(np.diff([s.position for s in ordered], prepend=ordered[0].position) > _SAME_PLACE)
    stacks: list[list[Slice]] = [[] for _ in range(places[-1] + 1)]
    for item, place in zip(ordered, places, strict=True):
        stacks[place].append(item)
    repeats = len(stacks[0])
    if any(len(stack) != repeats for stack in stacks):
        return []
    for tag in PHASE_TAGS:
        columns = [{str(s.header.get(tag)): s for s in stack} for stack in stacks]
        if len(columns[0]) == repeats and all(column.keys() == columns[0].keys() for column in columns):
            return [as_phase([column[value] for column in columns]) for value in columns[0]]
    for tag in _SLICE_TAGS:  # one value per slice: the n-th of each position form the n-th phase
        ranked = [_ranked(stack, tag) for stack in stacks]
        if all(ranked):
            return [as_phase(part) for part in zip(*ranked, strict=True)]
    return []


def as_phase(slices: Iterable[Slice]) -> DicomPhase:
    """Return slices as a phase, in the order of their positions."""
    return DicomPhase(tuple(sorted(slices, key=lambda s: s.position)))


def find_acquisitions(phases: Iterable[DicomPhase]) -> list[list[DicomPhase]]:
    """Return sets of phases of one kind on one lattice."""
    sets: list[list[DicomPhase]] = []
    for phase in phases:
        for same in sets:
            if same[0].kind == phase.kind and same[0].geometry.matches(phase.geometry):
                same.append(phase)
                break
        else:
            sets.append([phase])
    return sets


def belong_together(one: DicomPhase, other: DicomPhase) -> bool:
    """Return True if kind, matrix and description assign two phases on different lattices to one acquisition."""
    if one.kind != other.kind or one.geometry.size[:2] != other.geometry.size[:2]:
        return False
    return one.stem is not None and one.stem == other.stem


def share_slices(one: DicomPhase, other: DicomPhase) -> bool:
    """Return True if two phases of one kind have the same slices, except for some that only one of them has."""
    a, b = one.geometry, other.geometry
    if one.kind != other.kind or a.size[:2] != b.size[:2]:
        return False
    if not np.allclose(a.spacing[:2], b.spacing[:2], rtol=1e-3) or not np.allclose(a.direction, b.direction, atol=1e-3):
        return False
    few, many = sorted((one, other), key=lambda phase: len(phase.slices))
    corners = [np.array([as_floats(s.header.ImagePositionPatient) for s in phase.slices]) for phase in (few, many)]
    gaps = np.linalg.norm(corners[0][:, None] - corners[1], axis=-1).min(axis=1)
    return bool((gaps < _SAME_PLACE).all())


def clock_times(phases: Sequence[DicomPhase]) -> list[float] | None:
    """Return the seconds of each phase on the first clock that distinguishes them, or None.

    Trigger time starts with its series (GE, Philips), so it orders only the phases of one series. With several series
    it is added to the acquisition time, which may be the same throughout a series. Philips' private clock
    (rordenlab/dcm2niix, issue 395) is used if the acquisition time is that of the series.
    """
    clocks: list[tuple[str, ...]]
    if len({phase.first.SeriesInstanceUID for phase in phases}) > 1:
        clocks = [("AcquisitionDateTime",), ("AcquisitionTime",), ("AcquisitionTime", "TriggerTime")]
    else:
        clocks = [("TriggerTime",), ("AcquisitionDateTime",), ("AcquisitionTime",), (DYNAMIC_BEGIN,)]
    for tags in (*clocks, ("ContentTime",)):
        values = [value for phase in phases if (value := phase.clock(*tags)) is not None]
        if len(set(values)) < len(phases):
            continue
        if tags[0] != "AcquisitionDateTime" and max(values) - min(values) > SECONDS_PER_DAY / 2:  # past midnight
            values = [value + SECONDS_PER_DAY * (value < SECONDS_PER_DAY / 2) for value in values]
        if max(values) - min(values) >= _SHORTEST:
            return values
    return None


def _ranked(stack: Sequence[Slice], tag: str) -> list[Slice]:
    """Return slices in the order of a number or time; empty if it does not distinguish all of them."""
    values = [tag_seconds(s.header, tag) if "Time" in tag else tag_number(s.header, tag) for s in stack]
    known = [value for value in values if value is not None]
    return [stack[k] for k in np.argsort(known)] if len(set(known)) == len(stack) else []
