"""Tests of the PACS that the other tests use."""

import pytest
import requests
from dicomweb_client import DICOMwebClient
from support.dicom_exam import EXAM, write_dicom_exam
from support.pacs.orthanc import Orthanc, needs_orthanc

pytestmark = needs_orthanc


@pytest.fixture(scope="module")
def exam(tmp_path_factory):
    """A folder with 18 images in three series."""
    folder = tmp_path_factory.mktemp("exam")
    write_dicom_exam(folder, EXAM, "siemens")
    return folder


@pytest.fixture
def own(tmp_path):
    """Return a function that starts a PACS with other settings."""
    started = []

    def start(**settings):
        started.append(Orthanc(tmp_path, **settings).start())
        return started[-1]

    yield start
    for each in started:
        each.stop(kill=True)


def test_what_is_uploaded_is_found_and_read(orthanc, exam):
    orthanc.upload(exam)
    (study,) = orthanc.studies()
    (found,) = DICOMwebClient(orthanc.url).search_for_studies()
    assert found["0020000D"]["Value"] == [study]
    assert len(orthanc.series(study)) == 3
    assert len(orthanc.instances(study)) == len(orthanc.instances(modality="MR")) == 18
    assert orthanc.read(orthanc.instances()[0]).StudyInstanceUID == study


def test_the_next_test_finds_it_empty(orthanc):
    assert orthanc.studies() == []


def test_a_restarted_pacs_has_its_studies_and_its_address(own, exam):
    pacs = own()
    pacs.upload(exam)
    before = pacs.url
    pacs.restart(kill=True)
    assert len(pacs.instances()) == 18
    assert pacs.url == before
    pacs.delete(pacs.studies()[0])
    assert pacs.instances() == []


def test_users_must_be_known(own):
    pacs = own(users={"reader": "a password"})
    assert pacs.studies() == []
    assert requests.get(f"{pacs.url}/studies", timeout=10).status_code == 401


def test_a_full_pacs_drops_what_is_stored_without_a_word(own, exam):
    pacs = own(megabytes=1)
    pacs.upload(exam)
    image = pacs.read(pacs.instances()[0])
    image.Rows, image.Columns, image.PixelData = 700, 700, bytes(2 * 700 * 700)
    pacs.fill()
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    image.PatientID = "a new patient"
    client = DICOMwebClient(pacs.url)
    client.store_instances([image])
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = "1.2.4"
    answer = client.store_instances([image])
    assert len(answer.FailedSOPSequence) == len(answer.ReferencedSOPSequence) == 0
    assert len(pacs.instances()) == 19
