"""Steps of a small cohort have the updates that the method needs."""

from dataclasses import replace

import pytest
from PCRPredictorLib.model.grid import GridSpec
from PCRTrainingLib.config import PRESETS, UPDATES, config_to_json, parse_config
from PCRTrainingLib.run_plan import Estimate, auc_half_width
from PCRTrainingLib.settings import write_setting
from PCRTrainingLib.training.estimate import estimate_cohorts
from PCRTrainingLib.training.updates import batches_of, describe_lengthening, lengthen_for

FULL = PRESETS["full"]


@pytest.mark.parametrize("patients", [8, 16, 32, 96, 158])
def test_every_step_of_a_small_cohort_has_enough_updates(patients):
    config = lengthen_for(FULL, patients)
    updates = [step.epochs * batches_of(config, patients) for step in config.steps]
    assert min(updates) >= UPDATES
    assert min(updates) < 2 * UPDATES
    assert lengthen_for(config, patients) == config  # as when it is resumed


def test_large_cohorts_and_chosen_epochs_stay_as_they_are():
    assert lengthen_for(FULL, 320) == FULL
    assert lengthen_for(PRESETS["quick"], 8) == PRESETS["quick"]
    own = parse_config('{"steps": [{"name": "one", "epochs": 2}]}', "own")
    assert lengthen_for(own, 8) == own


def test_steps_are_lengthened_alike_so_that_baselines_stay_comparable():
    steps = (replace(FULL.steps[0], epochs=30), *FULL.steps[1:])
    config = lengthen_for(replace(FULL, steps=steps), 32)
    assert [step.epochs for step in config.steps] == [300, 100, 100]


def test_a_lengthening_is_reported_with_the_way_out():
    assert describe_lengthening(FULL, FULL) == ""
    said = describe_lengthening(FULL, lengthen_for(FULL, 32))
    assert said.startswith("a small cohort: each step has 100 epochs instead of 10")


def test_epochs_that_a_form_changes_stay():
    config = config_to_json(FULL)
    write_setting(config, "*.epochs", 10)
    assert config["updates"] == UPDATES
    write_setting(config, "*.epochs", 3)
    assert config["updates"] == 0


def test_an_estimate_says_what_to_expect():
    # Hanley and McNeil 1982: 50 and 50 at 0.7 have a standard error of about 0.053
    assert auc_half_width(50, 50) == pytest.approx(1.96 * 0.053, abs=0.005)
    few = Estimate(60, 100, patients=40, positives=12, folds=3, updates=150, guided=True).describe()
    assert few[0] == "about 1 min of training, 0.1 GB of memory"
    assert "expect it at chance" in few[-1]
    enough = Estimate(60, 0, patients=40, positives=12, folds=5, updates=200, guided=True).describe()
    assert enough[:2] == ["about 1 min of training", "each step has at least 200 updates in each fold; folds: 5"]
    assert "12 have pCR: an AUC of 0.70 is known to 0.1" in enough[2]
    assert len(enough) == 3


def test_an_estimate_counts_the_updates_that_a_small_cohort_gets(training_cohort):
    found = estimate_cohorts({"one": training_cohort}, replace(FULL, grid=GridSpec(size=32), widths=(4, 6, 8)), 1)
    assert (found.patients, found.positives, found.folds, found.guided) == (16, 8, 5, True)
    assert found.updates >= UPDATES
