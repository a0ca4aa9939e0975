"""The tumour: clicked, painted, undone, measured."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from support.examples import tiny_exam


def click(desk, lps=None):
    """Click, by default on the tumour's brightest voxel."""
    exam = tiny_exam()
    if lps is None:
        gain = np.where(exam.mask, exam.early - exam.pre, -1)
        lps = exam.geometry.to_physical(np.array(np.unravel_index(gain.argmax(), gain.shape))[::-1])
    done = []
    desk.session.tumour.grow(lps, lambda: done.append(True))
    desk.queue.run()
    return bool(done)


def test_a_click_grows_the_tumour(new_desk):
    desk = new_desk(replace(tiny_exam(), mask=np.zeros(tiny_exam().pre.shape, np.uint8)))
    assert desk.session.tumour.volume == "0.0 ml"
    assert click(desk)
    grown, truth = desk.table.exam.mask != 0, tiny_exam().mask != 0
    assert 2 * (grown & truth).sum() / (grown.sum() + truth.sum()) > 0.9
    assert desk.session.tumour.volume != "0.0 ml"


def test_click_and_stroke_are_undone_and_made_again(desk):
    desk.paint((0, 5, 5))
    states = [desk.table.exam.mask]
    click(desk)
    states.append(desk.table.exam.mask)
    desk.paint()
    states.append(desk.table.exam.mask)
    for act, state in (("undo", 1), ("undo", 0), ("redo", 1), ("redo", 2), ("redo", 2)):
        getattr(desk.session.tumour, act)()
        assert np.array_equal(desk.table.exam.mask, states[state])


def test_a_stroke_after_an_undo_ends_what_can_be_redone(desk):
    desk.paint()
    desk.session.tumour.undo()
    desk.paint((1, 1, 1))
    assert not desk.session.tumour.history.can_redo
    assert desk.session.tumour.history.can_undo


def test_a_signal_without_a_change_is_no_stroke(desk):
    desk.table.set_tumour(desk.table.exam.mask.copy())
    desk.session.update()
    assert not desk.session.tumour.history.can_undo


def test_twenty_steps_can_be_undone(desk):
    for k in range(25):
        desk.paint((0, 0, k))
    for _ in range(20):
        assert desk.session.tumour.history.can_undo
        desk.session.tumour.undo()
    assert not desk.session.tumour.history.can_undo
    assert desk.table.exam.mask[0, 0, :25].sum() == 5


def test_a_different_exam_has_a_history_of_its_own(desk):
    desk.paint()
    desk.session.open(tiny_exam)
    desk.queue.run()
    assert not desk.session.tumour.history.can_undo


def test_a_click_beside_everything_is_reported_and_changes_nothing(desk):
    before = desk.table.exam.mask
    assert not click(desk, tiny_exam().geometry.to_physical([1, 1, 1]))
    assert "click on the bright part of the lesion" in desk.problems[-1]
    assert desk.table.exam.mask is before


def test_a_tumour_that_has_grown_in_a_different_exam_is_dropped(desk):
    desk.session.tumour.grow(tiny_exam().geometry.to_physical([29, 16, 5]))
    other = tiny_exam()
    desk.table.open_exam(other)
    desk.queue.run()
    assert desk.table.exam.mask is other.mask


def test_the_volume_follows_the_enhancement_and_a_problem_is_no_news_after_a_stroke(desk):
    before = desk.session.tumour.volume
    desk.session.tumour.set_enhancement(1.4)
    assert float(desk.session.tumour.volume.split()[0]) == pytest.approx(2 * float(before.split()[0]), rel=0.1)
    desk.session.activity.report_problem("segment the tumour first")
    desk.paint()
    assert desk.problems[-1] == ""


def test_a_volume_that_cannot_be_given_is_a_dash(desk, monkeypatch):
    def refuse(_share):
        raise DataError("a colour volume")

    monkeypatch.setattr(desk.table, "functional_volume", refuse)
    desk.session.tumour.set_enhancement(1)
    assert desk.session.tumour.volume == "-"
    assert desk.problems == []
