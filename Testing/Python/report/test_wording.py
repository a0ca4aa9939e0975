"""A prediction in words."""

import re
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import Notice
from PCRPredictorLib.prediction import OperatingPoint
from PCRPredictorLib.report.wording import (
    describe_decision,
    describe_headline,
    describe_image_alone,
    describe_lesion,
    describe_model,
    describe_result,
    describe_warnings,
    split_doubts,
)
from support.examples import AUC, BLOCKING, EXAMPLE_NOTICE, tiny_exam, tiny_prediction, two_lesions

PREDICTION = tiny_prediction(tiny_exam(), notices=())
PERCENT = re.compile(r"([\d.]+) %")


def predicted(probability, threshold=0.45, **changes):
    """Return a prediction beside a threshold."""
    point = OperatingPoint("balanced", threshold, 0.71, 0.66)
    return replace(PREDICTION, probability=probability, operating_point=point, **changes)


def test_probability_stands_beside_that_of_the_training_patients():
    assert "Probability of pCR 26 %</b></big> (patients like those it was trained on: 32 %)" in describe_result(
        predicted(0.26)
    )


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (
            0.4501,
            "Above the threshold of “balanced” (45.00 %): of 100 such patients in training, 50 had pCR; of 100 below",
        ),
        (0.45, "At the threshold of “balanced” (45.0 %): of 100 such patients in training, 50 had pCR"),
        (0.2, "Below the threshold of “balanced” (45.0 %): of 100 such patients in training, 17 had pCR; of 100 above"),
    ],
)
def test_decision_is_a_side_of_the_threshold_and_what_it_meant_in_training(probability, words):
    assert words in describe_decision(predicted(probability))


def test_rates_that_were_measured_count_instead_of_those_that_follow():
    point = OperatingPoint(
        "balanced", 0.45, 0.7, 0.7, ppv=0.4, npv=0.9, ppv_interval=(0.3, 0.5), npv_interval=(0.8, 0.95)
    )
    text = describe_decision(replace(PREDICTION, probability=0.6, operating_point=point))
    assert "of 100 such patients in training, 40 (30 to 50) had pCR; of 100 below it, 10 (5 to 20)." in text


def test_no_number_of_patients_is_made_up_if_the_base_rate_is_unknown():
    unknown = predicted(0.6, model=replace(PREDICTION.model, base_rate=None))
    assert "of 100" not in describe_decision(unknown)
    assert "trained on" not in describe_result(unknown)


def test_words_never_contradict_the_decision_however_near_the_threshold():
    random = np.random.default_rng(0)
    for threshold in random.uniform(0.01, 0.99, 300):
        for step in (0, *(sign * 10.0**-n for n in range(1, 9) for sign in (-1, 1))):
            prediction = predicted(float(np.clip(threshold + step, 0, 1)), float(threshold))
            shown = float(PERCENT.search(describe_result(prediction))[1])
            limit = float(PERCENT.search(describe_decision(prediction))[1])
            assert (shown >= limit) == (prediction.decision == "pCR")
            assert describe_decision(prediction).startswith("Below") == (prediction.decision == "no pCR")


def test_nothing_is_called_predicted():
    for probability in np.linspace(0, 1, 101):
        prediction = predicted(float(probability))
        assert "predicted" not in describe_result(prediction) + describe_decision(prediction)


def test_without_a_decision_the_reason_comes_first_and_the_probability_is_small():
    prediction = predicted(0.62, notices=(EXAMPLE_NOTICE, BLOCKING))
    text = describe_result(prediction)
    assert text.startswith(f"<b>No decision.</b> {BLOCKING.message}<br>")
    assert re.search("<small>Probability of pCR 62 %", text)
    assert "<big>" not in text
    assert describe_decision(prediction) == ""
    assert prediction.decision is None


def test_lesion_without_a_decision_has_no_probability_in_the_list():
    first = tiny_prediction(two_lesions(), notices=[BLOCKING]).lesions[0]
    assert describe_lesion(first) == "right, 2.3 ml: no decision"


