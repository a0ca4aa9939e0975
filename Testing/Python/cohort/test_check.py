import re
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.errors import TOO_DEEP, TOO_LARGE, DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.files.voxels import read_volumes
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.writing import write_nifti
from PCRTrainingLib.cohort.check import check_cohort, identifier_hashes, read_labels
from PCRTrainingLib.command_line import app, run
from PCRTrainingLib.progress import Progress, ProgressBar
from support.training_cohort import GEOMETRY, read_table, write_table


@pytest.fixture
def cohort(training_cohort, tmp_path):
    shutil.copytree(training_cohort, tmp_path / "copy")
    return tmp_path / "copy"


def problems(cohort):
    return {problem.patient_id: problem.reason for problem in check_cohort(cohort, Progress())[1]}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), TOO_LARGE),
        (RecursionError(), TOO_DEEP),
        (OSError(5, "Input/output error"), "a file or folder cannot be used (Input/output error)"),
        (KeyError("Anna, 51"), "it ended with an unexpected KeyError in test_check.py, line"),
    ],
)
def test_whatever_a_patient_s_files_raise_is_its_own_problem(cohort, monkeypatch, error, reason):
    def read(header, chosen):
        if header.name == "p3_0000.nii.gz":
            raise error
        return read_volumes(header, chosen)

    monkeypatch.setattr("PCRPredictorLib.reading.images.read_volumes", read)
    found = problems(cohort)
    assert list(found) == ["P3"]
    assert found["P3"].startswith(reason)
    assert "Anna" not in found["P3"]


def test_an_unused_image_that_may_be_a_phase_is_a_warning_of_its_patient(cohort, capsys):
    folder = cohort / "images" / "P3"
    shutil.copy(folder / "p3_0002.nii.gz", folder / "post.nii.gz")
    assert run(app, ["check", str(cohort)]) == 0
    assert "P3: Not used, but may be a phase of this exam: post.nii.gz" in " ".join(capsys.readouterr().out.split())


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


def test_labels_that_are_not_clear_are_each_reported_and_refused_for_training(cohort):
    for patient in range(3, 9):
        edit(cohort, patient, pcr="complete" if patient % 2 else "partial")
    found = problems(cohort)
    assert set(found) == {f"P{k}" for k in range(3, 9)}
    assert "pcr must be 0, 1 or empty, got 'complete'; write 0 and 1, or map" in found["P3"]
    with pytest.raises(DataError, match=r"6 patients: .* got 'complete', 'partial'; .* \(P3, P4, P5, \.\.\.\)"):
        read_labels(find_patients(cohort))


@pytest.mark.parametrize("text", ["nein", "complete", "ypT0 ypN0", "RCB-II", "2", "-"])
def test_hint_proposes_no_label_for_a_value(cohort, text):
    edit(cohort, 3, pcr=text)
    assert f'"{text}": ' not in problems(cohort).get("P3", "")


def test_number_of_another_coding_puts_every_label_in_doubt(cohort):
    edit(cohort, 3, pcr="2")
    found = problems(cohort)
    assert len(found) == 16
    assert "pcr must be coded with 0 and 1, but this column has 2, too" in found["P0"]


def test_receptors_of_another_coding_cost_every_patient_with_a_number(cohort):
    edit(cohort, 3, hr="2")
    edit(cohort, 4, hr="pos")
    found = problems(cohort)
    assert len(found) == 15 and "P4" not in found
    assert found["P0"].startswith("hr must be coded with 0 and 1, but this column has 2, too")


def test_equal_problems_are_one_line_of_the_command(cohort, capsys):
    for patient in range(10):
        edit(cohort, patient, age="old" if patient % 2 else "young")
    assert run(app, ["check", str(cohort)]) == 1
    out = capsys.readouterr().out
    assert "10 patients: age must be a number from 18 to 100 years, or unknown, got 'young', 'old' (P0, P1, P2" in out
    assert out.count("age must be") == 1


