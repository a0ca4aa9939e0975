"""The visits of the patient on the table: added, shown, edited, ordered; nothing is lost and nothing silent."""

import datetime
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.dicom.identity import SeveralStudies
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.response.course import VisitValues
from PCRPredictorLib.session.course import reading
from PCRPredictorLib.session.course.follow_up import FollowUp
from PCRPredictorLib.session.course.study import Study
from PCRTrainingLib.calls.follow_tables import add_table_reader
from support.examples import tiny_exam


def other_exam(clinical=None, mask=True):
    """Return an exam of the same patient whose tumour enhances in a different part."""
    exam = tiny_exam()
    early = np.array(exam.early) + 7
    return replace(exam, early=early, clinical=clinical or {}, mask=exam.mask if mask else None)


def study(exam=None, title="second exam", **more):
    return Study(title, more.pop("visit", ""), lambda: exam if exam is not None else other_exam(), **more)


@pytest.fixture
def visits(desk):
    return FollowUp(desk.session, desk.table)


def test_the_open_exam_becomes_a_visit_with_its_tumour_and_clinical_values(visits):
    visits.add_open("T0")
    assert list(visits.entries) == ["T0"]
    assert visits.active == "T0"
    assert visits.entries["T0"].has_outline
    assert visits.clinical["age"] == 52
    assert visits.next_visit == "T1"


def test_a_further_exam_is_opened_and_keeps_the_clinical_values(desk, visits):
    visits.add_open("T0")
    visits.add("T1", study())
    desk.queue.run()
    assert visits.active == "T1"
    assert desk.session.title == "T1: second exam"
    assert desk.session.clinical.values == {"age": 52}
    assert desk.problems == []


def test_strokes_in_the_open_exam_are_those_of_its_visit_alone(desk, visits):
    visits.add_open("T0")
    visits.add("T1", study())
    desk.queue.run()
    before = {name: entry.state for name, entry in visits.entries.items()}
    desk.paint()
    assert visits.entries["T0"].state == before["T0"]
    assert visits.entries["T1"].state != before["T1"]
    desk.session.tumour.undo()
    assert visits.entries["T1"].state == before["T1"]


def test_an_earlier_visit_is_shown_again_with_the_tumour_as_it_was_drawn(desk, visits):
    visits.add_open("T0")
    desk.paint((1, 1, 1))
    painted = int(desk.table.mask.sum())
    visits.add("T1", study())
    desk.queue.run()
    visits.show("T0")
    desk.queue.run()
    assert visits.active == "T0"
    assert int(desk.table.mask.sum()) == painted
    assert not np.array_equal(desk.table.exam.early, visits.entries["T1"].exam.early)


def test_a_frontend_that_still_holds_a_visit_shows_it_itself(desk):
    again = []
    visits = FollowUp(desk.session, desk.table, lambda entry: again.append(entry.name) or True)
    visits.add_open("T0")
    visits.add("T1", study(), taken=lambda: None)
    desk.queue.run()
    visits.show("T1")
    assert again == ["T1"]
    assert not desk.queue.waiting


def test_an_exam_of_a_different_patient_that_is_opened_is_no_visit(desk, visits):
    visits.add_open("T0")
    desk.session.open(other_exam, "somebody else")
    desk.queue.run()
    assert visits.active == ""
    desk.paint()
    assert visits.clinical["age"] == 52


def test_a_visit_that_is_there_is_never_replaced_silently(desk, visits):
    visits.add_open("T0")
    kept = visits.entries["T0"].exam
    assert not visits.add("T0", study())
    assert "There is an exam for T0 already; remove it first" in desk.problems[-1]
    assert visits.entries["T0"].exam is kept


def test_an_exam_that_is_a_visit_already_is_no_second_one(desk, visits):
    visits.add_open("T0")
    visits.add_open("T1")
    assert "This exam is T0 already" in desk.problems[-1]
    assert list(visits.entries) == ["T0"]


def test_an_exam_that_cannot_be_read_loses_nothing(desk, visits):
    def fail():
        raise DataError("no exam there; give a different folder")

    visits.add_open("T0")
    visits.add("T1", Study("bad", "", fail))
    desk.queue.run()
    assert desk.problems[-1] == "no exam there; give a different folder"
    assert list(visits.entries) == ["T0"]


def test_visits_change_places_and_are_removed(desk, visits):
    visits.add_open("T1")
    visits.add("T2", study(), taken=lambda: None)
    desk.queue.run()
    first = visits.entries["T1"].exam
    visits.rename("T1", "T2")
    assert visits.entries["T2"].exam is first
    visits.rename("T1", "T0")
    assert list(visits.entries) == ["T0", "T2"]
    visits.remove("T0")
    assert list(visits.entries) == ["T2"]
    visits.clear()
    assert visits.entries == {}


def test_an_exam_without_a_mask_asks_for_one_with_the_choices(desk, visits):
    visits.add_open("T0")
    visits.add("T1", study(other_exam(mask=False)))
    desk.queue.run()
    assert "T1: no tumour is drawn; open it and segment the tumour" in visits.problem_of(visits.entries["T1"])
    for use in ("gone", "baseline"):
        visits.use("T1", use)
        assert visits.problem_of(visits.entries["T1"]) is None
    visits.use("T0", "baseline")
    assert "T0 is the first visit and must have a tumour" in visits.problem_of(visits.entries["T0"])


def test_clinical_values_that_differ_between_visits_are_reported(desk, visits):
    visits.add_open("T0")
    visits.add("T1", study(other_exam({"age": 61})))
    desk.queue.run()
    assert (
        desk.session.activity.problem == "T1: its clinical values differ (age); those of the earliest visit are used."
    )
    assert visits.clinical["age"] == desk.session.clinical.values["age"] == 52


