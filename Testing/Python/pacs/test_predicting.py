"""A study of a PACS predicted as from files, stored once, read back and followed, as each vendor writes it."""

import json
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib import outputs
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.pacs.errors import PacsError
from PCRPredictorLib.pacs.fetching import fetch_study
from PCRPredictorLib.pacs.predicting import StudyRequest, predict_study
from PCRPredictorLib.pacs.studies import Query, find_studies, find_study
from PCRPredictorLib.reading.sources import given_source
from support.dicom_exam import write_dicom_exam, write_enhanced_exam
from support.pacs import faults
from support.pacs.connected import connected
from support.pacs.faulty_archive import Fault, faulty_archive
from support.pacs.orthanc import needs_orthanc
from support.pacs.round_trip import make_round_trip, write_mask_beside
from support.pacs.studies import EXAM, make_studies

pytest.importorskip("highdicom")
pytestmark = needs_orthanc


@pytest.fixture(scope="module")
def exam():
    return EXAM


@pytest.fixture(autouse=True)
def no_picture(monkeypatch):
    """The picture takes a third of the time and plays no part here."""
    monkeypatch.setattr(outputs, "save_overlay", lambda _exam, _prediction, path: path.write_bytes(b"no picture"))


@pytest.fixture(scope="module")
def predictor(bundle):
    return Predictor(bundle)


@pytest.fixture
def pacs(orthanc, tmp_path):
    return connected(tmp_path, orthanc.url, timeout=5, retries=1)


@pytest.fixture
def study(orthanc, exam, tmp_path):
    """The folder of a study in the PACS, with its mask beside it."""
    write_dicom_exam(tmp_path / "images", exam, "siemens", StudyDate="20240101", StudyDescription="MR breast")
    write_mask_beside(tmp_path / "images", exam.geometry, exam.mask, tmp_path / "mask.dcm")
    orthanc.upload(tmp_path / "images")
    orthanc.upload(tmp_path / "mask.dcm")
    return orthanc.studies()[0]


def write_siemens(folder, exam, style):
    write_dicom_exam(folder, exam, "siemens")


def write_enhanced(folder, exam, style):
    write_enhanced_exam(folder, exam)


def write_enhanced_frames(folder, exam, style):
    write_enhanced_exam(folder, exam, apart="frames")


@pytest.mark.parametrize(
    ("style", "write"),
    [
        ("ge", write_dicom_exam),
        ("siemens", write_dicom_exam),
        ("philips", write_dicom_exam),
        ("", write_enhanced),
        ("", write_enhanced_frames),
    ],
    ids=["ge", "siemens", "philips", "enhanced", "enhanced frames"],
)
def test_the_probability_is_that_of_the_files_and_the_results_are_stored_once(
    orthanc, pacs, exam, predictor, tmp_path, style, write
):
    write(tmp_path / "images", exam, style)
    mask = write_mask_beside(tmp_path / "images", exam.geometry, exam.mask, tmp_path / "mask.dcm")
    found = make_round_trip(orthanc, pacs.connection, tmp_path / "images", mask, predictor, tmp_path / "out")
    assert found.from_pacs == found.from_files
    assert (found.states, found.states_again) == (["stored"] * 4, ["there"] * 4)
    assert found.series == [9500, 9501, 9502, 9503]
    assert found.faults == []


@pytest.mark.skipif(not shutil.which("dcmcjpeg"), reason="needs dcmcjpeg: apt-get install dcmtk")
@pytest.mark.parametrize(("write", "unpacked"), [(write_siemens, False), (write_enhanced, True)])
def test_compressed_images_are_fetched_as_they_are_or_unpacked_by_the_pacs(
    orthanc, pacs, exam, predictor, tmp_path, write, unpacked
):
    write(tmp_path / "images", exam, "")
    mask = write_mask_beside(tmp_path / "images", exam.geometry, exam.mask, tmp_path / "mask.dcm")
    expected = given_source([], tmp_path / "images").read()
    for file in sorted((tmp_path / "images").iterdir()):
        subprocess.run(["dcmcjpeg", "+e1", file, tmp_path / "packed"], check=True)
        (tmp_path / "packed").replace(file)
    orthanc.upload(tmp_path / "images")
    orthanc.upload(mask)
    request = StudyRequest(study=orthanc.studies()[0])
    found = predict_study(pacs.connection, request, predictor, tmp_path / "out").predicted.exam
    assert all(np.array_equal(a, b) for a, b in zip(found.phases, expected.phases, strict=True))
    assert any("asked to unpack" in line for line in pacs.said) is unpacked


