"""What a watch says of the studies."""

from __future__ import annotations

from collections.abc import Iterable

from ..archive.rows import Row
from ..formatting import count
from ..pacs.studies import Query
from ..pacs.study import Study
from .candidates import images_in
from .one import Settings
from .pace import Pace
from .records import Outcome


def describe_none(pace: Pace, query: Query) -> str:
    """Return a sentence about a PACS that lists no study."""
    if query.date or not pace.days:
        return "the PACS lists no MR study that matches now"
    return f"the PACS lists no MR study of the last {pace.days} days that matches now; --days 0 takes any date, or none"


def describe_arrival(study: Study, settle: float) -> str:
    """Return a sentence about a study that is waited for."""
    images = count(images_in(study), "image")
    return f"study {study.uid}: {images} so far; it is predicted once nothing of it has changed for {settle:g} s"


def note_on(before: Outcome | None, outcome: Outcome) -> str:
    """Return what there is to say of a study that was predicted before."""
    if before is None or not before.made_from or outcome.state != "predicted":
        return ""
    if before.made_from == outcome.made_from:
        return "more has come since; the result is not made from it and is the same"
    return "predicted again: its images or its segmentation have changed"


def describe_outcome(study: str, outcome: Outcome, note: str, seconds: float, settings: Settings) -> Iterable[str]:
    """Yield what became of a study."""
    if outcome.state == "failed":
        yield f"study {study}: failed: {outcome.error}"
        return
    if outcome.state == "waiting":
        yield f"study {study}: {outcome.error}. It is tried again in {seconds:g} s."
        return
    for row in outcome.rows:
        withheld = row.get("decision_withheld", "")
        said = f"no decision: {withheld}" if withheld else f"pCR probability {row.get('probability', '')}"
        which = f" of {row['lesion']}" if row.get("lesion") else ""
        yield f"study {study}: {said}{which}{_where(row, settings, study)}"
    if note:
        yield f"study {study}: {note}"


def _where(row: Row, settings: Settings, study: str) -> str:
    if not settings.store:
        return f", written to {settings.folder_of(study)}"
    before = row.get("stored_before", "0")
    return f", {row.get('stored', '0')} results stored" + (f", {before} were there" if before != "0" else "")
