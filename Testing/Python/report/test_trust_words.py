from dataclasses import replace

from PCRPredictorLib.report.trust_words import describe_calibration, describe_training_briefly, describe_training_share
from support.card_and_schema import CARD
from support.examples import interval

MEASURED = {"calibration_slope": interval(0.9, 0.5, 1.3), "calibration_in_the_large": interval(0.1, -0.2, 0.4)}


def model(base_rate=None, **changes):
    return replace(CARD, **changes).identify("0" * 64, base_rate)


def test_calibration_is_given_for_each_group_of_patients():
    text = describe_calibration(model(metrics={"out of fold": MEASURED, "elsewhere": MEASURED, "point": {"ppv": 0.5}}))
    each = "slope 0.90 (0.50 to 1.30), in the large +0.10 (−0.20 to +0.40)"
    assert text.startswith(f"Calibration out of fold, {each}; elsewhere, {each} (right: 1 and 0")


def test_of_a_recalibrated_model_the_calibration_of_before_is_not_given():
    now = {"calibration_slope": interval(1.0), "calibration_intercept": interval(0.0)}
    metrics = {"out of fold": MEASURED, "here, before recalibration": now, "here, cross-fitted": now}
    assert describe_calibration(model(metrics=metrics)).startswith("Calibration here, cross-fitted, slope 1.00, in the")


def test_what_was_not_measured_is_reported():
    assert "was not measured" in describe_calibration(model(metrics={}))
    assert "is not known" in describe_training_share(replace(model(), base_rate=None))


def test_the_base_rate_comes_with_what_follows_elsewhere():
    assert "Base rate: 30 % of its training patients had pCR; where fewer" in describe_training_share(model(0.3))


def test_training_patients_are_named_in_a_sentence():
    assert describe_training_briefly(model(training_data="9 women, 3 with pCR. Of 2.5 cm.")) == "9 women, 3 with pCR."
