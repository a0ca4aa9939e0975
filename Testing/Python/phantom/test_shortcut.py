"""Kinds of shortcut: each varies the scan, tells the label as strongly as asked, and leaves the patient alone."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.shortcut_statistics import background_statistic
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.grid import GridSpec, place_window, sample
from PCRPredictorLib.model.normalisation import to_channels
from PCRPredictorLib.phantom.patient import make_patient, patient_traits
from PCRPredictorLib.phantom.shortcut import settings_of_scan
from PCRPredictorLib.phantom.site import SHORTCUT_KINDS, SITES, find_site
from sklearn.metrics import roc_auc_score

SETTINGS = {"noise": "noise", "shading": "falloff", "fat": "fat"}
OTHERS = sorted(SETTINGS)


def settings(kind: str, strength: float, count: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """Return what the kind varies, and the labels."""
    site, rng = find_site("A", strength, kind), np.random.default_rng(0)
    labels = rng.random(count) < 0.3
    return np.array([getattr(settings_of_scan(site, int(pcr), rng), SETTINGS[kind]) for pcr in labels]), labels


def test_usual_patient_is_that_of_earlier_versions():
    site = find_site("A", 0.6)
    assert settings_of_scan(site, 1, np.random.default_rng(0)) is site
    sums = [int(phase.sum(dtype=int)) for phase in make_patient(site, 1, seed=1).exam.phases]
    assert sums == pytest.approx([7379595, 9318229, 10700870], rel=1e-5)


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize(("strength", "auc"), [(0.6, 0.856), (0.3, 0.672), (0.0, 0.5), (-0.6, 0.144)])
def test_setting_of_the_scan_tells_the_label_as_strongly_as_asked(kind, strength, auc):
    values, labels = settings(kind, strength)
    assert roc_auc_score(labels, values) == pytest.approx(auc, abs=0.04)
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("kind", OTHERS)
def test_patient_is_the_one_without_a_shortcut(kind):
    usual, other = SITES["A"], find_site("A", 0.6, kind)
    assert patient_traits(other, 3) == patient_traits(usual, 3)
    one, two = make_patient(usual, 3).exam, make_patient(other, 3).exam
    assert np.array_equal(one.mask, two.mask)
    assert not np.array_equal(one.pre, two.pre)


@pytest.mark.parametrize("kind", OTHERS)
def test_tumour_enhances_as_it_does_without_a_shortcut(kind):
    curves = []
    for site in (SITES["A"], find_site("A", 0.6, kind)):
        exam = make_patient(site, 3).exam
        pre, early, late = (phase[exam.mask > 0].mean() for phase in exam.phases)
        curves.append((early / pre, late / early))
    assert np.allclose(*curves, rtol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHORTCUT_KINDS)
def test_one_number_of_the_background_tells_the_label(kind):
    site, values, labels = find_site("A", 0.9, kind), [], []
    for index in range(1, 31):
        exam = make_patient(site, index, seed=1).exam
        window = place_window(exam.mask > 0, exam.geometry, GridSpec())
        values.append(background_statistic(kind, to_channels(exam, window), sample(exam.mask, window)))
        labels.append(patient_traits(site, index, 1).pcr)
    assert roc_auc_score(labels, values) > 0.75


def test_unknown_kind_is_refused():
    with pytest.raises(DataError, match="one of background, noise, shading, fat, got 'motion'"):
        find_site("A", 0.6, "motion")
