"""What can be done with a run, and how far it is, without a widget."""

import json
import shutil

import pytest
from PCRTrainingLib.run_folder import RunFolder
from PCRTrainingLib.run_plan import RunPlan, StageProgress


@pytest.fixture
def finished(trained, tmp_path):
    return RunFolder(shutil.copytree(trained, tmp_path / "run"))


@pytest.fixture
def stopped(finished):
    finished.summary.unlink()
    return finished


def test_new_folder_can_be_started_and_not_resumed(tmp_path):
    plan = RunPlan(tmp_path, tmp_path / "new")
    assert (plan.start_problem, plan.can_resume, plan.describe()) == (None, False, "")


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (RunPlan(None, None), "folder of a cohort"),
        (RunPlan("cohort", None), "folder for the run"),
        (RunPlan("cohort", "run", busy=True), "in progress"),
    ],
)
def test_plan_says_what_is_missing(plan, words):
    assert words in plan.start_problem
    assert not plan.can_resume


def test_stopped_run_is_resumed_whatever_the_settings(stopped):
    plan = RunPlan(stopped.path, stopped.path, "Choose the file of a configuration.")
    assert plan.can_resume
    assert not plan.can_estimate
    assert "holds a run already" in plan.start_problem
    assert plan.describe() == "This run was stopped after 12 of 12 epochs; resume it to continue."
    assert plan.describe_failure("Disk full.").endswith("resume the run to continue.")


def test_locked_run_is_going_on(stopped):
    with stopped.locked():
        plan = RunPlan(stopped.path, stopped.path)
        assert plan.problem == "A run is in progress in this folder."
        assert not plan.can_resume


def test_finished_run_is_neither_started_nor_resumed(finished):
    plan = RunPlan(finished.path, finished.path)
    assert plan.start_problem is not None
    assert not plan.can_resume
    assert plan.describe() == "This run is finished."
    assert plan.describe_failure("Killed.") == "Killed."


def test_run_whose_configuration_cannot_be_read_is_stopped(stopped):
    stopped.config.write_text("{")
    plan = RunPlan(stopped.path, stopped.path)
    assert plan.state == "stopped"
    assert "must be JSON" in plan.describe()


def test_time_left_is_shown_after_two_units():
    progress = StageProgress()
    progress.add_event({"event": "stage", "name": "Training", "total": 12}, 100.0)
    progress.add_event({"event": "progress", "units": 1}, 110.0)
    assert progress.describe(110.0) == "Training 1/12"
    progress.add_event({"event": "progress", "units": 2}, 130.0)
    assert progress.describe(130.0) == "Training 3/12, 1:30 left"


def test_run_that_left_no_model_can_be_resumed_to_make_one(finished):
    shutil.rmtree(finished.bundle)  # its attention is at chance
    plan = RunPlan(finished.path, finished.path)
    assert plan.can_resume
    assert plan.describe().startswith("This run left no model: its attention is ")
    assert plan.describe_failure("give --keep-anyway") == plan.describe()


def test_run_that_was_killed_before_its_model_is_stopped(finished):
    shutil.rmtree(finished.bundle)
    content = json.loads(finished.summary.read_text())
    content["cohorts"][0]["models"][-1]["attention"]["in_tumour"]["value"] = 0.9
    finished.summary.write_text(json.dumps(content))
    assert RunPlan(finished.path, finished.path).state == "stopped"
