"""The tumour: clicked, painted, undone, measured."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Lesion
from PCRPredictorLib.finding.grow import Grown
from PCRPredictorLib.outputs import write_tumour
from PCRPredictorLib.reading.mask import read_masks
from support.examples import tiny_exam, two_lesions


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
    assert desk.session.tumour.volume == "-"  # nothing is marked
    assert click(desk)
    grown, truth = desk.table.mask != 0, tiny_exam().mask != 0
    assert 2 * (grown & truth).sum() / (grown.sum() + truth.sum()) > 0.9
    assert desk.session.tumour.volume.endswith(" ml")
    assert np.argwhere(truth)[:, 0].min() <= desk.table.exam.geometry.to_index(desk.table.position)[2]


def test_a_stroke_apart_from_the_lesion_is_seen_in_its_size(desk):
    assert "separate" not in desk.session.tumour.size
    desk.paint((0, 0, 0))
    assert desk.session.tumour.size.endswith("mm over 2 separate pieces; erase what does not belong to the lesion")


def test_click_and_stroke_are_undone_and_made_again(desk):
    desk.paint((0, 5, 5))
    states = [desk.table.mask]
    click(desk)
    desk.session.tumour.answer(True)  # it replaces what was painted
    states.append(desk.table.mask)
    desk.paint()
    states.append(desk.table.mask)
    for act, state in (("undo", 1), ("undo", 0), ("redo", 1), ("redo", 2), ("redo", 2)):
        getattr(desk.session.tumour, act)()
        assert np.array_equal(desk.table.mask, states[state])


def test_a_stroke_after_an_undo_ends_what_can_be_redone(desk):
    desk.paint()
    desk.session.tumour.undo()
    desk.paint((1, 1, 1))
    assert not desk.session.tumour.history.can_redo
    assert desk.session.tumour.history.can_undo


def test_a_signal_without_a_change_is_no_stroke(desk):
    desk.table.strokes += 1
    desk.session.update()
    assert not desk.session.tumour.history.can_undo


def test_twenty_steps_can_be_undone(desk):
    for k in range(25):
        desk.paint((0, 0, k))
    for _ in range(20):
        assert desk.session.tumour.history.can_undo
        desk.session.tumour.undo()
    assert not desk.session.tumour.history.can_undo
    assert desk.table.mask[0, 0, :25].sum() == 5


def test_a_different_exam_has_a_history_of_its_own(desk):
    desk.paint()
    desk.session.open(tiny_exam)
    desk.queue.run()
    assert not desk.session.tumour.history.can_undo


def test_a_click_beside_everything_is_reported_and_changes_nothing(desk):
    before = desk.table.mask
    assert not click(desk, tiny_exam().geometry.to_physical([1, 1, 1]))
    assert "click on the bright part of the lesion" in desk.problems[-1]
    assert desk.table.mask is before


def test_a_tumour_that_has_grown_in_a_different_exam_is_dropped(desk):
    desk.session.tumour.grow(tiny_exam().geometry.to_physical([29, 16, 5]))
    other = tiny_exam()
    desk.table.open_exam(other)
    desk.queue.run()
    assert desk.table.mask is other.mask


def test_the_volume_follows_the_enhancement_and_a_problem_is_no_news_after_a_stroke(desk):
    before = desk.session.tumour.volume
    desk.session.tumour.set_enhancement(1.5)
    assert float(desk.session.tumour.volume.split()[0]) == pytest.approx(float(before.split()[0]) / 2, rel=0.2)
    desk.session.activity.report_problem("segment the tumour first")
    desk.paint()
    assert desk.problems[-1] == ""


def test_a_volume_that_cannot_be_given_is_a_dash(desk, monkeypatch):
    def refuse():
        raise DataError("a colour volume")

    monkeypatch.setattr(desk.table, "phases", refuse)
    desk.session.tumour.set_enhancement(1)
    assert desk.session.tumour.volume == "-"
    assert desk.problems == []


def other_ball(desk):
    """Return a mask of a few voxels away from the tumour."""
    mask = np.zeros(desk.table.exam.geometry.shape, np.uint8)
    mask[2:4, 2:4, 2:6] = 1
    return mask


def test_a_click_replaces_adds_or_begins_a_lesion_as_the_user_chooses(desk):
    desk.paint((0, 5, 5))
    desk.session.tumour.set_mode("add")
    click(desk)
    assert desk.table.mask[0, 5, 5]
    desk.session.tumour.set_mode("new")
    click(desk)
    assert list(desk.table.lesions) == ["tumour", "tumour 2"]
    assert desk.table.active == "tumour 2"
    desk.session.tumour.choose("tumour")
    desk.session.tumour.set_mode("replace")
    click(desk)
    assert desk.table.mask[0, 5, 5]
    desk.session.tumour.answer(True)
    assert not desk.table.mask[0, 5, 5]
    for _ in range(2):
        desk.session.tumour.undo()
    assert desk.table.mask[0, 5, 5]
    assert list(desk.table.lesions) == ["tumour"]


def test_a_click_on_something_else_asks_first(desk, monkeypatch):
    grown = Grown(other_ball(desk), "vessel", 0.1, (3.0, 3.0, 6.0), "0.1 ml, 6 × 3 × 3 mm", "This looks like a vessel.")
    monkeypatch.setattr("PCRPredictorLib.session.tumour.grow_tumour", lambda *_args, **_options: grown)
    before, tumour = desk.table.mask, desk.session.tumour
    assert not click(desk)
    assert tumour.question == "This looks like a vessel."
    tumour.answer(False)
    assert tumour.question == ""
    assert desk.table.mask is before
    click(desk)
    tumour.answer(True)
    assert np.array_equal(desk.table.mask, grown.mask)
    assert desk.session.status == "0.1 ml, 6 × 3 × 3 mm"
    tumour.undo()
    assert np.array_equal(desk.table.mask, before)


def test_a_question_is_gone_with_the_next_stroke(desk, monkeypatch):
    grown = Grown(other_ball(desk), "skin", 0.1, (3.0, 3.0, 6.0), "", "This looks like skin.")
    monkeypatch.setattr("PCRPredictorLib.session.tumour.grow_tumour", lambda *_args, **_options: grown)
    click(desk)
    desk.paint()
    assert desk.session.tumour.question == ""


def test_a_loaded_mask_replaces_the_tumour_and_can_be_undone(desk):
    before, lesions = desk.table.mask, [Lesion("label 1", other_ball(desk)), Lesion("label 2", tiny_exam().mask)]
    assert desk.session.tumour.load(lambda _geometry: lesions)
    desk.queue.run()
    assert [lesion.name for lesion in desk.session.tumour.lesions] == ["label 1", "label 2"]
    desk.session.tumour.undo()
    assert np.array_equal(desk.table.mask, before)
    assert len(desk.table.lesions) == 1


def test_an_empty_mask_and_one_that_cannot_be_read_change_nothing(desk):
    before = desk.table.mask
    desk.session.tumour.load(lambda geometry: [Lesion("a", np.zeros(geometry.shape, np.uint8))])
    desk.queue.run()
    assert "the tumour stays as it was" in desk.problems[-1]
    assert desk.table.mask is before


def test_a_lesion_is_removed_and_comes_back(desk):
    desk.session.open(two_lesions)
    desk.queue.run()
    desk.session.tumour.choose("left")
    desk.session.tumour.remove()
    assert list(desk.table.lesions) == ["right"]
    desk.session.tumour.undo()
    assert set(desk.table.lesions) == {"right", "left"}


def test_the_tumour_is_saved_without_a_prediction_and_loads_again(desk, tmp_path):
    desk.session.tumour.save(tmp_path / "mine.nii.gz", write_tumour)
    desk.queue.run()
    assert desk.session.status.startswith("Saved in")
    (read,) = read_masks(tmp_path / "mine.nii.gz", desk.table.exam.geometry)
    assert np.array_equal(read.mask, desk.table.mask)


def test_an_empty_tumour_is_not_saved(new_desk, tmp_path):
    desk = new_desk(replace(tiny_exam(), mask=None))
    desk.session.tumour.save(tmp_path / "mine.nii.gz", write_tumour)
    assert "no tumour to save" in desk.problems[-1]
    assert list(tmp_path.iterdir()) == []


def test_size_and_volume_are_those_of_the_active_lesion(desk):
    desk.session.open(two_lesions)
    desk.queue.run()
    sizes = []
    for name in ("right", "left"):
        desk.session.tumour.choose(name)
        sizes.append((desk.session.tumour.size, desk.session.tumour.volume))
    assert sizes[0] != sizes[1]
    assert all(" ml, " in size and size.endswith(" mm") for size, _volume in sizes)


def test_an_undo_elsewhere_is_an_undo_here(desk):
    before = np.array(desk.table.mask)
    desk.paint()
    desk.table.lesions["tumour"], desk.table.strokes = before, desk.table.strokes + 1
    desk.session.update()
    assert desk.session.tumour.history.can_redo
    assert not desk.session.tumour.history.can_undo


def overlap(desk):
    """Return the Dice overlap of the first lesion with the tiny exam's tumour."""
    mask, truth = desk.table.mask != 0, tiny_exam().mask != 0
    return 2 * (mask & truth).sum() / (mask.sum() + truth.sum())


