"""A PACS with faults: `pcr pacs find`, `predict` and `watch` each say one sentence, and nothing is half-stored."""

import json
import re
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.commands import pacs_predict
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.pacs import connection as connection_module
from PCRPredictorLib.pacs.connection import connect
from PCRPredictorLib.pacs.errors import PacsError
from PCRPredictorLib.pacs.fetching import fetch_study
from PCRPredictorLib.pacs.predicting import StudyRequest, predict_study
from PCRPredictorLib.pacs.sending import results_in
from PCRPredictorLib.pacs.storing import store
from PCRPredictorLib.pacs.studies import find_study
from PCRPredictorLib.watching import worker
from PCRPredictorLib.watching.records import TABLE
from PCRPredictorLib.watching.stopping import Stopping
from PCRPredictorLib.writing import read_csv
from support.pacs import faults
from support.pacs.certificates import write_certificate
from support.pacs.connected import connected
from support.pacs.faulty_archive import Fault, faulty_archive
from support.pacs.orthanc import Orthanc, needs_orthanc
from support.pacs.studies import make_studies
from support.pacs.watched import InProcess

pytestmark = needs_orthanc
SERIES = r"GET .*/series/[\d.]+$"  # the images of a series
STORE, SEARCH = "POST", r"GET .*/studies\?"
RESULTS = 4


@pytest.fixture(scope="module")
def study():
    return make_studies()[0]


@pytest.fixture
def scene(orthanc, study, bundle, tmp_path, monkeypatch, capfd):
    """A PACS with a study behind faults, and the commands."""
    for file in study.files:
        orthanc.upload_bytes(file)
    monkeypatch.setattr(pacs_predict, "connect", lambda wanted, say: connect(wanted, say, lambda _seconds: None))
    monkeypatch.setattr(pacs_predict, "scene_beside", nullcontext)
    monkeypatch.setattr(worker, "Worker", InProcess)
    monkeypatch.setattr(Stopping, "wait", lambda *_: None)

    def call(*words, url, **configuration):
        file = tmp_path / "pacs.json"
        file.write_text(json.dumps({"url": url, "timeout": 1, "retries": 1, **configuration}))
        code = run(app, ["pacs", *words, "--pacs", str(file)])
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err + printed.out
        assert "SECRET" not in printed.err + printed.out
        return SimpleNamespace(code=code, last=printed.err.strip().splitlines()[-1:], out=printed.out, err=printed.err)

    out, predicting = tmp_path / "out", ["--model", str(bundle.path), "--store"]
    yield SimpleNamespace(
        out=out,
        find=lambda **more: call("find", "--json", **more),
        predict=lambda **more: call("predict", "--study", study.uid, "--out", str(out), *predicting, **more),
        watch=lambda *words, **more: call(
            "watch", "--once", "--settle", "0", "--days", "0", "--out", str(out), *predicting, *words, **more
        ),
        stored=lambda: len(orthanc.instances(study.uid)) - len(study.files),
        row=lambda: read_csv(out / TABLE)[0],
        orthanc=orthanc,
    )


ALWAYS = {  # what happens to every request, what is said, and how often a search is tried
    "slow": (faults.changes(pause=1.5), "does not answer in time; try again later, or raise timeout", 1),
    "cut off": (faults.changes(sent=0.5), "cuts .* off; try again", 2),
    "cut off without a length": (faults.changes(sent=0.5, measured=False), "cuts .* off; try again", 2),
    "hangs up": (faults.hangs_up, "cuts the connection off; try again", 2),
    "busy": (faults.refuses(503), r"has a problem.* \(503\); try again later", 2),
    "refused": (faults.refuses(401), r"refuses the sign-in \(401\); check token", 1),
    "forbidden": (faults.refuses(403), r"does not allow this to the account \(403\); ask", 1),
    "a web page": (faults.refuses(200), "check that url is that of the DICOMweb root", 1),
    "no list": (faults.says_json({"error": 5}), "no DICOM JSON; check that url is that of the DICOMweb root", 1),
    "endless": (faults.sends_for_ever, "answers with more than is read", 1),
}


