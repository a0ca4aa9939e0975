"""Headers as they are in the wild: what can be put right is, what cannot is named, and a validator finds no error."""

import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.objects.results import FILES, check_possible, write_dicom_results
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.mask import read_mask
from support.dicom_exam import errors_in, write_dicom_exam, write_enhanced_exam
from support.examples import tiny_exam, tiny_prediction

pytest.importorskip("highdicom")

EXAM = tiny_exam(size=(12, 10, 6))


def results_of(folder, spoil=None, **tags):
    """The three results, checked by a validator, of an exam whose headers have these tags and were spoilt after that.

    A tag of None is left out.
    """
    write_dicom_exam(folder / "exam", EXAM, "ge", **tags)
    exam = replace(read_dicom_exam(folder / "exam"), mask=EXAM.mask)
    for file in (folder / "exam").iterdir() if spoil else ():
        data = pydicom.dcmread(file)
        spoil(data)
        data.save_as(file)
    out = folder / "out"
    out.mkdir()
    write_dicom_results(exam, tiny_prediction(EXAM), out)
    for name in FILES:
        assert errors_in(out / name) == []
    return [pydicom.dcmread(out / name) for name in FILES]


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("ISO_IR 100", "Müller^Änne"),
    ],
)
def test_names_of_every_alphabet_are_kept(tmp_path, charset, name):
    for item in results_of(tmp_path, SpecificCharacterSet=charset, PatientName=name):
        assert str(item.PatientName) == name


@pytest.mark.parametrize(
    ("description", "copied"),
    [
        ("MR breast bilateral", "MR breast bilateral"),
        ("MR breast DOE, jane 4711", "MR breast [patient], [patient] [patient]"),
        ("MR\\breast\r\n", "MR breast"),
        ("mamma " * 20, ("mamma " * 20)[:64].strip()),
        ("", None),
        (None, None),
    ],
)
def test_the_study_is_described_as_in_the_source_without_the_patient(tmp_path, description, copied):
    tags = {"PatientName": "Doe^Jane", "PatientID": "4711", "StudyDescription": description}
    for item in results_of(tmp_path, **tags):
        assert item.get("StudyDescription") == copied


def test_results_agree_with_the_images_in_what_a_study_is_listed_by(tmp_path):
    tags = {
        "StudyDescription": "MR breast",
        "StudyID": "17",
        "AccessionNumber": "A-1",
        "StudyTime": "101500",
        "StudyDate": "20240102",
    }
    results = results_of(tmp_path, **tags, IssuerOfPatientID="here", PatientSex="F", PatientBirthDate="19700102")
    image = pydicom.dcmread(next((tmp_path / "exam").iterdir()))
    for name in (*tags, "StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate", "PatientSex"):
        assert {item[name].value for item in (*results, image)} == {image[name].value}
    if shutil.which("dcentvfy"):  # compares the objects of a study
        files = [*(tmp_path / "exam").iterdir(), *(tmp_path / "out").iterdir()]
        said = subprocess.run(["dcentvfy", *files], capture_output=True, text=True)
        assert not {"Error", "StudyDescription"} & set(re.findall(r"\w+", said.stdout + said.stderr))


def test_attributes_that_scanners_leave_out_are_filled(tmp_path):
    results = results_of(tmp_path, SliceThickness=None, Modality=None, SeriesNumber=None, ReferringPhysicianName=None)
    assert float(results[0].SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SliceThickness) == 3


@pytest.mark.parametrize("thickness", ["", "thin"])
def test_slice_thickness_that_is_no_number_is_that_of_the_grid(tmp_path, thickness):
    results = results_of(tmp_path, lambda data: data.add_new("SliceThickness", "LO", thickness))
    assert float(results[0].SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SliceThickness) == 3


