"""Rounds at a site: their epochs, the state that stays between them, and the proximal term."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PCRTrainingLib.federation.agreement import shared_schema
from PCRTrainingLib.federation.local_training import epochs_of_round, start_weights, train_round
from PCRTrainingLib.federation.privacy import update_norm
from PCRTrainingLib.training.folds import Prepared
from support.federated.sites import CONFIG, real_site
from support.training_cohort import write_cohort

STEP = CONFIG.steps[0]
PLAIN = replace(CONFIG, dropout=0.0)


@pytest.fixture(scope="module")
def fold(tmp_path_factory):
    root = tmp_path_factory.mktemp("site")
    site, _ = real_site(write_cohort(root / "cohort", 12), root / "site")
    site._config = PLAIN
    torch.set_num_threads(1)
    folds = np.where(np.arange(12) < 4, 0, -1)
    return Prepared(site.cache, shared_schema(PLAIN), folds).fold(0, PLAIN)


def test_rounds_share_the_epochs_of_a_step():
    assert [list(epochs_of_round(5, 2, number)) for number in (0, 1)] == [[0, 1], [2, 3, 4]]


def test_two_rounds_of_one_site_are_one_run_of_it(fold, tmp_path):
    start = start_weights(STEP, PLAIN, fold, {})
    whole, _ = train_round(STEP, PLAIN, fold, start, range(0, 2), tmp_path / "whole.pt")
    half, _ = train_round(STEP, PLAIN, fold, start, range(0, 1), tmp_path / "halves.pt")
    again, row = train_round(STEP, PLAIN, fold, half, range(1, 2), tmp_path / "halves.pt")
    assert all(torch.allclose(whole[name], again[name], atol=1e-6) for name in whole)
    assert row["loss"] > 0


def test_the_proximal_term_holds_a_site_near_the_others(fold, tmp_path):
    start = start_weights(STEP, PLAIN, fold, {})
    learnt = {name: tensor for name, tensor in start.items() if "running" not in name}
    moved = [
        update_norm(learnt, train_round(STEP, PLAIN, fold, start, range(2), tmp_path / f"{mu}.pt", proximal=mu)[0])
        for mu in (0.0, 1000.0)
    ]
    assert moved[1] < 0.8 * moved[0]


def test_state_of_a_later_round_is_not_gone_on_from(fold, tmp_path):
    start, kept = start_weights(STEP, PLAIN, fold, {}), tmp_path / "kept.pt"
    first, _ = train_round(STEP, PLAIN, fold, start, range(0, 1), kept)
    train_round(STEP, PLAIN, fold, first, range(1, 2), kept)
    again, _ = train_round(STEP, PLAIN, fold, start, range(0, 1), kept)
    assert all(torch.equal(first[name], again[name]) for name in first)
