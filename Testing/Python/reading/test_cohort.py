import json

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.outputs import folder_name
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from support.cohort_files import write_patient, write_table


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
    assert exam.provenance.first_post == 60


def test_times_of_more_phases_than_files_give_only_the_first_after_contrast(tmp_path):
    write_patient(tmp_path, "aa_1")
    write_table(tmp_path, 'patient_id,acquisition_times\nAA_1,"[0, 922, 1000, 1100]"\n')
    provenance = read_patient(find_patients(tmp_path)[0]).provenance
    assert (provenance.phase_times, provenance.first_post, provenance.notices) == (None, 922, ())


def test_times_that_do_not_rise_are_a_warning(tmp_path):
    write_patient(tmp_path, "aa_1")
    write_table(tmp_path, 'patient_id,acquisition_times\nAA_1,"[0, 200, 100]"\n')
    (notice,) = read_patient(find_patients(tmp_path)[0]).provenance.notices
    assert "must be a list of rising seconds, got [0, 200, 100]" in notice.message


def test_second_and_last_phase_are_taken_without_times(tmp_path):
    write_patient(tmp_path, "aa_1", phases=5)
    exam = read_patient(find_patients(tmp_path)[0])
    assert [int(phase.mean() // 100) for phase in exam.phases] == [1, 2, 5]


def test_automatic_mask_is_taken_where_there_is_no_expert(tmp_path):
    write_patient(tmp_path, "aa_1")
    (tmp_path / "segmentations" / "expert").rename(tmp_path / "segmentations" / "automatic")
    assert find_patients(tmp_path)[0].mask.parent.name == "automatic"


def test_missing_phase_and_missing_mask_are_reported(tmp_path):
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


def test_folders_and_tables_are_found_in_any_case(tmp_path):
    write_patient(tmp_path, "aa_1")
    (tmp_path / "images").rename(tmp_path / "Images")
    (tmp_path / "segmentations" / "expert").rename(tmp_path / "segmentations" / "Expert")
    (tmp_path / "segmentations").rename(tmp_path / "Segmentations")
    write_table(tmp_path, "patient_id\naa_1\n")
    (patient,) = find_patients(tmp_path)
    assert patient.mask is not None and patient.row


def test_own_table_and_folders_are_found_by_a_mapping(tmp_path):
    write_patient(tmp_path, "b 1")
    for k, name in enumerate(("pre", "early", "late")):
        (tmp_path / "images" / "B 1" / f"b 1_{k:04d}.nii.gz").rename(tmp_path / f"B 1 {name}.nii.gz")
    (tmp_path / "patients.csv").write_text("Patient;Response\nB 1;complete\nC 2;none\n")
    mapping = {
        "table": "patients.csv",
        "columns": {"patient_id": "Patient", "pcr": "Response"},
        "values": {"pcr": {"complete": "1", "none": "0"}},
        "phases": [f"{{patient_id}} {name}.nii.gz" for name in ("pre", "early", "late")],
        "mask": ["checked/{patient_id}.nii.gz", "segmentations/expert/b 1.nii.gz"],
    }
    (tmp_path / "cohort.json").write_text(json.dumps(mapping))
    (patient,) = find_patients(tmp_path)
    assert patient.patient_id == "B 1"
    assert patient.row["pcr"] == "1"
    assert [int(phase.mean() // 100) for phase in read_patient(patient).phases] == [1, 2, 3]
    (tmp_path / "B 1 early.nii.gz").unlink()
    with pytest.raises(DataError, match="early"):
        read_patient(find_patients(tmp_path)[0])


def test_identifier_of_a_table_never_leads_out_of_the_results():
    assert folder_name("ISPY2_1-a") == "ISPY2_1-a"
    assert folder_name("../../12/3 b.") == "12_3_b"
    assert folder_name("..") == "_"
    assert folder_name("Con") == "Con_"


def test_real_cohort_is_found_whole(real_cohort):
    patients = find_patients(real_cohort)
    assert len(patients) == 198
    assert all(len(p.phases) == 3 and p.mask is not None and p.row for p in patients)
