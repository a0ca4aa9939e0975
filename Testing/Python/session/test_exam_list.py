"""The list of exams: opening one, predicting all."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import find_bundle
from PCRPredictorLib.reading.sources import find_sources
from PCRPredictorLib.session.course.follow_up import FollowUp
from PCRPredictorLib.session.course.study import Study
from PCRPredictorLib.session.exam_list import ExamList, Row
from support.examples import BLOCKING, tiny_exam, tiny_prediction


def fail(error):
    raise error


@pytest.fixture
def listed(desk):
    """Put a list of exams on the desk, each read by a function."""

    def add(*reads):
        entries = [SimpleNamespace(name=f"exam {k}", read=read) for k, read in enumerate(reads)]
        desk.list = ExamList(entries, desk.session, desk.queue)
        return desk

    return add


@pytest.mark.parametrize("number", [-1, 1, "0", None])
def test_only_an_exam_of_the_list_is_opened(listed, number):
    desk = listed(tiny_exam)
    desk.list.open(number)
    assert desk.queue.waiting == []
    desk.list.open(0)
    desk.queue.run()
    assert (desk.list.chosen, desk.session.title) == (0, "exam 0")


def test_an_exam_that_cannot_be_opened_is_not_chosen(listed):
    desk = listed(lambda: fail(DataError("no image")))
    desk.list.open(0)
    desk.queue.run()
    assert desk.list.chosen == -1


def test_all_are_predicted_and_each_says_what_is_wrong_with_it(listed):
    bare = replace(tiny_exam(), mask=None)
    desk = listed(tiny_exam, lambda: bare, lambda: fail(DataError("no image")), lambda: fail(MemoryError()), tiny_exam)
    desk.list.predict_all()
    assert desk.list.is_predicting
    desk.queue.run()
    assert not desk.list.is_predicting
    assert [row.probability for row in desk.list.rows] == ["62 %", "", "", "", "62 %"]
    problems = [row.problem for row in desk.list.rows]
    assert problems[1:3] == ["open this exam and segment the tumour first", "no image"]
    assert "memory" in problems[3]


@pytest.mark.parametrize("error", [ValueError("Anna, 51"), RecursionError(), KeyError("Anna"), OSError(5, "Anna")])
def test_an_unexpected_error_is_a_sentence_about_its_exam_and_the_others_go_on(listed, error):
    desk = listed(lambda: fail(error), tiny_exam)
    desk.list.predict_all()
    desk.queue.run()
    assert [row.probability for row in desk.list.rows] == ["", "62 %"]
    assert desk.list.rows[0].problem and "\n" not in desk.list.rows[0].problem
    assert desk.problems == []


def test_a_second_click_stops_the_list(listed):
    desk = listed(tiny_exam, tiny_exam)
    desk.list.predict_all()
    desk.list.predict_all()
    desk.queue.run()
    assert [row.probability for row in desk.list.rows] == ["", ""]


def test_a_different_model_forgets_what_the_last_one_predicted(listed):
    desk = listed(tiny_exam, tiny_exam)
    desk.list.predict_all()
    desk.queue.run()
    desk.session.choose_model(find_bundle("ispy2"))
    assert [row.probability for row in desk.list.rows] == ["", ""]


def test_the_result_on_the_table_is_noted_in_the_list(listed):
    desk = listed(tiny_exam, tiny_exam)
    desk.predict()  # of an exam that is not of the list
    desk.list.open(1)
    desk.queue.run()
    assert [row.probability for row in desk.list.rows] == ["", ""]
    desk.predict()
    assert [row.probability for row in desk.list.rows] == ["", "62 %"]


def test_the_list_needs_a_model(listed, tmp_path):
    desk = listed(tiny_exam)
    desk.session.choose_model(tmp_path)
    desk.list.predict_all()
    assert "not a model bundle" in desk.problems[-1]
    assert not desk.list.is_predicting


def test_the_list_says_labels_warnings_and_what_is_true_of_the_open_exam(listed):
    desk = listed(tiny_exam, tiny_exam)
    desk.list.open(0)
    desk.queue.run()
    assert [row.state for row in desk.list.rows] == ["open, not predicted", ""]
    desk.predict()
    assert (desk.list.rows[0].state, desk.list.rows[0].warnings) == ("open, predicted", 1)
    desk.paint()
    assert desk.list.rows[0].state == "open, changed since its prediction"


def test_labels_of_a_cohort_are_in_the_list_and_no_decision_is_shown_that_is_withheld(desk, training_cohort):
    sources = find_sources([training_cohort])
    rows = ExamList(sources, desk.session, desk.queue).rows
    assert {row.label for row in rows} == {"known: pCR", "known: no pCR"}
    found = Row("a").predicted(tiny_prediction(tiny_exam(), notices=[BLOCKING]))
    assert (found.probability, found.warnings) == ("no decision", 1)


def open_row(desk, number):
    desk.list.open(number)
    desk.queue.run()


def test_a_tumour_that_was_changed_is_back_with_its_exam_and_can_still_be_undone(listed):
    desk = listed(tiny_exam, tiny_exam)
    open_row(desk, 0)
    of_files = np.array(desk.table.mask)
    desk.paint()
    drawn = np.array(desk.table.mask)
    open_row(desk, 1)
    assert np.array_equal(desk.table.mask, of_files)
    assert "drawn" not in desk.session.status
    open_row(desk, 0)
    assert np.array_equal(desk.table.mask, drawn)
    assert desk.session.status.startswith("The tumour is as it was drawn before the exam was left")
    assert desk.session.tumour.history.is_by_hand(desk.session.tumour.active)
    desk.session.tumour.undo()
    assert np.array_equal(desk.table.mask, of_files)
    open_row(desk, 1)
    assert np.array_equal(desk.table.mask, of_files)


def test_a_tumour_that_was_drawn_is_not_put_on_other_voxels(listed):
    exams = [tiny_exam()]
    desk = listed(lambda: exams[0], tiny_exam)
    open_row(desk, 0)
    desk.paint()
    open_row(desk, 1)
    exams[0] = tiny_exam(size=(40, 36, 12))
    open_row(desk, 0)
    assert desk.problems[-1] == "The files of this exam have changed; the tumour that was drawn is left out."
    assert np.array_equal(desk.table.mask, exams[0].mask)


def test_predict_all_takes_the_tumour_as_it_was_drawn(new_desk):
    volumes = []

    def predict(exam, bundle):
        volumes.append(np.count_nonzero(exam.mask))
        return replace(tiny_prediction(exam), model=bundle.identity)

    desk = new_desk(predict=predict)
    entries = [SimpleNamespace(name=f"exam {k}", read=tiny_exam) for k in range(2)]
    desk.list = ExamList(entries, desk.session, desk.queue)
    open_row(desk, 0)
    desk.paint()
    desk.list.predict_all()
    desk.queue.run()
    assert volumes[0] == volumes[1] + 1


def test_a_row_says_that_it_was_predicted_and_whether_the_tumour_has_changed_since(listed):
    desk = listed(tiny_exam, tiny_exam)
    desk.list.predict_all()
    desk.queue.run()
    open_row(desk, 0)
    assert desk.list.rows[0].state == "open, predicted before; press Predict to see it"
    desk.paint()
    assert desk.list.rows[0].state == "open, changed since its prediction"
    open_row(desk, 1)
    assert desk.list.rows[0].state == "tumour changed since its prediction"
    open_row(desk, 0)
    desk.predict()
    open_row(desk, 1)
    assert desk.list.rows[0].state == ""


@pytest.mark.parametrize("way", ["upload", "visit"])
def test_no_row_is_marked_as_open_once_a_different_exam_is(listed, way):
    desk = listed(tiny_exam, tiny_exam)
    desk.list.open(0)
    desk.queue.run()
    desk.predict()
    visits = FollowUp(desk.session, desk.table)
    _ = desk.session.open(tiny_exam, "upload") if way == "upload" else visits.add("T1", Study("a", "", tiny_exam))
    desk.queue.run()
    assert desk.list.chosen == -1
    assert [row.state for row in desk.list.rows] == ["", ""]
    desk.predict()
    assert desk.list.rows[1].probability == ""


def test_results_beside_an_exam_are_not_taken_for_its_prediction(listed, tmp_path):
    desk = listed(tiny_exam)
    desk.list._sources[0].inputs = (tmp_path / "exam" / "pre.nii.gz",)
    desk.list.open(0)
    desk.queue.run()
    assert desk.list.remark == ""
    (tmp_path / "prediction.json").write_text("{}")
    assert "holds results of an earlier prediction; press Predict" in desk.list.remark
    desk.predict()
    assert desk.list.remark == ""
