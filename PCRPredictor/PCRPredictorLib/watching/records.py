"""What is kept of a watch: `watch.jsonl`, a line per study as it ends, and `watch.csv`, the same as a table.

The patient is in neither unless that is asked for; studies are named by their UID.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from ..archive.journal import Entry, Journal, hold_folder, open_journal
from ..archive.rows import Row
from ..errors import DataError
from ..writing import remove_leftovers, write_whole_csv

JOURNAL, TABLE = "watch.jsonl", "watch.csv"
FETCHED = ".fetched"  # folder for what is fetched of the study at hand; removed after it
FIRST = ("study", "ended", "state", "probability", "decision", "stored", "note", "error")  # columns
State = Literal["predicted", "failed", "waiting"]


@dataclass(frozen=True)
class Outcome:
    """What became of a study.

    Args:
        state: predicted; failed for good; or waiting for the PACS or this computer, to be tried again.
        rows: of the table, one per tumour.
        made_from: hash of the voxels and the mask that it was predicted from; "" without a prediction.
        error: why it failed or waits.
        ended: times that the process that predicted it has ended with it.
    """

    state: State
    rows: tuple[Row, ...] = ({},)
    made_from: str = ""
    error: str = ""
    ended: int = 0


@dataclass
class Records:
    """The journal of a folder, and its table."""

    folder: Path
    journal: Journal
    _columns: dict[str, None] = field(default_factory=lambda: dict.fromkeys(FIRST))

    def fingerprint_of(self, study: str) -> str:
        """Return what a study that is done, or has failed for good, looked like; "" for others."""
        return self.journal.inputs_of(study)

    def read(self, study: str) -> Outcome | None:
        """Return what became of a study, None if that is not known.

        Raises:
            DataError: if something else has changed the journal meanwhile.
        """
        entry = self._read(study)
        if entry is None:
            return None
        facts: Mapping[str, object] = entry.facts or {}
        state = str(entry.rows[0].get("state", "failed"))
        ended = int(str(facts.get("ended", 0)))
        return Outcome(state, tuple(entry.rows), str(facts.get("made_from", "")), entry.error, ended)  # type: ignore[arg-type]

    def failed(self) -> set[str]:
        """Return the studies that have failed for good.

        Raises:
            DataError: as `read`.
        """
        return {entry.patient for entry in self._entries() if entry.rows[0].get("state") == "failed"}

    def keep(self, study: str, outcome: Outcome, fingerprint: str, note: str = "") -> None:
        """Write what became of a study; the same failure again is not written again.

        Raises:
            DataError: if it cannot be written.
        """
        if outcome.state == "waiting" and _is_same(self.read(study), outcome):
            return
        self.journal.append(_entry(study, outcome, fingerprint, note))
        self.write_table()

    def write_table(self) -> None:
        """Write the table anew.

        Raises:
            DataError: if it cannot be written.
        """
        for entry in self._entries():
            self._columns |= dict.fromkeys(name for row in entry.rows for name in row)
        rows = (row for entry in self._entries() for row in entry.rows)
        cells = ([row.get(name, "") for name in self._columns] for row in rows)
        write_whole_csv(tuple(self._columns), cells, self.folder / TABLE)

    def _entries(self) -> Iterator[Entry]:
        return (entry for study in self.journal.places if (entry := self._read(study)) is not None)

    def _read(self, study: str) -> Entry | None:
        try:
            entry = self.journal.read(study)
            if entry is None or entry.patient == study:
                return entry
        except ValueError:
            pass
        raise DataError(
            f"{self.journal.path}: was changed by something else during the watch; start the watch again, it goes on "
            "with what is whole there"
        )


@contextmanager
def open_records(folder: Path, decisive: Mapping[str, object]) -> Iterator[Records]:
    """Hold a folder and yield its records, those that are there or new ones.

    Args:
        decisive: plain values that decide the results; of records that are there, they must be the same.

    Raises:
        DataError: if a different watch holds the folder, its records are of other values, or it cannot be written.
    """
    with hold_folder(folder):
        _remove_leftovers(folder)
        try:
            with open_journal(folder / JOURNAL, decisive, "start the watch again") as journal:
                yield Records(folder, journal)
        finally:
            _remove_leftovers(folder)


def _remove_leftovers(folder: Path) -> None:
    """Remove what a process leaves that was ended in the middle of a study."""
    remove_leftovers(folder)
    shutil.rmtree(folder / FETCHED, ignore_errors=True)


def _is_same(before: Outcome | None, now: Outcome) -> bool:
    return before is not None and (before.state, before.error, before.ended) == (now.state, now.error, now.ended)


def _entry(study: str, outcome: Outcome, fingerprint: str, note: str) -> Entry:
    facts: dict[str, object] = {"made_from": outcome.made_from} if outcome.made_from else {}
    if outcome.ended:
        facts["ended"] = outcome.ended
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    own = {"study": study, "ended": now, "state": outcome.state}
    more = {name: text for name, text in (("note", note), ("error", outcome.error)) if text}
    rows = [{**own, **row, **more} for row in outcome.rows]
    return Entry(study, rows, facts or None, fingerprint, outcome.state == "waiting")
