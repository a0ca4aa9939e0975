"""The PCRTraining panel: a cohort checked, reviewed, trained for real in a subprocess, and its model used."""

import csv
import json
import os
import re
import shutil
import signal
import time

import numpy as np
import psutil
import pytest
from PCRPredictorLib.phantom.cohort import find_site, write_cohort

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from support.panel_help import TRAINING_MODULE, choose, predict, wait

SECONDS = 240


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """24 simulated patients; copy them before changing them."""
    folder = tmp_path_factory.mktemp("phantoms") / "hospital A"
    write_cohort(folder, 24, find_site("A"), seed=3)
    return folder


@pytest.fixture
def cohort(phantoms, tmp_path):
    return shutil.copytree(phantoms, tmp_path / "my cohört")


@pytest.fixture
def small_config(tmp_path, quick_config):
    """Few epochs, two folds, small networks."""
    path = tmp_path / "small.json"
    path.write_text(quick_config.read_text())
    return path


@pytest.fixture
def ready(training_panel, cohort, small_config, tmp_path):
    """The panel with cohort, settings and a run folder."""
    panel = training_panel
    panel.ui.cohortPath.currentPath = str(cohort)
    panel.ui.configPath.currentPath = str(small_config)
    panel.ui.presetSelector.setCurrentIndex(panel.ui.presetSelector.findData("file"))
    panel.ui.runPath.currentPath = str(tmp_path / "run 1")
    return panel


def column(table, k):
    return [table.item(row, k).text() for row in range(table.rowCount)]


def check(panel, session):
    panel.ui.checkButton.click()
    session.wait(lambda: not panel.cohort.checking, 60)


def finish(panel, session):
    return session.wait(lambda: not panel.run.running, SECONDS, time.thread_time)


def test_every_widget_that_the_code_names_is_in_the_panel():
    folder = TRAINING_MODULE.parent
    files = [TRAINING_MODULE, *(folder / "PCRTrainingPanel").glob("*.py")]
    used = set(re.findall(r"\bui\.(\w+)", "\n".join(file.read_text() for file in files))) - {"connect"}
    assert used <= set(re.findall(r'name="(\w+)"', (folder / "Resources/UI/PCRTraining.ui").read_text()))


def test_check_fills_the_table_with_what_is_wrong(ready, cohort, slicer_session):
    victim = find_patients(cohort)[4]
    victim.phases[1].write_bytes(b"nothing")
    check(ready, slicer_session)
    table = ready.ui.cohortTable
    assert table.rowCount == 24
    problems = dict(zip(column(table, 0), column(table, 6), strict=True))
    assert [name for name, problem in problems.items() if problem] == [victim.patient_id]
    assert ready.ui.cohortLabel.text == "23 of 24 patients can be used for training."
    labels = {patient.patient_id: patient.row["pcr"] for patient in find_patients(cohort)}
    assert dict(zip(column(table, 0), column(table, 1), strict=True)) == labels
    assert set(column(table, 4)) == {"expert"}


def test_folder_that_is_no_cohort_is_one_message(ready, tmp_path, slicer_session):
    (tmp_path / "empty").mkdir()
    ready.ui.cohortPath.currentPath = str(tmp_path / "empty")
    check(ready, slicer_session)
    assert len(ready.messages) == 1
    assert "not a cohort" in ready.messages[0]


@pytest.mark.parametrize("field", ["cohortPath", "runPath"])
def test_cleared_folder_starts_nothing(ready, field):
    assert ready.ui.startButton.enabled
    getattr(ready.ui, field).currentPath = ""
    assert not ready.ui.startButton.enabled
    assert "Choose" in ready.ui.startButton.toolTip
    ready.run.start()
    assert not ready.run.running
    assert ready.ui.checkButton.enabled == ready.ui.estimateButton.enabled == (field == "runPath")


def test_nothing_is_read_of_a_cohort_that_was_cleared(ready):
    ready.ui.cohortPath.currentPath = ""
    ready.cohort.check()
    ready.run.estimate()
    ready.results.evaluate()
    assert not (ready.cohort.checking or ready.run._estimator.running or ready.results._child.running)


