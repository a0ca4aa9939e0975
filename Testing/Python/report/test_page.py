import re
from dataclasses import replace
from datetime import date

import pytest
from PCRPredictorLib.errors import Notice
from PCRPredictorLib.report.page import describe_position, render_report
from support.examples import BLOCKING, tiny_exam, tiny_prediction

EXAM = tiny_exam()
PREDICTION = tiny_prediction(EXAM, notices=())


def report(*, show_patient_id=False, **changes):
    return render_report(EXAM, replace(PREDICTION, **changes), b"picture", show_patient_id=show_patient_id)


def test_result_comes_before_everything_else():
    text = report()
    assert text.index("62 %") < text.index("<img") < text.index("Clinical values used") < text.index("Checksum")


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.62, "Above the threshold of “balanced” (45.0 %): of 100 such patients in training, 50 had pCR"),
        (0.2, "Below the threshold of “balanced” (45.0 %): of 100 such patients in training, 17 had pCR"),
    ],
)
def test_decision_is_in_words(probability, words):
    assert words in report(probability=probability)


def test_base_rate_and_model_with_its_auc_stand_beside_the_probability():
    text = report()
    assert "(patients like those it was trained on: 32 %)" in text
    assert (
        "Model tiny 1.0.0: AUC 0.73 (0.67 to 0.79) out of fold: among its training patients, each left out once."
        in text
    )


def test_what_is_needed_to_judge_the_probability_is_on_the_first_page():
    found = {"slope": {"value": 0.9, "low": 0.5, "high": 1.3}, "in_the_large": {"value": 0.1, "low": -0.2, "high": 0.4}}
    text = report(model=replace(PREDICTION.model, calibration={"out of fold": found}))
    calibration = "Calibration out of fold, slope 0.90 (0.50 to 1.30), in the large +0.10 (−0.20 to +0.40)"
    base_rate = "Base rate: 32 % of its training patients had pCR; where fewer have, its probabilities are too high."
    places = [
        text.index(part) for part in (base_rate, calibration, "<figure>", "Diameters", "Functional tumour volume")
    ]
    assert places == sorted(places)


def test_without_a_decision_the_reason_comes_first_and_the_probability_is_small():
    text = report(notices=(BLOCKING,))
    assert text.index("No decision") < text.index(BLOCKING.message) < text.index("not to be relied on: 62 %")
    assert 'class="probability"' not in text
    assert "threshold of" not in text


def test_patient_is_named_only_on_request():
    assert "SECRET-1" not in report()
    assert "SECRET-1" in report(show_patient_id=True)
    assert "predictions.csv beside the patient" in report()
    assert "predictions.csv beside the patient" not in report(show_patient_id=True)


def test_report_loads_nothing_and_runs_no_script():
    text = report()
    assert "default-src 'none'" in text
    assert not any(word in text for word in ("<script", "http://", "https://", "@import", "url("))


def test_all_text_is_escaped():
    odd = "<b>odd</b> & strange"
    text = report(
        notices=(Notice("x", odd),),
        clinical={odd: odd},
        versions={odd: odd},
        model=replace(PREDICTION.model, name=odd, training_data=odd, intended_use=odd, licence=odd),
    )
    assert "<b>odd" not in text
    assert text.count("&lt;b&gt;odd&lt;/b&gt; &amp; strange") >= 8


def test_warnings_or_their_absence_are_reported():
    assert "<li>An example.</li>" in report(notices=(Notice("x", "An example."),))
    assert "No warnings." in report()


def test_unknown_values_and_the_effect_of_known_ones_are_reported():
    assert '<th scope="row">Hormone receptors</th><td>unknown</td>' in report()
    assert "they changed it by +12 percentage points" in report()
    assert "changed it by −30 percentage points" in report(probability=0.2)
    assert "No clinical value was given" in report(clinical={"Age": "unknown"})
    assert "The model reads the image alone." in report(clinical={})


def test_report_states_research_use_only_and_the_intended_use():
    text = report()
    assert "Research use only" in text
    assert text.index("Intended use: tests") < text.index("<img")


def test_peak_is_described_relative_to_the_tumour():
    assert "inside the tumour, at its centre" in report()
    summary = PREDICTION.attention_summary
    moved = replace(summary, peak=(summary.peak[0] + 4, summary.peak[1], summary.peak[2] - 6), peak_in_tumour=False)
    assert "outside the tumour, 4 mm left, 6 mm inferior of its centre" in report(attention_summary=moved)


def test_position_is_given_in_patient_directions():
    assert describe_position((12, -30, 5)) == "12 mm left, 30 mm anterior, 5 mm superior in scanner coordinates"


def test_rates_of_the_operating_point_are_reported_if_known():
    unknown = replace(PREDICTION.operating_point, sensitivity=None)
    assert "In training: sensitivity 71 %, specificity 66 %." in report()
    assert "In training" not in report(operating_point=unknown)


def test_printouts_can_be_told_apart_without_a_patient():
    text = report()
    assert f"Result {PREDICTION.name}" in text and f"Written {date.today().isoformat()}" in text
    assert '<span class="blank">Patient:</span>' in text
    assert replace(PREDICTION, fold_probabilities=(0.1,)).name != PREDICTION.name == PREDICTION.to_json()["result"]


def test_warnings_that_bear_on_the_result_come_before_the_model():
    notices = (Notice("several_lesions", "Two."), Notice("unfamiliar_timing", "Late."))
    text = report(notices=notices)
    assert text.index("Late.") < text.index("Model tiny 1.0.0") < text.index("Two.")


@pytest.mark.parametrize("folds", [(0.01, 0.02), (0.98, 0.99)])
def test_the_range_on_the_scale_does_not_lie_on_its_ends(folds):
    text = report(interval=folds)
    (middle,) = re.findall(r'<text x="([\d.]+)" y="70"[^>]*>folds', text)
    half = 70  # pixels of the longest text
    assert float(middle) - half >= 20 + 10
    assert float(middle) + half <= 420 - 18
