import numpy as np
import pytest
from PCRPredictorLib.cohort import find_patients, read_patient, read_table
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.writing import write_nifti

GEOMETRY = Geometry((20, 18, 6), (1, 1, 3))


def write_patient(cohort, name, phases=3, upper=False):
    """Phases of constant 100, 200, ... with noise, and a mask."""
    rng = np.random.default_rng(0)
    folder = cohort / "images" / name.upper()
    folder.mkdir(parents=True)
    for k in range(phases):
        file = f"{name.upper() if upper else name.lower()}_{k:04d}.nii.gz"
        write_nifti(rng.integers(0, 9, GEOMETRY.shape).astype(np.int16) + 100 * (k + 1), GEOMETRY, folder / file)
    mask = np.zeros(GEOMETRY.shape, np.uint8)
    mask[2:4, 5:9, 5:9] = 1
    segmentations = cohort / "segmentations" / "expert"
    segmentations.mkdir(parents=True, exist_ok=True)
    write_nifti(mask, GEOMETRY, segmentations / f"{name.lower()}.nii.gz")


def write_table(cohort, text):
    (cohort / "clinical_and_imaging_info.csv").write_text(text)


def test_names_match_in_any_case(tmp_path):
    write_patient(tmp_path, "aa_1", upper=True)
    write_table(tmp_path, "patient_id,age\naA_1,50\n")
    (patient,) = find_patients(tmp_path)
    assert patient.patient_id == "AA_1"
    assert len(patient.phases) == 3
    assert patient.mask is not None
    assert patient.row["age"] == "50"


def test_early_and_late_are_picked_by_the_times_of_the_table(tmp_path):
    write_patient(tmp_path, "aa_1", phases=5)
    write_table(tmp_path, 'patient_id,acquisition_times\nAA_1,"[0, 60, 130, 200, 300]"\n')
    exam = read_patient(find_patients(tmp_path)[0])
    assert [int(phase.mean() // 100) for phase in exam.phases] == [1, 3, 5]
    assert exam.provenance.phase_times == (0, 130, 300)


def test_second_and_last_phase_are_taken_without_times(tmp_path):
    write_patient(tmp_path, "aa_1", phases=5)
    exam = read_patient(find_patients(tmp_path)[0])
    assert [int(phase.mean() // 100) for phase in exam.phases] == [1, 2, 5]


def test_automatic_mask_is_taken_where_there_is_no_expert(tmp_path):
    write_patient(tmp_path, "aa_1")
    (tmp_path / "segmentations" / "expert").rename(tmp_path / "segmentations" / "automatic")
    assert find_patients(tmp_path)[0].mask.parent.name == "automatic"


def test_missing_phase_and_missing_mask_are_said(tmp_path):
    write_patient(tmp_path, "aa_1", phases=2)
    with pytest.raises(DataError, match="must have at least 3 phases, got 2"):
        read_patient(find_patients(tmp_path)[0])
    write_patient(tmp_path, "bb_1")
    (tmp_path / "segmentations" / "expert" / "bb_1.nii.gz").unlink()
    with pytest.raises(DataError, match="has no tumour mask"):
        read_patient(find_patients(tmp_path)[1])


def test_folder_that_is_no_cohort_is_refused(tmp_path):
    with pytest.raises(DataError, match="not a cohort"):
        find_patients(tmp_path)


def test_table_with_a_patient_twice_or_without_identifiers_is_refused(tmp_path):
    write_table(tmp_path, "patient_id\na\nA\n")
    with pytest.raises(DataError, match="a has more than one row"):
        read_table(tmp_path)
    write_table(tmp_path, "name\na\n")
    with pytest.raises(DataError, match="must have a column patient_id"):
        read_table(tmp_path)


def test_excel_table_is_read_from_its_sheet(tmp_path):
    import pandas as pd

    frame = pd.DataFrame({"patient_id": ["AA_1"], "age": [50.0]})
    frame.to_excel(tmp_path / "clinical_and_imaging_info.xlsx", sheet_name="dataset_info", index=False)
    assert float(read_table(tmp_path)["aa_1"]["age"]) == 50


def test_real_cohort_is_found_whole(real_cohort):
    patients = find_patients(real_cohort)
    assert len(patients) == 198
    assert all(len(p.phases) == 3 and p.mask is not None and p.row for p in patients)
