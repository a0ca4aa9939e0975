"""What a session says of the exam before any prediction."""

from dataclasses import replace

from PCRPredictorLib.exam import LeftAside, Provenance
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.session.exam_words import ExamWords, describe_exam
from support.examples import EXAMPLE_NOTICE, tiny_exam

ASIDE = (LeftAside("series 9 (<t1>)", "has 4 of 10 slices", 4, looks_like_phase=True),)
LATE = Provenance("dicom", (0, 1371.1, 1737), first_post=1371.1, left_aside=ASIDE, notices=(EXAMPLE_NOTICE,))


def test_times_warnings_and_what_was_not_used_are_shown_at_opening(new_desk):
    words = new_desk(replace(tiny_exam(), provenance=LATE)).session.exam_words
    assert words.phases.startswith("Phases: early 1371 s, late 1737 s")
    for sentence in ("1371 s after the pre-contrast one", EXAMPLE_NOTICE.message, "may be a phase of this exam"):
        assert sentence in words.warnings
    assert words.left_aside == "<b>Not used</b><ul><li>series 9 (&lt;t1&gt;) (4 files): has 4 of 10 slices</li></ul>"
    assert words.text == f"<p>{words.phases}</p>{words.warnings}{words.left_aside}"


def test_times_are_compared_with_the_chosen_models_training(desk):
    assert "warn" not in desk.session.exam_words.text.lower()
    ispy2 = load_bundle(find_bundle("ispy2"))
    usual = replace(LATE, phase_times=(0, 230, 590), first_post=230, left_aside=(), notices=())
    assert describe_exam(usual, ispy2).warnings == ""
    assert "9 of 10 training patients 90 to 150 s" in describe_exam(usual, load_bundle(find_bundle("phantom"))).warnings
    assert describe_exam(usual, None).warnings == ""


def test_without_an_exam_there_is_nothing_to_say(desk):
    desk.table.exam = None
    assert desk.session.exam_words == ExamWords()
