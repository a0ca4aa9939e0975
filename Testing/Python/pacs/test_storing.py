"""Results in a PACS: what it lacks is sent, once, and what it does not keep is reported."""

import io
from pathlib import Path

import pydicom
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.pacs.errors import PacsError
from PCRPredictorLib.pacs.storing import plan, store
from support.pacs import faults
from support.pacs.connected import connected
from support.pacs.faulty_archive import Answer, Fault, faulty_archive
from support.pacs.orthanc import needs_orthanc
from support.pacs.studies import make_studies

pytestmark = needs_orthanc


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three objects of one study in two series."""
    folder = tmp_path_factory.mktemp("files")
    study = make_studies()[0]
    for n, content in enumerate((study.segmentation, *study.images[:2])):
        (folder / f"{n}.dcm").write_bytes(content)
    return sorted(folder.iterdir())


@pytest.fixture
def faulty(orthanc, tmp_path):
    with faulty_archive(orthanc.url) as archive:
        archive.noted = connected(tmp_path, archive.url, timeout=1, retries=1)
        archive.connection = archive.noted.connection
        yield archive


def sent(archive):
    return sum(line.startswith("POST") for line in archive.seen)


def uids(files):
    return sorted(pydicom.dcmread(file).SOPInstanceUID for file in files)


def test_a_plan_sends_nothing(faulty, files, orthanc):
    assert [item.state for item in plan(faulty.connection, files)] == ["missing"] * 3
    assert {line.partition(" ")[0] for line in faulty.seen} == {"GET"}
    assert orthanc.instances() == []


def test_objects_are_stored_once_and_as_they_are(faulty, files, orthanc):
    assert [item.state for item in store(faulty.connection, files)] == ["stored"] * 3
    assert [item.state for item in store(faulty.connection, files)] == ["there"] * 3
    assert sent(faulty) == 3
    assert orthanc.instances() == uids(files)
    for file in files:
        data = pydicom.dcmread(file)
        assert orthanc.read(data.SOPInstanceUID) == data


def test_only_what_is_missing_is_sent(faulty, files, orthanc):
    orthanc.upload(files[1])
    assert [item.state for item in store(faulty.connection, files)] == ["stored", "there", "stored"]
    assert sent(faulty) == 2


def lose(request):
    """Answer as if the object had been stored."""
    return Answer(200, {"Content-Type": "application/dicom+json"}, b"{}")


def store_and_hang_up(request):
    """Store the object, and close the connection without an answer."""
    request.passed_on()
    raise ConnectionResetError


@pytest.mark.parametrize(
    "happens", [faults.hangs_up, faults.refuses(503), store_and_hang_up, faults.changes(pause=1.5)]
)
def test_what_helps_is_tried_again_and_nothing_is_there_twice(faulty, files, orthanc, happens):
    faulty.faults = [Fault(happens, "POST", times=1, after=1)]
    assert {item.state for item in store(faulty.connection, files)} == {"stored"}
    assert orthanc.instances() == uids(files)


@pytest.mark.parametrize(
    ("happens", "sentence"),
    [
        (faults.refuses(507), r"is full \(507\); free some space on it"),
        (faults.stores_none(), "is full; free some space on it"),
        (faults.stores_none(status=202), "is full; free some space on it"),
        (faults.stores_none(0x0122), r"refuses MR .* \(reason 0122H of DICOM\)"),
        (faults.refuses(409), r"does not accept the objects \(409\)"),
        (faults.refuses(413), r"objects of that size \(413\)"),
        (faults.refuses(401), r"refuses the sign-in \(401\)"),
        (faults.refuses(200), "answers with a web page"),
        (faults.hangs_up, "cuts the connection off"),
        (lose, "has taken MR .*, but does not list it"),
    ],
)
def test_what_is_not_stored_is_reported_and_sent_the_next_time(faulty, files, orthanc, happens, sentence):
    faulty.faults = [Fault(happens, "POST", after=1)]
    with pytest.raises(PacsError, match=rf"{sentence}.*; 1 of 3 objects stored$") as caught:
        store(faulty.connection, files)
    assert "SECRET" not in str(caught.value)
    assert orthanc.instances() == uids(files[:1])
    faulty.faults = []
    assert [item.state for item in store(faulty.connection, files)] == ["there", "stored", "stored"]


def test_a_pacs_that_has_it_already_is_content(faulty, files, orthanc):
    faulty.faults = [Fault(lambda request: duplicate(request), "POST", times=1)]
    assert {item.state for item in store(faulty.connection, files)} == {"stored"}


def duplicate(request):
    request.passed_on()
    return faults.stores_none(0x0111)(request)


def test_a_pacs_that_answers_404_for_an_unknown_series_has_none(faulty, files):
    faulty.faults = [Fault(faults.refuses(404), "GET", times=2)]
    assert {item.state for item in store(faulty.connection, files)} == {"stored"}


def test_a_pacs_that_lists_what_it_stores_a_moment_later_is_asked_again(faulty, files):
    faulty.faults = [Fault(faults.says_json([]), "GET", times=2, after=2)]
    assert {item.state for item in store(faulty.connection, files)} == {"stored"}
    assert faulty.noted.waited == [1]


@pytest.mark.parametrize("content", [b"", b"text", "no study"])
def test_what_is_no_object_is_not_sent(faulty, files, tmp_path, content):
    path = tmp_path / "x.dcm"
    path.write_bytes(without_study(files[0]) if content == "no study" else content)
    with pytest.raises(DataError, match=r"x.dcm: is no DICOM object.*; predict again"):
        store(faulty.connection, [path])
    assert sent(faulty) == 0


def without_study(file: Path) -> bytes:
    data = pydicom.dcmread(file)
    del data.StudyInstanceUID
    with io.BytesIO() as found:
        data.save_as(found)
        return found.getvalue()
