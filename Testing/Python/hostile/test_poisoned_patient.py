"""One poisoned patient of each kind in a cohort: a sentence about each, and the others as if nothing were wrong."""

import json
import os
import signal
import sys
from dataclasses import replace

import pytest
from PCRPredictorLib import child
from PCRPredictorLib.archive import patients
from PCRPredictorLib.engine import many
from PCRPredictorLib.formatting import as_line, make_visible
from PCRPredictorLib.lesion.exam_check import check_exam
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.reading.cohort import read_patient
from PCRPredictorLib.reading.sources import find_sources, mark_doubts
from PCRPredictorLib.session.exam_list import ExamList
from PCRPredictorLib.writing import read_csv
from PCRTrainingLib.cohort.build import open_or_build
from PCRTrainingLib.cohort.check import check_cohort
from PCRTrainingLib.command_line import app, run
from PCRTrainingLib.progress import Progress
from support.card_and_schema import SCHEMA
from support.examples import tiny_prediction
from support.hostile.patients import KINDS, LOST, NAMES_WITHOUT_A_ROW, UNSEEN
from support.session.desk import Desk
from support.training_cohort import write_cohort

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs pipes, links and names of any bytes")
SOUND = ["P0", "P1", "P2"]


def write_poisoned(cohort, kinds):
    """Write three sound patients and one of each kind; return the kinds by name."""
    write_cohort(cohort, len(SOUND) + len(kinds))
    written = {f"P{len(SOUND) + k}": kind for k, kind in enumerate(kinds)}
    for name, kind in written.items():
        KINDS[kind](cohort, name)
    return {getattr(KINDS[kind], "new", name): kind for name, kind in written.items()}


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory):
    """A cohort with a patient of each kind, and the kinds by name."""
    cohort = tmp_path_factory.mktemp("poisoned") / "cohort"
    return cohort, write_poisoned(cohort, list(KINDS))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(many.time, "sleep", lambda _seconds: None)


def predict(exam):
    """Refuse what a model refuses."""
    check_exam(exam)
    SCHEMA.parse(exam.clinical)
    return tiny_prediction(exam)


def assert_sentences(problems, kinds, wanted):
    """Check that patients of these kinds have a sentence, and no others."""
    assert {kinds.get(name, name) for name in problems} == set(wanted)
    for sentence in problems.values():
        assert sentence == as_line(sentence)
        assert "unexpected" not in sentence


def test_check_reports_each(poisoned):
    cohort, kinds = poisoned
    count, problems = check_cohort(cohort, Progress())
    assert count == len(SOUND) + len(KINDS) - len(UNSEEN)
    assert_sentences({each.patient_id: each.reason for each in problems}, kinds, LOST | NAMES_WITHOUT_A_ROW)


def test_training_leaves_each_out(poisoned, tmp_path):
    cohort, kinds = poisoned
    cache = open_or_build(cohort, tmp_path / "cache", GridSpec(size=24, slices=8), SCHEMA)
    assert set(SOUND) <= set(cache.ids)
    assert_sentences({each.patient_id: each.reason for each in cache.quarantine}, kinds, LOST | NAMES_WITHOUT_A_ROW)
    again = open_or_build(
        cohort, tmp_path / "cache", GridSpec(size=24, slices=8), SCHEMA
    )  # what is resumed reads the same
    assert (again.ids, again.quarantine) == (cache.ids, cache.quarantine)


def test_predict_and_the_panel_s_batch_have_a_row_of_each(poisoned, predict_given, tmp_path):
    cohort, kinds = poisoned
    entries = []
    predict_given(mark_doubts(find_sources([cohort]), SCHEMA), tmp_path / "out", predict, see=entries.append)
    rows = json.loads(json.dumps([row for entry in entries for row in entry.rows]))  # as they travel to the panel
    unseen = {name for name, kind in kinds.items() if kind in UNSEEN}
    assert {row["patient_id"] for row in rows} == {*SOUND, *kinds} - unseen
    assert all(row.get("error") or row["probability"] for row in rows)
    assert_sentences({row["patient_id"]: row["error"] for row in rows if row.get("error")}, kinds, LOST)
    assert "\x1b" not in (tmp_path / "out" / "predictions.csv").read_text(errors="replace")


