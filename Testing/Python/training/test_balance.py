"""Sites have the same weight in training, but no patient counts absurdly often."""

import numpy as np
import pytest
import torch
from PCRTrainingLib.training.balance import MOST, class_weights, draw_epoch, row_weights, site_shares

SITES = np.repeat([0, 1, 2], [60, 30, 10])


def generator():
    return torch.Generator().manual_seed(0)


def test_sites_have_equal_shares_as_far_as_the_limit_allows():
    assert site_shares(np.array([60, 30, 10])) == pytest.approx([0.35, 0.35, 0.3])
    assert site_shares(np.array([40, 40, 20])) == pytest.approx([1 / 3] * 3)


def test_batches_show_sites_alike_and_no_patient_too_often():
    order = draw_epoch(SITES, generator())
    assert len(order) == 100
    assert np.bincount(SITES[order.numpy()]).tolist() == [35, 35, 30]
    assert np.bincount(order.numpy()).max() <= MOST
    for batch in order.tensor_split(5):
        assert np.bincount(SITES[batch.numpy()], minlength=3).min() >= 5


def test_one_site_is_shown_as_without_balance():
    order = draw_epoch(np.zeros(20, int), generator())
    assert order.tolist() == torch.randperm(20, generator=generator()).tolist()
    of_class, beside = class_weights(torch.tensor([1.0, 0, 0, 0]), np.zeros(4, int))
    assert (of_class.tolist(), beside.tolist()) == ([3.0] * 4, [1.0] * 4)
    assert row_weights(np.zeros(4, int)).tolist() == [1.0] * 4


def test_share_of_responders_changes_no_weight_of_a_site():
    labels = torch.tensor([1.0, 0, 0, 0, 1, 1, 1, 0])
    sites = np.repeat([0, 1], 4)
    of_class, beside = class_weights(labels, sites)
    weight = beside * torch.where(labels > 0, of_class, 1.0)
    assert weight[:4].sum() == pytest.approx(float(weight[4:].sum()))
    assert weight[4:7].sum() == pytest.approx(float(weight[7]))


def test_site_of_one_class_has_the_weights_of_all_patients():
    labels = torch.tensor([1.0, 0, 0, 0, 0, 0])
    of_class, beside = class_weights(labels, np.repeat([0, 1], [4, 2]))
    assert of_class[4:].tolist() == pytest.approx([5.0, 5.0])
    assert beside[4:].tolist() == [1.0, 1.0]


def test_rows_of_a_site_have_its_share_of_the_fit():
    weights = row_weights(SITES)
    assert [float(weights[k == SITES].sum()) for k in range(3)] == pytest.approx([35, 35, 30], rel=1e-5)
