"""The state of a run, as the panel reads it while the run goes on."""

import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.run_folder import RunFolder
from PCRTrainingLib.run_state import held_out, latest_run, read_curves, read_models, read_state
from PCRTrainingLib.runs.step_attention import explain_steps


def test_state_counts_epochs_and_follows_the_lock(trained, tmp_path):
    assert read_state(RunFolder(tmp_path)).kind == "none"
    run = RunFolder(trained)
    state = read_state(run)
    assert (state.kind, state.done, state.total) == ("finished", 12, 12)
    with run.locked():
        assert read_state(run).kind == "running"


def test_curves_are_means_over_the_folds_with_gaps(trained):
    curves = read_curves(RunFolder(trained))
    assert [len(curve["loss"]) for curve in curves.values()] == [2, 2, 2]
    assert curves["step1"]["attention_in_tumour"] == [None, None]


def test_latest_run_of_an_experiment_is_the_last_seed_with_a_history(tmp_path):
    experiment = RunFolder(tmp_path)
    assert latest_run(experiment) == experiment
    for seed in (2, 10):
        step = experiment.seed(seed).step(0, "step1")
        step.path.mkdir(parents=True)
        step.history.touch()
    experiment.seed(11).path.mkdir()
    assert latest_run(experiment) == experiment.seed(10)


def test_deleted_run_is_reported(tmp_path):
    run = RunFolder(tmp_path / "gone")
    assert held_out(run) == {}
    with pytest.raises(DataError, match="holds no results yet"):
        read_models(run)
    with pytest.raises(DataError, match="no longer holds a run"):
        explain_steps(run, "P0", None)


def test_patient_that_no_fold_held_out_has_no_map(trained):
    with pytest.raises(DataError, match="no fold of this run held Z9 out"):
        explain_steps(RunFolder(trained), "Z9", None)