@pytest.mark.parametrize(
    ("tag", "written", "kept"),
    [
        ("PatientSex", "f", "F"),
        ("PatientSex", "unbekannt", ""),
        ("PatientBirthDate", "unknown", ""),
        ("PatientBirthDate", "19700231", ""),
        ("StudyDate", "2020-01-01", ""),
        ("StudyTime", "ten past", ""),
        ("AccessionNumber", "A2345678901234567", ""),
        ("PatientID", "P" * 70, ""),
        ("DeidentificationMethod", "D" * 70, "D" * 64),
    ],
)
def test_value_that_is_not_allowed_is_not_copied(tmp_path, tag, written, kept):
    for item in results_of(tmp_path, **{tag: written}):
        assert item.get(tag) == kept


@pytest.mark.parametrize("tag", ["FrameOfReferenceUID", "StudyInstanceUID"])
@pytest.mark.parametrize("value", ["", None])
def test_header_that_nobody_can_make_up_is_asked_for_by_name(tmp_path, tag, value):
    def spoil(data):
        setattr(data, tag, value) if value is not None else delattr(data, tag)

    with pytest.raises(DataError, match=rf"need {tag}, which .* leave out --dicom-results, or save without results"):
        results_of(tmp_path, spoil)


def test_images_of_a_different_kind_are_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"SOP class MR Image Storage, got 1\.2\.840\.10008\.5\.1\.4\.1\.1\.7"):
        results_of(tmp_path, lambda data: setattr(data, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.7"))


@pytest.mark.parametrize("apart", [False, True, "frames"])
def test_frames_of_enhanced_mr_are_referred_to_by_their_numbers(tmp_path, apart):
    write_enhanced_exam(tmp_path / "exam", EXAM, apart=apart)
    exam = replace(read_dicom_exam(tmp_path / "exam"), mask=EXAM.mask)
    check_possible(exam)
    write_dicom_results(exam, tiny_prediction(EXAM), tmp_path)
    assert [line for name in FILES for line in errors_in(tmp_path / name)] == []
    sources = {data.SOPInstanceUID: data for data in map(pydicom.dcmread, (tmp_path / "exam").iterdir())}
    for name in FILES[:2]:
        for frame in pydicom.dcmread(tmp_path / name).PerFrameFunctionalGroupsSequence:
            (reference,) = frame.DerivationImageSequence[0].SourceImageSequence
            source = sources[reference.ReferencedSOPInstanceUID]
            assert reference.ReferencedSOPClassUID == source.SOPClassUID
            seen = source.PerFrameFunctionalGroupsSequence[reference.ReferencedFrameNumber - 1]
            assert seen.FrameContentSequence[0].TemporalPositionIndex == 2
            assert seen.PlanePositionSequence == frame.PlanePositionSequence
    assert references_in(tmp_path) == {str(pydicom.dcmread(file).SOPInstanceUID) for file in exam.provenance.files}
    np.testing.assert_array_equal(read_mask(tmp_path / FILES[0], exam.geometry), EXAM.mask)


def references_in(folder):
    """Return the images that the results in a folder refer to."""
    results = [pydicom.dcmread(folder / name) for name in FILES]
    named = {str(e.value) for data in results for e in data.iterall() if e.keyword == "ReferencedSOPInstanceUID"}
    return named - {str(data.SOPInstanceUID) for data in results}


def test_images_of_several_series_are_each_referred_to_in_their_own(tmp_path):
    write_dicom_exam(tmp_path / "exam", EXAM, "siemens", SeriesNumber=4)
    series = {}
    for file in (tmp_path / "exam").iterdir():
        data = pydicom.dcmread(file)
        data.SeriesInstanceUID = f"1.2.3.{round(EXAM.geometry.to_index(np.array(data.ImagePositionPatient, float))[2])}"
        series[str(data.SOPInstanceUID)] = str(data.SeriesInstanceUID)
        data.save_as(file)
    exam = replace(read_dicom_exam(tmp_path / "exam"), mask=EXAM.mask)
    check_possible(exam)
    write_dicom_results(exam, tiny_prediction(EXAM), tmp_path)
    assert [line for name in FILES for line in errors_in(tmp_path / name)] == []
    used = {str(pydicom.dcmread(file).SOPInstanceUID) for file in exam.provenance.files}
    assert references_in(tmp_path) == used
    for name in FILES[:2]:
        listed = pydicom.dcmread(tmp_path / name).ReferencedSeriesSequence
        pairs = {
            (str(r.ReferencedSOPInstanceUID), s.SeriesInstanceUID) for s in listed for r in s.ReferencedInstanceSequence
        }
        assert pairs == {(uid, series[uid]) for uid in used}
    (study,) = pydicom.dcmread(tmp_path / "report.dcm").CurrentRequestedProcedureEvidenceSequence
    assert set(series.values()) < {one.SeriesInstanceUID for one in study.ReferencedSeriesSequence}
    np.testing.assert_array_equal(read_mask(tmp_path / FILES[0], exam.geometry), EXAM.mask)


def test_what_headers_lack_is_reported_before_predicting(tmp_path):
    write_enhanced_exam(tmp_path, EXAM, apart="frames", PlanePositionSequence=None)
    files = tuple(tmp_path.iterdir())[:6]
    exam = replace(EXAM, provenance=replace(EXAM.provenance, files=files, frames=(0,) * 6))
    with pytest.raises(DataError, match=r"need ImagePositionPatient, which"):
        check_possible(exam)


def test_enhanced_mr_without_a_frame_of_reference_is_refused_by_name(tmp_path):
    write_enhanced_exam(tmp_path, EXAM)
    (file,) = tmp_path.iterdir()
    data = pydicom.dcmread(file)
    data.FrameOfReferenceUID = ""
    data.save_as(file)
    exam = replace(read_dicom_exam(tmp_path), mask=EXAM.mask)
    with pytest.raises(DataError, match="results in DICOM need FrameOfReferenceUID"):
        write_dicom_results(exam, tiny_prediction(EXAM), tmp_path)


def test_exam_that_is_not_from_dicom_is_refused():
    with pytest.raises(DataError, match=r"need an exam that was read from DICOM, .*; give its folder by"):
        check_possible(EXAM)


PEOPLE = (
    *(
        "PatientComments",
        "PatientAddress",
        "OtherPatientNames",
        "OtherPatientIDs",
        "AdditionalPatientHistory",
        "Occupation",
    ),
    *("PatientBirthName", "PatientMotherBirthName", "PatientTelephoneNumbers", "MedicalAlerts", "EthnicGroup"),
    *("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName", "DeviceSerialNumber"),
    *(
        "OperatorsName",
        "PerformingPhysicianName",
        "ReferringPhysicianName",
        "PhysiciansOfRecord",
        "ReferringPhysicianAddress",
    ),
    *("SeriesDescription", "RequestedProcedureDescription", "ImageComments", "ProtocolName"),
    *("ClinicalTrialSubjectID", "ClinicalTrialSiteName", "StudyComments", "AdmissionID", "VisitComments"),
)


def test_nothing_of_people_and_places_is_copied_at_any_depth(tmp_path):
    def spoil(data):
        for name in PEOPLE:
            setattr(data, name, "HIDDEN")
        data.private_block(0x11, "ACME HIDDEN", create=True).add_new(1, "LO", "HIDDEN")
        other = pydicom.Dataset()
        other.PatientID, other.IssuerOfPatientID, other.PatientComments = "HIDDEN", "HIDDEN", "HIDDEN"
        data.OtherPatientIDsSequence, data.ReferencedStudySequence = [other], [other]
        data.PatientIdentityRemoved, code = "YES", pydicom.Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "113100", "DCM", "Basic Profile"
        code.PatientComments = "HIDDEN"
        data.DeidentificationMethodCodeSequence = [code]

    for item in results_of(tmp_path, spoil):
        assert "HIDDEN" not in str(item)
        assert (item.PatientID, item.PatientIdentityRemoved) == ("SECRET-7", "YES")
        assert item.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    assert not any(b"HIDDEN" in file.read_bytes() for file in (tmp_path / "out").iterdir())
