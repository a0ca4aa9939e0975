"""The state of a run, as the panel reads it while the run goes on."""

import pytest
import torch
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.cohort import find_patient, read_patient
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


def test_map_with_fewer_slices_than_the_grid_covers_the_whole_window(trained, training_cohort, monkeypatch):
    ramp = torch.arange(4.0).view(1, 1, 4, 1, 1).expand(1, 1, 4, 16, 16)
    monkeypatch.setattr("PCRTrainingLib.runs.step_attention.explain", lambda output: ramp)
    exam = read_patient(find_patient(training_cohort, "P0"))
    heights = explain_steps(RunFolder(trained), "P0", exam)["step1"].max((1, 2))
    inside = heights[exam.mask.any((1, 2))]
    assert inside[0] < 0.2
    assert 0.3 < inside[len(inside) // 2] < 0.8
    assert inside[-1] == 1
