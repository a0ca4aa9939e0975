"""A cohort, checked and reviewed in the panel."""

import numpy as np
import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from support.own_cohort import write_german_cohort, write_tree
from support.panel_help import check, column, wait


def test_check_fills_the_table_with_the_problems(ready, cohort, slicer_session):
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


def test_folder_that_is_not_a_cohort_gives_one_message(ready, tmp_path, slicer_session):
    (tmp_path / "empty").mkdir()
    ready.ui.cohortPath.currentPath = str(tmp_path / "empty")
    check(ready, slicer_session)
    assert len(ready.messages) == 1
    assert "not a cohort" in ready.messages[0]


def describe(panel, session, folder):
    panel.ui.cohortPath.currentPath = str(folder)
    panel.ui.describeButton.click()
    session.wait(lambda: not panel.cohort.checking, 60)


def test_folder_as_people_keep_it_is_described_and_can_be_checked(ready, tmp_path, slicer_session):
    describe(ready, slicer_session, write_german_cohort(tmp_path / "Kohorte", 6))
    assert ready.messages == []
    assert ready.ui.cohortLabel.text.startswith("patients: 6, with 6 phases\nphase 0: Bilder/")
    check(ready, slicer_session)
    assert ready.ui.cohortLabel.text == "6 of 6 patients can be used for training."


def test_folder_that_cannot_be_described_gives_one_message(ready, tmp_path, slicer_session):
    describe(ready, slicer_session, write_tree(tmp_path / "empty", "notes.txt"))
    assert len(ready.messages) == 1
    assert "has no images; give a folder with phases" in ready.messages[0]


def test_cleared_cohort_is_not_read(ready):
    ready.ui.cohortPath.currentPath = ""
    ready.cohort.check()
    ready.cohort.describe()
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
    from PCRPredictorLib.mrml.segments import Tumour, put_segments

    check(ready, slicer_session)
    patient = find_patients(cohort)[0]
    expert, exam = patient.mask.read_bytes(), read_patient(patient)
    ready.open_patient(patient.patient_id)
    wait(ready)
    ready.ui.editButton.checked = True
    assert ready.review._editor._editor.settings["segmentation"] is ready.review.nodes["segmentation"]
    changed = np.roll(exam.mask, 2, 1)
    nodes = ready.review.nodes
    put_segments(nodes["segmentation"], [Tumour.of_mask(changed)], exam.geometry, nodes["early"])
    ready.ui.saveMaskButton.click()
    wait(ready)
    assert ready.messages == []
    assert np.array_equal(read_patient(find_patients(cohort)[0]).mask != 0, changed != 0)
    assert patient.mask.read_bytes() == expert
    assert column(ready.ui.cohortTable, 4)[0] == "reviewed"


def test_editor_is_released_before_the_scene_closes(ready, cohort, slicer_session):
    check(ready, slicer_session)
    ready.open_patient(ready.cohort.patients[0])
    wait(ready)
    ready.ui.editButton.checked = True
    told, at_the_end = ready.review._editor._editor.settings, []
    tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.EndCloseEvent, lambda *_: at_the_end.append(told["views"]), 9.0)
    slicer.mrmlScene.Clear(False)
    slicer.mrmlScene.RemoveObserver(tag)
    assert at_the_end == [False]
    assert ready.review.patient_id == ""
    assert all(shortcut.enabled for shortcut in ready.review._shortcuts)


def test_shortcuts_end_with_the_panel(ready, slicer_session):
    import qt

    parent = ready.ui.reviewerEdit  # where there is no main window
    shortcuts = lambda: len(parent.findChildren(qt.QShortcut))  # noqa: E731
    count = shortcuts()
    ready.exit()
    qt.QCoreApplication.sendPostedEvents(None, qt.QEvent.DeferredDelete)
    assert shortcuts() == count - 4
    ready.enter()
    ready.enter()
    assert shortcuts() == count


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
