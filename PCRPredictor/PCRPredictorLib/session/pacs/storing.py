"""Store the result of a session in the PACS: first what would be sent, then, if it is asked for, the sending."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ...pacs.sending import Plan, look, results_in
from ...pacs.storing import Item, store
from ..result import Result
from ..session import Session
from .place import PacsPlace


class StoreResult:
    """Show what would be sent, and send it.

    Args:
        session: with the result.
        place: the PACS.

    Attributes:
        plan: of the result that is open, None if nothing was planned or stored of it.
    """

    def __init__(self, session: Session, place: PacsPlace) -> None:
        self._session, self.place = session, place
        self.plan: Plan | None = None
        self._of: Result | None = None
        session.activity.on_change.append(self._follow)

    @property
    def reason(self) -> str:
        """Why nothing can be stored now, a sentence with what to do; "" if it can."""
        session, _ = self._session, self._session.activity.translate
        if not self.place.is_configured:
            return _("No PACS is configured: choose the file with its address under PACS.")
        if self.place.problem:
            return self.place.problem
        if session.result is None:
            return _("Predict first.")
        if not session.result.is_from_dicom:
            return _("Only the result of an exam that was read from DICOM can be stored in a PACS.")
        if session.is_stale:
            return _("Changed since this prediction; predict again.")
        return _("Wait until the running work is done.") if session.activity.doing else ""

    @property
    def can_send(self) -> bool:
        """True if what lies where is known, and something is missing there."""
        return self.plan is not None and self.plan.missing > 0 and not self.reason

    def look(self) -> None:
        """Find out what would be sent; nothing is."""
        self._start(_look, self._session.activity.translate("Asking the PACS what it has"))

    def send(self) -> None:
        """Send what `look` has found missing."""
        if self.can_send and self.plan is not None:
            sent: list[Item] = []
            doing = self._session.activity.translate("Storing the result")
            self._start(partial(_send, sent), doing, partial(self._on_cancelled, self.plan, sent))

    def lines(self) -> list[str]:
        """Return each object with its state, and before them what follows from it."""
        if self.plan is None:
            return []
        _ = self._session.activity.translate
        states = {"missing": _("to be sent"), "there": _("there already"), "stored": _("stored now")}
        found = [f"{item}: {states[item.state]}" for item in self.plan.items]
        if self.plan.unknown:
            found.append(_("The PACS does not have the study of this exam; it would hold the results alone."))
        return [self.headline(), *found]

    def headline(self) -> str:
        """Return what would be sent where, or that it is there, in a sentence."""
        if self.plan is None:
            return ""
        _, items = self._session.activity.translate, self.plan.items
        if missing := self.plan.missing:
            text = _("{count} of {all} objects would be sent to the PACS at {place}, into study {study}.")
            return text.format(count=missing, all=len(items), place=self.place.name, study=items[0].study)
        stored = sum(item.state == "stored" for item in items)
        if stored:
            return _("Stored in the PACS at {place}: {count} objects.").format(place=self.place.name, count=stored)
        return _("The PACS at {place} has this result already; nothing is sent.").format(place=self.place.name)

    def _start(
        self, work: Callable[[PacsPlace, Result], Plan], doing: str, dropped: Callable[[], object] = int
    ) -> None:
        if self.reason or self._session.result is None:
            return
        self.place.begin()
        result = self._session.result
        done = partial(self._on_known, result)
        self._session.activity.start(doing, partial(work, self.place, result), done, dropped)

    def _on_known(self, result: Result, found: Plan) -> None:
        if result is self._session.result:
            self.plan, self._of = found, result
            self._session.activity.message = self.headline()

    def _on_cancelled(self, planned: Plan, sent: Sequence[Item]) -> None:
        """Say what the PACS has taken before the sending ended."""
        uids = {item.uid for item in sent}
        items = [replace(item, state="stored") if item.uid in uids else item for item in planned.items]
        _, there = self._session.activity.translate, sum(item.state != "missing" for item in items)
        text = _("Cancelled: the PACS at {place} has {count} of {all} objects.")
        self._session.activity.message = text.format(place=self.place.name, count=there, all=len(items))
        if self.plan is planned:
            self.plan = replace(planned, items=tuple(items))
        self._session.activity.emit()

    def _follow(self) -> None:
        """Forget what was planned of a different result, or of one that is stale."""
        if self.plan is not None and (self._of is not self._session.result or self._session.is_stale):
            self.plan = self._of = None


def _look(place: PacsPlace, result: Result) -> Plan:
    with TemporaryDirectory(prefix="pacs-") as folder:
        return look(place.connect(), _write(result, Path(folder)))


def _send(sent: list[Item], place: PacsPlace, result: Result) -> Plan:
    """Send what is missing; what the PACS takes is noted, for a cancelled sending returns nothing."""
    with TemporaryDirectory(prefix="pacs-") as folder:
        return Plan(tuple(store(place.connect(), _write(result, Path(folder)), sent.append)))


def _write(result: Result, folder: Path) -> list[Path]:
    """Write the objects of a result and return them in the order in which they are sent."""
    from ...dicom.objects.results import write_dicom_results  # needs packages that Slicer lacks at first

    write_dicom_results(result.exam, result.prediction, folder)
    return results_in(folder)
