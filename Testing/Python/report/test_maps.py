from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.report.maps import KINETIC, OVERLAYS, colour_table, make_overlay
from support.examples import tiny_exam, tiny_prediction


@pytest.fixture
def exam():
    return tiny_exam()


@pytest.fixture
def prediction(exam):
    return tiny_prediction(exam)


@pytest.mark.parametrize("kind", OVERLAYS)
def test_every_value_is_on_the_scale(exam, prediction, kind):
    overlay = make_overlay(kind, exam, prediction)
    assert overlay.values.shape == exam.pre.shape
    assert overlay.values.min() >= overlay.low
    if kind != "enhancement":  # a few bright voxels of vessels may saturate
        assert overlay.values.max() <= overlay.high


def test_evidence_is_shown_per_ml_on_a_scale_that_is_the_same_to_both_sides(exam, prediction):
    overlay = make_overlay("evidence", exam, prediction)
    ml = exam.geometry.voxel_volume / 1000
    assert (overlay.values * ml).sum() == pytest.approx(prediction.evidence.image.log_odds, rel=1e-4)
    assert (overlay.low, overlay.unit) == (-overlay.high, "log-odds per ml")


def test_map_that_adds_next_to_nothing_stays_faint(exam, prediction):
    overlay = make_overlay("evidence", exam, replace(prediction, evidence_map=prediction.evidence_map * 1e-6))
    assert overlay.high * prediction.tumour.volume_ml >= 0.4  # log-odds of the whole tumour in the full colour
    assert not (np.abs(overlay.values) >= overlay.faint).any()


def test_enhancement_is_shown_where_the_model_looked(exam, prediction):
    overlay = make_overlay("enhancement", exam, prediction)
    tumour = exam.mask != 0
    assert np.median(overlay.values[tumour]) == pytest.approx(150, abs=15)
    assert not overlay.values[prediction.attention.any((1, 2)) == 0].any()


def test_colours_are_transparent_where_a_map_is_faint(exam, prediction):
    table = colour_table(make_overlay("evidence", exam, prediction))
    assert table[[0, 127, 254], 3].tolist() == [1, 0, 1]
    assert table[0, 0] > table[0, 2]  # orange speaks against
    assert table[254, 2] > table[254, 0]  # blue towards response
    assert colour_table(make_overlay("attention", exam, prediction))[[0, 254], 3].tolist() == [0, 1]


def test_result_without_evidence_has_no_evidence_to_show(exam, prediction):
    assert make_overlay("evidence", exam, replace(prediction, evidence_map=None)) is None


@pytest.mark.parametrize("kind", KINETIC)
def test_kinetic_maps_are_of_the_tumour_alone(exam, prediction, kind):
    overlay = make_overlay(kind, exam, prediction)
    assert not overlay.values[exam.mask == 0].any()
    assert (overlay.values[exam.mask != 0] > 0).mean() > 0.95
    assert overlay.values.max() <= overlay.high
    assert len(overlay.names) in (0, len(overlay.colours))
