"""The panel's section "Batch": a cohort in a child process."""

import csv

import psutil
import pytest
from support.training_cohort import write_cohort

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.panel_help import RUN_TIMEOUT_S, predict, wait

PATIENTS = 4


@pytest.fixture
def cohort(tmp_path):
    """Few tiny patients."""
    return write_cohort(tmp_path / "few", PATIENTS)


@pytest.fixture
def batch(panel, cohort, tmp_path, slicer_session):
    """The panel with a cohort and a folder for its results."""
    panel.ui.cohortPath.currentPath = str(cohort)
    panel.ui.batchOutPath.currentPath = str(tmp_path / "results of cohört")
    panel.finish = lambda: slicer_session.wait(lambda: not panel.batch.running, RUN_TIMEOUT_S)
    return panel


def test_button_shows_what_is_missing(panel):
    assert not panel.ui.batchButton.enabled
    assert "cohort" in panel.ui.batchButton.toolTip
    panel.ui.cohortPath.currentPath = "/somewhere"
    assert "results" in panel.ui.batchButton.toolTip


def test_batch_does_not_start_without_a_folder(batch):
    batch.ui.cohortPath.currentPath = ""
    assert not batch.ui.batchButton.enabled
    assert "cohort" in batch.ui.batchButton.toolTip
    batch.batch.start()
    assert not batch.batch.running


def test_a_batch_decides_as_the_panel_does_and_writes_what_is_ticked(batch, monkeypatch):
    started = []
    monkeypatch.setattr(batch.batch._child, "start", started.append)
    batch.batch.start()
    batch.session.choose_point("high sensitivity")
    batch.ui.batchEachCheck.click()
    batch.batch.start()
    plain, chosen = started
    assert not {"--operating-point", "--each", "--device"} & set(plain)
    assert chosen[chosen.index("--operating-point") + 1] == "high sensitivity"
    assert "--each" in chosen


def test_table_fills_and_a_double_click_opens_the_patient(batch, tmp_path):
    batch.ui.batchButton.click()
    assert not batch.ui.batchButton.enabled
    batch.finish()
    assert batch.messages == []
    with (tmp_path / "results of cohört" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = batch.ui.batchTable
    assert table.rowCount == len(rows) == PATIENTS
    for k, row in enumerate(rows):
        assert table.item(k, 0).text() == row["patient_id"]
        assert float(table.item(k, 1).text()) == pytest.approx(float(row["probability"]))
    table.cellDoubleClicked.emit(3, 0)
    wait(batch)
    assert batch.session.problem() is None
    predict(batch)
    assert batch.session.result.prediction.probability == pytest.approx(float(rows[3]["probability"]), abs=1e-4)
    assert rows[3]["patient_id"] not in " ".join(node.GetName() for node in slicer.util.getNodes("*").values())


def test_cancel_ends_the_child_and_leaves_no_files(batch, tmp_path):
    batch.ui.batchButton.click()
    child = psutil.Process(batch.batch._child._process.pid)
    batch.ui.batchCancelButton.click()
    batch.finish()
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert "Cancelled" in batch.ui.batchStatusLabel.text
    assert not (tmp_path / "results of cohört").exists()
    assert batch.ui.batchButton.enabled


def test_result_of_an_earlier_run_is_not_attributed_to_a_cancelled_one(batch, tmp_path):
    out = tmp_path / "results of cohört"
    out.mkdir()
    (out / "predictions.csv").write_text("patient_id,probability\n")
    batch.ui.batchButton.click()
    batch.ui.batchOutPath.currentPath = str(tmp_path / "elsewhere")
    batch.ui.batchCancelButton.click()
    batch.finish()
    assert batch.ui.batchStatusLabel.text == "Cancelled; nothing was written."


def test_what_of_the_cohort_is_left_aside_is_shown_with_how_far_it_is(batch):
    sentence = "1 of 30 rows of the table have no images: P7"
    batch.batch._on_event({"event": "said", "text": sentence})
    assert batch.ui.batchStatusLabel.text.splitlines()[1:] == [sentence]
    batch.batch._on_end(0, "")
    assert batch.ui.batchStatusLabel.text.splitlines()[1:] == [sentence]


def test_missing_patient_is_one_message(batch, cohort):
    batch.batch._cohort = cohort
    batch.batch._open("NOBODY")
    wait(batch)
    assert batch.messages == [f"NOBODY: is not in {cohort} any more; check the folder again"]


def test_folder_without_a_cohort_is_one_message(batch, tmp_path):
    (tmp_path / "empty").mkdir()
    batch.ui.cohortPath.currentPath = str(tmp_path / "empty")
    batch.ui.batchButton.click()
    batch.finish()
    assert len(batch.messages) == 1
    assert "\n" not in batch.messages[0]
    assert "Traceback" not in batch.messages[0]


def test_child_ends_when_the_module_closes(batch, slicer_session):
    batch.ui.batchButton.click()
    child = psutil.Process(batch.batch._child._process.pid)
    batch.batch.close()
    child.wait(RUN_TIMEOUT_S)
