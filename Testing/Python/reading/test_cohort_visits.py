"""Cohorts with several visits per patient, in our layout and as cohort.json names the files."""

import json

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.cohort import find_patients, read_patient, visits_of
from support.cohort_files import write_patient, write_table
from support.follow_up.visits import write_visit_cohort


@pytest.fixture
def cohort(tmp_path):
    return write_visit_cohort(tmp_path / "cohort", visits=("T0", "T1", "T2"))


def map_files(cohort, texts=None, **parts):
    """Arrange the files of a cohort under names of its own, and describe them."""
    for file in sorted((cohort / "images").rglob("*.nii.gz")):
        name, visit = file.parts[-3], file.parts[-2]
        place = cohort / "scans" / (texts or {}).get(visit, visit) / name
        place.mkdir(parents=True, exist_ok=True)
        file.rename(place / f"phase{int(file.name[-11:-7])}.nii.gz")
    for file in sorted((cohort / "segmentations" / "expert").iterdir()):
        name, visit = file.name.split(".")[0].upper().split("_")
        place = cohort / "masks" / f"{name}-{(texts or {}).get(visit, visit)}.nii.gz"
        place.parent.mkdir(exist_ok=True)
        file.rename(place)
    content = {
        "phases": [f"scans/{{visit}}/{{patient_id}}/phase{k}.nii.gz" for k in range(3)],
        "mask": "masks/{patient_id}-{visit}.nii.gz",
        **({"visits": texts} if texts else {}),
        **parts,
    }
    (cohort / "cohort.json").write_text(json.dumps(content))


def test_folders_of_visits_are_told_apart_with_their_masks(cohort):
    assert visits_of(cohort) == ("T0", "T1", "T2")
    patients = find_patients(cohort, visit="T1")
    assert [patient.mask.name for patient in patients] == ["p001_t1.nii.gz", "p002_t1.nii.gz"]
    assert read_patient(patients[0]).has_tumour


def test_without_a_visit_the_first_exams_are_used_and_that_is_told(cohort):
    told = []
    patients = find_patients(cohort, told.append)
    assert [patient.phases[0].parent.name for patient in patients] == ["T0", "T0"]
    assert told == ["the cohort has visits (T0, T1, T2); only the exams of T0 are used here"]


def test_a_patient_without_a_visit_is_not_among_those_of_the_visit(cohort):
    for file in (cohort / "images" / "P001" / "T2").iterdir():
        file.unlink()
    (cohort / "images" / "P001" / "T2").rmdir()
    assert [patient.patient_id for patient in find_patients(cohort, visit="T2")] == ["P002"]


def test_a_missing_mask_of_a_visit_is_named_with_its_place(cohort):
    (cohort / "segmentations" / "expert" / "p002_t1.nii.gz").unlink()
    with pytest.raises(DataError, match=r"P002: has no tumour mask; add segmentations/expert/P002_T1.nii.gz"):
        read_patient(find_patients(cohort, visit="T1")[1])


def test_times_of_the_phases_are_those_of_the_visit(cohort):
    write_table(cohort, "patient_id,acquisition_times,acquisition_times_T1\nP001,0 100 300,0 130 390\n")
    times = {v: read_patient(find_patients(cohort, visit=v)[0]).provenance.phase_times for v in ("T0", "T1", "T2")}
    assert times == {"T0": (0, 100, 300), "T1": (0, 130, 390), "T2": None}


@pytest.mark.parametrize("visits", [None, {"T0": "baseline", "T1": "week3", "T2": "mid"}])
def test_a_mapping_names_the_visit_in_folders_and_files(cohort, visits):
    map_files(cohort, visits)
    assert visits_of(cohort) == ("T0", "T1", "T2")
    patient = find_patients(cohort, visit="T1")[1]
    assert (patient.patient_id, patient.mask.name) == ("P002", f"P002-{(visits or {}).get('T1', 'T1')}.nii.gz")
    assert read_patient(patient).has_tumour


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"mask": "masks/{patient_id}.nii.gz"}, "phases and mask must all name {visit}, or none of them"),
        ({"visits": {"T7": "x"}}, "visits must be named T0, T1, T2, T3, got 'T7'"),
        ({"visits": {"T0": "a", "T1": "A"}}, "visits must have a different text each"),
        ({"visits": {"T0": "a/b"}}, "visits must be parts of the files' names, got 'a/b'"),
        ({"visits": {"T0": ".."}}, "visits must be parts of the files' names"),
        ({"phases": [f"{{visit}}/p{k}.nii" for k in range(3)]}, "is one file for all patients"),
    ],
)
def test_a_mapping_with_visits_that_cannot_work_is_refused(cohort, parts, message):
    map_files(cohort, **parts)
    with pytest.raises(DataError, match=message):
        find_patients(cohort)


def test_folders_of_sequences_are_no_visits(tmp_path):
    write_patient(tmp_path, "A1")
    for name in ("T1", "T2"):
        (tmp_path / "images" / "A1" / name).mkdir()
    assert visits_of(tmp_path) == ()
    assert [patient.patient_id for patient in find_patients(tmp_path)] == ["A1"]
