"""Where an exam comes from, in words."""

from dataclasses import replace

from PCRPredictorLib.exam import LeftAside, Picked, Provenance
from PCRPredictorLib.report.page import render_report
from PCRPredictorLib.report.source_words import describe_left_aside, describe_phases, describe_times
from support.examples import tiny_exam, tiny_prediction

EXAM = tiny_exam()
TIMED = Provenance("dicom", (0, 1371.1, 1736.7), first_post=1371.1)
ASIDE = (
    LeftAside("series 3 (t2)", "other kind of image", 40),
    LeftAside("series 4 (<dwi>)", "other kind of image", 80),
    LeftAside("series 9 (t1)", "has 4 of 10 slices", 4, looks_like_phase=True),
)


def test_times_are_those_of_acquisition_unless_the_injection_is_known():
    assert describe_times(TIMED).endswith("late 1737 s after the pre-contrast one; time of the injection unknown")
    known = describe_times(replace(TIMED, injection=1300))
    assert known.endswith("late 1737 s after the pre-contrast one, and 71 s, 437 s after the injection")
    assert describe_times(Provenance("file")) == ""


def test_phases_that_were_taken_are_named_if_there_were_more():
    four = replace(TIMED, picked=Picked(4, (0, 1, 3), (2, 4, 17)))
    assert describe_phases(four).startswith("1, 2 and 4 of 4 (--pick 0 1 3); series 2, 4 and 17; early 1371 s")
    assert describe_phases(replace(four, phase_times=None)) == "1, 2 and 4 of 4 (--pick 0 1 3); series 2, 4 and 17"
    assert describe_phases(replace(TIMED, picked=Picked(3, (0, 1, 2), (2, 4, 17)))) == describe_times(TIMED)


def test_what_was_not_used_is_grouped_by_reason_phases_first():
    assert describe_left_aside(ASIDE) == [
        "series 9 (t1) (4 files): has 4 of 10 slices",
        "series 3 (t2), series 4 (<dwi>) (120 files): other kind of image",
    ]


def test_forty_series_with_one_reason_are_one_line():
    (line,) = describe_left_aside([LeftAside(f"series {k}", "other kind of image", 10) for k in range(40)])
    assert line == "series 0, series 1, series 2 and 37 more (400 files): other kind of image"


def test_many_reasons_are_cut_and_counted():
    lines = describe_left_aside([LeftAside(f"a{k}.dcm", f"reason {k}") for k in range(40)])
    assert len(lines) == 7
    assert lines[-1] == "34 more reasons (34 files)"


def test_report_lists_what_was_not_used():
    exam = replace(EXAM, provenance=replace(TIMED, left_aside=ASIDE))
    text = render_report(exam, tiny_prediction(exam), b"picture")
    assert "series 9 (t1) (4 files): has 4 of 10 slices\nseries 3 (t2), series 4 (&lt;dwi&gt;) (120 files)" in text
    assert "early 1371 s, late 1737 s after the pre-contrast one; time of the injection unknown" in text
    whole = replace(EXAM, provenance=TIMED)
    assert '<th scope="row">Not used</th><td>nothing</td>' in render_report(whole, tiny_prediction(whole), b"picture")
