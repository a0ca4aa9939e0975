"""A run in a subprocess: trained, cancelled, resumed, refused, and its model used."""

import csv
import json
import os
import shutil
import signal
import time

import numpy as np
import psutil
import pytest
from PCRPredictorLib.phantom.cohort import write_cohort
from PCRPredictorLib.phantom.site import find_site

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from support.panel_help import RUN_TIMEOUT_S, choose, column, finish, predict


@pytest.mark.slow
def test_cohort_is_trained_cancelled_resumed_evaluated_installed_and_used(ready, cohort, tmp_path, slicer_session):
    ready.ui.keepAnywayCheck.click()
    run = tmp_path / "run 1"
    ready.settings._fields["*.epochs"].setValue(6)
    ready.ui.startButton.click()
    begun = lambda: list(run.glob("fold_*/step1/history.csv"))  # noqa: E731
    longest = slicer_session.wait(begun, RUN_TIMEOUT_S, time.thread_time)
    process = psutil.Process(ready.run._child._process.pid)
    family = [process, *process.children(recursive=True)]
    ready.ui.cancelButton.click()
    longest = max(longest, finish(ready, slicer_session))
    _gone, left = psutil.wait_procs(family, 20)
    assert left == []
    assert "resume" in ready.ui.runLabel.text
    slicer_session.wait(lambda: ready.ui.resumeButton.enabled, 20)
    assert not ready.ui.startButton.enabled
    ready.ui.resumeButton.click()
    longest = max(longest, finish(ready, slicer_session))
    assert ready.messages == []
    assert ready.ui.runLabel.text == "Finished."
    assert longest < 0.5
    assert_tables_hold_the_numbers(ready, run)
    assert_charts_hold_the_numbers(ready, run)
    look_at_attention(ready, slicer_session)
    evaluate(ready, tmp_path, slicer_session)
    ready.ui.useButton.click()
    assert ready.messages == []
    predictor = ready.predictor
    assert predictor.session.model.bundle.path.name == "run 1"
    choose(predictor, read_patient(find_patients(cohort)[0]))
    predict(predictor)
    assert predictor.session.result.prediction.model.name == "run 1"


def assert_tables_hold_the_numbers(panel, run):
    models = json.loads((run / "summary.json").read_text())["cohorts"][0]["models"]
    table = panel.ui.resultsTable
    assert column(table, 0) == [model["name"] for model in models] == ["step1", "step2", "step3"]
    auc = models[2]["auc"]
    assert column(table, 2)[2] == f"{auc['value']:.2f} ({auc['low']:.2f} to {auc['high']:.2f})"


def assert_charts_hold_the_numbers(panel, run):
    panel.ui.chartsButton.click()
    (table,) = [t for t in slicer.util.getNodesByClass("vtkMRMLTableNode") if t.GetName() == "Loss: step2"]
    shown = [table.GetTable().GetValue(row, 1).ToDouble() for row in range(table.GetNumberOfRows())]
    losses = []
    for path in run.glob("fold_*/step2/history.csv"):
        with path.open() as file:
            losses.append([float(row["loss"]) for row in csv.DictReader(file)])
    assert shown == pytest.approx(np.mean(losses, 0))
    panel.ui.rocButton.click()
    names = {node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLPlotChartNode")}
    assert {"Loss", "Attention inside the tumour", "ROC", "Calibration"} <= names


def look_at_attention(panel, session):
    panel.ui.explainSelector.setCurrentIndex(2)
    panel.ui.explainButton.click()
    session.wait(lambda: not panel.background.busy, 60)
    assert panel.messages == []
    selector = panel.ui.stepSelector
    assert [selector.itemText(k) for k in range(selector.count)] == ["step1", "step2", "step3"]
    composite = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceCompositeNode")
    for k in range(3):
        selector.setCurrentIndex(k)
        shown = slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID())
        assert shown.GetName() == f"step{k + 1}"
        assert slicer.util.arrayFromVolume(shown).max() == pytest.approx(1, abs=0.02)


