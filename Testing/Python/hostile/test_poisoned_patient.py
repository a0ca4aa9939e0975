"""One poisoned patient of each kind: a sentence about this patient, and the others as if nothing were wrong."""

import json
import os
import shutil
from dataclasses import replace

import pytest
from PCRPredictorLib.engine import many
from PCRPredictorLib.formatting import as_line, make_visible
from PCRPredictorLib.lesion.exam_check import check_exam
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.reading.sources import find_sources, mark_doubts
from PCRPredictorLib.session.exam_list import ExamList
from PCRPredictorLib.writing import read_csv
from PCRTrainingLib.cohort.build import open_or_build
from PCRTrainingLib.cohort.check import check_cohort
from PCRTrainingLib.command_line import app, run
from PCRTrainingLib.progress import Progress
from support.card_and_schema import SCHEMA
from support.examples import tiny_prediction
from support.hostile.patients import GEOMETRIES, KINDS, LOST, NAMES_WITHOUT_A_ROW
from support.session.desk import Desk
from support.training_cohort import write_cohort

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs pipes, links and names of any bytes")
SOUND = ["P0", "P2"]
SEVERAL = [kind for kind in KINDS if kind not in GEOMETRIES] + list(GEOMETRIES)[::5]  # the others are read likewise


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("intact") / "cohort", 3)


@pytest.fixture
def poisoned(intact, tmp_path):
    """Return a function that makes a cohort of three with one patient of a kind, and returns it with its name."""

    def make(kind):
        cohort = shutil.copytree(intact, tmp_path / "cohort")
        KINDS[kind](cohort, "P1")
        return cohort, getattr(KINDS[kind], "new", "P1")

    return make


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(many.time, "sleep", lambda _seconds: None)


def predict(exam):
    """Refuse what a model refuses."""
    check_exam(exam)
    SCHEMA.parse(exam.clinical)
    return tiny_prediction(exam)


def assert_one_sentence(problems, name, kind, of_row=True):
    """Check that no other patient has a problem, and that this one has a sentence if it must."""
    assert set(problems) <= {name}
    assert (name in problems) == (kind in LOST or (of_row and kind in NAMES_WITHOUT_A_ROW))
    for sentence in problems.values():
        assert sentence == as_line(sentence)
        assert "unexpected" not in sentence


@pytest.mark.parametrize("kind", SEVERAL)
def test_check_reports_it(poisoned, kind):
    cohort, name = poisoned(kind)
    count, problems = check_cohort(cohort, Progress())
    assert count == 3
    assert_one_sentence({problem.patient_id: problem.reason for problem in problems}, name, kind)


@pytest.mark.parametrize("kind", SEVERAL)
def test_training_leaves_it_out(poisoned, tmp_path, kind):
    cohort, name = poisoned(kind)
    cache = open_or_build(cohort, tmp_path / "cache", GridSpec(), SCHEMA)
    assert set(SOUND) <= set(cache.ids)
    assert_one_sentence({problem.patient_id: problem.reason for problem in cache.quarantine}, name, kind)
    again = open_or_build(cohort, tmp_path / "cache", GridSpec(), SCHEMA)  # what is resumed reads the same
    assert (again.ids, again.quarantine) == (cache.ids, cache.quarantine)


@pytest.mark.parametrize("kind", SEVERAL)
def test_predict_and_the_panel_s_batch_have_a_row_of_it(poisoned, predict_given, tmp_path, kind):
    cohort, name = poisoned(kind)
    entries = []
    predict_given(mark_doubts(find_sources([cohort]), SCHEMA), tmp_path / "out", predict, see=entries.append)
    rows = json.loads(json.dumps([row for entry in entries for row in entry.rows]))  # as they travel to the panel
    assert {row["patient_id"] for row in rows} == {*SOUND, name}
    assert all(row.get("error") or row["probability"] for row in rows)
    problems = {row["patient_id"]: row["error"] for row in rows if row.get("error")}
    assert_one_sentence(problems, name, kind, of_row=False)
    assert "\x1b" not in (tmp_path / "out" / "predictions.csv").read_text(errors="replace")


@pytest.mark.slow  # a real model
@pytest.mark.parametrize("kind", ["a name that is no text", "a name in brackets", "a name with an escape sequence"])
def test_a_model_predicts_whatever_a_patient_is_called(poisoned, bundle, tmp_path, capsys, kind):
    cohort, name = poisoned(kind)
    words = ["--cohort", cohort, "--model", bundle.path, "--out", tmp_path / "out", "--each", "--workers", 1]
    assert run(app, ["predict", *map(str, words)]) == 0
    said = capsys.readouterr()
    assert "3 of 3 patients predicted" in said.out
    assert said.err == "" and said.out == make_visible(said.out)
    rows = read_csv(tmp_path / "out" / "predictions.csv")
    assert {row["patient_id"] for row in rows} == {*SOUND, name}
    assert len([path for path in (tmp_path / "out").iterdir() if path.is_dir()]) == 3


@pytest.mark.parametrize("kind", SEVERAL)
def test_predict_all_of_the_page_goes_on(poisoned, kind):
    cohort, name = poisoned(kind)
    desk = Desk(predict=lambda exam, bundle: replace(predict(exam), model=bundle.identity))
    exams = ExamList(find_sources([cohort]), desk.session, desk.queue)
    exams.predict_all()
    desk.queue.run()
    assert not exams.is_predicting
    assert desk.problems == []
    assert all(row.problem or row.probability for row in exams.rows)
    assert_one_sentence({row.name: row.problem for row in exams.rows if row.problem}, name, kind, of_row=False)
