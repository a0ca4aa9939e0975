"""What follows from the visits: measured once, predicted, stale after an edit of any visit; problems lose nothing."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PCRPredictorLib.errors import Notice
from PCRPredictorLib.model.training_marks import identifier_hash
from PCRPredictorLib.session.course.analysis import Analysis
from PCRPredictorLib.session.course.comparison import Comparison
from PCRPredictorLib.session.course.follow_up import FollowUp
from PCRPredictorLib.session.course.response_choice import ResponseChoice
from PCRPredictorLib.session.course.rows import rows_of
from PCRPredictorLib.session.course.runner import CourseRunner
from PCRPredictorLib.session.course.study import Study
from PCRPredictorLib.session.course.words import describe_answer
from support.examples import tiny_exam, whole_exam
from support.follow_up.response_model import tiny_response


class Counted(CourseRunner):
    """A runner that counts what is measured."""

    def __init__(self):
        super().__init__()
        self.measured = []

    def measure(self, entry, baseline):
        self.measured.append(entry.name)
        return super().measure(entry, baseline)


def shrunken():
    """Return the tiny exam with an enhancing tumour of half the width."""
    exam = tiny_exam()
    k, j, i = np.nonzero(exam.mask)
    mask = np.zeros_like(exam.mask)
    near = abs(i - i.mean()) < 3
    mask[k[near], j[near], i[near]] = 1
    early = np.where(exam.mask & ~mask.astype(bool), exam.pre, exam.early) + 3
    return replace(exam, early=early.astype(np.int16), mask=mask)


@pytest.fixture
def table(desk):
    """Two visits on the table of a desk, with the tiny response model."""
    visits = FollowUp(desk.session, desk.table)
    analysis = Analysis(visits, Counted())
    analysis.model = ResponseChoice(lambda _path: tiny_response())
    analysis.choose_model("tiny")  # its folder
    visits.add_open("T0")
    visits.add("T1", Study("second exam", "", shrunken))
    desk.queue.run()
    runner = analysis._runner
    return SimpleNamespace(desk=desk, visits=visits, analysis=analysis, runner=runner, run=desk.queue.run)


def predict(table):
    table.analysis.predict()
    table.run()
    return table.analysis.answer


def test_visits_are_measured_and_predicted(table):
    answer = predict(table)
    assert table.desk.problems == []
    assert [after.visit for after in answer.prediction.visits] == ["T0", "T1"]
    volumes = [visit.values.functional_volume_ml for visit in answer.course]
    assert volumes[0] > volumes[1] > 0
    assert answer.chart.startswith(b"\x89PNG")
    assert answer.course.clinical["age"] == 52


def test_the_library_gives_the_same_probability(table):
    answer = predict(table)
    again = tiny_response().predict(answer.course)
    assert again.visits[-1].probability == answer.prediction.visits[-1].probability


def test_only_what_has_changed_is_measured_again(table):
    predict(table)
    assert table.runner.measured == ["T0", "T1"]
    predict(table)
    assert table.runner.measured == ["T0", "T1"]
    table.desk.paint((2, 2, 2))
    predict(table)
    assert table.runner.measured == ["T0", "T1", "T1"]


def test_an_edit_of_any_visit_makes_the_answer_stale_and_its_undo_does_not(table):
    predict(table)
    for name in ("T1", "T0"):
        table.visits.show(name)
        table.run()
        assert not table.analysis.is_stale, name
        table.desk.paint((1, 2, 3))
        assert table.analysis.is_stale, name
        assert rows_of(table.analysis)[0].probability == ""
        table.desk.session.tumour.undo()
        assert not table.analysis.is_stale, name


def test_clinical_values_are_the_open_exams_and_make_it_stale(table):
    before = predict(table).prediction.visits[-1].probability
    table.desk.session.enter({**table.desk.session.clinical.values, "age": 81})
    assert table.analysis.is_stale
    assert predict(table).prediction.visits[-1].probability != before


def test_a_tumour_that_is_gone_is_a_value(table):
    table.visits.use("T1", "gone")
    answer = predict(table)
    assert table.desk.problems == []
    assert answer.course.visits["T1"].values.functional_volume_ml == 0
    assert [row.change for row in rows_of(table.analysis)] == ["", "−100 %"]
    assert "No tumour was marked at T1" in describe_answer(table.analysis)


def test_a_visit_is_measured_inside_the_baselines_outline(new_desk):
    exam = whole_exam(spacing=4.0)
    desk = new_desk(exam)
    visits = FollowUp(desk.session, desk.table)
    analysis = Analysis(visits)
    visits.add_open("T0")
    visits.add("T1", Study("later", "", lambda: replace(exam, early=exam.early + exam.mask, mask=None)))
    desk.queue.run()
    visits.use("T1", "baseline")
    analysis.measure()
    desk.queue.run()
    assert desk.problems == []
    later = analysis.answer.course.visits["T1"]
    assert "inside_baseline" in [notice.code for notice in later.notices]
    assert later.values.functional_volume_ml > 0


def test_a_baseline_that_cannot_be_brought_over_is_said_and_loses_nothing(table):
    table.visits.use("T1", "baseline")  # of noise
    assert predict(table) is None
    assert "T1: the baseline's outline cannot be brought over" in table.desk.problems[-1]
    assert list(table.visits.entries) == ["T0", "T1"]


def test_a_missing_mask_is_a_problem_with_the_choices_and_nothing_runs(table):
    table.visits.use("T0", "baseline")
    assert "T0 is the first visit and must have a tumour" in table.analysis.problem()
    table.analysis.predict()
    assert not table.desk.queue.waiting
    assert "T0" in table.desk.problems[-1]


def test_the_same_exam_twice_is_refused_and_the_last_answer_stays(desk):
    visits = FollowUp(desk.session, desk.table)
    analysis = Analysis(visits)
    visits.add_open("T0")
    analysis.measure()
    desk.queue.run()
    before = analysis.answer
    visits.add("T1", Study("again", "", tiny_exam))
    desk.queue.run()
    analysis.measure()
    desk.queue.run()
    assert "T1 must be a different exam than T0" in desk.problems[-1]
    assert analysis.answer is before
    assert analysis.is_stale


def test_a_different_patient_is_refused_unless_headers_may_differ(table):
    exam = table.visits.entries["T1"].exam
    somebody = replace(exam, provenance=replace(exam.provenance, patient_id="SECRET-2"))
    table.visits.entries["T1"] = replace(table.visits.entries["T1"], exam=somebody)
    assert predict(table) is None
    assert "T1 must be an exam of the patient of T0" in table.desk.problems[-1]
    assert "(tick “One patient, although headers differ”, if" in table.desk.problems[-1]  # no command
    assert "SECRET" not in table.desk.problems[-1]
    table.analysis.allow_headers_to_differ(True)
    assert predict(table) is not None


def test_no_change_is_shown_between_visits_of_different_patients(table):
    provenance = replace(tiny_exam().provenance, patient_id="SECRET-1")
    somebody = replace(provenance, patient_id="SECRET-2")
    table.visits.clear()
    table.visits.add("T0", Study("one", "", lambda: replace(tiny_exam(), provenance=provenance)))
    table.run()
    table.visits.add("T1", Study("other", "", lambda: replace(shrunken(), provenance=somebody)))
    table.run()
    assert predict(table) is None
    row = rows_of(table.analysis)[1]
    assert row.volume and not row.change
    table.analysis.allow_headers_to_differ(True)
    assert rows_of(table.analysis)[1].change


def test_warnings_of_every_visit_are_shown_with_the_prediction(table):
    answer = predict(table)
    first = replace(answer.course.visits["T0"], notices=(Notice("mask", "The mask is odd."),))
    course = replace(answer.course, visits={**answer.course.visits, "T0": first})
    table.analysis.answer = replace(answer, course=course)
    assert "T0: The mask is odd." in describe_answer(table.analysis)


def test_a_patient_that_the_model_knows_gets_no_decision_and_the_reason_comes_first(table):
    found = predict(table)
    course = replace(found.course, patient_id="A1")
    model = replace(tiny_response(), training_patients=frozenset([identifier_hash("A1")]))
    table.analysis.answer = replace(found, course=course, prediction=model.predict(course))
    text = describe_answer(table.analysis)
    assert text.index("No decision.") < text.index("this identifier") < text.index("<small>Probability of pCR")
    assert text.count("this identifier") == 1 and "threshold" not in text
    assert [row.probability for row in rows_of(table.analysis)] == ["no decision", "no decision"]


def test_measurements_need_no_model(table):
    table.analysis.choose_model(None)
    table.analysis.predict()
    assert "Choose a response model" in table.desk.problems[-1]
    table.analysis.measure()
    table.run()
    assert table.analysis.answer.prediction is None
    assert "T0 to T1" in describe_answer(table.analysis)


def test_an_edit_while_it_is_measured_is_reported(table):
    table.analysis.measure()
    table.visits.use("T0", "gone")
    table.run()
    assert "T0 was changed meanwhile; measure again." in table.desk.problems
    assert table.analysis.answer is None


def test_rows_show_what_was_measured_and_how_it_changed(table):
    rows = rows_of(table.analysis)
    assert [(row.name, row.volume, row.tumour, row.is_open) for row in rows] == [
        ("T0", "", "as drawn", False),
        ("T1", "", "as drawn", True),
    ]
    predict(table)
    first, second = rows_of(table.analysis)
    assert first.volume.endswith(" ml")
    assert second.change.startswith("−")
    assert second.probability.endswith(" %")


def test_a_removed_visit_takes_the_answer_with_it(table):
    predict(table)
    table.visits.remove("T1")
    assert table.analysis.answer is None


def test_files_are_written_with_the_model_and_notices(table, tmp_path):
    written = []
    table.analysis.save(tmp_path, lambda *given, **more: written.append((given, more)))
    assert "nothing of the follow-up to write" in table.desk.problems[-1]
    answer = predict(table)
    table.analysis.save(tmp_path, lambda *given, **more: written.append((given, more)))
    table.run()
    assert written[0][0][:3] == (answer.course, answer.prediction, tmp_path)
    assert written[0][1]["model"] is answer.model
    assert table.desk.session.activity.message == f"Saved in {tmp_path}"


def test_a_registration_is_made_once_and_for_these_exams(table):
    done = []
    table.analysis.register("T1", lambda: done.append(1))
    table.run()
    found = table.analysis.registration("T1")
    table.analysis.register("T1", lambda: done.append(2))
    assert done == [1, 2]
    assert not table.desk.queue.waiting
    assert found.matrix.shape == (4, 4)
    table.visits.remove("T1")
    assert table.analysis.registration("T1") is None


def test_days_that_the_user_gives_stand_in_rows_and_result(table):
    table.visits.set_day("T1", 22)
    assert [row.when for row in rows_of(table.analysis)] == ["day 0", "day 22"]
    assert predict(table).course.days == {"T0": 0, "T1": 22}
    table.visits.set_day("T1", 23)
    assert table.analysis.is_stale


def test_the_operating_point_stays_over_predictions(table):
    predict(table)
    assert table.analysis.points == ["balanced", "high sensitivity"]
    table.analysis.choose_point("high sensitivity")
    assert "high sensitivity" in describe_answer(table.analysis)
    table.desk.paint((1, 1, 1))
    predict(table)
    assert table.analysis.point == "high sensitivity"


def test_visits_side_by_side_stay_with_their_patient(table):
    shown = SimpleNamespace(is_shown=False, set_mip=lambda _on: None)
    shown.show = lambda *_exams: setattr(shown, "is_shown", True)
    shown.hide = lambda: setattr(shown, "is_shown", False)
    comparison = Comparison(table.analysis, shown)
    comparison.change(registered=False)
    comparison.show()
    table.visits.show("T0")
    table.run()
    assert shown.is_shown
    table.desk.session.open(tiny_exam, "somebody else")
    table.run()
    assert not shown.is_shown