def test_a_result_is_read_back_as_the_mask_of_the_same_prediction(pacs, study, predictor, tmp_path):
    first = predict_study(pacs.connection, StudyRequest(study=study, store=True), predictor, tmp_path / "out")
    request = StudyRequest(study=study, segmentation="9500", store=True, keep=tmp_path / "kept")
    again = predict_study(pacs.connection, request, predictor, tmp_path / "again")
    assert again.predicted.prediction.probability == first.predicted.prediction.probability
    assert {item.state for item in again.items} == {"there"}
    kept = tmp_path / "kept"
    read = given_source([], kept / "exam").with_overrides(kept / "segmentation.dcm", {}).read()
    assert np.array_equal(read.mask, first.predicted.exam.mask)
    assert again.fetched.mask_from.is_ours


def test_a_study_is_found_by_its_description_also_after_storing(pacs, study, predictor, tmp_path):
    predict_study(pacs.connection, StudyRequest(study=study, store=True), predictor, tmp_path / "out")
    (found,) = find_studies(pacs.connection, Query(description="breast"))
    assert (found.uid, found.description) == (study, "MR breast")


def test_nothing_is_sent_unless_that_is_asked_for(orthanc, study, predictor, tmp_path):
    with faulty_archive(orthanc.url) as archive:
        connection = connected(tmp_path, archive.url).connection
        plain = predict_study(connection, StudyRequest(study=study), predictor, tmp_path / "plain")
        dry = predict_study(connection, StudyRequest(study=study, dry_run=True), predictor, tmp_path / "dry")
        assert {line.partition(" ")[0] for line in archive.seen} == {"GET"}
    assert (plain.items, [item.state for item in dry.items]) == ((), ["missing"] * 4)
    assert not (tmp_path / "plain" / "dicom").exists()
    assert len(orthanc.series(study)) == 4


def test_two_studies_are_fetched_and_followed(orthanc, pacs, exam, tmp_path, capsys):
    words = []
    for n, visit in enumerate(("T0", "T1")):
        folder = tmp_path / visit / "images"
        date = f"202401{1 + 22 * n:02d}"
        uid = f"1.2.3.{n + 1}"
        later = replace(exam, early=exam.early + n, late=exam.late + n)
        write_dicom_exam(folder, later, "ge", StudyInstanceUID=uid, StudyDate=date, AcquisitionDate=date)
        mask = write_mask_beside(folder, exam.geometry, exam.mask, tmp_path / visit / "mask.dcm")
        orthanc.upload(folder)
        orthanc.upload(mask)
        found = fetch_study(pacs.connection, find_study(pacs.connection, uid), tmp_path / f"fetched {visit}")
        words += ["--visit", visit, found.folder, "--mask", visit, found.segmentation]
    assert run(app, ["follow", *map(str, words), "--out", str(tmp_path / "out")]) == 0, capsys.readouterr().err
    content = json.loads((tmp_path / "out" / "follow.json").read_text())
    assert len(content["visits"]) == 2


def refused(pacs, predictor, tmp_path, message, kind=DataError, **request):
    with pytest.raises(kind, match=message) as caught:
        predict_study(pacs.connection, StudyRequest(**request), predictor, tmp_path / "out")
    assert "SECRET" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "prediction.json").exists()


