"""The views' layout: the user's own one stays, ours are known before a scene is loaded."""

import pytest
from support.examples import tiny_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.mrml.display import COMPARE_LAYOUT
from PCRPredictorLib.mrml.nodes import add_exam
from support.panel_help import MODULE, choose_tiny, predict

OWN = 4711
ONE_SLICE = '<layout type="horizontal"><item><view class="vtkMRMLSliceNode" singletontag="Red"/></item></layout>'
SECOND = ONE_SLICE.replace("<layout ", '<layout name="second" ').replace("Red", "Red+")
TWO_MONITORS = f"<viewports>{ONE_SLICE}{SECOND}</viewports>"
ONE_SPACE = '<layout type="horizontal"><item><view class="vtkMRMLViewNode" singletontag="1"/></item></layout>'


@pytest.fixture
def layout(panel):
    """The layout node; its layout is the usual one again after the test."""
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    yield node
    node.SetAttribute("BreastPCR.layoutBefore", None)
    node.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    node.SetLayoutDescription(OWN, "")


def _use(layout, description):
    layout.AddLayoutDescription(OWN, description)
    layout.SetViewArrangement(OWN)


def test_users_own_layout_stays_when_a_result_is_shown(panel, layout):
    _use(layout, ONE_SLICE)
    choose_tiny(panel)
    predict(panel)
    assert layout.GetViewArrangement() == OWN


@pytest.mark.parametrize("description", [ONE_SLICE, TWO_MONITORS])
def test_users_own_layout_is_given_back_after_a_comparison(panel, layout, description):
    _use(layout, description)
    choose_tiny(panel)
    predict(panel)
    for _ in range(2):
        panel.ui.compareButton.click()
    assert layout.GetViewArrangement() == COMPARE_LAYOUT
    panel.ui.fourUpButton.click()
    assert layout.GetViewArrangement() == OWN


def test_layout_in_which_nothing_would_be_seen_is_replaced_and_given_back(panel, layout):
    _use(layout, ONE_SPACE)
    choose_tiny(panel)
    predict(panel)
    assert layout.GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    panel.ui.fourUpButton.click()
    assert layout.GetViewArrangement() == OWN


def test_layout_that_is_gone_is_replaced_by_the_usual_one(panel, layout):
    _use(layout, ONE_SLICE)
    choose_tiny(panel)
    predict(panel)
    panel.ui.compareButton.click()
    layout.SetLayoutDescription(OWN, "")
    panel.ui.fourUpButton.click()
    assert layout.GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView


def test_scene_that_shows_a_comparison_opens_with_its_views_in_a_new_slicer(panel, layout, slicer_session, tmp_path):
    choose_tiny(panel)
    predict(panel)
    panel.ui.compareButton.click()
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    panel.ui.fourUpButton.click()
    slicer.mrmlScene.Clear(False)
    for number in (COMPARE_LAYOUT,):  # as a Slicer that was started anew
        layout.SetLayoutDescription(number, "")
    slicer_session.close_module(panel)
    again = slicer_session.open_module(MODULE)
    assert slicer.mrmlScene.ReadFromMRB(path, True)
    assert layout.GetViewArrangement() == COMPARE_LAYOUT
    assert slicer.app.layoutManager().shown == [["Pre", "Early"], ["Late", "Subtraction"]]
    again.ui.fourUpButton.enabled = True
    again.ui.fourUpButton.click()
    assert layout.GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    slicer_session.close_module(again)
    panel.exit = panel.cleanup = lambda: None  # closed already


def test_number_of_an_unknown_layout_shows_nothing(layout):
    add_exam(slicer.mrmlScene, tiny_exam())
    layout.SetViewArrangement(5299)
    assert slicer.app.layoutManager().shown == []