@pytest.mark.parametrize("name", ALWAYS)
def test_a_fault_of_every_request_is_one_sentence(scene, name, monkeypatch):
    monkeypatch.setattr(connection_module, "ANSWER", 1 << 20)
    happens, sentence, tries = ALWAYS[name]
    with faulty_archive(scene.orthanc.url, Fault(happens)) as archive:
        for command in (scene.find, scene.predict, scene.watch):
            archive.seen.clear()
            found = command(url=archive.url, **({"retries": 0} if name == "slow" else {}))
            assert found.code == 1
            assert re.match(f"^pcr: .*({sentence})", found.last[0])
            assert len(archive.seen) == tries
    assert not scene.out.exists()


ONCE = [
    (faults.refuses(503), SEARCH),
    (faults.changes(sent=0.5), SERIES),
    (faults.changes(sent=0.5, measured=False), SERIES),
    (faults.changes(drip=0.3), SERIES),
    (faults.drops_parts(2), SERIES),
    (faults.hangs_up, SERIES),
]


@pytest.mark.parametrize(("happens", "where"), ONCE)
def test_a_fault_that_passes_costs_a_second_attempt(scene, study, tmp_path, happens, where):
    with faulty_archive(scene.orthanc.url, Fault(happens, where, times=1)) as archive:
        connection = connected(tmp_path, archive.url, timeout=1).connection
        fetched = fetch_study(connection, find_study(connection, study.uid), tmp_path / "fetched")
    assert len([path for path in fetched.folder.rglob("*") if path.is_file()]) == len(study.images)


OF_THE_IMAGES = {
    "part of them": (faults.drops_parts(2), "does not send"),
    "cut off": (faults.changes(sent=0.5), "cuts .* off|does not send"),
    "endless": (faults.sends_for_ever, "is no DICOM file"),
    "a web page": (faults.refuses(200), "instead of DICOM files|web page"),
    "forbidden": (faults.refuses(403), "does not allow this"),
}


@pytest.mark.parametrize("name", OF_THE_IMAGES)
def test_a_study_that_does_not_come_whole_is_not_predicted(scene, name):
    happens, sentence = OF_THE_IMAGES[name]
    where = "GET .*/series/[0-9.]+(/instances/[0-9.]+)?$"
    with faulty_archive(scene.orthanc.url, Fault(happens, where)) as archive:
        if name == "part of them":  # single images are refused, too
            archive.faults.insert(0, Fault(faults.drops_parts(0), "/instances/"))
        found = scene.predict(url=archive.url)
        assert found.code == 1
        assert re.match(f"^pcr: the PACS .*({sentence}).*; ", found.last[0])
        assert not scene.out.exists()
        assert scene.watch(url=archive.url).code == 1
        assert scene.row()["state"] == "waiting"
        assert sorted(path.name for path in scene.out.iterdir()) == [".lock", "watch.csv", "watch.jsonl"]


OF_STORING = {
    "full": (faults.refuses(507), r"is full \(507\); free some space"),
    "out of resources": (faults.stores_none(), "is full; free some space"),
    "accepted but failed": (faults.stores_none(status=202), "is full; free some space"),
    "not understood": (faults.stores_none(0xC000), r"refuses .* \(reason C000H of DICOM\); ask"),
    "conflict": (faults.refuses(409), "does not accept the objects"),
    "too large": (faults.refuses(413), "does not accept objects of that size"),
    "says nothing": (faults.says_json({}), "does not list it|names it neither|has taken"),
    "away": (faults.hangs_up, "cuts the connection off"),
}


@pytest.fixture(scope="module")
def results(study, bundle, running_orthanc, tmp_path_factory):
    """The files of a prediction of the study."""
    folder = tmp_path_factory.mktemp("results")
    for file in study.files:
        running_orthanc.upload_bytes(file)
    connection = connected(folder, running_orthanc.url).connection
    predict_study(connection, StudyRequest(study=study.uid, dry_run=True), Predictor(bundle), folder / "out")
    running_orthanc.clear()
    return results_in(folder / "out")


@pytest.mark.parametrize("name", OF_STORING)
def test_results_that_are_not_stored_are_sent_later(orthanc, results, tmp_path, name):
    happens, sentence = OF_STORING[name]
    with faulty_archive(orthanc.url, Fault(happens, STORE, after=1)) as archive:
        with pytest.raises(PacsError, match=f"^the PACS at .*({sentence}).*1 of 4 objects"):
            store(connected(tmp_path, archive.url, retries=1).connection, results)
        assert len(orthanc.instances()) == 1
        archive.faults.clear()
        again = store(connected(tmp_path, archive.url).connection, results)
    assert [item.state for item in again] == ["there", "stored", "stored", "stored"]
    assert len(orthanc.instances()) == RESULTS


