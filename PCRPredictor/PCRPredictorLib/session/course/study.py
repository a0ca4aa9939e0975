"""An exam that was found and may be a visit."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from ...exam import Exam


@dataclass(frozen=True)
class Study:
    """One of several studies that were found in one place.

    Args:
        title: in words, without a date: "day 22, 5 series".
        visit: that is proposed for it, "" for none.
        read: gives the exam or raises DataError; runs on the worker.
        date: of the study, if known.
        remark: what is to be known of the place that it was found in.
        key: of the exam in the frontend's scene, if that is where it comes from.
        place: of its tumour in the scene, see `TumourState.place`.
    """

    title: str
    visit: str
    read: Callable[[], Exam]
    date: datetime.date | None = None
    key: Hashable = None
    place: Hashable = None
    remark: str = ""
