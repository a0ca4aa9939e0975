"""The words of a command line before they are parsed."""

import pytest
from PCRPredictorLib.calls.words import check_values, explain_number, misplaced_option
from PCRPredictorLib.errors import CallError


@pytest.mark.parametrize("words", [["--cohort", "--out", "o"], ["--out", "o", "--cohort"]])
def test_an_option_without_its_value_is_named(words):
    with pytest.raises(CallError, match="--cohort must be followed by its value, got"):
        check_values(words, {"--cohort", "--out"})


def test_negative_numbers_flags_and_other_words_are_values():
    check_values(["--click", "-3", "4", "--resume", "--cohort=x", "--out", "o"], {"--click", "--cohort", "--out"})


def test_an_option_before_the_command_is_sent_behind_it():
    assert "write pcr predict --out ..." in misplaced_option(["--out", "o", "predict"], {"predict"})
    for words in ([], ["predict", "--out"], ["--version"], ["--nosuch"], ["--install-completion", "predict"]):
        assert misplaced_option(words, {"predict"}) == ""


def test_a_decimal_comma_is_explained():
    text = "Input should be a valid number, unable to parse string as a number"
    assert explain_number(text, ["0,3"]).startswith("Input should be a valid number, got 0,3; write 0.5")
    assert explain_number(text, ["x"]) == "Input should be a valid number, got x"
