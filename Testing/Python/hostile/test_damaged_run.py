"""A run folder that a disk, a program or a hand has damaged: refused in one sentence, or read as far as it can be."""

import shutil

import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.charts import model_row, result_charts, training_charts
from PCRTrainingLib.config import read_config
from PCRTrainingLib.ends.summary import summarise
from PCRTrainingLib.run_folder import RunFolder
from PCRTrainingLib.run_plan import RunPlan
from PCRTrainingLib.run_state import held_out, read_models, read_state
from PCRTrainingLib.runs.train import train
from support.hostile.runs import CHECKPOINTS, KINDS
from support.training_cohort import quiet_job

READ_BY_THE_PANEL = (
    read_state,
    held_out,
    training_charts,
    summarise,
    lambda run: [(model_row(model), result_charts([model])) for model in read_models(run)],
)
LATE = ("config", "sessions", "quarantine", "history", "summary", "half")  # resumed to the end, which takes a second


def damaged(run, kind, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    kind(copy)
    return copy


@pytest.mark.parametrize("name", KINDS)
def test_panel_shows_a_damaged_run_or_one_sentence(name, trained, tmp_path):
    run = RunFolder(damaged(trained, KINDS[name], tmp_path))
    for read in READ_BY_THE_PANEL:
        try:
            read(run)
        except DataError as error:
            assert str(run.path) in str(error)
            assert "\n" not in str(error)
    assert "\n" not in RunPlan(tmp_path, run.path).describe()


@pytest.mark.parametrize("name", [name for name in {**KINDS, **CHECKPOINTS} if not any(w in name for w in LATE)])
def test_damaged_run_is_not_resumed_or_goes_on(name, trained, training_cohort, quick_config, tmp_path):
    out = damaged(trained, {**KINDS, **CHECKPOINTS}[name], tmp_path)
    try:
        train(quiet_job(training_cohort, out, resume=True), read_config(quick_config))
    except DataError as error:
        assert str(out) in str(error)
        assert "\n" not in str(error)
