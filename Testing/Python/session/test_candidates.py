"""Candidates of *Find tumours*: listed, jumped to, accepted, undone."""

import numpy as np
import pytest
from PCRPredictorLib.finding.find import Candidate
from support.examples import tiny_exam


@pytest.fixture
def found(desk, monkeypatch):
    """Two candidates, as if they were found in the tiny exam."""
    masks = [np.zeros(tiny_exam().pre.shape, np.uint8) for _ in range(2)]
    masks[0][2:5, 5:9, 5:9], masks[1][6:8, 20:24, 20:24] = 1, 1
    each = [
        Candidate(mask, 1.0 - n, (float(n), 0.0, 0.0), 0.3, (9.0, 6.0, 6.0), side, "mass", ())
        for n, (mask, side) in enumerate(zip(masks, ("left", None), strict=True))
    ]
    monkeypatch.setattr("PCRPredictorLib.session.candidates.find_tumours", lambda *_args: tuple(each))
    desk.session.candidates.find()
    desk.queue.run()
    return each


def test_the_first_is_shown_and_others_are_jumped_to(desk, found):
    candidates = desk.session.candidates
    assert candidates.words == "1 of 2: left, 0.3 ml, 9 × 6 × 6 mm, looks like mass"
    assert desk.table.position == found[0].position
    candidates.step(1)
    assert desk.table.position == found[1].position
    assert candidates.words.startswith("2 of 2: side unknown")
    candidates.step(1)
    assert candidates.shown == 0


def test_each_is_outlined_until_it_is_accepted_or_hidden(desk, found):
    candidates = desk.session.candidates
    assert desk.table.candidate == "Candidate 1"
    candidates.step(1)
    assert desk.table.candidate == "Candidate 2"
    candidates.dismiss()
    assert (desk.table.candidate, candidates.words) == ("", "")


def test_what_was_accepted_is_reported_and_so_is_its_undoing(desk, found):
    candidates = desk.session.candidates
    candidates.accept()
    assert candidates.words.endswith("; accepted as the tumour")
    assert "Candidate 1 is the tumour now: 0.3 ml" in desk.session.status
    assert desk.table.candidate == ""
    desk.session.tumour.undo()
    assert not candidates.is_accepted


def test_an_accepted_one_is_the_tumour_and_can_be_undone(desk, found):
    before = np.array(desk.table.mask)
    desk.session.candidates.accept()
    assert np.array_equal(desk.table.mask, found[0].mask)
    desk.session.tumour.undo()
    assert np.array_equal(desk.table.mask, before)


def test_a_second_one_is_a_new_lesion_if_the_user_wants_it(desk, found):
    desk.session.candidates.accept()
    desk.session.tumour.set_mode("new")
    desk.session.candidates.step(1)
    desk.session.candidates.accept()
    assert len(desk.session.tumour.lesions) == 2


def test_those_of_a_different_exam_are_gone(desk, found):
    desk.session.open(tiny_exam)
    desk.queue.run()
    assert desk.session.candidates.words == desk.table.candidate == ""


def test_nothing_found_is_reported(desk, monkeypatch):
    monkeypatch.setattr("PCRPredictorLib.session.candidates.find_tumours", lambda *_args: ())
    desk.session.candidates.find()
    desk.queue.run()
    assert "Nothing in this exam enhances like a tumour" in desk.problems[-1]
