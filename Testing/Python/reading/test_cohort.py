import json
import os
from dataclasses import replace

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.outputs import folder_name
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRPredictorLib.reading.sources import find_sources
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


def test_the_outcome_is_in_no_exam_and_the_scanner_is_no_clinical_variable(tmp_path):
    write_patient(tmp_path, "aa_1")
    columns = "patient_id,age,pcr,true_probability,days_to_death,manufacturer,nac_agent"
    write_table(tmp_path, f"{columns}\nAA_1,50,1,0.9,30,GE,Paclitaxel\n")
    (source,) = find_sources([tmp_path])
    exam = source.read()
    assert exam.clinical == {"age": "50", "nac_agent": "Paclitaxel"}
    assert exam.provenance.table == {"patient_id": "AA_1", "manufacturer": "GE"}
    assert source.outcome == 1


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
        "mask": ["checked/{patient_id}.nii.gz", "segmentations/expert/{patient_id}.nii.gz"],
    }
    (tmp_path / "cohort.json").write_text(json.dumps(mapping))
    (patient,) = find_patients(tmp_path)
    assert patient.patient_id == "B 1"
    assert patient.row["pcr"] == "1"
    assert [int(phase.mean() // 100) for phase in read_patient(patient).phases] == [1, 2, 3]
    with pytest.raises(DataError, match=r"has no tumour mask; add segmentations/expert/B 1\.nii"):
        read_patient(replace(patient, mask=None))
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


def test_identifier_that_lost_its_leading_zeros_is_found_and_reported(tmp_path):
    write_patient(tmp_path, "001")
    write_table(tmp_path, "patient_id,pcr\n1.0,1\n")
    said = []
    (patient,) = find_patients(tmp_path, said.append)
    assert patient.row["pcr"] == "1"
    assert said == ["the table names 1 patient without the leading zeros; they were matched by number"]
    assert read_patient(patient).provenance.notices == ()


def test_identifiers_that_zeros_alone_tell_apart_are_refused_if_the_table_lost_them(tmp_path):
    write_patient(tmp_path, "1")
    write_patient(tmp_path, "001")
    write_table(tmp_path, "patient_id,pcr\n1,1\n")
    with pytest.raises(DataError, match="001 and 1 differ only in leading zeros"):
        find_patients(tmp_path)


def test_identifier_may_have_dots_blanks_and_accents(tmp_path):
    for name in ("1.2.840.7", "A b", "Mu\u0308ller"):
        write_patient(tmp_path, name)
    write_table(tmp_path, "patient_id,pcr\n1.2.840.7,1\na  B,0\nM\u00fcller,1\n")
    assert [(patient.mask is not None, patient.row["pcr"]) for patient in find_patients(tmp_path)] == [
        (True, "1"),
        (True, "0"),
        (True, "1"),
    ]


def test_rows_without_images_and_tables_left_aside_are_reported(tmp_path):
    write_patient(tmp_path, "a")
    write_table(tmp_path, "patient_id\na\nb\n")
    (tmp_path / "clinical_and_imaging_info.xlsx").write_bytes(b"")
    said = []
    find_patients(tmp_path, said.append)
    assert said == [
        "clinical_and_imaging_info.csv was read; left aside: clinical_and_imaging_info.xlsx",
        "1 of 2 rows of the table have no images: b",
    ]


def problem(tmp_path):
    with pytest.raises(DataError) as caught:
        read_patient(find_patients(tmp_path)[0])
    return str(caught.value)


def test_phase_that_is_absent_is_named(tmp_path):
    write_patient(tmp_path, "a", phases=5)
    pre = tmp_path / "images" / "A" / "a_0000.nii.gz"
    pre.unlink()
    assert "A: has no phase _0000, but has a_0001.nii.gz, a_0002.nii.gz" in problem(tmp_path)
    if os.name != "nt":  # links need a right there
        pre.symlink_to("annex/content")
        assert problem(tmp_path) == "A: a_0000.nii.gz is a link to a file that is not there; fetch or copy the file"


def test_two_files_for_one_phase_or_mask_are_named(tmp_path):
    write_patient(tmp_path, "a")
    masks = tmp_path / "segmentations" / "expert"
    (masks / "A.mha").write_bytes(b"")
    assert "has two masks, A.mha and a.nii.gz; keep one" in problem(tmp_path)
    (masks / "A.mha").unlink()
    (tmp_path / "images" / "A" / "a_0001.mha").write_bytes(b"")
    assert "has two files for one phase, a_0001.mha and a_0001.nii.gz; keep one" in problem(tmp_path)


def test_files_of_systems_are_ignored_and_other_images_named(tmp_path):
    write_patient(tmp_path, "a")
    folder = tmp_path / "images" / "A"
    for name in ("._a_0000.nii.gz", ".DS_Store", "a_sub.nii.gz", "a.json"):
        (folder / name).write_bytes(b"")
    (tmp_path / "images" / "__MACOSX").mkdir()
    (patient,) = find_patients(tmp_path)
    assert [item.name for item in read_patient(patient).provenance.left_aside] == ["a_sub.nii.gz"]


def test_times_of_another_number_of_phases_are_reported(tmp_path):
    write_patient(tmp_path, "a", phases=5)
    write_table(tmp_path, 'patient_id,acquisition_times\nA,"[0, 60, 130, 200]"\n')
    provenance = read_patient(find_patients(tmp_path)[0]).provenance
    assert provenance.picked.phases == (0, 1, 4)
    assert "acquisition_times must be as many as the 5 phases, got 4" in provenance.notices[0].message