@pytest.mark.parametrize("order", [("T0", "T1"), ("T1", "T0")])
def test_the_earliest_visits_values_are_used_in_every_order_of_opening(desk, visits, order):
    exams = {"T0": tiny_exam(), "T1": other_exam({"age": 61})}  # of 52 years
    for name in order:
        desk.session.open(lambda name=name: exams[name], name)
        desk.queue.run()
        visits.add_open(name)
        desk.session.update()
    said = [f"{order[1]}: its clinical values differ (age); those of the earliest visit are used."]
    assert desk.problems == said
    for name in ("T0", "T1", "T0"):
        visits.show(name)
        desk.queue.run()
        assert visits.active == name
        assert visits.clinical["age"] == desk.session.clinical.values["age"] == 52
    visits.remove("T0")
    assert visits.clinical["age"] == 61


def test_values_that_were_entered_are_used_for_all_visits_and_named_so(desk, visits):
    visits.add_open("T0")
    desk.session.enter({"age": 47})
    visits.add("T1", study(other_exam({"age": 61})))
    desk.queue.run()
    assert (
        desk.session.activity.problem == "T1: its clinical values differ (age); those that were entered here are used."
    )
    assert visits.active == "T1"
    assert visits.clinical["age"] == desk.session.clinical.values["age"] == 47
    assert desk.session.clinical.describe_origins().startswith("Entered here: Age")
    desk.session.enter({})
    visits.show("T0")
    desk.queue.run()
    assert "age" not in visits.clinical and "age" not in desk.session.clinical.values


def test_a_value_that_was_entered_before_the_second_visit_was_added_is_used(desk, visits):
    visits.add_open("T0")
    desk.session.open(lambda: other_exam({"age": 61}), "second exam")
    desk.queue.run()
    desk.session.enter({"age": 62})
    visits.add_open("T1")
    assert desk.problems == ["T1: its clinical values differ (age); those that were entered here are used."]
    assert visits.clinical["age"] == 62


def test_several_studies_are_asked_about_and_read_in_order(desk, visits):
    day = datetime.date(2020, 1, 1)
    found = [study(title=f"day {n}", visit=name, date=day) for n, name in ((0, "T0"), (22, "T1"), (50, ""))]
    visits.ask(lambda: found)
    desk.queue.run()
    assert [each.title for each in visits.question] == ["day 0", "day 22", "day 50"]
    visits.answer(["T0", "T0", ""])
    assert "Each visit can be one study only" in desk.problems[-1]
    visits.answer(["T0", "T1", ""])
    desk.queue.run()
    assert list(visits.entries) == ["T0", "T1"]
    assert visits.entries["T1"].date == day
    assert visits.active == "T1"
    assert visits.question == ()


def test_a_single_study_is_read_without_a_question(desk, visits):
    visits.ask(lambda: [study(visit="T2")])
    desk.queue.run()
    assert list(visits.entries) == ["T2"]


def test_values_of_a_table_stand_beside_exams(desk, visits):
    visits.add_open("T1")
    visits.add_values({"T0": VisitValues(12.0, 30.0)}, {"age": 52}, "visits.csv")
    assert list(visits.entries) == ["T0", "T1"]
    assert visits.problem_of(visits.entries["T0"]) is None
    visits.add_values({"T0": VisitValues(1.0)}, {}, "visits.csv")
    assert "There is an exam for T0 already" in desk.problems[-1]


def test_a_table_of_one_patient_gives_its_visits_and_what_was_recognised(desk, visits, tmp_path):
    table = tmp_path / "visits.csv"
    table.write_text("patient_id,age,ftv_ml_T0,ftv_ml_T1\nA1,52,12.0,3.0\n", encoding="utf-8")
    add_table_reader()
    assert reading.is_table(table)
    visits.read_values(lambda: reading.values_in(table), table.name)
    desk.queue.run()
    assert [entry.given.functional_volume_ml for entry in visits.entries.values()] == [12.0, 3.0]
    assert "ftv_ml_T0 at T0" in desk.session.activity.message


def test_nothing_is_added_while_something_runs(desk, visits):
    desk.session.open(other_exam, "slow")
    visits.add_open("T0")
    assert "Wait until the running work is done" in desk.problems[-1]
    assert visits.entries == {}


def test_without_an_exam_there_is_nothing_to_add(desk, visits):
    desk.table.exam = None
    desk.session.update()
    visits.add_open("T0")
    assert "exam" in desk.problems[-1].lower()


def test_a_folder_with_several_studies_that_is_opened_is_asked_about_not_refused(desk, visits, monkeypatch, tmp_path):
    def refuse():
        raise SeveralStudies(tmp_path, "holds 2 studies")

    found = [study(title="day 0", visit="T0"), study(title="day 22", visit="T1")]
    monkeypatch.setattr(reading, "studies_in", lambda place: found if place == tmp_path else [])
    desk.session.open(refuse, "a folder")
    desk.queue.run()
    assert desk.problems == []
    assert [each.title for each in visits.question] == ["day 0", "day 22"]
    assert "choose the visit of each under Follow-up" in desk.session.activity.message


def test_a_day_that_the_user_gives_is_kept_until_it_is_taken_back(visits):
    visits.add_open("T1")
    visits.set_day("T1", 22)
    assert visits.entries["T1"].day == 22
    visits.set_day("T1", None)
    assert visits.entries["T1"].day is None