def test_model_is_named_with_its_auc_and_on_whom_it_was_measured():
    model = PREDICTION.model
    of_its_own = (
        "Model tiny 1.0.0: AUC 0.73 (0.67 to 0.79) out of fold: among its training patients, each left out once."
    )
    not_measured = "The model itself has not been measured on patients of other hospitals."
    assert describe_model(model) == f"{of_its_own} {not_measured}"
    without_a_site = replace(model, elsewhere="Others have 0.69.")
    assert describe_model(without_a_site) == f"{of_its_own} Others have 0.69. {not_measured}"
    elsewhere = replace(model, auc={"out of fold": AUC, "Duke": {"value": 0.58, "low": 0.5, "high": 0.66}})
    assert "out of fold, 0.58 (0.50 to 0.66) Duke." in describe_model(elsewhere)
    assert "was not measured" in describe_model(replace(model, auc={}))


def test_warnings_that_forbid_a_decision_come_first():
    text = describe_warnings(predicted(0.6, notices=(EXAMPLE_NOTICE, BLOCKING)))
    assert text.index(BLOCKING.message) < text.index(EXAMPLE_NOTICE.message)


def test_headline_is_short_and_says_ranges_and_side_once():
    text = describe_headline(predicted(0.62, mask_interval=(0.6, 0.64)))
    assert text.startswith("<big><b>Probability of pCR 62 %</b></big>")
    ranges = "Folds agree within 54 % to 67 %; outline of the tumour varied: 60 % to 64 %."
    assert text.endswith(
        f"<small>{ranges} Above the threshold of “{PREDICTION.operating_point.name}” (45.0 %).</small>"
    )
    withheld = describe_headline(predicted(0.62, notices=(EXAMPLE_NOTICE, BLOCKING)))
    assert withheld.startswith(f"<b>No decision.</b> {BLOCKING.message}<br><small>Probability of pCR 62 %. Folds")
    assert "threshold" not in withheld


def test_the_most_important_warning_is_apart_and_the_others_are_counted():
    timing, several = Notice("unfamiliar_timing", "Late."), Notice("several_lesions", "Two.")
    late = "<b>Warnings</b><ul><li>Two.</li></ul>"
    assert split_doubts(predicted(0.6, notices=(several, timing))) == ("Late.", late)
    first, others = split_doubts(predicted(0.6, notices=(several, timing, BLOCKING)))
    assert first == "One more warning before you rely on it, under Result."  # the headline holds the first one
    assert others == "<b>Warnings</b><ul><li>Late.</li><li>Two.</li></ul>"
    age = Notice("unfamiliar_age", "Old.")
    assert split_doubts(predicted(0.6, notices=(timing, age, age)))[0].startswith("Late. 2 more warnings")
    assert split_doubts(predicted(0.6, notices=(several,))) == ("", late)
    assert split_doubts(predicted(0.6, notices=())) == ("", "")


def test_range_of_the_folds_does_not_read_as_a_confidence_interval():
    assert "agree within 54 % to 67 %, which is no confidence interval" in describe_result(PREDICTION)


def test_change_that_rounds_to_zero_has_no_minus():
    prediction = replace(tiny_prediction(tiny_exam()), probability=0.499, image_probability=0.5)
    assert "changed it by +0 percentage points" in describe_image_alone(prediction)


def test_warnings_are_escaped():
    prediction = tiny_prediction(tiny_exam(), notices=[Notice("a", "<script>")])
    assert "<script>" not in describe_warnings(prediction)
    assert describe_warnings(tiny_prediction(tiny_exam(), notices=[])) == ""


def test_every_sentence_is_translated_before_its_numbers_are_filled_in():
    asked = []
    describe_result(PREDICTION, lambda text: asked.append(text) or text)
    describe_decision(PREDICTION, lambda text: asked.append(text) or text)
    assert asked
    assert not any(character.isdigit() for character in "".join(asked).replace("of 100", ""))
