"""The evidence in words and bars."""

import pytest
from PCRPredictorLib.evidence import Evidence, Possibility, Term
from PCRPredictorLib.report.evidence_words import describe_bars, describe_evidence, describe_image_part

BASE = Term("base", "Base", "base", -0.5)
IMAGE = Term("image", "Image", "image", 0.4, 9.3)
AGE = Term("age", "Age <b>", "clinical", -0.2, -4.6, value="52 years")
HER2 = Term(
    "her2",
    "HER2",
    "clinical",
    0.0,
    value="unknown",
    known=False,
    could_add=(-0.1, 0.6),
    possibilities=(Possibility("negative", -0.1, 0.4), Possibility("positive", 0.6, 0.57)),
)


def evidence(*terms, reference="typical"):
    """Return the evidence of terms beside the base."""
    return Evidence((BASE, *terms), sum(term.log_odds for term in (BASE, *terms)), reference)


def test_evidence_without_an_image_is_its_bars():
    assert describe_evidence(evidence(AGE)) == describe_bars(evidence(AGE))


def test_first_line_says_how_far_the_image_moved_the_probability():
    assert describe_image_part(evidence(IMAGE, AGE)) == (
        "The image moved the probability by +9.3 points; without it, it would be 33 %."
    )


def test_first_line_says_so_if_the_image_has_no_part():
    without = Term("image", "Image", "image", 0.0)
    assert describe_image_part(evidence(AGE, without)).startswith("The image has no part in this probability")
    assert describe_evidence(evidence(AGE, without)).startswith("<b>The image has no part")


def test_every_term_has_a_bar_with_points_and_log_odds_in_the_order_given():
    text = describe_bars(evidence(IMAGE, AGE))
    assert text.index("Image") < text.index("Age &lt;b&gt;: 52 years")
    assert all(number in text for number in ("+9.3 points", "+0.40", "−4.6 points", "−0.20"))
    assert 'width="36" bgcolor="#3d8fe0"' in text
    assert 'width="18" bgcolor="#d07a10"' in text


def test_unknown_value_is_slanted_with_its_range_and_the_answer_for_each_possibility():
    text = describe_bars(evidence(IMAGE, HER2))
    assert "<i>HER2: unknown" in text
    assert "if negative: 40 %, positive: 57 %" in text
    assert 'width="6" bgcolor="#8c8c8c"' in text
    assert 'width="36" bgcolor="#8c8c8c"' in text


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("typical", "Start: 38 %, with values and an image as of the average patient"),
        ("unknown", "38 %, with all variables unknown"),
    ],
)
def test_where_the_bars_start_is_said(reference, words):
    assert words in describe_bars(evidence(IMAGE, reference=reference))


def test_result_without_evidence_has_no_words():
    assert describe_evidence(None) == ""
