"""The predictor behind a session."""

from pathlib import Path

from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.session.model_choice import ModelChoice, ModelRunner
from support.examples import tiny_exam


def test_a_model_is_loaded_once_for_predictions_in_a_row(bundle):
    runner = ModelRunner()
    first = runner.predict(tiny_exam(), bundle, "cpu")
    loaded = runner._predictor
    assert runner.predict(tiny_exam(), bundle, "cpu").probability == first.probability
    assert runner._predictor is loaded
    phantom = load_bundle(find_bundle("phantom"))
    assert (
        runner.predict(tiny_exam(), phantom, "cpu").probability == Predictor(phantom).predict(tiny_exam()).probability
    )


def test_reason_why_a_model_cannot_be_read_is_shown_as_text():
    choice = ModelChoice()
    choice.choose(Path("<script>alert(1)</script>"))
    assert "<script" not in choice.describe() + choice.describe_briefly()
    assert "&lt;script&gt;alert(1)" in choice.describe()
