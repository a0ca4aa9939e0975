"""A study of a real PACS in the browser: found, opened, predicted, stored once."""

import json

import pytest
from support.browser_help import predict, serving, wait_until_idle
from support.pacs.orthanc import needs_orthanc
from support.pacs.studies import make_studies

pytestmark = needs_orthanc
TOKEN = "a-secret-of-this-test"


@pytest.fixture
def pacs_page(orthanc, browser, tmp_path):
    """A page whose server knows the PACS, which holds two studies."""
    studies = make_studies(2)
    for study in studies:
        for content in study.files:
            orthanc.upload_bytes(content)
    (tmp_path / "pacs.json").write_text(json.dumps({"url": orthanc.url, "token": TOKEN}))
    with serving("--pacs", tmp_path / "pacs.json", "--model", "phantom") as (_process, address):
        page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
        page.set_default_timeout(60_000)
        received = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda data: received.append(data)))
        page.goto(address)
        page.wait_for_selector("#pacs-search")
        yield page, orthanc, received
        page.context.close()


def wait_for_text(page, selector, text):
    page.wait_for_function("([s, t]) => document.querySelector(s)?.innerText.includes(t)", arg=[selector, text])


def test_a_study_is_found_opened_predicted_and_stored_once_and_only_if_asked_for(pacs_page):
    page, orthanc, received = pacs_page
    assert page.inner_text("#store-reason") == "Predict first."
    page.click("#pacs-search")
    wait_for_text(page, "#pacs-found", "2 studies")
    assert "SECRET" not in page.inner_text("#studies")
    assert "with segmentation" in page.inner_text("#studies")
    page.click("#studies .v-list-item >> nth=0")
    wait_for_text(page, "#title", "study of 20240102")
    wait_until_idle(page)
    before = set(orthanc.instances())
    predict(page)
    assert set(orthanc.instances()) == before
    page.click("#store")
    wait_for_text(page, "#store-plan", "objects would be sent to the PACS at 127.0.0.1")
    assert page.inner_text("#store-plan").count("to be sent") == 4
    assert set(orthanc.instances()) == before
    page.click("#store-send")
    wait_for_text(page, "#store-plan", "Stored in the PACS at 127.0.0.1")
    assert len(orthanc.instances()) == len(before) + 4
    page.click("#store")
    wait_for_text(page, "#store-plan", "has this result already; nothing is sent")
    assert not page.locator("#store-send").count()
    assert len(orthanc.instances()) == len(before) + 4
    assert TOKEN not in page.content() + repr(received)
