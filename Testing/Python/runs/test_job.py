"""The protocol of a job: who starts, who waits, and what a resumed job keeps."""

from dataclasses import replace

from PCRTrainingLib.config import PRESETS
from PCRTrainingLib.run_folder import read_json
from PCRTrainingLib.training.folds import FoldTask
from PCRTrainingLib.training.workers import Worker
from support.training_cohort import quiet_job

QUICK, FULL = PRESETS["quick"], PRESETS["full"]


def test_resumed_job_keeps_its_configuration_options_and_table(tmp_path):
    job = quiet_job(tmp_path / "cohort", tmp_path / "run", clinical_rows=[tmp_path / "more.csv"])
    with job.hold("experiment", QUICK, job.folder.origin, {"seeds": [1, 2]}):
        job.write_origin(QUICK)
    job.folder.seed(1).path.mkdir()
    job.folder.seed(1).splits.touch()
    again = quiet_job(tmp_path / "cohort", tmp_path / "run", resume=True)
    with again.hold("experiment", FULL, again.folder.origin, {"seeds": [9]}) as (config, options):
        assert (config, options["seeds"]) == (QUICK, [1, 2])
        assert options["clinical_rows"] == [str(tmp_path / "more.csv")]


def test_other_processes_read_what_the_first_has_started(tmp_path):
    first = quiet_job(tmp_path, tmp_path / "run")
    second = quiet_job(tmp_path, tmp_path / "run", worker=Worker(rank=1, count=2))
    with first.hold("train", QUICK, first.folder.origin) as started:  # which holds the lock
        first.write_origin(QUICK)
        with second.hold("train", FULL, second.folder.origin) as (config, _):
            assert config == started[0] == QUICK


def test_share_ends_when_the_results_of_all_processes_are_there(tmp_path):
    job = quiet_job(tmp_path, tmp_path, worker=Worker(rank=1, count=2))
    tasks = [FoldTask(k, [TouchingRun(tmp_path)]) for k in range(4)]
    for task in tasks[::2]:  # by the other process
        task.train("cpu", job.progress)
    job.train_tasks(tasks)
    assert len(list(tmp_path.iterdir())) == 4


class TouchingRun:
    """A run that leaves an empty file per fold."""

    epochs = 1

    def __init__(self, folder):
        self.folder = folder

    def prediction_files(self, number):
        return [self.folder / str(number)]

    def train_fold(self, number, device, progress):
        (self.folder / str(number)).touch()


def test_run_records_the_machines_that_it_ran_on(tmp_path):
    job = quiet_job(tmp_path, tmp_path / "run")
    with job.hold("train", QUICK, job.folder.splits):
        job.write_origin(replace(QUICK, precision="float32"))
    again = quiet_job(tmp_path, tmp_path / "run", resume=True, worker=Worker(processes=7))
    with again.hold("train", QUICK, again.folder.splits):
        first, second = read_json(again.folder.origin)["machines"]
    assert (first["precision"], second["precision"]) == ("float32", "bfloat16 for features, else float32")
    assert (first["processes"], second["processes"]) == (1, 7)
    assert first["processor"]
