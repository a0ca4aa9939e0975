"""The panel's section "Tumour": the click, the functional volume, the Segment Editor, segments."""

import numpy as np
import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.phantom.patient import make_exam
from support.panel_help import brightest, choose, choose_tiny, click, pick, predict, wait


def test_click_grows_the_tumour_and_it_can_be_predicted(panel):
    exam = make_exam(seed=1, full=False)
    nodes = choose(panel, exam)
    expert = nodes["segmentation"]
    click(panel, brightest(exam))
    assert panel.messages == []
    assert not panel.ui.clickButton.checked
    clicked = panel.ui.segmentationSelector.currentNode()
    assert clicked.GetName() == "Tumour (one click)"
    assert expert.GetSegmentation().GetNumberOfSegments() == 1
    assert panel.ui.volumeLabel.text.endswith(" ml")
    predict(panel)
    mask, truth = np.asarray(panel.session.result.exam.mask) != 0, exam.mask != 0
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.7
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode") == []


def test_second_click_replaces_the_first_in_place(panel):
    exam = make_exam(seed=1, full=False)
    choose(panel, exam)
    click(panel, brightest(exam))
    first = panel.ui.segmentationSelector.currentNode()
    click(panel, brightest(exam))
    assert panel.ui.segmentationSelector.currentNode() is first
    assert first.GetSegmentation().GetNumberOfSegments() == 1


def test_tumour_that_grew_in_a_different_module_is_chosen(panel):
    exam = make_exam(seed=1, full=False)
    choose(panel, exam)
    panel.ui.clickButton.checked = True
    (node,) = slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")
    node.AddControlPointWorld(*(brightest(exam) * [-1, -1, 1]))
    slicer.app.processEvents()
    assert panel.background.busy
    panel.exit()
    wait(panel)
    panel.enter()
    assert panel.ui.segmentationSelector.currentNode().GetName() == "Tumour (one click)"


def test_click_in_air_is_one_message_and_changes_nothing(panel):
    exam = make_exam(seed=1, full=False)
    choose(panel, exam)
    before = panel.ui.segmentationSelector.currentNode()
    click(panel, exam.geometry.to_physical([1, 1, 1]))
    assert len(panel.messages) == 1
    assert "click on the bright part of the lesion" in panel.messages[0]
    assert panel.ui.segmentationSelector.currentNode() is before


def test_functional_volume_follows_threshold_and_segment(panel):
    exam = make_exam(seed=1, full=False)
    choose(panel, exam)
    gain = (exam.early.astype(float) - exam.pre) / np.maximum(exam.pre, 1e-6)
    for percent in (50, 70, 150):
        panel.ui.enhancementSlider.value = percent
        expected = ((gain >= percent / 100) & (exam.mask != 0)).sum() * exam.geometry.voxel_volume / 1000
        assert panel.ui.volumeLabel.text == f"{expected:.1f} ml"


def test_segment_editor_opens_on_the_subtraction_and_is_released(panel):
    choose_tiny(panel)
    panel.ui.editButton.checked = True
    editor = panel.tumour._editor._editor.settings
    assert editor["segmentation"] is panel.ui.segmentationSelector.currentNode()
    assert editor["source"] is panel.scene.parameters.subtraction
    assert editor["shortcuts"]
    assert editor["views"]
    panel.exit()
    assert editor["effect"] is None
    assert not editor["shortcuts"]
    assert not editor["views"]
    assert not panel.ui.editButton.checked
    panel.enter()


def test_edit_without_a_segmentation_makes_one(panel):
    _, nodes = choose_tiny(panel)
    slicer.mrmlScene.RemoveNode(nodes["segmentation"])
    panel.ui.editButton.checked = True
    segmentation = panel.ui.segmentationSelector.currentNode()
    assert segmentation.GetName() == "Tumour (one click)"
    assert panel.ui.segmentSelector.currentText == "tumour"
    predict(panel)
    (message,) = panel.messages
    assert "empty" in message


def test_segments_are_listed_as_they_come_and_go(panel):
    _, nodes = choose_tiny(panel)
    content = nodes["segmentation"].GetSegmentation()
    content.AddEmptySegment("second")
    assert panel.ui.segmentSelector.count == 3
    assert panel.ui.segmentSelector.currentText == "All segments, each a lesion"
    assert panel.scene.segment_ids == ["tumour", "second"]
    pick(panel.ui.segmentSelector, 2)
    assert panel.scene.segment_ids == ["second"]
    content.RemoveSegment("tumour")
    assert panel.ui.segmentSelector.count == 1
    assert panel.scene.segment_ids == ["second"]


def test_point_of_a_closed_scene_is_not_removed_again(panel):
    choose_tiny(panel)
    panel.ui.clickButton.checked = True
    point, removed = panel.tumour._click._point, []
    slicer.mrmlScene.RemoveNode(point)
    tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeRemovedEvent, lambda *_: removed.append(point))
    panel.ui.clickButton.checked = False
    slicer.mrmlScene.RemoveObserver(tag)
    assert removed == []


def test_button_is_released_if_the_mode_ends_without_a_click(panel, slicer_session):
    choose_tiny(panel)
    panel.ui.clickButton.checked = True
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)
    slicer_session.wait(lambda: not panel.ui.clickButton.checked, 5)
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode") == []


def test_renamed_segment_stays_chosen_and_is_listed_by_its_new_name(panel):
    _exam, nodes = choose_tiny(panel)
    content = nodes["segmentation"].GetSegmentation()
    other = content.AddEmptySegment("other", "other")
    panel.scene.parameters.segmentId = other
    content.GetSegment(other).SetName("Satellite")
    selector = panel.ui.segmentSelector
    assert (selector.currentText, selector.currentData) == ("Satellite", other)
    assert panel.scene.segment_ids == [other]
