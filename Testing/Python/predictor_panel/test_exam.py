"""The panel's section "Exam": guessing phases, sequences, the one-click tumour, the Segment Editor."""

import numpy as np
import pytest
from support.examples import tiny_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.mrml import nodes as mrml
from PCRPredictorLib.phantom.patient import make_exam
from support.panel_help import choose, choose_tiny, predict, wait


def click(panel, lps):
    """Click a point in a view, as Slicer's place mode does."""
    panel.ui.clickButton.checked = True
    (node,) = slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode")
    node.AddControlPointWorld(*(np.array(lps) * [-1, -1, 1]))
    slicer.app.processEvents()
    wait(panel)


def brightest(exam):
    """LPS of the tumour voxel that enhances most."""
    gain = np.where(exam.mask, exam.early.astype(float) - exam.pre, -np.inf)
    return exam.geometry.to_physical(np.array(np.unravel_index(gain.argmax(), gain.shape))[::-1])


def test_phases_are_guessed_from_names_and_changed_by_hand(panel):
    exam = tiny_exam()
    for name in ("DCE 3 late", "DCE 1 pre", "DCE 2 early", "T2 axial"):
        mrml.add_volume(slicer.mrmlScene, exam.early, exam.geometry, name)
    panel.ui.guessButton.click()
    assert [node.GetName() for node in panel.scene.volumes] == ["DCE 1 pre", "DCE 2 early", "DCE 3 late"]
    panel.ui.earlySelector.setCurrentNode(slicer.util.getNode("T2 axial"))
    assert panel.scene.parameters.earlyVolume.GetName() == "T2 axial"


def test_phases_of_one_name_are_told_apart(panel):
    first, second = choose_tiny(panel)[1], choose_tiny(panel)[1]
    for name in ("pre", "early", "late"):
        first[name].SetName("DCE")
        second[name].SetName("DCE")
    panel.scene.choose(first)
    assert panel.scene.volumes == [first[name] for name in ("pre", "early", "late")]
    assert panel.ui.segmentationSelector.currentNode() is panel.scene.segmentation is first["segmentation"]
    selector = panel.ui.earlySelector
    k = selector.findData(second["early"].GetID())
    selector.setCurrentIndex(k)
    selector.activated.emit(k)  # as a person does
    assert panel.scene.parameters.earlyVolume is selector.currentNode() is second["early"]


def test_names_that_say_nothing_are_one_message(panel):
    exam = tiny_exam()
    for name in ("a", "b", "c"):
        mrml.add_volume(slicer.mrmlScene, exam.early, exam.geometry, name)
    panel.ui.guessButton.click()
    assert len(panel.messages) == 1
    assert "choose them" in panel.messages[0]


def test_exam_that_is_loaded_already_is_chosen_when_the_module_is_opened(panel):
    panel.exit()
    mrml.add_exam(slicer.mrmlScene, tiny_exam())
    panel.enter()
    assert panel.session.problem() is None
    assert panel.ui.predictButton.enabled


def test_phases_of_a_sequence_are_picked_by_time(panel):
    exam = tiny_exam()
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "DCE")
    sequence.SetIndexUnit("s")
    for k, seconds in enumerate((0, 60, 125, 300)):
        volume = mrml.add_volume(slicer.mrmlScene, exam.early + k, exam.geometry, f"item {k}")
        sequence.SetDataNodeAtValue(volume, str(seconds))
        slicer.mrmlScene.RemoveNode(volume)
    panel.ui.sequenceSelector.setCurrentNode(sequence)
    assert [node.GetName() for node in panel.scene.volumes] == ["DCE pre", "DCE early", "DCE late"]
    chosen = [slicer.util.arrayFromVolume(node)[0, 0, 0] - exam.early[0, 0, 0] for node in panel.scene.volumes]
    assert chosen == [0, 2, 3]


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


def test_tumour_that_has_grown_after_the_module_was_left_is_chosen(panel):
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


def test_segment_editor_opens_on_the_subtraction_and_lets_go(panel):
    choose_tiny(panel)
    panel.ui.editButton.checked = True
    told = panel.tumour._editor._editor.settings
    assert told["segmentation"] is panel.ui.segmentationSelector.currentNode()
    assert told["source"] is panel.scene.parameters.subtraction
    assert told["shortcuts"]
    assert told["views"]
    panel.exit()
    assert told["effect"] is None
    assert not told["shortcuts"]
    assert not told["views"]
    assert not panel.ui.editButton.checked
    panel.enter()


def test_editing_without_a_segmentation_makes_one(panel):
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
    assert panel.ui.segmentSelector.count == 2
    assert panel.scene.segment_id == "tumour"
    content.RemoveSegment("tumour")
    assert panel.ui.segmentSelector.count == 1
    assert panel.scene.segment_id == "second"


def test_point_that_went_with_its_scene_is_not_removed_again(panel):
    choose_tiny(panel)
    panel.ui.clickButton.checked = True
    point, removed = panel.tumour._click._point, []
    slicer.mrmlScene.RemoveNode(point)
    tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeRemovedEvent, lambda *_: removed.append(point))
    panel.ui.clickButton.checked = False
    slicer.mrmlScene.RemoveObserver(tag)
    assert removed == []


def test_leaving_the_mode_without_a_click_lets_the_button_go(panel, slicer_session):
    choose_tiny(panel)
    panel.ui.clickButton.checked = True
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    assert interaction.GetCurrentInteractionMode() == interaction.Place
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)
    slicer_session.wait(lambda: not panel.ui.clickButton.checked, 5)
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsFiducialNode") == []
