import re
from dataclasses import replace
from decimal import Decimal

import pytest
from PCRPredictorLib.evidence import Evidence, Term, arrange
from PCRPredictorLib.report.bars import describe_image_evidence, make_bars
from PCRPredictorLib.report.page import render_report
from PCRPredictorLib.response.course import VisitValues
from support.examples import tiny_evidence, tiny_exam, tiny_prediction
from support.follow_up.response_model import tiny_course, tiny_response

EVIDENCE = tiny_evidence(0.62)


def test_bars_are_on_one_scale_that_the_longest_fills():
    bars = make_bars(EVIDENCE)
    assert max(abs(end) for bar in bars.bars for end in (bar.start, bar.end)) == pytest.approx(1)
    for bar, term in zip(bars.bars, EVIDENCE.bars, strict=True):
        assert bar.at * bars.scale == pytest.approx(term.log_odds)


def test_unknown_bar_shows_its_range_and_the_answer_for_each_possibility():
    (bar,) = [bar for bar in make_bars(EVIDENCE).bars if not bar.known]
    assert (bar.value, bar.note) == ("unknown", "if negative: 72 %, positive: 51 %")
    assert bar.start < 0 < bar.end


def test_bars_of_a_response_model_need_no_image_and_name_what_was_estimated():
    found = tiny_response().predict(tiny_course(T0=VisitValues(longest_diameter_mm=35)))
    bars = make_bars(found.last.evidence)
    assert "image" not in bars.start
    (volume,) = [bar for bar in bars.bars if bar.label == "Functional tumour volume at T0"]
    assert (volume.value, volume.known) == ("7.05 ml (estimated)", False)
    assert volume.start < volume.at < volume.end


def test_sum_leads_from_the_start_to_the_probability():
    bars = make_bars(EVIDENCE)
    assert bars.start.startswith("Start: 31 %")
    assert bars.total.endswith("0.49 log-odds, that is 62 %.")


def test_printed_log_odds_add_up_and_the_images_is_that_of_its_map():
    terms = [Term(str(k), str(k), "clinical", 0.0049 * sign) for k, sign in enumerate((1, 1, 1, -1))]
    terms += [Term("image", "Image", "image", 0.0349)]
    evidence = Evidence(arrange(-0.5049, terms, -0.4602), -0.4602, "typical")
    bars = make_bars(evidence)
    printed = [Decimal(bar.log_odds.replace("−", "-")) for bar in bars.bars]
    start, rest = (Decimal(found.replace("−", "-")) for found in re.findall(r"[+−]\d\.\d\d(?= of)", bars.total))
    assert (sum(printed), start + rest) == (rest, Decimal("-0.46"))
    assert next(bar.log_odds for bar in bars.bars if bar.label == "Image") == "+0.03"


def test_bars_of_a_model_that_knows_no_average_patient_say_what_they_start_from():
    assert "all variables unknown" in make_bars(replace(EVIDENCE, reference="unknown")).start


def test_remainder_of_averaging_is_shown_unless_it_is_negligible():
    for points, shown in ((0.01, False), (0.2, True)):
        term = Term("averaging", "Averaging of the folds", "averaging", 0.01, points)
        bars = make_bars(replace(EVIDENCE, terms=(*EVIDENCE.terms, term)))
        assert ("Averaging of the folds" in [bar.label for bar in bars.bars]) is shown
        assert any("averages the probabilities" in note for note in bars.notes) is shown


def test_shapley_values_are_named_as_such():
    assert not any("Shapley" in note for note in make_bars(EVIDENCE).notes)
    assert any("Shapley" in note for note in make_bars(replace(EVIDENCE, exact=False)).notes)


def test_line_under_the_map_gives_its_sum():
    assert "map: +0.44 log-odds, which is what the image adds: +12 points" in describe_image_evidence(EVIDENCE)


def test_report_draws_every_bar_without_a_script_and_greys_what_is_unknown():
    exam = tiny_exam()
    page = render_report(exam, tiny_prediction(exam), b"")
    assert page.count('class="unknown"') == 1
    for text in ("Why this probability", "Log volume", "if negative: 72 %", "against response"):
        assert text in page
    assert "<script" not in page


def test_report_of_a_result_without_evidence_has_no_bars():
    exam = tiny_exam()
    assert "Why this probability" not in render_report(exam, replace(tiny_prediction(exam), evidence=None), b"")
