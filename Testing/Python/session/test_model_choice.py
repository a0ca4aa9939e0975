"""The predictor behind a session."""

from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.session.model_choice import ModelRunner
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
