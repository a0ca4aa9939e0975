"""Visits in the paths of a folder's images."""

import json

import pytest
from PCRPredictorLib.command_line import run
from PCRPredictorLib.reading.cohort import find_patients, visits_of
from PCRPredictorLib.visits.cohort import find_courses
from PCRTrainingLib.command_line import app
from PCRTrainingLib.intake.describe import init_cohort
from PCRTrainingLib.intake.visits import find_visits, of_visit, with_placeholder
from support.follow_up.visits import small_exam, write_files, write_visit_cohort

PHASES = ("pre", "post1", "post2")


def paths(*texts):
    return [tuple(text.split("/")) for text in texts]


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        (["A1/T0/pre", "A1/T1/pre", "A2/T0/pre", "A2/T1/pre"], {"T0": "T0", "T1": "T1"}),
        (["baseline/A1", "week3/A1"], {"T0": "baseline", "T1": "week3"}),
        (["A1/visit1/pre", "A1/visit2/pre", "A2/visit1/pre"], {"T0": "visit1", "T1": "visit2"}),
        (["A1_T0_pre", "A1_T2_pre", "A2_T0_pre"], {"T0": "T0", "T2": "T2"}),
        (["A1/T1/pre", "A1/T2/pre"], {}),  # sequences
        (["pre/A1", "post/A1"], {}),  # a folder per phase
        (["A1/pre", "A2/pre"], {}),
        (["V1/pre", "V2/pre"], {}),  # volunteers
        (["A1/T1_pre", "A1/T1_post"], {}),
    ],
)
def test_visits_are_told_by_folders_or_names_of_files(names, texts):
    assert find_visits(paths(*names)) == texts


def test_files_of_one_visit_and_of_none_are_kept():
    texts = {"T0": "base", "T1": "week3"}
    assert of_visit(paths("A1/base/pre", "A1/week3/pre", "A1/other", "baseball/x"), texts, "T0") == [
        True,
        False,
        True,
        True,
    ]
    assert with_placeholder("{patient_id}/base/baseball_base.nii", texts) == "{patient_id}/{visit}/baseball_{visit}.nii"


@pytest.fixture
def folder(tmp_path):
    """Folders patient / visit with phases and a mask."""
    for number in (1, 2, 3):
        for k, name in enumerate(("baseline", "week3")):
            write_files(tmp_path / f"Pat {number:03d}" / name, small_exam(10 * number + k), PHASES)
    rows = [f"{number},{number % 2}" for number in (1, 2, 3)]
    (tmp_path / "table.csv").write_text("\n".join(["Patient,pCR", *rows]))
    return tmp_path


def test_init_describes_folders_of_visits(folder, capsys):
    assert run(app, ["init", str(folder)]) == 0
    printed = capsys.readouterr().out
    content = json.loads((folder / "cohort.json").read_text())
    assert content["visits"] == {"T0": "baseline", "T1": "week3"}
    assert content["phases"][0] == "Pat {patient_id}/{visit}/pre.nii.gz"
    assert "visits: T0 = baseline, T1 = week3" in printed
    assert "visits of 3 patients: T0 3, T1 3" in printed
    assert [patient.mask.parent.name for patient in find_patients(folder, visit="T1")] == ["week3"] * 3


def test_init_keeps_our_own_layout_of_visits(tmp_path):
    cohort = write_visit_cohort(tmp_path / "cohort", patients=3)
    found = init_cohort(cohort)
    assert "phases" not in json.loads(found.text)
    assert visits_of(cohort) == ("T0", "T1")
    assert len(find_courses(cohort)) == 3


def test_visits_in_the_names_of_files_and_masks_in_a_folder_of_their_own(tmp_path):
    for number in (1, 2, 3):
        for k, name in enumerate(("T0", "T1")):
            files = write_files(tmp_path / "x", small_exam(10 * number + k), PHASES)
            for phase, file in zip((*PHASES, "mask"), files, strict=True):
                place = tmp_path / "own" / ("masks" if phase == "mask" else "scans")
                place.mkdir(parents=True, exist_ok=True)
                file.rename(place / f"P{number:03d}_{name}_{phase}.nii.gz")
    init_cohort(tmp_path / "own")
    assert visits_of(tmp_path / "own") == ("T0", "T1")
    assert all(files.mask for course in find_courses(tmp_path / "own") for files in course.visits.values())