def test_review_goes_from_patient_to_patient_and_is_kept_on_disk(ready, cohort, slicer_session):
    check(ready, slicer_session)
    names = ready.cohort.patients
    ready.ui.reviewerEdit.text = "Dr. A"
    ready.ui.cohortTable.cellDoubleClicked.emit(0, 0)
    wait(ready)
    assert ready.review.patient_id == names[0]
    ready.ui.acceptButton.click()
    wait(ready)
    ready.review._shortcuts[1].activated.emit()
    wait(ready)
    assert ready.review.patient_id == names[1]
    ready.ui.previousButton.click()
    wait(ready)
    ready.ui.nextOpenButton.click()
    wait(ready)
    assert ready.review.patient_id == names[1]
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 3
    assert column(ready.ui.cohortTable, 5)[0].startswith("Dr. A 20")
    assert ready.messages == []


def test_mask_is_edited_and_saved_beside_the_experts(ready, cohort, slicer_session):
    from PCRPredictorLib.mrml.nodes import set_segment

    check(ready, slicer_session)
    patient = find_patients(cohort)[0]
    expert, exam = patient.mask.read_bytes(), read_patient(patient)
    ready.open_patient(patient.patient_id)
    wait(ready)
    ready.ui.editButton.checked = True
    assert ready.review._editor._editor.told["segmentation"] is ready.review.nodes["segmentation"]
    changed = np.roll(exam.mask, 2, 1)
    set_segment(ready.review.nodes["segmentation"], changed, exam.geometry, ready.review.nodes["early"])
    ready.ui.saveMaskButton.click()
    wait(ready)
    assert ready.messages == []
    assert np.array_equal(read_patient(find_patients(cohort)[0]).mask != 0, changed != 0)
    assert patient.mask.read_bytes() == expert
    assert column(ready.ui.cohortTable, 4)[0] == "reviewed"


def test_closing_scene_is_let_go_of_while_it_is_there(ready, cohort, slicer_session):
    check(ready, slicer_session)
    ready.open_patient(ready.cohort.patients[0])
    wait(ready)
    ready.ui.editButton.checked = True
    told, at_the_end = ready.review._editor._editor.told, []
    tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.EndCloseEvent, lambda *_: at_the_end.append(told["views"]), 9.0)
    slicer.mrmlScene.Clear(False)
    slicer.mrmlScene.RemoveObserver(tag)
    assert at_the_end == [False]
    assert ready.review.patient_id == ""
    assert all(shortcut.enabled for shortcut in ready.review._shortcuts)


def test_patient_without_a_mask_is_clicked_and_saved(ready, cohort, slicer_session):
    patient = find_patients(cohort)[0]
    exam = read_patient(patient)
    patient.mask.unlink()
    check(ready, slicer_session)
    ready.open_patient(patient.patient_id)
    wait(ready)
    assert "no mask yet" in ready.ui.patientLabel.text
    ready.ui.saveMaskButton.click()
    wait(ready)
    assert "must not be empty" in ready.messages.pop()
    gain = np.where(exam.mask, exam.early.astype(float) - exam.pre, -np.inf)
    point = exam.geometry.to_physical(np.array(np.unravel_index(gain.argmax(), gain.shape))[::-1])
    ready.ui.clickButton.checked = True
    (node,) = slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")
    node.AddControlPointWorld(*(point * [-1, -1, 1]))
    slicer.app.processEvents()
    wait(ready)
    ready.ui.saveMaskButton.click()
    wait(ready)
    assert ready.messages == []
    assert find_patients(cohort)[0].mask.parent.name == "reviewed"


def test_settings_are_those_of_the_dataclasses(ready):
    from PCRTrainingLib.config import read_config

    fields = ready.settings._fields
    assert fields["*.guidance"].count == 7
    assert fields["dropout"].maximum == 1
    fields["*.epochs"].setValue(3)
    fields["*.guidance"].setCurrentIndex(fields["*.guidance"].findData("gradia"))
    fields["split.folds"].setValue(4)
    config = read_config(ready.run._write_config())
    assert [step.epochs for step in config.steps] == [3, 3, 3]
    assert [step.guidance for step in config.steps] == [None, "gradia", "gradia"]
    assert config.split.folds == 4
    assert config.widths == (4, 6, 8)


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no such configuration"), (b"{", "must be JSON"), (b"\xff", "must be UTF-8")]
)
def test_configuration_that_cannot_be_read_is_not_trained(ready, tmp_path, content, said):
    path = tmp_path / "broken.json"
    if content is not None:
        path.write_bytes(content)
    ready.ui.configPath.currentPath = str(path)
    assert said in ready.ui.configLabel.text
    assert said in ready.ui.startButton.toolTip
    assert not (ready.ui.startButton.enabled or ready.ui.estimateButton.enabled)
    ready.run.start()
    ready.run.estimate()
    assert not (ready.run.running or ready.run._estimator.running)
    ready.ui.presetSelector.setCurrentIndex(0)
    assert ready.ui.configLabel.text == ""
    assert ready.ui.startButton.enabled