def evaluate(panel, tmp_path, session):
    write_cohort(tmp_path / "hospital B", 12, find_site("B"), seed=9)
    panel.ui.externalPath.currentPath = str(tmp_path / "hospital B")
    panel.ui.evaluationPath.currentPath = str(tmp_path / "evaluation")
    panel.ui.evaluateButton.click()
    session.wait(lambda: not panel.results._child.running, 60)
    assert panel.messages == []
    assert column(panel.ui.resultsTable, 1)[-1] == "hospital B"


@pytest.mark.slow
def test_killed_run_is_reported_and_can_be_resumed(ready, tmp_path, slicer_session):
    run = tmp_path / "run 1"
    ready.settings._fields["*.epochs"].setValue(6)
    ready.ui.startButton.click()
    slicer_session.wait(lambda: list(run.glob("fold_*/step1/history.csv")), RUN_TIMEOUT_S)
    os.kill(ready.run._child._process.pid, signal.SIGKILL)
    finish(ready, slicer_session)
    assert len(ready.messages) == 1
    assert "ended from outside" in ready.messages[0]
    assert "resume the run" in ready.messages[0]
    slicer_session.wait(lambda: ready.ui.resumeButton.enabled, 20)


def test_steps_of_a_run_are_shown_side_by_side(training_panel, trained, training_cohort, slicer_session):
    panel = training_panel
    panel.ui.cohortPath.currentPath, panel.ui.runPath.currentPath = str(training_cohort), str(trained)
    slicer_session.wait(lambda: panel.ui.stepsButton.enabled, 20)
    panel.ui.stepsButton.click()
    slicer_session.wait(lambda: not panel.background.busy, 60)
    assert panel.messages == []
    assert slicer.app.layoutManager().shown == [["step1", "step2"], ["step3"]]
    for step in ("step1", "step2", "step3"):
        composite = slicer.mrmlScene.GetSingletonNode(step, "vtkMRMLSliceCompositeNode")
        assert slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID()).GetName() == step
        assert slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID()).GetName().startswith("Early phase")
        assert composite.GetLinkedControl()


def test_two_runs_cannot_write_one_folder(ready, tmp_path):
    from filelock import FileLock

    run = tmp_path / "run 1"
    run.mkdir()
    (run / "config.json").write_text(json.dumps(ready.settings.content()))
    (run / "splits.csv").write_text("patient_id,fold\nA,0\nB,1\n")
    with FileLock(run / ".lock"):
        ready.run.update()
        assert not ready.ui.startButton.enabled
        assert not ready.ui.resumeButton.enabled
        assert "in progress" in ready.ui.startButton.toolTip
    ready.run.update()
    assert ready.ui.resumeButton.enabled


def test_cohort_that_disappears_gives_one_message(ready, cohort, slicer_session):
    shutil.rmtree(cohort)
    ready.ui.startButton.click()
    finish(ready, slicer_session)
    assert len(ready.messages) == 1
    assert "does not exist" in ready.messages[0]
    assert "Traceback" not in ready.ui.runLabel.text


def test_full_disk_gives_one_message(ready, small_disk, slicer_session):
    ready.ui.runPath.currentPath = str(small_disk / "run")
    ready.ui.startButton.click()
    finish(ready, slicer_session)
    assert len(ready.messages) == 1
    assert "space" in ready.messages[0]


def test_cohort_that_changed_is_refused_on_resume(ready, trained, training_cohort, tmp_path, slicer_session):
    changed = shutil.copytree(training_cohort, tmp_path / "changed")
    shutil.rmtree(find_patients(changed)[0].phases[0].parent)
    run = shutil.copytree(trained, tmp_path / "old run")
    (run / "summary.json").unlink()
    ready.ui.cohortPath.currentPath = str(changed)
    ready.ui.runPath.currentPath = str(run)
    ready.ui.resumeButton.click()
    finish(ready, slicer_session)
    assert len(ready.messages) == 1
    assert "changed" in ready.messages[0]


def test_closing_the_module_ends_the_run(ready, tmp_path, slicer_session):
    ready.ui.startButton.click()
    process = psutil.Process(ready.run._child._process.pid)
    ready.run.close()
    process.wait(20)
