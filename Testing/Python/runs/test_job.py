"""The protocol of a job: who starts, who waits, and what a resumed job keeps."""

from PCRTrainingLib.config import PRESETS
from PCRTrainingLib.training.workers import Worker
from support.training_cohort import quiet_job

QUICK, FULL = PRESETS["quick"], PRESETS["full"]


def test_resumed_job_keeps_its_configuration_options_and_table(tmp_path):
    job = quiet_job(tmp_path / "cohort", tmp_path / "run", clinical_rows=tmp_path / "more.csv")
    with job.begin("experiment", QUICK, job.folder.origin, {"seeds": [1, 2]}):
        job.write_origin()
    job.folder.seed(1).path.mkdir()
    job.folder.seed(1).splits.touch()
    again = quiet_job(tmp_path / "cohort", tmp_path / "run", resume=True)
    with again.begin("experiment", FULL, again.folder.origin, {"seeds": [9]}) as (config, options):
        assert (config, options["seeds"]) == (QUICK, [1, 2])
        assert options["clinical_rows"] == str(tmp_path / "more.csv")


def test_other_processes_read_what_the_first_has_started(tmp_path):
    first = quiet_job(tmp_path, tmp_path / "run")
    second = quiet_job(tmp_path, tmp_path / "run", worker=Worker(rank=1, count=2))
    with first.begin("train", QUICK, first.folder.origin) as started:  # which holds the lock
        first.write_origin()
        with second.begin("train", FULL, second.folder.origin) as (config, _):
            assert config == started[0] == QUICK


def test_share_ends_when_the_results_of_all_processes_are_there(tmp_path):
    job = quiet_job(tmp_path, tmp_path, worker=Worker(rank=1, count=2))
    files = [tmp_path / str(k) for k in range(4)]
    for file in files[::2]:  # by the other process
        file.touch()
    job.share(lambda file, device, progress: file.touch(), files, 1, files)
    assert all(file.is_file() for file in files)
