"""A result stored in a PACS by a session without a widget."""

import json

import pytest
from PCRPredictorLib.pacs import storing
from PCRPredictorLib.session.pacs.finding import StudySearch
from PCRPredictorLib.session.pacs.place import PacsPlace
from PCRPredictorLib.session.pacs.storing import StoreResult
from support.pacs.orthanc import needs_orthanc
from support.session.desk import Desk

pytestmark = needs_orthanc


@pytest.fixture
def place(desk, file):
    return PacsPlace(desk.session.activity, file)


@pytest.fixture
def store(desk, place, study, tmp_path):
    """Store what was predicted of the study in the PACS."""
    search = StudySearch(desk.session, place, tmp_path / "fetched")
    search.search()
    desk.queue.run()
    search.open(0)
    desk.queue.run()
    desk.predict()
    return StoreResult(desk.session, place)


def run(desk, action):
    action()
    desk.queue.run()


def test_looking_sends_nothing_and_sending_twice_stores_once(store, desk, orthanc, study):
    before = orthanc.instances()
    run(desk, store.look)
    assert store.headline().startswith("4 of 4 objects would be sent to the PACS at 127.0.0.1")
    assert orthanc.instances() == before
    run(desk, store.send)
    assert store.headline().endswith("4 objects.")
    assert len(orthanc.instances(study.uid)) == len(before) + 4
    run(desk, store.look)
    assert "has this result already; nothing is sent" in store.headline()
    run(desk, store.send)
    assert len(orthanc.instances(study.uid)) == len(before) + 4
    assert desk.problems == []


def test_nothing_is_sent_that_was_not_looked_at(store, desk, orthanc):
    before = orthanc.instances()
    run(desk, store.send)
    assert orthanc.instances() == before


def test_a_stroke_takes_the_plan_back(store, desk):
    run(desk, store.look)
    desk.paint()
    assert store.plan is None
    assert store.reason == "Changed since this prediction; predict again."
    assert not store.can_send


def test_a_pacs_without_the_study_is_reported(store, desk, orthanc):
    orthanc.clear()
    run(desk, store.look)
    assert "The PACS does not have the study of this exam" in store.lines()[-1]


def test_why_nothing_can_be_stored_is_a_sentence(file, tmp_path):
    desk = Desk()
    store = StoreResult(desk.session, PacsPlace(desk.session.activity, file))
    assert store.reason == "Predict first."
    desk.predict()
    assert store.reason.startswith("Only the result of an exam that was read from DICOM")
    store.place.choose(tmp_path / "none.json")
    assert "none.json: cannot be read" in store.reason
    assert not store.place.name


def test_no_message_holds_what_is_secret(desk, file, store):
    file.write_text(json.dumps({"url": "http://127.0.0.1:9/dicom-web", "token": "secret-token", "retries": 0}))
    run(desk, store.look)
    assert "the PACS at 127.0.0.1:9 refuses the connection" in desk.problems[-1]
    assert "secret-token" not in repr(vars(desk.session.activity)) + repr(vars(store)) + repr(vars(store.place))


def test_cancelling_stops_the_sending_after_the_object_at_hand(store, desk, orthanc, study, monkeypatch):
    run(desk, store.look)
    before, send = orthanc.instances(), storing._send

    def send_then_cancel(*words):
        send(*words)
        desk.session.cancel()

    monkeypatch.setattr(storing, "_send", send_then_cancel)
    run(desk, store.send)
    assert len(orthanc.instances(study.uid)) == len(before) + 1
    assert desk.session.activity.message.startswith("Cancelled: the PACS at 127.0.0.1")
    assert desk.session.activity.message.endswith("has 1 of 4 objects.")
    assert store.headline().startswith("3 of 4 objects would be sent")
    assert desk.problems == []
