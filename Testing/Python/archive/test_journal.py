"""The rows of an archive survive whatever ends the process that writes them."""

import json

import pytest
from PCRPredictorLib.archive.journal import Entry, open_journal
from PCRPredictorLib.errors import DataError

ASKED = {"model": "abc", "operating_point": None}


def entry(patient, error="", **more):
    return Entry(patient, [{"patient_id": patient, **({"error": error} if error else {"probability": "0.5"})}], **more)


@pytest.fixture
def path(tmp_path):
    """A journal of three patients."""
    file = tmp_path / "rows.jsonl"
    with open_journal(file, ASKED) as journal:
        for patient in ("one", "zwei", "drei, 3"):
            journal.append(entry(patient, inputs=patient[:1]))
    return file


def test_every_cut_of_the_file_loses_the_last_line_at_most(path):
    whole = path.read_bytes()
    ends = [k + 1 for k, byte in enumerate(whole) if byte == ord("\n")]
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with open_journal(path, ASKED) as journal:
            assert len(journal.places) == max(sum(end <= size for end in ends) - 1, 0)
            journal.append(entry("last"))
        lines = path.read_text(encoding="utf-8").splitlines()
        assert [json.loads(line).get("patient") for line in lines][-1] == "last"
        assert json.loads(lines[0])["model"] == "abc"


def test_later_line_of_a_patient_counts(path):
    with open_journal(path, ASKED) as journal:
        journal.append(entry("zwei", "gone", inputs="n"))
    with open_journal(path, ASKED) as journal:
        assert journal.read("zwei").error == "gone"
        assert journal.inputs_of("zwei") == "n"
        assert len(journal.places) == 3


def test_patient_that_failed_for_a_passing_reason_is_not_done(path):
    with open_journal(path, ASKED) as journal:
        journal.append(entry("four", "no such file", inputs="n", passing=True))
    with open_journal(path, ASKED) as journal:
        assert journal.inputs_of("four") == ""
        assert journal.read("four").error == "no such file"


def test_damaged_line_in_the_middle_costs_its_patient_alone(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"\x00" * 9 + b"\n", *lines[3:]]))
    with open_journal(path, ASKED) as journal:
        assert list(journal.places) == ["one", "drei, 3"]


def test_journal_of_a_different_model_is_refused(path):
    with pytest.raises(DataError, match="predictions with model abc, got xyz"), open_journal(path, {"model": "xyz"}):
        pass


def test_journal_without_a_patient_does_not_stay(tmp_path):
    with pytest.raises(KeyboardInterrupt), open_journal(tmp_path / "rows.jsonl", ASKED):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"patient": 5},
        {"patient": []},
        {"rows": []},
        {"rows": "text"},
        {"rows": [5]},
        {"rows": [{"error": 5}]},
        {"facts": 5},
        {"inputs": ["z"]},
        {"passing": "no"},
        {"more": 1},
    ],
)
def test_line_that_is_no_entry_costs_its_patient_alone(path, change):
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[2] = json.dumps(json.loads(lines[2]) | change)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open_journal(path, ASKED) as journal:
        assert list(journal.places) == ["one", "drei, 3"]


@pytest.mark.parametrize("text", ["5", "[1]", "[" * 200_000, '{"a": 1e999}'])
def test_first_line_or_entry_that_is_no_object_is_damaged(path, text):
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], text, *lines[2:]]) + "\n", encoding="utf-8")
    with open_journal(path, ASKED) as journal:
        assert list(journal.places) == ["zwei", "drei, 3"]
    path.write_text("\n".join([text, *lines[1:]]) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="is damaged"), open_journal(path, ASKED):
        pass
