import shutil

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.reading.labels import ENTERED, read_entered_labels
from PCRTrainingLib.cohort.check import read_labels
from PCRTrainingLib.cohort.labels import describe_labels, enter_label, labels_of, parse_answer, undo_label
from PCRTrainingLib.command_line import app, run
from support.training_cohort import TABLE, read_table, write_table


@pytest.fixture
def cohort(training_cohort, tmp_path):
    return shutil.copytree(training_cohort, tmp_path / "my cohört")


def label_of(cohort, name):
    patients = find_patients(cohort)
    return dict(zip((p.patient_id for p in patients), read_labels(patients), strict=True))[name]


def test_entry_counts_instead_of_the_table_which_stays_as_it_is(cohort):
    before = (cohort / TABLE).read_bytes()
    assert enter_label(cohort, "p3", "no", "Dr. A").describe() == "P3: pCR no, before yes"
    assert (label_of(cohort, "P3"), label_of(cohort, "P5")) == (0, 1)
    assert (cohort / TABLE).read_bytes() == before
    assert [(e.patient_id, e.pcr, e.who) for e in read_entered_labels(cohort)] == [("P3", "no", "Dr. A")]


def test_undo_takes_entries_back_one_by_one(cohort):
    enter_label(cohort, "P3", "no", "A")
    enter_label(cohort, "P3", "unknown", "B")
    assert label_of(cohort, "P3") is None
    assert undo_label(cohort).describe() == "P3: pCR no, before unknown"
    assert undo_label(cohort).describe() == "P3: pCR yes, before no"
    assert not (cohort / ENTERED).exists()
    with pytest.raises(DataError, match="nothing to take back"):
        undo_label(cohort)


@pytest.mark.parametrize("kept", [("patient_id", "age"), ()])
def test_labels_can_be_entered_without_a_column_and_without_a_table(cohort, kept):
    rows = read_table(cohort)
    (cohort / TABLE).unlink()
    if kept:
        write_table(cohort, [{name: row[name] for name in kept} for row in rows])
    enter_label(cohort, "P3", "ja", "A")
    enter_label(cohort, "P4", "0", "A")
    assert (label_of(cohort, "P3"), label_of(cohort, "P4"), label_of(cohort, "P5")) == (1, 0, None)


def test_entry_is_clear_beside_a_column_of_another_coding(cohort):
    write_table(cohort, [{**row, "pcr": str(1 + int(row["pcr"]))} for row in read_table(cohort)])
    enter_label(cohort, "P3", "yes", "A")
    assert labels_of(cohort)["P3"] == "yes" and labels_of(cohort)["P4"] == "unknown"


@pytest.mark.parametrize(
    ("patient", "answer", "message"),
    [("P99", "yes", "P99: is not a patient of .*its patients are P0, P1"), ("P3", "maybe", "yes, no or unknown, got")],
)
def test_unknown_patient_and_unclear_answer_are_refused_and_nothing_is_written(cohort, patient, answer, message):
    with pytest.raises(DataError, match=message):
        enter_label(cohort, patient, answer, "A")
    assert not (cohort / ENTERED).exists()


@pytest.mark.parametrize("text", ["patient_id,pcr\nP3,yes\n", "patient_id,pcr,who,when\nP3,perhaps,A,now\n", "\xff"])
def test_damaged_list_is_refused_with_what_to_do(cohort, text):
    (cohort / ENTERED).write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match="move it away to use the table alone"):
        find_patients(cohort)


def test_full_disk_leaves_the_list_as_it_was(cohort, monkeypatch):
    enter_label(cohort, "P3", "no", "A")
    before = (cohort / ENTERED).read_bytes()

    def fail(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PCRPredictorLib.writing.put_in_place", fail)
    with pytest.raises(DataError, match="cannot be written"):
        enter_label(cohort, "P4", "yes", "A")
    assert (cohort / ENTERED).read_bytes() == before


def test_entries_are_reported_wherever_the_cohort_is_read(cohort):
    said = []
    enter_label(cohort, "P3", "no", "A")
    (cohort / ENTERED).open("a").write("GONE,yes,A,2026-01-01T00:00:00\n")
    find_patients(cohort, said.append)
    assert f"1 label entered by hand in {ENTERED} used instead of the table's" in said
    assert f"{ENTERED} has labels of patients that are not here: gone" in said


def test_the_list_is_not_taken_for_the_table_of_a_folder(cohort):
    from PCRTrainingLib.intake.images import list_contents

    enter_label(cohort, "P3", "no", "A")
    assert [path.name for path in list_contents(cohort).tables] == [TABLE]


def test_command_enters_lists_and_takes_back(cohort, capsys):
    assert run(app, ["label", str(cohort), "P3", "no", "--who", "Dr. A"]) == 0
    assert run(app, ["label", str(cohort)]) == 0
    out = capsys.readouterr().out
    assert "P3: pCR no, before yes" in out
    assert "16 patients, pCR: 7 yes, 9 no, 0 unknown" in out and "entered by hand: P3 no, Dr. A, 20" in out
    assert run(app, ["label", str(cohort), "--undo"]) == 0
    assert describe_labels(cohort) == ["16 patients, pCR: 8 yes, 8 no, 0 unknown"]


@pytest.mark.parametrize("words", [["P3"], ["P3", "yes", "--undo"]])
def test_half_a_call_is_refused(cohort, words):
    assert run(app, ["label", str(cohort), *words]) == 2


def test_answers_in_words():
    assert [parse_answer(text) for text in ("1", "Nein", "?", "unknown")] == ["yes", "no", "unknown", "unknown"]
