"""The watch itself: look, wait for studies to arrive whole, predict each once, keep what became of it, go on."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..errors import DataError
from ..pacs.connection import Connection
from ..pacs.errors import PacsError
from ..pacs.studies import Query, find_studies, with_series
from ..pacs.study import Study
from .arrivals import Arrivals
from .candidates import fingerprint, why_not, with_counts
from .one import Settings, Task
from .pace import Pace
from .pauses import LONGEST_OF_STUDY_S, Pauses
from .records import FETCHED, Outcome, Records
from .stopping import Stopped, Stopping
from .words import describe_arrival, describe_none, describe_outcome, note_on
from .worker import Died, Runner

TRIES = 3  # of a study with which the process that predicts it has ended
_IN_A_ROW = 3  # studies that the PACS may fail to tell of, until it is asked whether it is there at all
_REMOVED = (404, 410)  # of HTTP
_TRUST_S = 600.0  # for how long a study whose numbers are the same is not looked into
Say = Callable[[str], None]


@dataclass(frozen=True)
class Ready:
    """A study that is predicted next, with its fingerprint."""

    study: Study
    fingerprint: str


@dataclass
class Watch:
    """A watch of a PACS.

    Args:
        connection: of the looks, its `wait` ended by `stopping`.
        query: what a study must match.
        again: studies that are tried again although they have failed for good.
        say: called with sentences for the user.
        clock: of the pace, seconds.
        waiting: studies that could not be looked into or predicted yet, for a reason that may pass.
    """

    connection: Connection
    settings: Settings
    records: Records
    runner: Runner
    stopping: Stopping
    query: Query
    pace: Pace
    again: set[str] = field(default_factory=set)
    say: Say = lambda _: None
    clock: Callable[[], float] = time.monotonic
    done: Counter[str] = field(default_factory=Counter)
    waiting: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._arrivals = Arrivals(self.pace.settle, self.clock)
        self._pauses = Pauses(self.clock, LONGEST_OF_STUDY_S)
        self._looked: dict[str, tuple[object, float]] = {}
        self._arriving: set[str] = set()
        self._has_looked = False

    def run(self) -> None:
        """Watch until the end is asked for.

        Raises:
            Stopped: at the end.
            PacsError: if the first look fails for a reason that will not pass.
            DataError: if no study can be predicted, or what became of one cannot be written.
        """
        began, answered = self.clock(), False
        while True:
            found = self._look_patiently(fail=not answered)
            answered = True
            if self._predict(found):
                continue  # the PACS may have gone, and others have waited
            self.runner.close()  # gives its memory back
            self.stopping.wait(max(self.pace.every - (self.clock() - began), 0))
            began = self.clock()

    def run_once(self) -> int:
        """Predict what is there now, each study once, and return the number of studies that are still arriving.

        Raises:
            Stopped: if the end is asked for.
            PacsError: if a look fails.
            DataError: as `run`.
        """
        self._predict_all()
        if self._arriving:
            self.stopping.wait(self.pace.settle)
            self._predict_all()
        return len(self._arriving)

    def _predict_all(self) -> None:
        """Look and predict until there is nothing but studies that wait."""
        while found := [ready for ready in self.look() if ready.study.uid not in self.waiting]:
            self._predict(found)

    def look(self) -> list[Ready]:
        """Ask the PACS once and return the studies that are predicted now.

        Raises:
            PacsError: if it cannot be asked, or tells of none of several studies for the same reason.
            DataError: if it lists too many studies.
        """
        listed = {study.uid: study for study in self._list()}
        if not listed and not self._has_looked:
            self.say(describe_none(self.pace, self.query))
        self._has_looked = True
        self._arrivals.keep(listed)
        self._pauses.keep(listed)
        self._arriving &= listed.keys()
        self.waiting &= listed.keys()
        self._looked = {uid: seen for uid, seen in self._looked.items() if uid in listed}
        oldest_first = reversed(listed.values())
        return self._judge_each([study for study in oldest_first if self._is_due(study)])

    def _list(self) -> list[Study]:
        return find_studies(self.connection, self.pace.limit(self.query))

    def _judge_each(self, studies: Sequence[Study]) -> list[Ready]:
        """Return those that are predicted now; one that the PACS does not tell of waits, and the others go on."""
        found, problems, in_a_row = [], dict[str, DataError](), 0
        for study in studies:
            try:
                ready = self._judge(study)
            except DataError as problem:
                problems[study.uid] = problem
                in_a_row += 1
                if in_a_row % _IN_A_ROW == 0:
                    self._list()  # raises if the PACS has gone
                continue
            in_a_row = 0
            if ready is not None:
                found.append(ready)
        if len(problems) == len(studies) and (shared := _shared_by_all(problems)) is not None:
            raise shared
        for uid, reason in problems.items():
            self.waiting.add(uid)
            self.say(f"study {uid}: {reason}. It is tried again in {self._pauses.lengthen(uid):g} s.")
        return found

    def _is_due(self, study: Study) -> bool:
        """Return True if a study is neither paused nor was looked into just now, when it looked the same."""
        sign = study.series_count, study.images
        before, since = self._looked.get(study.uid, (None, 0.0))
        trusted = before == sign and None not in sign and self.clock() - since < _TRUST_S
        return not trusted and not self._pauses.is_paused(study.uid)

    def _judge(self, study: Study) -> Ready | None:
        """Return a study if it is predicted now.

        Raises:
            DataError: if the PACS does not tell what it holds.
        """
        now, sign = self.clock(), (study.series_count, study.images)
        whole = with_series(self.connection, study)
        if why_not(whole, self.settings.find_tumour):
            self._looked[study.uid] = sign, now
            return None
        whole = with_counts(self.connection, whole)
        seen = fingerprint(whole)
        if seen == self.records.fingerprint_of(study.uid) and study.uid not in self.again:
            self._looked[study.uid] = sign, now
            return None
        if not self._arrivals.has_settled(study.uid, seen):
            self._note_arrival(whole)
            return None
        self._arriving.discard(study.uid)
        return Ready(whole, seen)

    def _note_arrival(self, study: Study) -> None:
        if study.uid not in self._arriving:
            self._arriving.add(study.uid)
            self.say(describe_arrival(study, self.pace.settle))

    def _look_patiently(self, *, fail: bool) -> list[Ready]:
        """Look, and go on looking, in growing pauses, while the PACS does not answer.

        Args:
            fail: raise an error that will not pass.
        """
        said, pauses = "", Pauses(self.clock)
        while True:
            try:
                found = self.look()
            except PacsError as problem:
                if fail and not problem.may_pass:
                    raise
                seconds = pauses.lengthen("")
                if str(problem) != said:
                    said = str(problem)
                    self.say(f"{said}. It is asked again in {seconds:g} s, then in growing pauses.")
                self.stopping.wait(seconds)
                self._arrivals.restart()
            else:
                if said:
                    self.say(f"the PACS at {self.connection.place} answers again")
                return found

    def _predict(self, found: Sequence[Ready]) -> bool:
        """Predict studies one after the other; return True if one has to wait, so that the PACS is asked anew."""
        for ready in found:
            if self.stopping.asked:
                raise Stopped
            outcome = self._run(ready.study)
            self._keep(ready, outcome)
            if outcome.state == "waiting":
                return True
        return False

    def _run(self, study: Study) -> Outcome:
        finds = self.settings.find_tumour and not study.segmentations
        self.stopping.busy = True
        try:
            return self.runner.run(Task(study.uid, finds, self.settings))
        except Died:
            if self.stopping.asked:  # by a signal to both processes
                raise Stopped from None
            return self._died(study)
        finally:
            self.stopping.busy = False
            shutil.rmtree(self.settings.out / FETCHED, ignore_errors=True)

    def _died(self, study: Study) -> Outcome:
        """Return what becomes of a study with which the process that predicts it has ended."""
        before = self.records.read(study.uid)
        ended = 1 + (before.ended if before and before.state == "waiting" else 0)
        what = "the process that predicts it was ended, maybe for lack of memory"
        if ended < TRIES:
            return Outcome("waiting", error=what, ended=ended)
        return Outcome("failed", error=f"{what}, {ended} times; predict it with pcr pacs predict on a larger computer")

    def _keep(self, ready: Ready, outcome: Outcome) -> None:
        uid, before = ready.study.uid, self.records.read(ready.study.uid)
        if before and not outcome.made_from:
            outcome = replace(outcome, made_from=before.made_from)
        note = note_on(before, outcome)
        self.records.keep(uid, outcome, ready.fingerprint, note)
        self.again.discard(uid)
        self.done[outcome.state] += outcome.state != "waiting"
        (self.waiting.add if outcome.state == "waiting" else self.waiting.discard)(uid)
        seconds = self._pauses.lengthen(uid) if outcome.state == "waiting" else self._pauses.end(uid)
        for line in describe_outcome(uid, outcome, note, seconds, self.settings):
            self.say(line)


def _shared_by_all(problems: Mapping[str, DataError]) -> PacsError | None:
    """Return the problem that several studies share, None if it is one of a study, such as that it was removed."""
    first = next(iter(problems.values()), None)
    if not isinstance(first, PacsError) or first.status in _REMOVED or len(problems) < 2:
        return None
    return first if len(set(map(str, problems.values()))) == 1 else None
