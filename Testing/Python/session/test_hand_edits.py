"""A click never discards what was drawn by hand: it asks first."""

import numpy as np
import pytest
from support.examples import tiny_exam


def click(desk):
    """Click the brightest voxel of the tumour."""
    exam = tiny_exam()
    gain = np.where(exam.mask, exam.early - exam.pre, -1)
    desk.session.tumour.grow(exam.geometry.to_physical(np.array(np.unravel_index(gain.argmax(), gain.shape))[::-1]))
    desk.queue.run()


@pytest.mark.parametrize("keep", [True, False])
def test_click_asks_before_it_replaces_what_was_drawn_by_hand(desk, keep):
    click(desk)
    grown = desk.table.mask.copy()
    desk.paint()
    painted = desk.table.mask.copy()
    click(desk)
    assert "changed by hand" in desk.session.tumour.question
    assert desk.session.tumour.answers == ("Replace it", "Keep it")
    np.testing.assert_array_equal(desk.table.mask, painted)
    desk.session.tumour.answer(keep)
    np.testing.assert_array_equal(desk.table.mask, grown if keep else painted)


def test_click_that_adds_keeps_what_was_drawn_by_hand_without_a_question(desk):
    click(desk)
    desk.paint()
    desk.session.tumour.set_mode("add")
    click(desk)
    assert desk.session.tumour.question == ""
    assert desk.table.mask[0, 0, 0] == 1


def test_second_click_and_undone_stroke_ask_nothing(desk):
    click(desk)
    click(desk)
    desk.paint()
    desk.session.tumour.undo()
    click(desk)
    assert desk.session.tumour.question == ""


def test_hand_edits_of_a_second_lesion_are_still_known_after_a_click_on_the_first(desk):
    click(desk)
    desk.paint()
    desk.session.tumour.set_mode("new")
    click(desk)
    desk.session.tumour.set_mode("replace")
    desk.session.tumour.choose(desk.session.tumour.lesions[0].key)
    click(desk)
    assert "changed by hand" in desk.session.tumour.question


def test_accepted_candidate_asks_before_it_replaces_what_was_drawn_by_hand(desk):
    desk.session.candidates.find()
    desk.queue.run()
    desk.paint()
    painted = desk.table.mask.copy()
    desk.session.candidates.accept()
    assert "changed by hand" in desk.session.tumour.question
    np.testing.assert_array_equal(desk.table.mask, painted)
