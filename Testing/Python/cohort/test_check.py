import shutil

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.writing import write_nifti
from PCRTrainingLib.cohort.check import check_cohort, parse_label
from PCRTrainingLib.command_line import app, run
from PCRTrainingLib.progress import Progress
from support.training_cohort import GEOMETRY, read_table, write_table


@pytest.fixture
def cohort(training_cohort, tmp_path):
    shutil.copytree(training_cohort, tmp_path / "copy")
    return tmp_path / "copy"


def problems(cohort):
    return {problem.patient_id: problem.reason for problem in check_cohort(cohort, Progress())[1]}


def edit(cohort, patient, **values):
    rows = read_table(cohort)
    rows[patient].update(values)
    columns = {name: "" for row in rows for name in row}
    write_table(cohort, [columns | row for row in rows])


def test_sound_cohort_has_no_problems(training_cohort):
    assert check_cohort(training_cohort, Progress()) == (16, [])


def test_every_kind_of_problem_is_reported_for_its_patient(cohort):
    import numpy as np

    images, masks = cohort / "images", cohort / "segmentations" / "expert"
    (images / "P0" / "p0_0002.nii.gz").unlink()
    (masks / "p1.nii.gz").unlink()
    write_nifti(np.zeros(GEOMETRY.shape, np.uint8), GEOMETRY, masks / "p2.nii.gz")
    write_nifti(np.ones((4, 4, 4), np.uint8), Geometry((4, 4, 4), (1, 1, 1)), masks / "p3.nii.gz")
    (images / "P4" / "p4_0000.nii.gz").write_bytes(b"no image")
    edit(cohort, 5, pcr="")
    edit(cohort, 6, age="old")
    for phase in range(3):
        shutil.copy(images / "P8" / f"p8_000{phase}.nii.gz", images / "P9" / f"p9_000{phase}.nii.gz")
    found = problems(cohort)
    expected = {
        "P0": "at least 3 phases, got 2",
        "P1": "no tumour mask",
        "P2": "mask must not be empty",
        "P3": "grid",
        "P4": "p4_0000.nii.gz",
        "P5": "has no label",
        "P6": "age must be a number",
        "P9": "has the same images as P8",
    }
    assert set(found) == set(expected)
    for name, words in expected.items():
        assert words in found[name]
        assert "\n" not in found[name]


def test_identifiers_that_differ_only_in_case_are_both_in_doubt(cohort):
    if (cohort / "IMAGES").exists():
        pytest.skip("needs a file system that tells upper from lower case")
    shutil.copytree(cohort / "images" / "P0", cohort / "images" / "p0")
    found = problems(cohort)
    assert set(found) == {"P0", "p0"}
    assert found["P0"] == "its identifier occurs twice, differing only in case; keep one"


def test_variables_of_the_configuration_are_checked(cohort, tmp_path, capsys):
    edit(cohort, 3, er="perhaps")
    assert problems(cohort) == {}
    (tmp_path / "own.json").write_text('{"clinical": ["age", "er"]}')
    assert run(app, ["check", str(cohort), "--config", str(tmp_path / "own.json")]) == 1
    assert "er must be negative, positive, or unknown" in capsys.readouterr().out


def test_labels_as_text_are_refused_with_what_to_do(cohort):
    edit(cohort, 3, pcr="complete")
    with pytest.raises(DataError, match="pcr must be 0, 1 or empty, got 'complete'; write 0 and 1, or map"):
        check_cohort(cohort, Progress())


def test_table_without_labels_is_refused(cohort):
    rows = read_table(cohort)
    write_table(cohort, [{name: value for name, value in row.items() if name != "pcr"} for row in rows])
    with pytest.raises(DataError, match="must have a column pcr"):
        check_cohort(cohort, Progress())


@pytest.mark.parametrize(("text", "label"), [("1.0", 1), ("0", 0), (" true ", 1), ("", None), ("nan", None)])
def test_labels_are_read_as_tables_write_them(text, label):
    assert parse_label(text) == label


def test_real_cohort_has_no_problems(real_cohort):
    assert check_cohort(real_cohort, Progress()) == (198, [])