@pytest.mark.parametrize("happens", [faults.refuses(503), faults.hangs_up])
def test_storing_is_tried_again(orthanc, results, tmp_path, happens):
    with faulty_archive(orthanc.url, Fault(happens, STORE, times=1)) as archive:
        noted = connected(tmp_path, archive.url)
        assert len(store(noted.connection, results)) == RESULTS
    assert noted.waited == [1]


def test_a_watch_sends_results_later(scene):
    with faulty_archive(scene.orthanc.url, Fault(faults.stores_none(), STORE, after=2)) as archive:
        assert scene.watch(url=archive.url).code == 1
    assert scene.row()["state"] == "waiting"
    assert "is full; free some space" in scene.row()["error"]
    assert scene.watch(url=scene.orthanc.url).code == 0
    assert scene.row()["state"] == "predicted"
    assert scene.row()["stored_before"] == "2"
    assert scene.stored() == RESULTS


def test_a_pacs_that_drops_what_it_is_sent_is_noticed(study, results, tmp_path):
    full = Orthanc(tmp_path / "full", megabytes=1).start()
    try:
        for file in study.files:
            full.upload_bytes(file)
        _fill_up(full)
        with pytest.raises(PacsError, match=r"does not list it; [0-3] of 4 objects stored"):
            store(connected(tmp_path, full.url).connection, results)
    finally:
        full.stop(kill=True)


def _fill_up(pacs):
    """Leave a few bytes."""
    image = pacs.read(pacs.instances(modality="MR")[0])
    size = (1 << 20) - int(pacs.statistics()["TotalDiskSize"]) - 20000
    image.Rows, image.Columns = 20, size // 40
    image.PixelData, image.PatientID = bytes(40 * image.Columns), "a different one"
    image.StudyInstanceUID = image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    image.save_as(pacs.folder / "large.dcm")
    pacs.upload(pacs.folder / "large.dcm")
    pacs.fill()


def test_a_wrong_token_is_refused_and_a_right_one_is_not_shown(scene):
    with faulty_archive(scene.orthanc.url, token="SECRET-TOKEN") as archive:
        assert "refuses the sign-in" in scene.find(url=archive.url, token="SECRET-OTHER").last[0]
        assert scene.find(url=archive.url, token="SECRET-TOKEN").code == 0


@pytest.mark.parametrize(("days", "sentence"), [(1, None), (-1, "has a certificate that has expired; ask")])
def test_an_expired_certificate_is_refused(scene, tmp_path, days, sentence):
    certificate = write_certificate(tmp_path, days)
    with faulty_archive(scene.orthanc.url, certificate=certificate) as archive:
        found = scene.find(url=archive.url, ca=str(certificate))
    assert found.code == (1 if sentence else 0)
    assert sentence is None or sentence in found.last[0]


def test_two_patients_under_one_uid_are_not_predicted(scene, study, orthanc):
    image = orthanc.read(orthanc.instances(study.uid, "MR")[0])
    image.PatientID, image.SOPInstanceUID = "a different one", "1.2.3"
    image.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    image.save_as(scene.out.parent / "image.dcm")
    orthanc.upload(scene.out.parent / "image.dcm")
    found = scene.predict(url=orthanc.url)
    assert found.code == 1
    assert "is of 2 patients" in found.last[0]
    assert scene.watch(url=orthanc.url).code == 0
    assert scene.row()["state"] == "failed"
    assert "is of 2 patients" in scene.row()["error"]
    assert scene.stored() == 1  # the image above


def test_a_study_without_dce_is_not_predicted(scene, study, orthanc):
    late = [one for one in orthanc.instances(study.uid, "MR") if orthanc.read(one).SeriesNumber > 5]
    orthanc.delete_instances(late)
    found = scene.predict(url=orthanc.url)
    assert found.code == 1
    assert "must have at least 3 whole phases" in found.last[0]
    assert scene.watch(url=orthanc.url).code == 0
    assert (scene.row()["state"], scene.stored()) == ("failed", -12)
    assert not (scene.out / study.uid).exists()
