"""What goes wrong in the panel: one readable message, and the panel still works."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.exam import Geometry
from support.examples import tiny_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.mrml import nodes as mrml
from PCRPredictorLib.mrml.segments import Tumour, add_segmentation
from support.panel_help import choose, choose_tiny, pick_node, predict, wait


def not_a_number(exam):
    early = exam.early.astype(np.float32)
    early[3, 3, 3] = np.nan
    return replace(exam, early=early)


DATA_ERRORS = {  # name: how it is made, and a word of the message
    "not a number": (not_a_number, "NaN"),
    "identical phases": (lambda exam: replace(exam, late=exam.early.copy()), "late"),
}


def usable(panel):
    """Return whether the panel predicts after an error."""
    slicer.mrmlScene.Clear(False)
    panel.messages.clear()
    choose_tiny(panel)
    predict(panel)
    return panel.session.result is not None and panel.messages == []


@pytest.mark.parametrize("name", DATA_ERRORS)
def test_unusable_data_is_one_message(panel, name):
    change, word = DATA_ERRORS[name]
    choose(panel, change(tiny_exam()))
    predict(panel)
    assert len(panel.messages) == 1
    assert word in panel.messages[0]
    assert "\n" not in panel.messages[0]
    assert panel.ui.statusLabel.text == panel.messages[0]
    assert panel.session.result is None
    assert usable(panel)


def test_phase_on_a_different_grid_is_one_message(panel):
    exam, _ = choose_tiny(panel)
    shifted = replace(exam.geometry, origin=(0.0, 0.0, 0.0))
    panel.ui.lateSelector.setCurrentNode(mrml.add_volume(slicer.mrmlScene, exam.late, shifted, "late elsewhere"))
    predict(panel)
    assert len(panel.messages) == 1
    assert "the late volume must be on the grid of the pre volume" in panel.messages[0]
    assert usable(panel)


def test_empty_volume_and_empty_segment_are_one_message(panel):
    _, nodes = choose_tiny(panel)
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing")
    panel.ui.lateSelector.setCurrentNode(empty)
    predict(panel)
    assert ["the late volume must hold voxels" in message for message in panel.messages] == [True]
    panel.messages.clear()
    panel.ui.lateSelector.setCurrentNode(nodes["late"])
    nodes["segmentation"].GetSegmentation().RemoveAllSegments()
    assert not panel.ui.predictButton.enabled
    assert "no segment" in panel.ui.predictButton.toolTip
    nodes["segmentation"].GetSegmentation().AddEmptySegment("empty")
    predict(panel)
    assert len(panel.messages) == 1
    assert "empty" in panel.messages[0]
    assert usable(panel)


@pytest.mark.parametrize("role", ["early", "segmentation"])
def test_transform_is_refused_with_advice(panel, role):
    _, nodes = choose_tiny(panel)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    nodes[role].SetAndObserveTransformNodeID(transform.GetID())
    predict(panel)
    assert len(panel.messages) == 1
    assert "harden the transform" in panel.messages[0]
    nodes[role].SetAndObserveTransformNodeID(None)
    panel.messages.clear()
    predict(panel)
    assert panel.session.result is not None


def test_segmentation_on_a_different_grid_is_resampled_with_a_remark(panel):
    exam, nodes = choose_tiny(panel)
    spacing = tuple(s / 2 for s in exam.geometry.spacing)
    origin = tuple(exam.geometry.to_physical([-0.25, -0.25, -0.25]))
    fine = Geometry(tuple(2 * n for n in exam.geometry.size), spacing, origin)
    mask = exam.mask.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    fine_node = add_segmentation(slicer.mrmlScene, [Tumour.of_mask(mask)], fine, nodes["pre"])
    panel.ui.segmentationSelector.setCurrentNode(fine_node)
    predict(panel)
    assert "was resampled" in panel.ui.statusLabel.text
    assert np.array_equal(panel.session.result.exam.mask, exam.mask)


@pytest.mark.parametrize("role", ["pre", "early", "segmentation"])
def test_node_deleted_during_a_prediction_is_one_message(panel, role):
    _, nodes = choose_tiny(panel)
    panel.ui.predictButton.click()
    slicer.mrmlScene.RemoveNode(nodes[role])
    wait(panel)
    assert len(panel.messages) == 1
    assert "deleted" in panel.messages[0]
    assert panel.session.result is None
    assert usable(panel)


def test_cancelled_prediction_shows_nothing_and_the_next_one_works(panel):
    choose_tiny(panel)
    panel.ui.predictButton.click()
    assert panel.ui.cancelButton.enabled
    assert not panel.ui.predictButton.enabled
    panel.ui.cancelButton.click()
    assert panel.ui.statusLabel.text == "Cancelled."
    assert panel.session.result is None
    predict(panel)
    assert panel.session.result is not None
    assert panel.messages == []


def test_model_removed_from_disk_while_selected_is_one_message(panel, bundle):
    panel.models.add(bundle.path)
    choose_tiny(panel)
    shutil.rmtree(panel.session.model.bundle.path)
    predict(panel)
    assert len(panel.messages) == 1
    assert panel.session.model.bundle.path.name == "ispy2"
    panel.messages.clear()
    predict(panel)
    assert panel.session.result is not None
    assert panel.messages == []


def test_sequence_of_two_phases_is_one_message(panel):
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "two")
    exam = tiny_exam()
    for k, phase in enumerate(exam.phases[:2]):
        volume = mrml.add_volume(slicer.mrmlScene, phase, exam.geometry, f"phase {k}")
        sequence.SetDataNodeAtValue(volume, str(k))
    pick_node(panel.ui.sequenceSelector, sequence)
    assert len(panel.messages) == 1
    assert "at least 3 phases" in panel.messages[0]


def test_prediction_that_ends_in_a_different_module_is_shown_on_return(panel):
    choose_tiny(panel)
    panel.ui.predictButton.click()
    panel.exit()
    wait(panel)
    panel.enter()
    assert panel.session.result is not None
    assert panel.scene.parameters.attention is not None
    assert panel.messages == []


def test_python_that_cannot_be_started_is_one_message(panel, monkeypatch, tmp_path):
    import subprocess

    def refuse(*_args, **_options):
        raise OSError(2, "No such file")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    panel.ui.cohortPath.currentPath, panel.ui.batchOutPath.currentPath = str(tmp_path), str(tmp_path / "out")
    panel.ui.batchButton.click()
    assert len(panel.messages) == 1
    assert "Python cannot be started" in panel.messages[0]
    assert panel.ui.batchButton.enabled


def test_what_went_wrong_unexpectedly_can_be_copied_and_names_no_patient(panel, monkeypatch, caplog):
    shown = []
    import qt

    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, **options: shown.append(options["detailedText"]))

    def fail():
        raise KeyError("Anna Muster")

    panel.session.activity.start("Failing", fail, print)
    wait(panel)
    (details,) = shown
    assert details.startswith("KeyError\n")
    assert "in fail" in details
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert details in record.getMessage()
    assert "Anna" not in details + record.getMessage()
    assert panel.ui.statusLabel.textInteractionFlags & qt.Qt.TextSelectableByMouse


def test_lattice_that_no_exam_can_have_is_one_message(panel):
    choose_tiny(panel)
    panel.ui.earlySelector.currentNode().SetSpacing(1, float("nan"), 1)
    predict(panel)
    assert len(panel.messages) == 1
    assert panel.messages[0].startswith("the early volume: its voxels must be 0.05 to 20 mm wide")
    assert usable(panel)
