"""A study is fetched whole or not at all, whatever the PACS does."""

import pytest
from PCRPredictorLib.dicom import decoding
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.pacs import fetching, parts
from PCRPredictorLib.pacs.errors import PacsError
from PCRPredictorLib.pacs.fetching import EXAM, SEGMENTATION, choose_images, choose_segmentation, fetch_study
from PCRPredictorLib.pacs.studies import find_study
from PCRPredictorLib.pacs.study import Series, Study
from support.pacs import faults
from support.pacs.connected import connected
from support.pacs.faulty_archive import Fault, faulty_archive
from support.pacs.orthanc import needs_orthanc
from support.pacs.studies import make_studies

SERIES = r"GET .*/series/[\d.]+$"
IMAGES = r"GET .*/(series/[\d.]+|instances/[\d.]+)$"


@pytest.fixture(scope="module")
def made():
    return make_studies()[0]


@pytest.fixture
def faulty(orthanc, made, tmp_path):
    """A faulty PACS with a study, and a connection to it."""
    for content in made.files:
        orthanc.upload_bytes(content)
    with faulty_archive(orthanc.url) as archive:
        archive.noted = connected(tmp_path, archive.url, timeout=1, retries=1)
        yield archive


def fetch(archive, made, folder, **wanted):
    study = find_study(archive.noted.connection, made.uid)
    archive.seen.clear()
    return fetch_study(archive.noted.connection, study, folder, **wanted)


def contents(folder):
    return {path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@needs_orthanc
def test_files_are_those_of_the_pacs_bit_by_bit(faulty, made, orthanc, tmp_path):
    found = fetch(faulty, made, tmp_path / "study")
    assert contents(found.folder) == set(made.images)
    assert found.segmentation.read_bytes() == made.segmentation
    assert found.notes == ("the tumour mask is series 90 (tumour)",)
    assert sum(line.startswith("GET") and "/instances?" not in line for line in faulty.seen) == 4  # three series, mask


@needs_orthanc
@pytest.mark.parametrize(
    "fault",
    [
        Fault(faults.changes(sent=0.5), SERIES, times=2),
        Fault(faults.changes(sent=0.5, measured=False), SERIES, times=2),
        Fault(faults.drops_parts(2), SERIES),
        Fault(faults.refuses(503), IMAGES, times=1),
        Fault(faults.hangs_up, IMAGES, times=1, after=2),
        Fault(faults.changes(pause=1.5), SERIES, times=1),
    ],
    ids=["cut", "ends early", "parts missing", "busy", "hangs up", "slow"],
)
def test_what_is_missing_is_asked_for_again(faulty, made, tmp_path, fault):
    faulty.faults = [fault]
    assert contents(fetch(faulty, made, tmp_path / "study").folder) == set(made.images)


@needs_orthanc
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(faults.changes(sent=0.9), IMAGES), "cuts the connection off"),
        (Fault(faults.drops_parts(0), IMAGES), "does not send 6 of 6 images of series 5"),
        (Fault(faults.refuses(503), IMAGES, after=1), r"has a problem \(503\)"),
        (Fault(faults.refuses(406), IMAGES), r"cannot send images as DICOM files \(406\)"),
        (Fault(faults.refuses(200), IMAGES), "sends text/html instead of DICOM files"),
        (Fault(faults.sends_for_ever, IMAGES), "sends something that is no DICOM file"),
        (Fault(faults.changes(drip=0.7), IMAGES), "does not answer in time"),
    ],
    ids=["cut", "dropped", "busy", "refused", "page", "endless", "drip"],
)
def test_a_study_that_does_not_come_whole_leaves_nothing(faulty, made, tmp_path, fault, sentence):
    faulty.faults = [fault]
    with pytest.raises(PacsError, match=sentence) as caught:
        fetch(faulty, made, tmp_path / "study")
    assert "SECRET" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"pacs.json"}


@needs_orthanc
def test_more_than_a_study_needs_is_not_read(faulty, made, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "VOXELS", 500)
    with pytest.raises(PacsError, match="answers with more than is read"):
        fetch(faulty, made, tmp_path / "study")


@needs_orthanc
def test_images_of_a_different_study_are_refused(faulty, made, orthanc, tmp_path):
    other = make_studies()[0]
    for content in other.images:
        orthanc.upload_bytes(content)
    study = find_study(faulty.noted.connection, made.uid)
    theirs = find_study(faulty.noted.connection, other.uid).series[0]
    faulty.faults = [Fault(lambda request: swapped(request, faulty, study, other, theirs), SERIES)]
    with pytest.raises(PacsError, match="sends images of a different study"):
        fetch(faulty, made, tmp_path / "study")


def swapped(request, archive, study, other, series, also=False):
    import requests
    from support.pacs.faulty_archive import Answer

    found = requests.get(
        f"{archive.behind}/studies/{other.uid}" + ("" if also else f"/series/{series.uid}"),
        headers=request.headers,
        timeout=9,
    )
    return Answer(200, {"Content-Type": found.headers["Content-Type"]}, found.content)


