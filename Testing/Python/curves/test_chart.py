"""The chart: its titles, units and lines."""

from dataclasses import replace
from xml.etree import ElementTree

from PCRPredictorLib.curves.chart import draw_chart, line_of
from PCRPredictorLib.curves.curve import curve_of
from PCRPredictorLib.curves.phases import load_phases
from support.examples import tiny_exam


def drawn(phases, label="Lesion <1>"):
    curve = curve_of(phases, tiny_exam().mask)
    return draw_chart(phases, [line_of(curve, label, "#ff0000")])


def test_a_chart_has_titles_with_units_and_is_valid():
    svg = drawn(load_phases(tiny_exam()))
    ElementTree.fromstring(svg)
    for text in (
        "Time after the pre-contrast phase (s)",
        "Enhancement over pre-contrast (%)",
        "early 120",
        "&lt;1&gt;",
    ):
        assert text in svg
    assert "//" not in svg.split("</text>", 1)[1]


def test_unknown_times_are_numbers_of_phases():
    svg = drawn(replace(load_phases(tiny_exam()), seconds=None))
    assert "Phase (times unknown)" in svg
    assert "late 2" in svg


def test_a_long_pause_before_the_contrast_is_shortened_and_marked():
    svg = drawn(replace(load_phases(tiny_exam()), seconds=(0.0, 1371.0, 1737.0)))
    assert ">//</text>" in svg
    assert "early 1371" in svg


def test_without_signal_before_contrast_there_is_no_line():
    exam = tiny_exam()
    curve = curve_of(load_phases(replace(exam, pre=0 * exam.pre)), exam.mask)
    assert line_of(curve, "Lesion", "#ff0000") is None
    assert "<polyline" not in draw_chart(load_phases(exam), [])
