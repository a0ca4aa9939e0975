"""Studies of a PACS, found and opened in a session without a widget."""

import threading

import pytest
from PCRPredictorLib.session.pacs import finding
from PCRPredictorLib.session.pacs.finding import StudySearch
from PCRPredictorLib.session.pacs.place import PacsPlace
from support.pacs.orthanc import needs_orthanc

pytestmark = needs_orthanc


@pytest.fixture
def search(desk, file, tmp_path):
    return StudySearch(desk.session, PacsPlace(desk.session.activity, file), tmp_path / "fetched")


def look(search, desk, **fields):
    search.search(**fields)
    desk.queue.run()


def test_a_study_is_found_and_opened_with_the_tumour_of_its_segmentation(search, desk, study):
    look(search, desk, date="2024-01-01-2024-01-31", description="breast")
    assert desk.problems == []
    assert [row["study"] for row in search.rows()] == [study.uid]
    assert "patient_id" not in search.rows()[0]
    assert search.rows(show_patient=True)[0]["patient_id"] == "SECRET-0"
    search.open(0)
    desk.queue.run()
    assert desk.problems == []
    assert desk.session.title == "study of 20240102 MR breast"
    assert desk.table.exam.provenance.source == "dicom"
    assert desk.table.mask.any()


@pytest.mark.parametrize("number", [-1, 1, True, "0", 0.0, None, "http://elsewhere.example/study"])
def test_only_a_study_that_was_found_is_ever_asked_for(search, desk, study, number):
    look(search, desk)
    before = desk.table.opened
    search.open(number)
    assert not desk.queue.waiting
    assert desk.table.opened == before


def test_a_wrong_date_is_one_sentence_without_the_option_of_the_command(search, desk):
    look(search, desk, date="yesterday")
    assert desk.problems[-1].startswith("the date must be a date or a range")


def test_what_is_cancelled_is_stopped_and_leaves_nothing(search, desk, study, tmp_path):
    look(search, desk)
    search.open(0)
    function, _done, _failed = desk.queue.waiting.pop()
    said = search._place._say

    def cancel_then_say(stopping, sentence):
        threading.Thread(target=desk.session.cancel).run()
        said(stopping, sentence)

    search._place._say = cancel_then_say
    with pytest.raises(Exception, match="cancelled"):
        function()
    assert not list((tmp_path / "fetched").rglob("*.dcm"))
    assert desk.session.activity.message == "Cancelled."


def test_a_later_study_takes_the_place_of_the_one_before(search, desk, study, tmp_path):
    look(search, desk)
    for _ in range(2):
        search.open(0)
        desk.queue.run()
    assert [path.name for path in (tmp_path / "fetched").iterdir()] == ["study-2"]


def test_what_is_cancelled_after_the_transfer_leaves_nothing_on_disk(search, desk, study, tmp_path, monkeypatch):
    look(search, desk)
    fetch = finding.fetch_study

    def fetch_then_cancel(*words, **more):
        fetched = fetch(*words, **more)
        desk.session.cancel()
        return fetched

    monkeypatch.setattr(finding, "fetch_study", fetch_then_cancel)
    search.open(0)
    desk.queue.run()
    assert not list((tmp_path / "fetched").rglob("*.dcm"))
    assert desk.problems == []
