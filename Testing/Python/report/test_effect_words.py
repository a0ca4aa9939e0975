from dataclasses import replace

from PCRPredictorLib.evidence import Interventions
from PCRPredictorLib.report.effect_words import describe_interventions
from PCRPredictorLib.report.page import render_report
from support.examples import tiny_exam, tiny_prediction

PREDICTION = replace(
    tiny_prediction(tiny_exam()),
    fold_probabilities=(0.5, 0.5),
    probability=0.5,
    interventions=Interventions((-0.4, -0.4), ((0.0, 0.0), (0.01, 0.01)), ((0.02, 0.02),), "its own"),
)


def test_every_change_is_in_percentage_points():
    text = describe_interventions(PREDICTION)
    assert "Erasing the tumour from the picture changes the probability by −9.9 percentage points" in text
    assert "an equal patch elsewhere, by +0.1 (+0.0 to +0.2, 2 places)" in text
    assert "a different background (its own), by +0.5" in text
    assert "Clinical and measured values stay as they are." in text


def test_two_changes_of_one_image_are_told_apart():
    apart = "This is not by how much “the image moved the probability”"
    assert apart in describe_interventions(PREDICTION)
    assert apart not in describe_interventions(replace(PREDICTION, evidence=None))
    no_image = replace(PREDICTION.evidence, terms=tuple(t for t in PREDICTION.evidence.terms if t.kind != "image"))
    assert apart not in describe_interventions(replace(PREDICTION, evidence=no_image))


def test_what_was_not_asked_for_or_has_no_room_is_not_made_up():
    assert describe_interventions(replace(PREDICTION, interventions=None)) == ""
    full = replace(PREDICTION, interventions=replace(PREDICTION.interventions, patches=()))
    assert "leaves no room for an equal patch elsewhere" in describe_interventions(full)


def test_report_and_json_hold_them():
    assert "Erasing the tumour" in render_report(tiny_exam(), PREDICTION, b"picture")
    assert "Erasing" not in render_report(tiny_exam(), replace(PREDICTION, interventions=None), b"picture")
    block = PREDICTION.to_json()["interventions"]
    assert round(block["tumour_erased"], 1) == -9.9
    assert block["patch_erased"]["places"] == 2
    assert replace(PREDICTION, interventions=None).to_json()["interventions"] is None
