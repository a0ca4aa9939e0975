"""The result of a course: decisions and plain values."""

import json
from dataclasses import replace

from PCRPredictorLib.errors import Notice
from support.follow_up.response_model import tiny_course, tiny_response

FOUND = tiny_response().predict(tiny_course("T0", "T1"))


def test_a_warning_that_blocks_withholds_the_decision_of_its_visit_and_says_why():
    visit = replace(FOUND.last, notices=(Notice("x", "Do not rely on it.", blocks_decision=True),))
    assert (visit.decision, visit.decision_withheld) == (None, "Do not rely on it.")
    assert FOUND.last.decision == "no pCR"
    assert FOUND.last.decision_withheld is None


def test_plain_values_have_a_format_and_everything_that_is_shown():
    content = json.loads(json.dumps(FOUND.to_json(), allow_nan=False))
    assert content["format"] == 1
    assert [each["visit"] for each in content["visits"]] == ["T0", "T1"]
    last = content["visits"][-1]
    assert last["probability"] == FOUND.last.probability
    assert abs(sum(term["log_odds"] for term in last["evidence"]["terms"]) - last["evidence"]["logit"]) < 1e-9
    assert content["model"]["name"] == "tiny response"
    assert content["clinical"] == {"Age": "52 years", "Hormone receptors": "positive", "HER2": "negative"}
    assert "Research use only" in content["disclaimer"]


def test_the_latest_visit_and_any_other_are_at_hand():
    assert FOUND.last is FOUND.at("T1")
    assert FOUND.at("T0").visit == "T0"
