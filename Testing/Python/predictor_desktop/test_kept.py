"""A scene keeps its results: they are back when it is loaded, each with its exam."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support.examples import tiny_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.mrml.kept import results_in
from support.panel_help import choose, choose_tiny, pick, predict, view, wait


def _reload(panel, tmp_path, change=lambda text: text):
    (node,) = results_in(slicer.mrmlScene)
    node.SetText(change(node.GetText()))
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(False)
    assert slicer.mrmlScene.ReadFromMRB(path, True)
    wait(panel)


def _second_exam():
    exam = tiny_exam()
    return replace(exam, early=(exam.early * 1.1).astype(exam.early.dtype))


def test_saved_scene_has_its_result_when_it_is_loaded_again(panel, tmp_path):
    choose_tiny(panel)
    panel.session.enter({"age": 52.0, "her2": "positive"})
    predict(panel)
    before, words = panel.session.result.prediction, panel.session.words
    _reload(panel, tmp_path)
    assert panel.session.words == words
    np.testing.assert_array_equal(panel.session.result.prediction.evidence_map, before.evidence_map)
    assert panel.session.clinical.values["her2"] == "positive"
    assert panel.ui.probabilityLabel.text == words.probability
    assert not panel.session.is_stale
    assert panel.messages == []


def test_overlay_and_views_are_as_they_were_saved(panel, tmp_path):
    choose_tiny(panel)
    predict(panel)
    panel.ui.opacitySlider.value = 0.8
    view().node.JumpSliceByCentering(1, 2, 3)
    before = [view().node.GetSliceToRAS().GetElement(row, 3) for row in range(3)]
    _reload(panel, tmp_path)
    assert view().composite.GetForegroundVolumeID() == panel.scene.attention.GetID()
    assert view().composite.GetForegroundOpacity() == pytest.approx(0.8)
    assert [view().node.GetSliceToRAS().GetElement(row, 3) for row in range(3)] == pytest.approx(before)
    panel.ui.mapSelector.setCurrentIndex(panel.ui.mapSelector.findData("evidence"))
    assert panel.scene.attention.GetName() == "Evidence"


def test_result_is_one_json_of_its_model_and_what_it_was_made_from(panel):
    choose_tiny(panel)
    predict(panel)
    (node,) = results_in(slicer.mrmlScene)
    content = json.loads(node.GetText())
    assert content["prediction"]["model"]["checksum"] == panel.session.model.bundle.checksum
    assert content["made_from"]["exam"]["size"] == list(panel.session.result.exam.geometry.size)
    assert content["prediction"]["evidence"]["terms"]
    assert "not for diagnosis" in content["disclaimer"]


@pytest.mark.parametrize("text", ["{}", "not json", '{"kind": "BreastPCR result", "format": 99}'])
def test_older_or_foreign_result_is_one_sentence(panel, tmp_path, text):
    choose_tiny(panel)
    predict(panel)
    _reload(panel, tmp_path, lambda _text: text)
    assert panel.session.result is None
    (sentence,) = panel.messages
    assert sentence.startswith("the result in the scene cannot be read: ")
    predict(panel)
    assert panel.session.result is not None


def test_different_exam_shows_nothing_of_the_first_and_each_is_back_when_it_is_chosen(panel):
    first = choose(panel, tiny_exam())
    predict(panel)
    probability, map_of_first = panel.session.result.prediction.probability, panel.scene.attention
    choose(panel, _second_exam())
    assert panel.session.result is None
    assert panel.scene.attention is None
    assert not view().composite.GetForegroundVolumeID()
    assert not first["segmentation"].GetDisplayNode().GetVisibility()
    assert view().composite.GetBackgroundVolumeID() == panel.scene.volumes[1].GetID()
    predict(panel)
    assert panel.scene.attention is not map_of_first
    assert panel.ui.keptSelector.count == 2
    pick(panel.ui.keptSelector, 0)
    wait(panel)
    assert panel.session.result.prediction.probability == probability
    assert view().composite.GetForegroundVolumeID() == map_of_first.GetID()
    assert view().composite.GetBackgroundVolumeID() == first["early"].GetID()
    assert first["segmentation"].GetDisplayNode().GetVisibility()
    assert panel.messages == []


def test_both_time_points_are_there_after_the_scene_was_loaded(panel, tmp_path):
    choose(panel, tiny_exam())
    predict(panel)
    choose(panel, _second_exam())
    predict(panel)
    probability = panel.session.result.prediction.probability
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(False)
    assert slicer.mrmlScene.ReadFromMRB(path, True)
    wait(panel)
    assert panel.session.result.prediction.probability == probability
    assert panel.ui.keptSelector.count == 2
    pick(panel.ui.keptSelector, 0)
    wait(panel)
    assert panel.session.result.prediction.probability != probability


def test_result_lies_where_its_exam_lies(panel):
    nodes = choose(panel, tiny_exam())
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.SetItemParent(hierarchy.CreateItem(study, nodes["early"]), study)
    predict(panel)
    (node,) = results_in(slicer.mrmlScene)
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) == study


def test_chosen_model_that_is_different_is_that_of_the_result_after_loading(panel, tmp_path):
    choose_tiny(panel)
    selector = panel.ui.modelSelector
    selector.setCurrentIndex(selector.findData("phantom"))
    predict(panel)
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(False)
    selector.setCurrentIndex(selector.findData("ispy2"))
    assert slicer.mrmlScene.ReadFromMRB(path, True)
    wait(panel)
    assert panel.session.model.bundle.card.name in panel.ui.modelLabel.text
    assert selector.currentData == "phantom"
    assert panel.session.result is not None


def test_map_subtraction_and_clicked_tumour_lie_under_the_study_of_the_exam(panel):
    nodes = choose(panel, tiny_exam())
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.SetItemParent(hierarchy.CreateItem(study, nodes["early"]), study)
    predict(panel)
    panel.ui.compareButton.click()
    made = [panel.scene.attention, panel.scene.parameters.subtraction]
    panel.scene.choose({"segmentation": None})
    made.append(panel.scene.edit()[0])
    assert {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) for node in made} == {study}