def paint_part(desk, part):
    """Make a part of the tiny exam's tumour, (k, j, i), the only stroke."""
    desk.table.lesions[desk.table.active] = np.asarray(part).astype(np.uint8)
    desk.table.strokes += 1
    desk.session.update()


@pytest.mark.parametrize("box", [False, True])
def test_a_scribble_and_a_box_grow_the_tumour_as_a_click_does(new_desk, box):
    desk = new_desk(replace(tiny_exam(), mask=np.zeros(tiny_exam().pre.shape, np.uint8)))
    inside = np.argwhere(tiny_exam().mask)[:, ::-1]
    points = np.array([inside.min(0), inside.max(0)]) if box else inside[len(inside) // 3 :: 5]
    desk.session.tumour.grow(tiny_exam().geometry.to_physical(points), box=box)
    desk.queue.run()
    assert overlap(desk) > 0.9


@pytest.mark.parametrize("box", [False, True])
@pytest.mark.parametrize("mode", ["replace", "add", "new"])
def test_what_is_painted_is_grown_into_the_tumour_in_its_place_and_comes_back(desk, box, mode):
    inside = np.argwhere(tiny_exam().mask)
    stroke = np.zeros_like(tiny_exam().mask)
    low, high = inside.min(0), inside.max(0)
    stroke[tuple(low)] = stroke[tuple(high)] = 1  # corners, as of a box
    paint_part(desk, stroke if box else tiny_exam().mask * (np.indices(stroke.shape)[0] == (low + high)[0] // 2))
    before = np.array(desk.table.mask)
    desk.session.tumour.set_mode(mode)
    desk.session.tumour.grow_from_drawn(box=box)
    desk.queue.run()
    assert overlap(desk) > 0.9
    assert len(desk.table.lesions) == 1
    desk.session.tumour.undo()
    assert np.array_equal(desk.table.mask, before)


def test_growing_without_a_stroke_and_in_a_flat_box_says_what_to_paint(desk):
    paint_part(desk, np.zeros_like(tiny_exam().mask))
    desk.session.tumour.grow_from_drawn()
    assert "paint over a part of the lesion" in desk.problems[-1]
    paint_part(desk, tiny_exam().mask * (np.indices(tiny_exam().mask.shape)[0] == np.argwhere(tiny_exam().mask)[0, 0]))
    desk.session.tumour.grow_from_drawn(box=True)
    assert "two voxels deep" in desk.problems[-1]
    assert not desk.queue.waiting
