"""Clinical rows of several tables: joined by patient, given to a cohort and a site."""

import csv

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.cohort.sites import find_sites
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.runs.clinical_rows import Owners, keep_clinical_rows, read_clinical_rows
from PCRTrainingLib.schema import build_schema

SCHEMA, _ = build_schema(["age", "hr"], [{"age": "1", "hr": "1"}])
PATIENTS = {"trial": {"t0", "t1"}, "duke": {"d0"}}
ROWS = [("trial", {"maker": name}) for name in ("GE", "Philips") for _ in range(4)] + [("duke", {})] * 4
SITES = find_sites({"trial": "maker", "duke": "cohort"}, ROWS, np.arange(12) % 2)


def table(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


def keep(tables, tmp_path, owners=None):
    """Keep tables; return the rows read again by patient, and what was said."""
    progress, messages = Progress(), []
    progress.say = messages.append
    owners = owners or Owners(PATIENTS, SITES, leaves_out=True)
    keep_clinical_rows(tables, tmp_path / "kept.csv", [SCHEMA], progress, owners)
    return {row.patient_id: row for row in read_clinical_rows(tmp_path / "kept.csv", SCHEMA)}, messages


def test_tables_of_a_cohort_are_joined_by_patient(tmp_path):
    first = table(tmp_path / "a.csv", "patient_id,pcr,age,maker\nT0,1,50,GE\nT9,0,60,Philips\n")
    second = table(tmp_path / "b.csv", "patient_id,hr\nT9,1\nT0,0\n")
    rows, _ = keep([first, second], tmp_path)
    assert {name: (row.cohort, row.site, row.label) for name, row in rows.items()} == {
        "t0": ("trial", "trial: GE", 1),
        "t9": ("trial", "trial: Philips", 0),
    }
    assert SCHEMA.encode({"age": 60.0, "hr": "positive"}).tolist() == rows["t9"].vector.tolist()


def test_table_of_no_cohort_is_a_site_of_its_own(tmp_path):
    rows, messages = keep([table(tmp_path / "more.csv", "patient_id,pcr,age\nX1,1,50\n")], tmp_path)
    assert (rows["x1"].cohort, rows["x1"].site) == ("", "rows of more")
    assert "more.csv: 1 row of no cohort, a site of their own" in messages


def test_table_with_patients_of_two_cohorts_is_refused(tmp_path):
    both = table(tmp_path / "all.csv", "patient_id,pcr,age\nT0,1,50\nT1,1,50\nD0,0,60\n")
    with pytest.raises(DataError, match=r"all\.csv: must have patients of one cohort only, got 2 of trial, 1 of duke"):
        keep([both], tmp_path)


def test_row_of_unknown_site_is_not_used_while_sites_are_left_out(tmp_path):
    path = table(tmp_path / "a.csv", "patient_id,pcr,age,maker\nT0,1,50,GE\nT9,0,60,\n")
    rows, messages = keep([path], tmp_path)
    assert list(rows) == ["t0"]
    assert "1 row of a.csv without a site: not fitted on" in messages
    rows, _ = keep([path], tmp_path, Owners(PATIENTS, SITES))
    assert list(rows) == ["t0", "t9"]


def test_tables_that_contradict_each_other_are_refused(tmp_path):
    first = table(tmp_path / "a.csv", "patient_id,pcr,age\nT0,1,50\n")
    second = table(tmp_path / "b.csv", "patient_id,pcr,hr\nT0,no,1\n")
    with pytest.raises(DataError, match=r"a\.csv and b\.csv: T0 has pcr 1 in one and no in the other; correct one"):
        keep([first, second], tmp_path)


def test_rows_of_an_earlier_version_are_read(tmp_path):
    with (tmp_path / "kept.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["patient_id", "pcr", "age", "hr"], ["r1", 1, 50, "positive"]])
    (row,) = read_clinical_rows(tmp_path / "kept.csv", SCHEMA)
    assert (row.patient_id, row.label, row.cohort, row.site) == ("r1", 1, "", "")
