"""Scenes that are loaded while the panel is open: nodes arrive before the parameters are whole."""

import pytest
from support.examples import tiny_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.panel_help import ROLES, choose, pick

PHASES = ("preVolume", "earlyVolume", "lateVolume", "segmentation")


def _two_segments(panel):
    nodes = choose(panel, tiny_exam())
    content = nodes["segmentation"].GetSegmentation()
    content.AddEmptySegment("other", "other")
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        tiny_exam().mask[:, ::-1].copy(), nodes["segmentation"], "other", nodes["early"]
    )
    return nodes


def _save(path):
    assert slicer.util.saveScene(str(path))
    return str(path)


@pytest.fixture
def saved(panel, tmp_path):
    """A scene file whose second segment is chosen; the scene is empty again."""
    _two_segments(panel)
    pick(panel.ui.segmentSelector, 2)
    assert panel.scene.segment_ids == ["other"]
    path = _save(tmp_path / "scene.mrb")
    slicer.mrmlScene.Clear(False)
    return path


def _names(panel):
    return [getattr(panel.scene.parameters, name).GetName() for name in PHASES]


def test_segment_that_was_saved_is_chosen_after_the_scene_is_loaded_into_the_open_panel(panel, saved):
    slicer.util.loadScene(saved)
    assert panel.scene.segment_ids == ["other"]
    assert panel.ui.segmentSelector.currentText == "other"


@pytest.mark.parametrize("clear", [True, False])
def test_selectors_show_what_was_saved(panel, saved, clear):
    assert slicer.mrmlScene.ReadFromMRB(saved, clear)
    names = _names(panel)
    assert [getattr(panel.ui, f"{role}Selector").currentNode().GetName() for role in ROLES] == names
    assert panel.ui.predictButton.enabled


def test_scene_with_a_different_exam_leaves_no_selector_at_none(panel, saved):
    _two_segments(panel)
    pick(panel.ui.segmentSelector, 1)
    assert slicer.mrmlScene.ReadFromMRB(saved, False)
    for role, node in zip(ROLES, (getattr(panel.scene.parameters, name) for name in PHASES), strict=True):
        assert getattr(panel.ui, f"{role}Selector").currentNode() is node


def test_scene_without_the_parameters_leaves_the_choice_as_it_was(panel, tmp_path):
    from PCRPredictorLib.mrml.nodes import add_exam
    from PCRPredictorLib.mrml.scene import headless_scene

    path = tmp_path / "other.mrb"
    with headless_scene(tmp_path) as scene:
        add_exam(scene, tiny_exam())
        scene.WriteToMRB(str(path), None)
    _two_segments(panel)
    pick(panel.ui.segmentSelector, 2)
    before = [panel.scene.volumes_key(), panel.scene.segment_ids]
    assert slicer.mrmlScene.ReadFromMRB(str(path), False)
    assert [panel.scene.volumes_key(), panel.scene.segment_ids] == before
    assert panel.ui.earlySelector.currentNode() is panel.scene.volumes[1]


def test_module_that_is_closed_meanwhile_takes_the_parameters_when_it_is_entered(panel, saved):
    panel.exit()
    slicer.util.loadScene(saved)
    assert panel._gui_tag is None
    panel.enter()
    assert panel.scene.segment_ids == ["other"]
