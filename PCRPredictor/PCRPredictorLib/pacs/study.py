"""A study of a PACS and its series, as the PACS describes them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..dicom.headers import without_names
from ..formatting import as_line

OURS, OUR_SERIES = "BreastPCR", range(9500, 9600)
_BREAST = re.compile(r"breast|mamm|brust|sein|seno|mama|borst|piers|grudi", re.IGNORECASE)
_DYNAMIC = re.compile(
    r"dyn|dce|vibrant|vibe|thrive|twist|perf|flash|fspgr|bliss|disco|quick|contrast|phase|\bpost|\+ ?c",
    re.IGNORECASE,
)
Likely = Literal["likely", "possible", "no"]


@dataclass(frozen=True)
class Series:
    """A series of a study.

    Args:
        uid: of the series.
        number: of the series, None if it has none.
        images: number of its instances, None if unknown.
        shown: its description for messages, without words that name the patient; None for all of it.
    """

    uid: str
    modality: str = ""
    number: int | None = None
    description: str = ""
    images: int | None = None
    body_part: str = ""
    manufacturer: str = ""
    temporal_positions: int = 0
    shown: str | None = None

    @property
    def is_ours(self) -> bool:
        """Return True if it is a result of this software."""
        named = self.number in OUR_SERIES and self.description.endswith("research use only")
        return self.manufacturer == OURS or named

    def __str__(self) -> str:
        number = "?" if self.number is None else str(self.number)
        description = self.description if self.shown is None else self.shown
        return as_line(f"series {number}" + (f" ({description})" if description else ""), 100)


@dataclass(frozen=True)
class Study:
    """A study of a PACS; patient's name and identifier are shown only if they are asked for.

    Args:
        series: empty until `with_series` has asked for them.
    """

    uid: str
    date: str = ""
    description: str = ""
    modalities: tuple[str, ...] = ()
    series_count: int | None = None
    images: int | None = None
    patient_id: str = field(default="", repr=False)
    patient_name: str = field(default="", repr=False)
    series: tuple[Series, ...] = ()
    born: str = field(default="", repr=False)

    def without_patient(self, text: str) -> str:
        """Return a text of the study without words that name the patient."""
        return without_names(text, self.patient_name, self.patient_id, self.born)

    @property
    def looks_like_dce(self) -> Likely:
        """Return whether it may hold breast DCE-MRI, by its names and numbers; only its images can tell."""
        return looks_like_dce(self.description, self.series)

    @property
    def segmentations(self) -> tuple[Series, ...]:
        """Return the segmentations that are not results of this software."""
        return tuple(series for series in self.series if series.modality == "SEG" and not series.is_ours)

    @property
    def results(self) -> tuple[Series, ...]:
        """Return the results of this software."""
        return tuple(series for series in self.series if series.is_ours)

    @property
    def is_predicted(self) -> bool:
        """Return True if it has a report of a prediction by this software."""
        return any(series.modality == "SR" for series in self.results)


def looks_like_dce(description: str, series: Sequence[Series]) -> Likely:
    """Return whether names and numbers of a study are those of breast DCE-MRI."""
    images = [one for one in series if one.modality == "MR" and not one.is_ours]
    if not images:
        return "no"
    names = " ".join([description, *(f"{one.description} {one.body_part}" for one in images)])
    sizes = [one.images for one in images if (one.images or 0) > 1]
    alike = any(sizes.count(size) >= 3 for size in set(sizes))
    dynamic = alike or any(one.temporal_positions >= 3 or _DYNAMIC.search(one.description) for one in images)
    breast = bool(_BREAST.search(names))
    if breast and dynamic:
        return "likely"
    return "possible" if breast or dynamic else "no"
