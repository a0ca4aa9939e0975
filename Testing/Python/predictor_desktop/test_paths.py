"""Fields for files and folders offer what was used before, also in a Slicer that was started anew."""

import pytest
from support.examples import tiny_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.writing import write_nifti
from support.panel_help import MODULE, wait


def _again(panel, slicer_session):
    slicer_session.close_module(panel)
    panel.exit = panel.cleanup = lambda: None
    return slicer_session.open_module(MODULE)


def _offered(field):
    return [field._box.itemText(k) for k in range(field._box.count)]


def test_exam_that_was_opened_is_offered_after_a_restart(panel, slicer_session, tmp_path):
    write_nifti(tiny_exam().pre, tiny_exam().geometry, tmp_path / "exam.nii.gz")
    panel.ui.examPath.currentPath = str(tmp_path / "exam.nii.gz")
    panel.ui.openExamButton.click()
    wait(panel)
    again = _again(panel, slicer_session)
    assert again.ui.examPath.currentPath == str(tmp_path / "exam.nii.gz")
    slicer_session.close_module(again)
    slicer.mrmlScene.Clear(False)


def test_folder_of_results_is_offered_but_not_chosen(panel, slicer_session, tmp_path):
    panel.ui.cohortPath.currentPath = str(tmp_path / "cohort")
    panel.ui.batchOutPath.currentPath = str(tmp_path / "out")
    panel.ui.batchButton.click()
    panel.ui.batchCancelButton.click()
    again = _again(panel, slicer_session)
    assert again.ui.cohortPath.currentPath == str(tmp_path / "cohort")
    assert again.ui.batchOutPath.currentPath == ""
    assert _offered(again.ui.batchOutPath) == [str(tmp_path / "out")]
    slicer_session.close_module(again)


def test_path_that_was_only_typed_is_not_kept(panel):
    panel.ui.examPath.currentPath = "/somewhere"
    assert _offered(panel.ui.examPath) == []


def test_training_offers_the_cohorts_that_were_checked(training_panel, tmp_path):
    training_panel.ui.cohortPath.currentPath = str(tmp_path)
    training_panel.ui.checkButton.click()
    training_panel.ui.checkCancelButton.click()
    training_panel.ui.externalPath.retrieveHistory()
    assert _offered(training_panel.ui.cohortPath) == [str(tmp_path)]
    assert _offered(training_panel.ui.externalPath) == [str(tmp_path)]
