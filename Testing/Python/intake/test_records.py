"""Records of an import that are damaged, or that name something outside of the cohort."""

import json
from types import SimpleNamespace

import pytest
from PCRTrainingLib.cohort.check import identifier_hash
from PCRTrainingLib.intake.records import FORMAT, NUMBER, Record, name_patients, read_record, read_records

WHOLE = {"format": FORMAT, "patient_id": "P001", "source": "x", "row": {"age": "51"}, "taken": "all"}


def write_record(cohort, content, name="P001"):
    (cohort / "import").mkdir(exist_ok=True)
    (cohort / "import" / f"{name}.json").write_text(content if isinstance(content, str) else json.dumps(content))


def test_written_record_is_read(tmp_path):
    record = Record("P001", "x", {"age": "51"}, "all", files={"images/P001/p001_0000.nii.gz": 5})
    record.write(tmp_path)
    assert read_record(tmp_path, "P001").files == record.files


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "5", "[" * 200_000, "null", {"format": FORMAT}, {**WHOLE, "files": 5}, {**WHOLE, "row": []}),
        *({**WHOLE, "source": 5}, {**WHOLE, "row": {"age": [1]}}, {**WHOLE, "more": 1}, {**WHOLE, "taken": None}),
        {**WHOLE, "files": {"../../precious": 5}},
        {**WHOLE, "files": {"/etc/passwd": 5}},
    ],
    ids=range(14),
)
def test_damaged_record_is_none(content, tmp_path):
    write_record(tmp_path, content)
    assert list(read_records(tmp_path)) == []


@pytest.mark.parametrize("name", ["../../precious", "..", "/precious", "a/b", ""])
def test_name_that_leads_out_of_the_cohort_is_not_used(name, tmp_path):
    write_record(tmp_path, {**WHOLE, "patient_id": name, "source": identifier_hash("K1")})
    (tmp_path / "identifiers.csv").write_text(f"patient_id,PatientID\n{name},K2\n")
    patients = [SimpleNamespace(key="K1"), SimpleNamespace(key="K2")]
    assert name_patients(tmp_path, patients, NUMBER) == {"K1": "P001", "K2": "P002"}
