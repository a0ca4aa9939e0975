"""The rates that an operating point promises are of patients who did not choose its threshold."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from PCRPredictorLib.prediction import OperatingPoint
from PCRTrainingLib.statistics.operating import fit_points
from PCRTrainingLib.statistics.promises import decide_by_others, promise

RNG = np.random.default_rng(0)
LABEL = (RNG.random(300) < 0.3).astype(int)
LOGIT = 1.2 * LABEL + RNG.normal(size=300)


def test_threshold_is_that_of_all_patients():
    calibration, points = promise(LOGIT, LABEL)
    expected, chosen = fit_points(LOGIT, LABEL)
    assert calibration == expected
    assert [(p.name, p.threshold) for p in points] == [(p.name, p.threshold) for p in chosen]


def test_noise_promises_no_more_than_chance_at_any_point():
    found = {}
    for seed in range(12):
        rng = np.random.default_rng(seed)
        label = (np.arange(60) % 3 == 0).astype(int)
        for point in promise(rng.normal(size=60), label)[1]:
            found.setdefault(point.name, []).append(point.sensitivity + point.specificity - 1)
    assert len(found) == 3
    assert all(np.mean(youden) < 0.1 for youden in found.values())  # balanced: 0.2 on the patients that chose it


def test_rates_are_shares_of_the_same_decisions():
    for point in promise(LOGIT, LABEL)[1]:
        above, positives = decide_by_others(LOGIT, LABEL)[point.name], LABEL.mean()
        assert point.share_above == pytest.approx(above.mean())
        assert point.share_above * point.ppv == pytest.approx(positives * point.sensitivity)
        assert (1 - point.share_above) * point.npv == pytest.approx((1 - positives) * point.specificity)
        assert point.patients == 300


def test_every_rate_has_an_interval_that_contains_it():
    for point in promise(LOGIT, LABEL)[1]:
        for name in ("sensitivity", "specificity", "ppv", "npv"):
            low, high = getattr(point, f"{name}_interval")
            assert 0 <= low < getattr(point, name) < high <= 1


def test_a_site_is_decided_by_the_other_sites_alone():
    site = np.arange(300) % 3
    changed = np.where(site == 1, 1 - LABEL, LABEL)
    before, after = (decide_by_others(LOGIT, label, site)["balanced"] for label in (LABEL, changed))
    np.testing.assert_array_equal(before[site == 1], after[site == 1])
    assert set(np.unique(before)) == {0.0, 1.0}  # one division, so nothing is averaged


def test_sites_that_cannot_decide_for_each_other_are_divided_at_random():
    apart = LABEL  # each site has one class
    assert len(np.unique(decide_by_others(LOGIT, LABEL, apart)["balanced"])) > 2


def test_point_survives_json_and_one_of_an_older_bundle_has_no_more_than_it_had():
    for point in promise(LOGIT, LABEL)[1]:
        assert OperatingPoint.from_json(json.loads(json.dumps(asdict(point)))) == point
    old = OperatingPoint.from_json({"name": "balanced", "threshold": 0.3, "sensitivity": 0.8, "specificity": 0.6})
    assert (old.ppv, old.patients, old.sensitivity_interval) == (None, None, None)
