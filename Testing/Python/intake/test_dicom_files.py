"""Files of a folder with the DICOM of many patients: each goes to its patient."""

import pytest
from PCRPredictorLib.engine.engine import ThisProcess
from PCRTrainingLib.intake.dicom_files import list_files, read_dicom_folder
from support.dicom.folder import write_apart


@pytest.mark.parametrize("place", ["series4/IM1.dcm", "series4.zip"])
def test_unreadable_files_beside_the_series_of_one_patient_are_of_that_patient(tmp_path, place):
    for name in "AB":
        write_apart(tmp_path / name, PatientID=name)
    for file in (tmp_path / "A" / place, tmp_path / "readme"):
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"")
    found = read_dicom_folder(tmp_path, list_files(tmp_path, tmp_path / "cohort"), ThisProcess())
    assert [patient.others for patient in found.patients] == [[tmp_path / "A" / place], []]
    assert found.lost == [tmp_path / "readme"]