@needs_orthanc
def test_images_that_cannot_be_decoded_are_asked_for_unpacked(faulty, made, tmp_path, monkeypatch):
    asked = []
    real = fetching.can_decode
    monkeypatch.setattr(fetching, "can_decode", lambda *words: len(asked) > 0 and real(*words))
    opened = type(faulty.noted.connection).open

    def noted(connection, path, accept):
        if accept == fetching._PLAIN:
            asked.append(path)
        return opened(connection, path, accept)

    monkeypatch.setattr(type(faulty.noted.connection), "open", noted)
    assert contents(fetch(faulty, made, tmp_path / "study").folder) == set(made.images)
    assert len(asked) == 1


@needs_orthanc
def test_a_pacs_that_unpacks_every_image_is_asked_for_that(faulty, made, tmp_path):
    def only_unpacked(request):
        asked = "transfer-syntax=*" in request.headers.get("Accept", "")
        return faults.refuses(406)(request) if asked else request.passed_on()

    faulty.faults = [Fault(only_unpacked, IMAGES)]
    assert len(contents(fetch(faulty, made, tmp_path / "study").folder)) == len(made.images)


@needs_orthanc
def test_a_folder_that_holds_an_exam_is_not_added_to(faulty, made, tmp_path):
    fetch(faulty, made, tmp_path / "study")
    with pytest.raises(DataError, match="holds an exam already"):
        fetch(faulty, made, tmp_path / "study")


@needs_orthanc
def test_series_are_chosen_by_number_or_uid(faulty, made, tmp_path):
    found = fetch(faulty, made, tmp_path / "study", series=["6"], segmentation="none")
    assert len(contents(found.folder)) == 6
    assert not (tmp_path / "study" / SEGMENTATION).exists()
    assert "not fetched: series 5 (dyn T1) [MR], series 7 (dyn T1) [MR], series 90 (tumour) [SEG]" in found.notes
    assert (tmp_path / "study" / EXAM).is_dir()


STUDY = Study(
    "1.2",
    series=(
        Series("1.1", "MR", 5, "dyn", 6),
        Series("1.2", "MR", 5, "dyn", 6),
        Series("1.3", "SEG", 90, "one", 1),
        Series("1.4", "SEG", 91, "other", 1),
        Series("1.5", "SEG", 9500, "Tumour segmentation, research use only", 1),
        Series("1.6", "SR", 9, "report", 1),
    ),
)


def test_all_mr_images_are_fetched_and_no_results():
    assert [one.uid for one in choose_images(STUDY)] == ["1.1", "1.2"]
    assert [one.uid for one in choose_images(STUDY, ["1.2"])] == ["1.2"]
    with pytest.raises(DataError, match=r"has several series 5, it has series 5 .*; give the UID or number"):
        choose_images(STUDY, ["5"])
    with pytest.raises(DataError, match="has no series 77"):
        choose_images(STUDY, ["77"])


def test_a_study_without_mr_images_says_what_it_has():
    with pytest.raises(DataError, match="has no MR images, only SR; choose a study with breast DCE-MRI"):
        choose_images(Study("1.2", series=STUDY.series[-1:]))


def test_one_of_several_segmentations_must_be_named_and_results_do_not_count():
    with pytest.raises(
        DataError, match=r"has 2 segmentations: series 90 \(one\), 1.3; series 91 \(other\), 1.4; choose"
    ):
        choose_segmentation(STUDY)
    assert choose_segmentation(STUDY, "91").uid == "1.4"
    assert choose_segmentation(STUDY, "9500").uid == "1.5"
    assert choose_segmentation(STUDY, "none") is None
    assert choose_segmentation(Study("1.2", series=(*STUDY.series[:3], *STUDY.series[4:]))).uid == "1.3"


def test_compressions_are_known_that_pydicom_or_itk_reads():
    from pydicom.uid import HTJ2K, MPEG2MPML, ExplicitVRLittleEndian, JPEGLosslessSV1, RLELossless

    assert all(map(decoding.can_decode, (ExplicitVRLittleEndian, JPEGLosslessSV1, RLELossless)))
    assert not decoding.can_decode(HTJ2K)
    assert not decoding.can_decode(MPEG2MPML)


@needs_orthanc
def test_images_of_a_different_series_are_left_aside(faulty, made, tmp_path):
    study = find_study(faulty.noted.connection, made.uid)
    whole = Fault(lambda request: swapped(request, faulty, study, made, study.series[0], also=True), SERIES, times=1)
    faulty.faults = [whole]
    found = fetch(faulty, made, tmp_path / "study", series=["6"], segmentation="none")
    assert len(contents(found.folder)) == 6
    assert "the PACS also sends 13 images of a different series, which are left aside" in faulty.noted.said
