"""Hostile tables and mappings: each is read as it should be, or refused in one sentence, with little memory."""

import json
import shutil
import tracemalloc

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading import workbook
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.reading.mapping import read_mapping
from support.cohort_files import write_patient
from support.hostile.mappings import IMAGES, KINDS, MASK
from support.hostile.tables import CSV, TEXTS, WORKBOOKS

MB = 1 << 20
READ = {  # what is wrong with these is no matter of the table, or a sentence about a single patient
    "5,000 brackets as times", "times that are Python", "an age of 5,000 digits", "identifiers with escapes",
    "one cell in XFD1048576", "a hundred thousand empty rows", "a cell of 5,000 digits", "a width of 99 zeros",
    "yes or no of 5,000 digits", "identifiers of 5,000 digits", "braces inside braces", "surrogates",
    "a value with 20,000 meanings",
}  # fmt: skip


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("intact") / "cohort"
    for name in ("P0", "P1", "P2"):
        write_patient(folder, name)
    (folder / CSV).write_text("patient_id,pcr,age\nP0,1,50\nP1,0,51\nP2,1,52\n")
    return folder


@pytest.fixture(autouse=True)
def low_limits(monkeypatch):
    monkeypatch.setattr(workbook, "TABLE", 4 * MB)
    monkeypatch.setattr(workbook, "CELLS", 100_000)


def read_bounded(folder, kind):
    tracemalloc.start()
    try:
        assert len(find_patients(folder)) in (0, 3)
        assert kind in READ
    except DataError as error:
        assert len(str(error)) < 1100 and "\n" not in str(error)
        assert kind not in READ or kind == "surrogates"
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 120 * MB


@pytest.mark.parametrize("kind", [*TEXTS, *WORKBOOKS])
def test_a_hostile_table_is_read_or_refused_within_bounds(cohort, tmp_path, kind):
    folder = shutil.copytree(cohort, tmp_path / "cohort")
    (TEXTS | WORKBOOKS)[kind](folder)
    read_bounded(folder, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_mapping_is_refused_within_bounds(cohort, tmp_path, kind):
    folder = shutil.copytree(cohort, tmp_path / "cohort")
    content = KINDS[kind]
    (folder / "cohort.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    read_bounded(folder, kind)


def test_a_pattern_of_many_stars_is_refused_before_names_are_compared(tmp_path):
    images = ["*a" * 30 + "{patient_id}", *IMAGES[1:]]
    (tmp_path / "cohort.json").write_text(json.dumps({"phases": images, "mask": [MASK]}))
    with pytest.raises(DataError, match=r"at most 1000 characters, and 4 \* in a name"):
        read_mapping(tmp_path)
