from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PCRPredictorLib.clinical import Category, ClinicalSchema, Number
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.grid import GridSpec
from PCRTrainingLib.config import Step, read_config
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.run_folder import StepFolder
from PCRTrainingLib.runs.preparation import open_cohort
from PCRTrainingLib.training.folds import ClinicalRow, Prepared
from PCRTrainingLib.training.inference import randomised, score
from PCRTrainingLib.training.loop import build_network, parameter_groups, train_step
from PCRTrainingLib.training.objective import classification_loss, fit_clinical
from safetensors.torch import load_file
from torch.nn import functional

GUIDED = Step("s", 3, attention=True, guidance="mask cross-entropy", swap=True)


@pytest.fixture(scope="module")
def config(quick_config):
    return read_config(quick_config)


@pytest.fixture(scope="module")
def prepared(training_cohort, config, tmp_path_factory):
    cache, schema = open_cohort(training_cohort, tmp_path_factory.mktemp("cache") / "c", config, Progress())
    return Prepared(cache, schema, np.arange(16) // 2 % 2)


def run(step, config, fold, folder, start=None, report=lambda epoch, row: None):
    train_step(step, config, fold, start or {}, StepFolder(folder), "cpu", report)
    return load_file(StepFolder(folder).weights)


class Stopped(Exception):
    pass


def stop_after(epoch):
    def report(now, row):
        if now == epoch:
            raise Stopped

    return report


def test_step_stopped_after_any_epoch_goes_on_to_the_same_weights(prepared, config, tmp_path):
    fold = prepared.fold(0, config)
    whole = run(GUIDED, config, fold, tmp_path / "whole")
    for epoch in (0, 1):
        with pytest.raises(Stopped):
            run(GUIDED, config, fold, tmp_path / "parts", report=stop_after(epoch))
    resumed = run(GUIDED, config, fold, tmp_path / "parts")
    for name, weight in whole.items():
        torch.testing.assert_close(resumed[name], weight, atol=1e-6, rtol=1e-5)
    assert not (tmp_path / "parts" / "checkpoint.pt").exists()


def test_finished_step_is_not_trained_again(prepared, config, tmp_path):
    run(GUIDED, config, prepared.fold(0, config), tmp_path)
    made = (tmp_path / "weights.safetensors").stat().st_mtime_ns
    run(GUIDED, config, prepared.fold(0, config), tmp_path)
    assert (tmp_path / "weights.safetensors").stat().st_mtime_ns == made


def test_history_has_a_row_per_epoch(prepared, config, tmp_path):
    run(GUIDED, replace(config, validation=0.3), prepared.fold(0, config), tmp_path)
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,attention_in_tumour,validation_loss,validation_auc,seconds"
    assert len(lines) == 4


def test_patience_stops_and_keeps_the_best_epoch(prepared, config, tmp_path):
    watching = replace(config, validation=0.4)
    hopeless = Step("s", 30, learning_rate=0.3, patience=2)
    rows = []
    run(hopeless, watching, prepared.fold(0, watching), tmp_path, report=lambda epoch, row: rows.append(row))
    losses = [row["validation_loss"] for row in rows]
    assert len(rows) < 30
    assert len(rows) == np.argmin(losses) + 1 + 2


def test_full_disk_is_reported_in_one_sentence_and_keeps_finished_epochs(prepared, config, small_disk):
    with pytest.raises(DataError, match="no space left"):
        run(replace(GUIDED, epochs=2), replace(config, widths=(16, 32, 64)), prepared.fold(0, config), small_disk / "s")
    assert not (small_disk / "s" / "weights.safetensors").exists()


def test_each_fold_trains_on_the_others_only(prepared, config):
    watching = replace(config, validation=0.25)
    fold = prepared.fold(1, watching)
    sides = [set(side.tolist()) for side in (fold.train, fold.validation, fold.held_out)]
    assert set.union(*sides) == set(range(16))
    assert sum(map(len, sides)) == 16
    assert sides[2] == set(np.flatnonzero(prepared.folds == 1))


def test_rows_without_images_join_the_clinical_fit_but_never_a_held_out_patient(prepared, config):
    vector = np.zeros(prepared.schema.width, np.float32)
    rows = [ClinicalRow(vector, 1, name) for name in ("elsewhere", prepared.cache.ids[0].lower())]
    fold = Prepared(prepared.cache, prepared.schema, prepared.folds, rows).fold(0, config)
    assert len(fold.rows[0]) == len(fold.train) + 1


def test_clinical_fit_learns_from_the_rows(prepared):
    torch.manual_seed(0)
    rows = torch.randn(200, prepared.schema.width)
    labels = (rows[:, 0] > 0).float()
    branch = torch.nn.Sequential(torch.nn.Linear(prepared.schema.width, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    fit_clinical(branch, rows, labels, np.zeros(200, int), prepared.schema, 0.0)
    assert ((branch(rows)[:, 0] > 0) == (labels > 0)).float().mean() > 0.9


def test_optional_variable_that_is_unknown_costs_nothing():
    age, risk = Number("age", "Age", "years", 18, 100, 50, 11), Category("risk", "Risk", {"a": [], "b": []})
    generator = torch.Generator().manual_seed(0)
    value, high = torch.randn(400, generator=generator), torch.rand(400, generator=generator) < 0.5
    labels = (torch.rand(400, generator=generator) < torch.sigmoid(value + 2 * high)).float()
    rows = torch.stack([value, torch.ones(400), ~high, high], 1)
    fitted = []
    for variables in ((age,), (age, risk), (age, replace(risk, optional=True))):
        schema = ClinicalSchema(variables)
        branch = torch.nn.Sequential(torch.nn.Linear(schema.width, 1))
        torch.nn.init.zeros_(branch[0].weight), torch.nn.init.zeros_(branch[0].bias)
        fit_clinical(branch, rows[:, : schema.width], labels, np.zeros(400, int), schema, 0.0)
        unknown = torch.stack([value, torch.ones(400)], 1)
        fitted.append((branch(functional.pad(unknown, (0, schema.width - 2)))[:, 0], branch[0].weight))
    (without, _), (together, _), (last, weight) = fitted
    assert torch.allclose(without, last, atol=1e-5)
    assert not torch.allclose(without, together, atol=0.05)
    assert weight[0, 3] - weight[0, 2] > 1


def test_next_step_starts_from_the_weights_of_the_previous_one(prepared, config, tmp_path):
    fold = prepared.fold(0, config)
    before = run(Step("a", 1), config, fold, tmp_path)
    network = build_network(Step("b", 1, attention=True, clinical=True), config, fold, before)
    assert all(torch.equal(network.state_dict()[name], weight) for name, weight in before.items())


def test_new_branches_have_the_full_rate_and_a_rate_of_zero_freezes(prepared, config, tmp_path):
    fold = prepared.fold(0, config)
    before = run(Step("a", 1), config, fold, tmp_path)
    network = build_network(Step("b", 1, attention=True, clinical=True), config, fold, before)
    groups = {group["lr"]: len(group["params"]) for group in parameter_groups(network, [1.0, 0.1, 0.0], before)}
    assert set(groups) == {1.0, 0.1}
    assert not any(parameter.requires_grad for parameter in network.clinical.parameters())
    assert all(parameter.requires_grad for parameter in network.attention.parameters())


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_image_rate_of_zero_keeps_the_image_branch_whole_batch_norm_included(prepared, config, tmp_path, rate):
    fold = prepared.fold(0, config)
    before = run(Step("a", 1), config, fold, tmp_path / "a")
    step = Step("b", 1, attention=True, clinical=True, image_rate=rate)
    after = run(step, config, fold, tmp_path / "b", start=before)
    kept = {name: torch.equal(after[name], weight) for name, weight in before.items()}
    assert all(kept.values()) == (rate == 0)
    assert "stem.adn.N.running_mean" in kept


@pytest.mark.parametrize("grid", [GridSpec(size=16), GridSpec(size=32, slices=3)])
def test_smallest_grids_can_be_trained_on(training_cohort, config, tmp_path, grid):
    small = replace(config, grid=grid, widths=(16, 32, 64))
    cache, schema = open_cohort(training_cohort, tmp_path / "cache", small, Progress())
    fold = Prepared(cache, schema, np.arange(16) // 2 % 2).fold(0, small)
    assert all(weight.isfinite().all() for weight in run(GUIDED, small, fold, tmp_path / "s").values())


@pytest.mark.slow
def test_training_learns_the_label_and_looks_at_the_tumour(prepared, config, tmp_path):
    fold = prepared.fold(0, config)
    long = replace(config, widths=(16, 32, 64))
    first = run(Step("a", 12), long, fold, tmp_path / "a")
    step = replace(GUIDED, epochs=12)
    weights = run(step, long, fold, tmp_path / "b", start=first)
    network = build_network(step, long, fold, {})
    network.load_state_dict(weights)
    found = score(network, fold.cache, fold.clinical, fold.held_out, ())
    assert ((found.logit > 0) == (fold.cache.labels[fold.held_out] > 0)).mean() > 0.8
    broken = score(randomised(network), fold.cache, fold.clinical, fold.held_out, ())
    assert found.in_tumour.mean() > 2 * broken.in_tumour.mean()


def test_positive_weight_makes_up_for_imbalance():
    logit, label = torch.zeros(4), torch.tensor([1.0, 0, 0, 0])
    weighted = classification_loss(logit, label, torch.tensor(3.0))
    assert weighted > classification_loss(logit, label, torch.tensor(1.0))


def test_clinical_row_of_a_cached_patient_is_not_trained_on_whatever_zeros_it_lost():
    cache = SimpleNamespace(records=[SimpleNamespace(cohort="", own_id=name) for name in ("001", "P2")])
    rows = [ClinicalRow(np.zeros(1), 1, name) for name in ("1", "1.0", "p2", "2")]
    assert len(Prepared(cache, ClinicalSchema(()), np.zeros(2, int), rows).image_free_rows) == 1
