"""An archive of exams in memory: bad ones, those that may pass, and what is done again when it is resumed."""

import csv
import errno
import json
from dataclasses import dataclass, field, replace

import pytest
from PCRPredictorLib.archive.journal import JOURNAL
from PCRPredictorLib.archive.patients import predict_patient
from PCRPredictorLib.archive.predict import predict_cohort
from PCRPredictorLib.engine import many
from PCRPredictorLib.engine.engine import Done, ThisProcess
from PCRPredictorLib.engine.tasks import Killing
from PCRPredictorLib.errors import TOO_LARGE, DataError, Notice
from PCRPredictorLib.reading.sources import Source
from support.examples import tiny_exam, tiny_prediction


@dataclass(frozen=True, kw_only=True)
class Scripted(Source):
    """An exam that can be read after it has raised these errors."""

    errors: list = field(default_factory=list, compare=False)
    version: int = 0
    reads: list = field(default_factory=list, compare=False)

    def read(self):
        self.reads.append(self.name)
        if self.errors:
            raise self.errors.pop(0)
        return tiny_exam()

    def __repr__(self):
        return f"{self.name} {self.version}"


for name in ("find", "read_source"):
    setattr(Scripted, name, None)
Scripted.__abstractmethods__ = frozenset()
GONE, REFUSED = FileNotFoundError(errno.ENOENT, "no such file"), PermissionError(errno.EACCES, "permission denied")


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The pauses that were made, in seconds."""
    made = []
    monkeypatch.setattr(many.time, "sleep", made.append)
    return made


@pytest.fixture(autouse=True)
def scripts_are_known_by_their_version(monkeypatch):
    monkeypatch.setattr("PCRPredictorLib.archive.patients.identify", repr)
    monkeypatch.setattr("PCRPredictorLib.archive.predict.identify", repr)


def rows_of(out):
    with (out / "predictions.csv").open() as file:
        return {row["patient_id"]: row["error"] for row in csv.DictReader(file)}


def chained(error):
    """Return a sentence that was raised for an error, as reading does."""
    try:
        try:
            raise error
        except type(error):
            raise DataError("pre.nii.gz: cannot be read") from None
    except DataError as found:
        return found


@pytest.mark.parametrize("error", [GONE, chained(GONE), MemoryError(), chained(OSError(errno.ESTALE, "stale"))])
def test_what_may_pass_is_tried_twice_more(predict_given, tmp_path, pauses, error):
    exams = [Scripted(name="a", errors=[error, error]), Scripted(name="b")]
    found = predict_given(exams, tmp_path / "out")
    assert (found.failed, pauses) == ({}, [2.0, 10.0])
    assert list(rows_of(tmp_path / "out")) == ["a", "b"]


def test_what_does_not_pass_is_reported_and_tried_again_by_resume(predict_given, tmp_path):
    exam = Scripted(name="a", errors=[MemoryError() for _ in range(3)])
    found = predict_given([exam, Scripted(name="b")], tmp_path / "out")
    assert (found.failed, found.passing, len(exam.reads)) == ({"a": TOO_LARGE}, 1, 3)
    assert predict_given([exam, Scripted(name="b")], tmp_path / "out", resume=True).failed == {}
    assert rows_of(tmp_path / "out") == {"a": "", "b": ""}


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (DataError("the mask is empty; draw it"), "the mask is empty; draw it"),
        (chained(REFUSED), "pre.nii.gz: cannot be read"),
        (ZeroDivisionError("Anna, 51"), "it ended with an unexpected ZeroDivisionError in "),
    ],
)
def test_bad_exam_costs_its_patient_one_sentence_and_no_second_try(predict_given, tmp_path, pauses, error, sentence):
    exams = [Scripted(name="a"), Scripted(name="b", errors=[error]), Scripted(name="c")]
    predict_given(exams, tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert [name for name, problem in rows.items() if problem] == ["b"]
    assert rows["b"].startswith(sentence)
    assert "Anna" not in rows["b"]
    assert pauses == []


def test_resume_does_only_what_is_new_changed_or_was_not_finished(predict_given, tmp_path):
    out = tmp_path / "out"
    exams = [Scripted(name=name) for name in "cab"]
    predict_given([*exams[:2], Scripted(name="b", errors=[DataError("bad")])], out)
    seen = []
    again = [exams[0], Scripted(name="a", version=2), exams[2], Scripted(name="d")]
    predict_given(again, out, resume=True, see=lambda entry: seen.append(entry.patient))
    assert [exam.reads for exam in again] == [["c"], ["a"], [], ["d"]]
    assert seen == ["c", "b", "a", "d"]
    assert rows_of(out) == {"c": "", "a": "", "b": "bad", "d": ""}


def test_interrupted_at_any_patient_it_goes_on_and_loses_and_doubles_none(predict_given, tmp_path):
    whole = [Scripted(name=str(k)) for k in range(5)]
    predict_given(whole, tmp_path / "whole")
    for at in range(5):
        out, said = tmp_path / f"stopped {at}", []
        exams = [Scripted(name=str(k), errors=[KeyboardInterrupt()] if k == at else []) for k in range(5)]
        with pytest.raises(KeyboardInterrupt):
            predict_given(exams, out, say=said.append)
        assert said == [f"{at} of 5 patients done"]
        assert out.exists() == (at > 0)
        predict_given(exams, out, resume=True)
        assert [len(exam.reads) for exam in exams] == [2 if k == at else 1 for k in range(5)]
        assert (out / "predictions.csv").read_bytes() == (tmp_path / "whole" / "predictions.csv").read_bytes()


def test_results_are_not_replaced_without_being_asked(predict_given, tmp_path):
    predict_given([Scripted(name="a")], tmp_path / "out")
    with pytest.raises(DataError, match="holds predictions already; go on with --resume"):
        predict_given([Scripted(name="a")], tmp_path / "out")
    (tmp_path / "out" / JOURNAL).unlink()
    with pytest.raises(DataError, match="nobody knows what it was made from"):
        predict_given([Scripted(name="a")], tmp_path / "out", resume=True)


def test_patients_that_left_the_cohort_are_reported(predict_given, tmp_path):
    said = []
    predict_given([Scripted(name="a"), Scripted(name="b")], tmp_path / "out")
    predict_given([Scripted(name="b")], tmp_path / "out", resume=True, say=said.append)
    assert said[-1] == "1 patient of an earlier run not in the cohort any more: not in the table"
    assert list(rows_of(tmp_path / "out")) == ["b"]


def test_two_patients_of_one_folder_are_refused_at_once(predict_given, tmp_path):
    exams = [Scripted(name="A 1"), Scripted(name="a_1")]
    with pytest.raises(DataError, match="--each writes A 1 and a_1 into one folder"):
        predict_given(exams, tmp_path / "out", folder=tmp_path / "out")
    assert exams[0].reads == []


def test_model_that_cannot_be_used_ends_the_run_and_leaves_nothing(tmp_path):
    from PCRPredictorLib.archive.patients import Request

    request = Request(tmp_path / "no model", "checksum")
    with pytest.raises(DataError, match="no model"):
        predict_cohort([Scripted(name="a")], request, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_table_of_before_and_files_of_killed_processes_do_not_disturb(predict_given, tmp_path):
    out = tmp_path / "out"
    predict_given([Scripted(name="a")], out, folder=out)
    (out / ".b-pcr-12345678").mkdir()
    (out / ".Trash-1000").mkdir()  # of the user
    predict_given([Scripted(name="a"), Scripted(name="b")], out, folder=out, resume=True)
    assert {path.name for path in out.iterdir()} == {"a", "b", ".lock", ".Trash-1000", JOURNAL, "predictions.csv"}


@pytest.mark.parametrize("facts", [{"numbers": {"age": "x"}}, {"numbers": {"age": 1e300}}, {"label": []}, {"more": 1}])
def test_facts_that_were_damaged_are_found_again_by_resume(predict_given, tmp_path, facts):
    out = tmp_path / "out"
    predict_given([Scripted(name="a"), Scripted(name="b")], out)
    journal = out / "predictions.jsonl"
    first, *lines = journal.read_text(encoding="utf-8").splitlines()
    damaged = [json.loads(line) | {"facts": facts} for line in lines]
    journal.write_text("\n".join([first, *map(json.dumps, damaged)]) + "\n", encoding="utf-8")
    assert predict_given([Scripted(name="a"), Scripted(name="b")], out, resume=True).failed == {}


def test_patient_that_kills_workers_is_reported_and_left_alone_by_resume(predict_given, tmp_path, monkeypatch):
    exams = [Scripted(name="a"), Scripted(name="b")]

    def run(_engine, _function, tasks):
        tasks = list(tasks)
        yield Done(tasks[0], predict_patient(tasks[0]))
        yield Done(tasks[1], error=Killing("workers died of it"))

    monkeypatch.setattr(ThisProcess, "run", run)
    found = predict_given(exams, tmp_path / "out")
    assert found.failed == {"b": "workers died of it; or predict this patient alone with pcr predict"}
    monkeypatch.undo()
    seen = []
    monkeypatch.setattr("PCRPredictorLib.archive.predict.identify", repr)
    predict_given(exams, tmp_path / "out", resume=True, see=lambda entry: seen.append(entry.patient))
    assert (seen, exams[1].reads) == (["a", "b"], [])


def test_name_that_is_no_text_is_kept_like_any_other(predict_given, tmp_path):
    predict_given([Scripted(name="a\udcc3"), Scripted(name="東京")], tmp_path / "out")
    seen = []
    predict_given([Scripted(name="a\udcc3"), Scripted(name="東京")], tmp_path / "out", resume=True, see=seen.append)
    assert [entry.patient for entry in seen] == ["a\udcc3", "東京"]


def test_patients_that_the_model_was_trained_on_are_told_apart(predict_given, tmp_path):
    codes = iter([("trained_on_exam",), ("trained_on_patient",), ()])

    def predict(exam):
        found = tiny_prediction(exam)
        return replace(found, notices=tuple(Notice(code, "It knows it.") for code in next(codes)))

    found = predict_given([Scripted(name=name) for name in "abc"], tmp_path / "out", predict)
    assert (found.known_images, found.known_names) == ({"a"}, {"b"})


def test_a_missing_file_is_no_passing_reason_while_the_cohort_is_there(predict_given, tmp_path, pauses):
    cohort = tmp_path / "cohort"
    (cohort / "images").mkdir(parents=True)
    found = predict_given(
        [Scripted(name="a", errors=[chained(GONE)]), Scripted(name="b")], tmp_path / "1", cohort=cohort
    )
    assert (found.passing, pauses) == (0, [])
    said = []
    (cohort / "images").rmdir()  # as the place of a drive that is gone
    exams = [Scripted(name="a", errors=[chained(GONE)]), Scripted(name="b")]
    found = predict_given(exams, tmp_path / "2", cohort=cohort, say=said.append)
    assert (found.failed, pauses) == ({}, [2.0])
    assert said == ["a failed for a reason that may pass: tried again in 2 s"]


def test_the_reason_does_not_name_the_patient_again(predict_given, tmp_path):
    found = predict_given(
        [Scripted(name="004", errors=[DataError("004: has no mask")]), Scripted(name="5")], tmp_path / "o"
    )
    assert found.failed == {"004": "has no mask"}
