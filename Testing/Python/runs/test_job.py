"""The protocol of a job: what it counts, what it records, and what a resumed job keeps."""

from dataclasses import replace
from pathlib import Path

from PCRPredictorLib.engine.engine import ThisProcess, ignore
from PCRPredictorLib.engine.local import Local
from PCRPredictorLib.errors import Problem
from PCRPredictorLib.model.grid import GridSpec
from PCRTrainingLib.cohort.cache import GridCache
from PCRTrainingLib.config import PRESETS
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.run_folder import RunFolder, read_json
from PCRTrainingLib.training.folds import FoldTask
from support.training_cohort import quiet_job

QUICK, FULL = PRESETS["quick"], PRESETS["full"]
EMPTY = GridCache(Path(), GridSpec(), (), (Problem("P1", "P1 is damaged"), Problem("P2", "P2 is damaged")))


def test_resumed_job_keeps_its_configuration_options_and_table(tmp_path):
    job = quiet_job(tmp_path / "cohort", tmp_path / "run", clinical_rows=[tmp_path / "more.csv"])
    with job.hold("experiment", QUICK, {"seeds": [1, 2]}):
        job.write_origin(QUICK, EMPTY)
    job.folder.seed(1).path.mkdir()
    job.folder.seed(1).splits.touch()
    again = quiet_job(tmp_path / "cohort", tmp_path / "run", resume=True)
    with again.hold("experiment", FULL, {"seeds": [9]}) as (config, options):
        assert (config, options["seeds"]) == (QUICK, [1, 2])
        assert options["clinical_rows"] == [str(tmp_path / "more.csv")]


def test_progress_counts_every_epoch_once_though_a_fold_begins_again(tmp_path):
    shown = Counting()
    job = quiet_job(tmp_path, tmp_path, engine=Forgetful(), progress=shown)
    job.train_tasks([FoldTask(k, [FiveEpochs(tmp_path)]) for k in range(2)])
    assert (shown.total, shown.done) == (10, 10)


def test_progress_begins_with_what_was_done_before(tmp_path):
    shown = Counting()
    job = quiet_job(tmp_path, tmp_path, progress=shown)
    shown.start = lambda _stage, total, done: setattr(shown, "done", done) or shown.begun.append((total, done))
    shown.begun = []
    job.train_tasks([FoldTask(k, [FiveEpochs(tmp_path, before=3)]) for k in range(2)])
    assert (shown.begun, shown.done) == ([(10, 6)], 10)


class FiveEpochs:
    """A run that reports five epochs per fold."""

    epochs = 5

    def __init__(self, folder, before=0):
        self.folder, self.before = RunFolder(folder), before

    def epochs_done(self, number):
        return self.before

    def train_fold(self, number, device, progress):
        for epoch in range(5):
            progress.advance(f"fold {number}, epoch {epoch}")


class Forgetful(ThisProcess):
    """An engine on which the worker of every task dies after two epochs; its last report is lost, too."""

    def run(self, function, tasks, heard=ignore):
        for task in tasks:
            heard(task, 1, "first")
            heard(task, 2, "second")
            yield from super().run(function, [task], lambda task, done, detail: done < 5 and heard(task, done, detail))


class Counting(Progress):
    total = done = 0

    def start(self, stage, total, done=0):
        self.total, self.done = total, done

    def advance(self, detail="", units=1):
        self.done += units


def test_run_records_the_machines_that_it_ran_on(tmp_path):
    job = quiet_job(tmp_path, tmp_path / "run")
    with job.hold("train", QUICK):
        job.write_origin(replace(QUICK, precision="float32"), EMPTY)
    again = quiet_job(tmp_path, tmp_path / "run", resume=True, engine=Local(7, 1, [], print))
    with again.hold("train", QUICK):
        first, second = read_json(again.folder.origin)["machines"]
    assert (first["precision"], second["precision"]) == ("float32", "bfloat16 for features, else float32")
    assert (first["processes"], second["processes"]) == (1, 7)
    assert first["processor"]


def test_run_records_how_many_patients_were_left_out_and_why_without_their_names(tmp_path):
    job = quiet_job(tmp_path, tmp_path / "run")
    with job.hold("train", QUICK):
        job.write_origin(QUICK, EMPTY)
    found = read_json(job.folder.origin)
    assert (found["patients"], found["left_out"]) == (0, [{"reason": "<patient> is damaged", "patients": 2}])