def test_file_that_is_still_to_be_chosen_is_not_another_preset(ready):
    ready.ui.configPath.currentPath = ""
    assert "Choose the file" in ready.ui.startButton.toolTip
    assert not ready.ui.startButton.enabled


def test_resumed_run_keeps_its_own_settings(ready, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(ready.run._child, "start", lambda arguments, _module: started.append(arguments))
    ready.ui.configPath.currentPath = ""
    ready.ui.rowsPath.currentPath = str(tmp_path / "rows.csv")
    ready.run.start(resume=True)
    (arguments,) = started
    assert arguments[0] == "train"
    assert arguments[2:] == ["--out", str(tmp_path / "run 1"), "--device", "cpu", "--resume"]


def test_settings_that_nobody_touched_stay_as_they_are(ready, tmp_path):
    path = tmp_path / "exact.json"
    exact = json.loads(path.with_name("small.json").read_text()) | {"seed": 12345, "dropout": 0.12345678}
    path.write_text(json.dumps(exact))
    ready.ui.configPath.currentPath = str(path)
    fields, content = ready.settings._fields, ready.settings.content()
    assert (content["seed"], content["dropout"]) == (12345, 0.12345678)
    assert (fields["seed"].value, fields["dropout"].value) == (12345, 0.123457)
    fields["dropout"].setValue(0.125)
    assert ready.settings.content()["dropout"] == 0.125


def test_charts_are_those_of_the_seed_that_is_trained(training_panel, tmp_path):
    from PCRTrainingPanel.run_controls import latest_run

    assert latest_run(tmp_path) == tmp_path
    for seed in (2, 10):
        (tmp_path / f"seed_{seed}" / "fold_0" / "step1").mkdir(parents=True)
        (tmp_path / f"seed_{seed}" / "fold_0" / "step1" / "history.csv").touch()
    (tmp_path / "seed_11").mkdir()
    assert latest_run(tmp_path) == tmp_path / "seed_10"


def test_estimate_says_time_and_memory(ready, slicer_session):
    ready.ui.estimateButton.click()
    slicer_session.wait(lambda: not ready.run._estimator.running, 60)
    assert re.fullmatch(r"about 1 min of training, [12]\.\d GB", ready.ui.estimateLabel.text)


@pytest.mark.slow
def test_cohort_is_trained_cancelled_resumed_evaluated_installed_and_used(ready, cohort, tmp_path, slicer_session):
    run = tmp_path / "run 1"
    ready.settings._fields["*.epochs"].setValue(6)
    ready.ui.startButton.click()
    begun = lambda: list(run.glob("fold_*/step1/history.csv"))  # noqa: E731
    longest = slicer_session.wait(begun, SECONDS, time.thread_time)
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
    assert predictor.models.bundle.path.name == "run 1"
    choose(predictor, read_patient(find_patients(cohort)[0]))
    predict(predictor)
    assert predictor.results.shown.prediction.model.name == "run 1"


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
def test_killed_run_says_so_and_can_be_resumed(ready, tmp_path, slicer_session):
    run = tmp_path / "run 1"
    ready.settings._fields["*.epochs"].setValue(6)
    ready.ui.startButton.click()
    slicer_session.wait(lambda: list(run.glob("fold_*/step1/history.csv")), SECONDS)
    os.kill(ready.run._child._process.pid, signal.SIGKILL)
    finish(ready, slicer_session)
    assert len(ready.messages) == 1
    assert "ended from outside" in ready.messages[0]
    assert "resume the run" in ready.messages[0]
    slicer_session.wait(lambda: ready.ui.resumeButton.enabled, 20)


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
        assert "going on" in ready.ui.startButton.toolTip
    ready.run.update()
    assert ready.ui.resumeButton.enabled


def test_cohort_that_disappears_is_one_message(ready, cohort, slicer_session):
    shutil.rmtree(cohort)
    ready.ui.startButton.click()
    finish(ready, slicer_session)
    assert len(ready.messages) == 1
    assert "not a folder" in ready.messages[0]
    assert "Traceback" not in ready.ui.runLabel.text


def test_full_disk_is_one_message(ready, small_disk, slicer_session):
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
