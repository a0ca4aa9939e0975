"""A prediction in words."""

from dataclasses import replace

from PCRPredictorLib.errors import Notice
from PCRPredictorLib.report.wording import (
    describe_decision,
    describe_image_alone,
    describe_probability,
    describe_warnings,
)
from support.examples import tiny_exam, tiny_prediction


def test_change_that_rounds_to_zero_has_no_minus():
    prediction = replace(tiny_prediction(tiny_exam()), probability=0.499, image_probability=0.5)
    assert "changed it by +0 percentage points" in describe_image_alone(prediction)


def test_warnings_are_escaped():
    prediction = tiny_prediction(tiny_exam(), notices=[Notice("a", "<script>")])
    assert "<script>" not in describe_warnings(prediction)
    assert describe_warnings(tiny_prediction(tiny_exam(), notices=[])) == ""


def test_every_sentence_is_translated_before_its_numbers_are_filled_in():
    asked = []
    prediction = tiny_prediction(tiny_exam())
    describe_probability(prediction, lambda text: asked.append(text) or text)
    describe_decision(prediction, prediction.operating_point, lambda text: asked.append(text) or text)
    assert asked
    assert not any(character.isdigit() for character in "".join(asked))
