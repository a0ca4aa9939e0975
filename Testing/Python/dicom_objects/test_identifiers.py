"""What of the source's identifiers comes back in the results: a marker in every attribute is searched everywhere."""

import pydicom
import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.dicom.objects.results import FILES
from support.dicom.identifiers import deidentify, identifying_attributes, mark, markers_in
from support.dicom_exam import EXAM, errors_in, write_dicom_exam, write_enhanced_exam
from support.dicom_segmentation import write_segmentation
from support.documentation import ROOT

pytest.importorskip("highdicom")

REPLACED = "ANON-QXREPLXQ"
COPIED = {  # from the source into objects, as `dicom.md` says
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "AccessionNumber", "StudyID", "StudyDate"),
    *("StudyDescription", "DeidentificationMethod", "ManufacturerModelName", "SoftwareVersions"),
}
STYLES = ("siemens", "enhanced")


def write_source(folder, style, change):
    """Write an exam, a series that is not used, and a Segmentation; `change` each header. Return the markers."""
    files = folder / "QXPATHXQ"
    frame = "1.2.9" if style == "enhanced" else "1.2.826.0.1.3680043.8.498.2"
    if style == "enhanced":
        write_enhanced_exam(files, EXAM, apart=True)
    else:
        write_dicom_exam(files, EXAM, style)
        write_dicom_exam(files, EXAM, style, (900,), EXAM.phases[:1], ScanningSequence="SE", SeriesNumber=99)
    mask = write_segmentation(folder / "QXPATHXQ.dcm", EXAM.geometry, {1: EXAM.mask}, frame_of_reference=frame)
    markers = {"path": "QXPATHXQ", "replaced": REPLACED}
    for file in files.iterdir():
        data = pydicom.dcmread(file)
        markers |= change(data)
        data.save_as(file)
    data = pydicom.dcmread(mask)
    mark(data)
    data.save_as(mask)
    return markers


def predict(folder, bundle):
    """Predict as the command does; page and panel write the same files by the same function."""
    words = ["--dicom", folder / "QXPATHXQ", "--mask", folder / "QXPATHXQ.dcm", "--model", bundle.path]
    assert run(app, ["predict", *map(str, words), "--out", str(folder / "out"), "--dicom-results"]) == 0
    return folder / "out"


@pytest.mark.parametrize("style", STYLES)
def test_only_what_is_documented_comes_back_from_a_named_source(tmp_path, bundle, style, capfd):
    markers = write_source(tmp_path, style, mark)
    out = predict(tmp_path, bundle)
    found = markers_in(out, markers)
    in_objects = set.union(*(found.pop(f"dicom/{name}") for name in FILES))
    assert in_objects == COPIED & set(markers)
    assert set.union(set(), *found.values()) <= {"SeriesDescription"}  # of series that are not used
    printed = capfd.readouterr()
    said = {name for name, marker in markers.items() if marker in printed.out + printed.err}
    assert said <= {"SeriesDescription"}


@pytest.mark.parametrize("style", STYLES)
def test_of_a_deidentified_source_only_the_replaced_identifier_comes_back(tmp_path, bundle, style):
    def change(data):
        markers = mark(data)
        deidentify(data, markers, REPLACED)
        return markers

    write_source(tmp_path, style, change)
    out = predict(tmp_path, bundle)
    markers = {**mark(pydicom.Dataset()), "path": "QXPATHXQ", "replaced": REPLACED}
    assert markers_in(out, markers) == {f"dicom/{name}": {"replaced"} for name in FILES}
    for name in FILES:
        item = pydicom.dcmread(out / "dicom" / name)
        assert (item.PatientIdentityRemoved, item.DeidentificationMethod) == ("YES", "Basic Profile")
        assert item.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
        assert errors_in(out / "dicom" / name) == []


def test_markers_cover_the_attributes_that_name_people_and_places():
    expected = (
        *("PatientName", "PatientBirthDate", "PatientMotherBirthName", "OperatorsName", "RequestingPhysician"),
        *("ReferringPhysicianAddress", "InstitutionName", "StationName", "DeviceSerialNumber", "ProtocolName"),
        *("StudyDate", "ImageComments", "RequestedProcedureDescription"),
    )
    assert set(expected) <= set(identifying_attributes())
    assert len(identifying_attributes()) > 500


def test_what_is_copied_is_documented():
    text = " ".join((ROOT / "Resources/Docs/dicom.md").read_text(encoding="utf-8").split())
    assert "the description of a series that is not used" in text