def test_predict_all_of_the_page_goes_on(poisoned):
    cohort, kinds = poisoned
    desk = Desk(predict=lambda exam, bundle: replace(predict(exam), model=bundle.identity))
    exams = ExamList(find_sources([cohort]), desk.session, desk.queue)
    exams.predict_all()
    desk.queue.run()
    assert not exams.is_predicting
    assert desk.problems == []
    assert all(row.problem or row.probability for row in exams.rows)
    assert_sentences({row.name: row.problem for row in exams.rows if row.problem}, kinds, LOST)


def test_each_patient_that_has_no_images_is_counted(poisoned):
    cohort, kinds = poisoned
    renamed = sum(kind in NAMES_WITHOUT_A_ROW for kind in kinds.values())
    without = sum(kind in UNSEEN for kind in kinds.values()) + renamed - 1  # the row of the one that is a formula
    (sentence,) = [each for each in find_sources([cohort]).said if "have no images" in each]
    assert sentence.startswith(f"{without} of ")


@pytest.mark.slow  # a real model
def test_a_model_predicts_whatever_a_patient_is_called(bundle, tmp_path, capsys):
    kinds = write_poisoned(
        tmp_path / "cohort", ["a name that is no text", "a name in brackets", "a name with an escape sequence"]
    )
    words = ["--cohort", tmp_path / "cohort", "--model", bundle.path, "--out", tmp_path / "out", "--each"]
    assert run(app, ["predict", *map(str, words), "--workers", "1"]) == 0
    said = capsys.readouterr()
    assert "6 of 6 patients predicted" in said.out
    assert said.err == "" and said.out == make_visible(said.out)
    rows = read_csv(tmp_path / "out" / "predictions.csv")
    assert {row["patient_id"] for row in rows} == {*SOUND, *kinds}
    assert len([path for path in (tmp_path / "out").iterdir() if path.is_dir()]) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="needs copies of a process")
def test_a_patient_that_ends_the_process_that_reads_it_costs_check_and_training_this_one(tmp_path, monkeypatch):
    def read(patient):
        if patient.patient_id == "P1":
            os.kill(os.getpid(), signal.SIGKILL)
        return read_patient(patient)

    cohort = write_cohort(tmp_path / "cohort", len(SOUND))
    monkeypatch.setattr(child, "_is_program", True)
    monkeypatch.setattr("PCRTrainingLib.cohort.check.read_patient", read)
    count, (problem,) = check_cohort(cohort, Progress())
    assert (count, problem.patient_id) == (3, "P1")
    assert "died each time (SIGKILL" in problem.reason
    cache = open_or_build(cohort, tmp_path / "cache", GridSpec(size=24, slices=8), SCHEMA)
    assert (list(cache.ids), list(cache.quarantine)) == (["P0", "P2"], [problem])


@pytest.mark.slow  # a real model
@pytest.mark.skipif(sys.platform != "linux", reason="needs copies of a process")
def test_a_patient_that_ends_its_process_costs_a_small_cohort_this_one(bundle, tmp_path, capsys, monkeypatch):
    def read(source):
        if source.name == "P1":
            os.kill(os.getpid(), signal.SIGKILL)
        return source.read()

    cohort = write_cohort(tmp_path / "cohort", len(SOUND))
    monkeypatch.setattr(child, "_is_program", True)
    monkeypatch.setattr(patients, "_read", read)
    words = ["predict", "--cohort", cohort, "--model", bundle.path, "--out", tmp_path / "out"]
    assert run(app, list(map(str, words))) == 0
    assert "P1: the process that worked on it died each time (SIGKILL" in capsys.readouterr().out
    monkeypatch.undo()
    assert run(app, [*map(str, words), "--resume"]) == 0
    rows = read_csv(tmp_path / "out" / "predictions.csv")
    assert [row["patient_id"] for row in rows if row["probability"]] == ["P0", "P2"]
