"""A watch without a PACS, network, model or waiting: what it lists and what becomes of a study are given."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

from PCRPredictorLib.pacs.connection import connect
from PCRPredictorLib.pacs.errors import PacsError
from PCRPredictorLib.pacs.studies import Query
from PCRPredictorLib.pacs.study import Series, Study
from PCRPredictorLib.watching import watch as module
from PCRPredictorLib.watching.one import Settings, predict_one
from PCRPredictorLib.watching.pace import Pace
from PCRPredictorLib.watching.records import Outcome, open_records
from PCRPredictorLib.watching.stopping import Stopped
from PCRPredictorLib.watching.watch import Watch

PREDICTED = Outcome("predicted", ({"probability": "0.4000", "stored": "4", "stored_before": "0"},), "voxels")


def study_of(uid="1.1", images=(6, 6, 6), segmentations=1, description="MR breast", **more):
    """Return a study with series of MR images and segmentations; `more` goes to its MR series."""
    series = [Series(f"{uid}.{n}", "MR", n, "dyn", count, **more) for n, count in enumerate(images, 1)]
    series += [Series(f"{uid}.9{n}", "SEG", 90 + n, "tumour", 1) for n in range(segmentations)]
    return _counted(Study(uid, "20240102", description, series=tuple(series)))


def with_more(study, *series):
    """Return a study to which series were added."""
    return _counted(replace(study, series=(*study.series, *series)))


def _counted(study):
    return replace(study, series_count=len(study.series), images=sum(one.images for one in study.series))


@dataclass
class FakeRunner:
    """Predicts at once; `outcomes` are those of a study, one after the other, the last for ever; errors are raised."""

    outcomes: dict = field(default_factory=dict)
    ran: list = field(default_factory=list)
    finds: list = field(default_factory=list)

    def run(self, task):
        self.ran.append(task.study)
        self.finds.append(task.finds)
        listed = self.outcomes.get(task.study, [PREDICTED])
        outcome = listed.pop(0) if len(listed) > 1 else listed[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def close(self):
        pass


class InProcess:
    """Predicts in this process, instead of one of its own, and waits for nothing."""

    def __init__(self, configuration, _stopping, say=lambda _: None):
        self.configuration, self.say = configuration, say

    def run(self, task):
        return predict_one(connect(self.configuration, self.say, lambda _seconds: None), task)

    def close(self):
        pass


class Scene:
    """A PACS that lists `studies` or fails with `problems`, and the time, which passes with each wait.

    Asked for a study in `untold`, it fails with the problem there.
    """

    def __init__(self, folder: Path, monkeypatch):
        self.folder, self.now, self.waits, self.said = folder, 0.0, [], []
        self.studies, self.problems, self.asked, self.untold = [], [], [], {}
        self.runner, self.stops_at, self.before_look = FakeRunner(), 1e9, lambda: None
        monkeypatch.setattr(module, "find_studies", lambda _connection, query: self.list(query))
        monkeypatch.setattr(module, "with_series", lambda _connection, study: self.look_into(study))

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds
        if self.now >= self.stops_at:
            raise Stopped

    def list(self, query):
        self.query = query
        self.before_look()
        if self.problems and (problem := self.problems.pop(0)):
            raise problem
        return [replace(study, series=()) for study in self.studies]

    def look_into(self, study):
        self.asked.append(study.uid)
        if study.uid in self.untold:
            raise self.untold[study.uid]
        return next(each for each in self.studies if each.uid == study.uid)

    @contextmanager
    def watch(self, again=False, **settings):
        """Yield a watch; each looks every 60 s and waits for 100 s."""
        wanted = Settings(self.folder, Path("/a model"), "its checksum", **settings)
        connection = SimpleNamespace(place="pacs.example")
        stopping = SimpleNamespace(asked=False, busy=False, wait=self.wait)
        with open_records(self.folder, wanted.decisive()) as records:
            failed = records.failed() if again else set()
            pace = Pace(60, 100, 0)
            yield Watch(
                connection, wanted, records, self.runner, stopping, Query(modality="MR"), pace, failed,
                self.said.append, lambda: self.now,
            )  # fmt: skip

    def run(self, seconds=1000, **settings):
        """Watch for some seconds."""
        self.stops_at = self.now + seconds
        with self.watch(**settings) as watch:
            try:
                watch.run()
            except Stopped:
                return watch
        raise AssertionError("it ended by itself")


def gone(may_pass=True):
    """Return the error of a PACS that does not answer."""
    return PacsError("the PACS at pacs.example refuses the connection; check it", may_pass=may_pass)
