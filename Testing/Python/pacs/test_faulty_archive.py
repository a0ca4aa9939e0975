"""Tests of the faults that the other tests use."""

import pytest
import requests
from dicomweb_client import DICOMwebClient
from support.dicom_exam import EXAM, write_dicom_exam
from support.pacs import faults
from support.pacs.certificates import write_certificate
from support.pacs.faulty_archive import Fault, faulty_archive
from support.pacs.orthanc import needs_orthanc

pytestmark = needs_orthanc


@pytest.fixture
def study(orthanc, tmp_path):
    """The UID of a study of 18 images in three series."""
    write_dicom_exam(tmp_path / "exam", EXAM, "siemens")
    orthanc.upload(tmp_path / "exam")
    return orthanc.studies()[0]


@pytest.fixture
def faulty(orthanc):
    with faulty_archive(orthanc.url) as archive:
        archive.client = DICOMwebClient(archive.url)
        archive.client.set_http_retry_params(False)
        yield archive


def test_without_a_fault_it_is_the_archive_behind(faulty, study, orthanc):
    found = faulty.client.retrieve_study(study)
    assert len(found) == 18
    found[0].SOPInstanceUID = found[0].file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    faulty.client.store_instances(found[:1])
    assert "1.2.3" in orthanc.instances(study)
    assert faulty.seen == [f"GET /dicom-web/studies/{study}", "POST /dicom-web/studies"]


def test_a_fault_takes_what_it_is_for_as_often_as_it_is_told(faulty, study):
    faulty.faults = [Fault(faults.refuses(503), f"GET .*/{study}$", times=1, after=1)]
    status = [requests.get(f"{faulty.url}/studies/{study}", timeout=10).status_code for _ in range(3)]
    assert status == [200, 503, 200]


def test_a_body_is_cut_off(faulty, study):
    faulty.faults = [Fault(faults.changes(sent=0.5))]
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        faulty.client.retrieve_study(study)


def test_a_body_without_a_length_ends_early_without_a_trace(faulty, study):
    faulty.faults = [Fault(faults.changes(sent=0.5, measured=False))]
    assert 0 < len(faulty.client.retrieve_study(study)) < 18


def test_parts_are_missing(faulty, study):
    faulty.faults = [Fault(faults.drops_parts(5))]
    assert len(faulty.client.retrieve_study(study)) == 5


def test_the_connection_is_closed(faulty):
    faulty.faults = [Fault(faults.hangs_up)]
    with pytest.raises(requests.ConnectionError):
        faulty.client.search_for_studies()


def test_objects_are_refused(faulty, study):
    faulty.faults = [Fault(faults.stores_none(status=202), "POST")]
    image = faulty.client.retrieve_study(study)[0]
    (failed,) = faulty.client.store_instances([image]).FailedSOPSequence
    assert failed.ReferencedSOPInstanceUID == image.SOPInstanceUID
    assert failed.FailureReason == 0xA700


def test_what_never_ends_ends_with_the_client(faulty, study):
    faulty.faults = [Fault(faults.sends_for_ever)]
    parts = faulty.client.iter_study(study)
    with pytest.raises(Exception, match="DICM"):
        next(parts)


def test_a_token_must_be_shown(orthanc):
    with faulty_archive(orthanc.url, token="a token") as archive:
        assert requests.get(f"{archive.url}/studies", timeout=10).status_code == 401
        header = {"Authorization": "Bearer a token"}
        assert requests.get(f"{archive.url}/studies", headers=header, timeout=10).status_code == 200


@pytest.mark.parametrize(("days", "trusted"), [(1, True), (-1, False)])
def test_an_expired_certificate_is_not_trusted(orthanc, tmp_path, days, trusted):
    certificate = write_certificate(tmp_path, days)
    with faulty_archive(orthanc.url, certificate=certificate) as archive:
        if trusted:
            assert requests.get(f"{archive.url}/studies", verify=str(certificate), timeout=10).ok
        else:
            with pytest.raises(requests.exceptions.SSLError, match="expired"):
                requests.get(f"{archive.url}/studies", verify=str(certificate), timeout=10)