def test_a_study_without_a_tumour_says_what_to_give(orthanc, pacs, predictor, tmp_path):
    (made,) = make_studies()
    for content in made.images:
        orthanc.upload_bytes(content)
    message = "has no segmentation of a tumour; give --mask FILE, --click X Y Z or --find-tumour"
    refused(pacs, predictor, tmp_path, message, study=made.uid)


def test_only_an_earlier_result_is_no_mask_but_can_be_named(orthanc, pacs, study, predictor, tmp_path):
    predict_study(pacs.connection, StudyRequest(study=study, store=True), predictor, tmp_path / "out")
    for uid in orthanc.instances(study, "SEG"):
        if (kept := orthanc.read(uid)).SeriesNumber == 90:
            orthanc.delete_instance(uid)
        else:
            series = kept.SeriesInstanceUID
    message = f"has no segmentation of a tumour; .*; that of an earlier result with --segmentation {series}$"
    with pytest.raises(DataError, match=message):
        predict_study(pacs.connection, StudyRequest(study=study), predictor, tmp_path / "again")


def test_a_study_without_dce_is_refused_by_its_uid(orthanc, pacs, predictor, tmp_path):
    (made,) = make_studies()
    for content in [*made.images[:6], made.segmentation]:
        orthanc.upload_bytes(content)
    refused(pacs, predictor, tmp_path, rf"^study {made.uid}: (?!.*/tmp)", study=made.uid)


def test_of_several_dynamic_series_one_must_be_named(orthanc, pacs, exam, predictor, tmp_path, study):
    write_dicom_exam(tmp_path / "more", exam, "siemens", EchoTime="9.9", FlipAngle="40", StudyDate="20240101")
    for file in (tmp_path / "more").iterdir():
        data = pydicom.dcmread(file)
        data.SeriesNumber += 20
        data.save_as(file)
    orthanc.upload(tmp_path / "more")
    refused(pacs, predictor, tmp_path, "has several dynamic series.*; name with --series only one of them", study=study)
    request = StudyRequest(study=study, series=("5", "6", "7"))
    found = predict_study(pacs.connection, request, predictor, tmp_path / "out")
    assert [note for note in found.fetched.notes if note.startswith("not fetched: series 25")]


def test_what_results_cannot_refer_to_is_said_before_predicting(orthanc, pacs, exam, tmp_path):
    write_enhanced_exam(tmp_path / "images", exam, header={"FrameOfReferenceUID": ""})
    write_mask_beside(tmp_path / "images", exam.geometry, exam.mask, tmp_path / "mask.dcm")
    orthanc.upload(tmp_path / "images")
    orthanc.upload(tmp_path / "mask.dcm")
    message = "results in DICOM need FrameOfReferenceUID, .*; predict without --store"
    refused(pacs, None, tmp_path, message, study="1.2", dry_run=True)


def test_results_that_are_not_stored_lie_in_the_folder_and_are_sent_the_next_time(orthanc, study, predictor, tmp_path):
    fault = Fault(faults.refuses(507), "POST", after=2)
    with faulty_archive(orthanc.url, fault) as archive:
        connection = connected(tmp_path, archive.url, retries=0).connection
        with pytest.raises(PacsError, match=r"is full .*; 2 of 4 objects stored"):
            predict_study(connection, StudyRequest(study=study, store=True), predictor, tmp_path / "out")
        assert len(list((tmp_path / "out" / "dicom").iterdir())) == 4
        archive.faults = []
        found = predict_study(connection, StudyRequest(study=study, store=True), predictor, tmp_path / "out")
    assert sorted(item.state for item in found.items) == ["stored", "stored", "there", "there"]


def test_what_is_fetched_is_removed_also_after_an_error(pacs, study, predictor, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    predict_study(pacs.connection, StudyRequest(study=study), predictor, tmp_path / "out")
    with pytest.raises(DataError):
        predict_study(pacs.connection, StudyRequest(study=study, pick=(0, 1, 9)), predictor, tmp_path / "other")
    assert list((tmp_path / "temporary").iterdir()) == []