def test_what_was_guessed_is_reported(cohort, capsys):
    edit(cohort, 3, acquisition_times="soon")
    (cohort / "clinical_and_imaging_info.xlsx").write_bytes(b"")
    assert run(app, ["check", str(cohort)]) == 0
    out = capsys.readouterr().out
    assert "left aside: clinical_and_imaging_info.xlsx" in out
    assert "warning: P3: The table's acquisition_times must be a list of rising seconds, got soon" in out


def test_without_labels_masks_and_phases_are_checked_all_the_same(cohort):
    (cohort / "segmentations" / "expert" / "p3.nii.gz").unlink()
    rows = read_table(cohort)
    write_table(cohort, [{name: value for name, value in row.items() if name != "pcr"} for row in rows])
    found = problems(cohort)
    assert "has no tumour mask" in found.pop("P3")
    assert len(found) == 15 and all("must have a column pcr" in reason for reason in found.values())


def test_implausible_mask_is_listed_but_its_patient_can_be_used(cohort, capsys):
    path = cohort / "segmentations" / "expert" / "p3.nii.gz"
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    mask[np.arange(len(mask)) != len(mask) // 2] = 0
    write_nifti(mask, GEOMETRY, path)
    assert run(app, ["check", str(cohort)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "warning: P3: The tumour mask has a single slice of" in out


def test_real_cohort_has_no_problems(real_cohort):
    assert check_cohort(real_cohort, Progress()) == (198, [])


def test_trained_patient_is_recognised_whatever_zeros_a_table_dropped():
    assert identifier_hashes("007") & identifier_hashes("7")
    assert not identifier_hashes("007") & identifier_hashes("70")


def test_table_without_a_row_for_any_patient_says_how_they_are_named(cohort):
    write_table(cohort, [{**row, "patient_id": f"X{row['patient_id']}"} for row in read_table(cohort)])
    (reason,) = set(problems(cohort).values())
    assert re.match(r"no patient has a row in the cohort's table; .* patient_id .* such as P0", reason)


def test_a_table_without_times_is_reported(cohort, capsys):
    run(app, ["check", str(cohort)])
    assert "the table has no acquisition_times: of more than three phases" in capsys.readouterr().out
    edit(cohort, 3, acquisition_times="[0, 90, 180]")
    run(app, ["check", str(cohort)])
    assert "no acquisition_times" not in capsys.readouterr().out


def test_cells_that_are_no_values_say_what_they_are(cohort):
    edit(cohort, 3, age="#REF!")
    edit(cohort, 4, pcr="=B2")
    found = problems(cohort)
    assert found["P3"].endswith("got '#REF!' (an error of the spreadsheet; correct its formula)")
    assert "got '=B2' (a formula without a value; open and save the table in its program); write 0 and 1" in found["P4"]


def test_images_in_two_cohorts_are_found(training_cohort, tmp_path):
    copy, seen = shutil.copytree(training_cohort, tmp_path / "copy"), {}
    check_cohort(training_cohort, Progress(), seen=seen)
    seen = {mark: f"{name} of first" for mark, name in seen.items()}
    problems = check_cohort(copy, Progress(), seen=seen)[1]
    assert (len(problems), problems[0].reason) == (16, "has the same images as P0 of first; keep one of the two")


@pytest.mark.parametrize(
    "words", [["check"], ["train", "--out", "run"], ["evaluate", "--model", "phantom", "--out", "e"]]
)
def test_a_cohort_that_goes_away_while_it_is_read_is_no_smaller_cohort(
    words, training_cohort, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(training_cohort, "drive")
    monkeypatch.setattr(ProgressBar, "advance", lambda *_: shutil.rmtree("drive", ignore_errors=True))
    assert run(app, [words[0], "drive", *words[1:]]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "images: is not there any more, after " in error
    assert not list(tmp_path.glob("e/*"))
