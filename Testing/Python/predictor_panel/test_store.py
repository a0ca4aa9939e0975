"""The panel's "Store result in PACS": shown, asked, sent once."""

import json
from dataclasses import replace

import pydicom
import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from support.dicom.database import Database
from support.dicom_exam import write_dicom_exam
from support.examples import tiny_exam
from support.pacs.orthanc import needs_orthanc

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
pytest.importorskip("highdicom")
import slicer
from support.panel_help import choose, choose_tiny, predict

EXAM = tiny_exam(size=(16, 14, 6))


@pytest.fixture
def asked(monkeypatch):
    """What the user is asked, all of which is agreed to."""
    found = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, *_: found.append(text) or True)
    return found


def store_ui(panel):
    return panel.store._ui


def use(panel, path, content):
    """Name a configuration as a person does."""
    path.write_text(json.dumps(content))
    store_ui(panel).pacsPath.currentPath = str(path)


def test_why_nothing_can_be_stored_stands_below_the_button(panel, tmp_path, monkeypatch):
    monkeypatch.delenv("BREASTPCR_PACS", raising=False)
    label, button = store_ui(panel).storeLabel, store_ui(panel).storeButton
    assert "No PACS is configured: choose the file" in label.text
    use(panel, tmp_path / "pacs.json", {"url": "https://pacs.example/dicom-web", "token": "secret"})
    assert label.text == "Predict first."
    choose_tiny(panel)
    predict(panel)
    assert label.text.startswith("Only the result of an exam that was read from DICOM")
    assert not button.enabled
    assert "secret" not in label.text


@needs_orthanc
def test_what_goes_where_is_shown_asked_and_stored_once(panel, orthanc, tmp_path, asked, monkeypatch, slicer_session):
    write_dicom_exam(tmp_path / "exam", EXAM, "siemens")
    orthanc.upload(tmp_path / "exam")
    monkeypatch.setattr(slicer, "dicomDatabase", Database(tmp_path / "exam"), raising=False)
    exam = replace(read_dicom_exam(tmp_path / "exam"), mask=EXAM.mask)
    uids = [pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID for file in exam.provenance.files]
    choose(panel, exam)["early"].SetAttribute("DICOM.instanceUIDs", " ".join(uids))
    use(panel, tmp_path / "pacs.json", {"url": orthanc.url})
    predict(panel)
    before = len(orthanc.instances())
    for end in ("Stored in the PACS", "nothing is sent"):
        store_ui(panel).storeButton.click()
        slicer_session.wait(lambda end=end: end in store_ui(panel).storeLabel.text)
    assert panel.messages == []
    assert len(asked) == 1
    assert "4 of 4 objects would be sent to the PACS at 127.0.0.1" in asked[0]
    assert len(orthanc.instances()) == before + 4
