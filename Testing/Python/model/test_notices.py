"""Warnings about the times of the phases, and about exams of a kind that a model was not validated on."""

from dataclasses import replace

import pytest
from PCRPredictorLib.exam import Provenance
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.notices import about_timing, about_validation
from support.examples import SAGITTAL, tiny_exam


def warnings(bundle, times=None, first_post=None, injection=None):
    """Return the messages about an exam with these times."""
    provenance = Provenance("dicom", times, injection=injection, first_post=first_post)
    found = list(about_timing(provenance, bundle.settings.times if bundle else ()))
    assert {notice.code for notice in found} <= {"unfamiliar_timing"}
    return " ".join(notice.message for notice in found)


def test_usual_and_unknown_times_are_no_warning(bundle):
    assert warnings(bundle, (0, 128, 480), 128) == ""
    assert warnings(bundle) == ""


def test_long_gap_before_the_first_phase_after_contrast_is_a_warning(bundle):
    message = warnings(bundle, (0, 1371.1, 1737), 1371.1)
    assert "first phase after contrast was acquired 1371 s after the pre-contrast one" in message
    assert "in 9 of 10 training patients 93 to 243 s" in message
    assert "time since the injection is unknown: probably there was a pause" in message
    assert "late phase" not in message


def test_gap_is_a_warning_of_a_model_without_training_times_too():
    assert "1371 s" in warnings(None, (0, 1371.1, 1737), 1371.1)
    assert warnings(None, (0, 250, 600), 250) == ""


def test_gap_is_known_from_a_table_with_more_times_than_files(bundle):
    assert "922 s" in warnings(bundle, None, 922)


@pytest.mark.parametrize(
    ("times", "first_post", "words"),
    [
        ((0, 60, 460), 60, "first phase after contrast was acquired 60 s"),
        ((0, 300, 500), 110, "early phase was acquired 300 s"),
        ((0, 128, 200), 128, "late phase was acquired 72 s"),
        ((0, 128, 900), 128, "late phase was acquired 772 s after the first phase after contrast"),
    ],
)
def test_early_and_late_are_compared_with_the_training(bundle, times, first_post, words):
    assert words in warnings(bundle, times, first_post)


def test_time_since_a_known_injection_counts_instead_of_the_gap(bundle):
    assert warnings(bundle, (0, 1371, 1737), 1371, injection=1300) == ""
    assert "acquired 371 s after the injection" in warnings(bundle, (0, 1371, 1737), 1371, injection=1000)
    assert "20 s before the injection" in warnings(bundle, (0, 130, 490), 220, injection=150)


def test_bundled_models_know_the_times_of_their_training_patients():
    early, late = load_bundle(find_bundle("ispy2")).settings.times
    assert early.quartiles == pytest.approx((119, 151, 200))
    assert (round(late.low), round(late.high)) == (225, 410)
    assert "151 s after the pre-contrast one" in load_bundle(find_bundle("ispy2")).card.timing
    assert len(load_bundle(find_bundle("phantom")).settings.times) == 2


def validation(model, exam):
    """Return the codes of warnings about an exam that a bundled model was not validated on."""
    return [notice.code for notice in about_validation(exam, load_bundle(find_bundle(model)).card)]


def test_early_phase_before_the_injection_forbids_a_decision(bundle):
    (notice,) = about_timing(Provenance("dicom", (0, 130, 490), injection=150, first_post=220), bundle.settings.times)
    assert notice.blocks_decision


def test_model_of_phantoms_is_for_phantoms_only():
    patient = replace(tiny_exam(), provenance=Provenance("file"))
    assert validation("phantom", tiny_exam()) == []
    assert validation("phantom", patient) == ["model_of_phantoms"]
    assert validation("phantom", replace(patient, provenance=Provenance("file", simulated=True))) == []
    assert validation("phantom", replace(patient, provenance=Provenance("file", patient_id="phantom_A_0001"))) == []
    assert validation("ispy2", patient) == []


def test_plane_that_the_card_names_among_its_limits_is_a_warning():
    assert validation("ispy2", tiny_exam(SAGITTAL)) == ["unfamiliar_plane"]
    assert validation("phantom", tiny_exam(SAGITTAL)) == []
