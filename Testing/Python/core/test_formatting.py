"""Numbers and intervals as text."""

import math
from decimal import Decimal

import numpy as np
import pytest
from PCRPredictorLib.formatting import (
    as_line,
    as_whole,
    format_beside,
    format_entered,
    format_percent,
    format_value,
    make_visible,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.714, "0.71"),
        (-0.05, "−0.05"),
        (-0.0004, "0.00"),
        (3, "3"),
        ("balanced", "balanced"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_number(value, text):
    assert format_value(value) == text


def test_sign_and_digits():
    assert format_value(-0.0004, 3, signed=True) == "+0.000"
    assert format_value({"value": 0.1, "low": -0.1, "high": 0.3}, 1, signed=True) == "+0.1 (−0.1 to +0.3)"


@pytest.mark.parametrize(
    ("low", "high", "text"), [(0.64, 0.78, "0.71 (0.64 to 0.78)"), (None, None, "0.71"), (0.64, math.nan, "0.71")]
)
def test_interval_that_lacks_a_bound_is_the_value_alone(low, high, text):
    assert format_value({"value": 0.71, "low": low, "high": high}) == text


def test_interval_without_a_value_is_missing():
    assert format_value({"value": None, "low": None, "high": None}) == "–"


def test_several_values_are_named():
    interval = {"value": 0.5, "low": 0.4, "high": 0.6}
    assert format_value({"auc": interval, "n_patients": 3}, 3) == "auc 0.500 (0.400 to 0.600), n patients 3"


@pytest.mark.parametrize(
    ("share", "text"), [(0.26, "26 %"), (0.0, "0 %"), (1.0, "100 %"), (0.9997, "99.97 %"), (0.0002, "0.02 %")]
)
def test_share_reads_zero_or_all_only_if_it_is(share, text):
    assert format_percent(share) == text


@pytest.mark.parametrize(
    ("share", "threshold", "texts"),
    [
        (0.2618, 0.26184605, ("26 %", "26.2 %")),
        (0.264, 0.26184605, ("26.4 %", "26.2 %")),
        (0.26184605, 0.26184605, ("26.2 %", "26.2 %")),
        (0.35, 0.26184605, ("35 %", "26.2 %")),
        (0.2618461, 0.26184605, ("26.18461 %", "26.18460 %")),
    ],
)
def test_share_and_threshold_have_the_digits_that_tell_them_apart(share, threshold, texts):
    assert format_beside(share, threshold) == texts


def test_share_and_threshold_read_as_they_compare():
    random = np.random.default_rng(0)
    for threshold, size in zip(random.random(3000), random.uniform(-16, 0, 3000), strict=True):
        share = float(np.clip(threshold + random.choice([-1, 0, 1]) * 10**size, 0, 1))
        shown, limit = (Decimal(text.removesuffix(" %")) for text in format_beside(share, float(threshold)))
        assert (shown > limit, shown < limit) == (share > threshold, share < threshold)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("\r\x00\x9b\ufeff\udcc3", "\\r\\x00\\x9b\\ufeff\\udcc3"),
        ("Ärztin 乳腺 نیم\u200cفاصله\n\t[red]", "Ärztin 乳腺 نیم\u200cفاصله\n\t[red]"),
    ],
)
def test_characters_that_control_a_terminal_are_shown_and_letters_of_all_scripts_stay(text, shown):
    assert make_visible(text) == shown


def test_long_text_of_many_lines_is_one_line_with_its_start_and_end():
    assert as_line("X must be a number,\ngot\t'a'; correct it") == "X must be a number, got 'a'; correct it"
    long = as_line(f"X must be a number, got {'9' * 100_000}; correct it")
    assert len(long) <= 1000
    assert long.startswith("X must be a number, got 999") and long.endswith("999; correct it")


@pytest.mark.parametrize(("value", "text"), [(26.0, "26"), (26.5, "26.5"), (None, ""), ("negative", "negative")])
def test_what_was_entered_is_shown_without_a_fraction_of_nothing(value, text):
    assert format_entered(value) == text
    assert as_whole(value) == value
    assert str(as_whole(26.0)) == "26"
