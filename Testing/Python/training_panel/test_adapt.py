"""Labels, several cohorts, models to start from and recalibration in the panel."""

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.model.bundle import load_bundle
from PCRPredictorLib.reading.labels import read_entered_labels
from support.panel_help import check, column, wait


def started(monkeypatch, child):
    """Return the list that the words of every started command go into; nothing is started."""
    words = []
    monkeypatch.setattr(child, "start", lambda arguments, _module: words.append(arguments))
    return words


def enter(panel, row, answer):
    panel.ui.cohortTable.setCurrentCell(row, 0)
    panel.ui.labelSelector.setCurrentIndex(panel.ui.labelSelector.findData(answer))
    panel.ui.labelButton.click()
    wait(panel)


def test_label_is_entered_for_the_selected_patient_and_taken_back(ready, cohort, slicer_session):
    check(ready, slicer_session)
    assert ready.ui.undoLabelButton.enabled
    before, name = column(ready.ui.cohortTable, 1), column(ready.ui.cohortTable, 0)[3]
    ready.ui.reviewerEdit.text = "Dr. A"
    enter(ready, 3, "no" if before[3] == "1" else "yes")
    assert [(e.patient_id, e.who) for e in read_entered_labels(cohort)] == [(name, "Dr. A")]
    assert column(ready.ui.cohortTable, 1)[3] == ("0" if before[3] == "1" else "1")
    assert f"{name}: pCR" in ready.ui.cohortLabel.text
    enter(ready, 3, "unknown")
    assert column(ready.ui.cohortTable, 1)[3] == ""
    for _ in range(2):
        ready.ui.undoLabelButton.click()
        wait(ready)
    assert column(ready.ui.cohortTable, 1) == before and read_entered_labels(cohort) == []
    assert ready.messages == []
    ready.ui.undoLabelButton.click()
    wait(ready)
    assert "nothing to take back" in ready.messages.pop()


def test_label_needs_a_selected_patient(ready, cohort):
    ready.update()
    assert not ready.ui.labelButton.enabled
    ready.labels.enter()
    assert read_entered_labels(cohort) == []


def test_run_takes_several_cohorts_sites_and_a_model_to_start_from(ready, cohort, tmp_path, monkeypatch):
    words = started(monkeypatch, ready.run._child)
    (tmp_path / "B").mkdir()
    ready.ui.moreCohortPath.currentPath = str(tmp_path / "B")
    ready.ui.addCohortButton.click()
    ready.ui.leaveSiteOutCheck.checked = True
    ready.ui.sitesEdit.text = "manufacturer cohort"
    ready.ui.startSelector.setCurrentIndex(ready.ui.startSelector.findText("phantom"))
    ready.ui.startButton.click()
    (started_with,) = words
    assert started_with[:3] == ["train", str(cohort), str(tmp_path / "B")]
    assert "--leave-site-out" in started_with
    assert started_with[started_with.index("--sites") + 1 :][:2] == ["manufacturer", "cohort"]
    assert started_with[started_with.index("--from") + 1].endswith("phantom")
    ready.ui.moreCohortsTable.cellDoubleClicked.emit(0, 0)
    assert ready.cohort.folders == (cohort,)


def test_what_does_not_go_together_is_said_at_the_start_button(ready, tmp_path):
    ready.ui.sitesEdit.text = "a, b"
    assert not ready.ui.startButton.enabled
    assert "Sites must be one column per cohort (1), got 2" in ready.ui.startButton.toolTip
    ready.ui.sitesEdit.text = ""
    ready.ui.startSelector.setCurrentIndex(1)
    ready.ui.kindSelector.setCurrentIndex(ready.ui.kindSelector.findData("experiment"))
    assert "A comparison trains from random weights" in ready.ui.startButton.toolTip
    ready.ui.kindSelector.setCurrentIndex(0)
    assert ready.ui.startButton.enabled


def test_recalibration_says_what_is_missing(ready, tmp_path, monkeypatch):
    words = started(monkeypatch, ready.adapt._child)
    ready.update()
    assert "Choose a new folder" in ready.ui.recalibrateButton.toolTip
    ready.adapt.recalibrate()
    assert words == []
    ready.ui.adaptPath.currentPath = str(tmp_path / "ours")
    assert ready.ui.recalibrateButton.enabled and not ready.ui.useAdaptedButton.enabled
    ready.ui.pointsSelector.setCurrentIndex(1)
    ready.ui.recalibrateButton.click()
    assert words[0][:2] == ["bundle", "recalibrate"] and words[0][-1] == "rechosen"


@pytest.mark.slow
def test_model_is_recalibrated_on_the_cohort_and_used(ready, tmp_path, slicer_session):
    ready.ui.adaptSelector.setCurrentIndex(ready.ui.adaptSelector.findText("ispy2"))
    ready.ui.adaptPath.currentPath = str(tmp_path / "ours")
    ready.ui.recalibrateButton.click()
    slicer_session.wait(lambda: not ready.adapt._child.running, 120)
    assert ready.messages == []
    assert "ispy2" in ready.ui.adaptLabel.text and "Operating points" in ready.ui.adaptLabel.text
    assert load_bundle(tmp_path / "ours").card.name.startswith("ispy2-")
    ready.ui.useAdaptedButton.click()
    assert ready.predictor.session.model.bundle.path.name == "ours"
    assert ready.ui.startSelector.findText("ours") > 0


@pytest.mark.slow
def test_too_few_patients_give_one_message(training_panel, training_cohort, tmp_path, slicer_session):
    panel = training_panel
    panel.ui.cohortPath.currentPath, panel.ui.adaptPath.currentPath = str(training_cohort), str(tmp_path / "ours")
    panel.ui.recalibrateButton.click()
    slicer_session.wait(lambda: not panel.adapt._child.running, 120)
    assert len(panel.messages) == 1 and "20 labelled patients or more" in panel.messages[0]
    assert not (tmp_path / "ours").exists()
    assert slicer.mrmlScene is not None
