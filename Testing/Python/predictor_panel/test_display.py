"""A result in the views."""

import re

import numpy as np
import pytest
from PCRPredictorLib.phantom.patient import make_exam
from PCRPredictorLib.reading.cohort import find_patients, read_patient

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.panel_help import choose, choose_tiny, inside_and_air, pick_node, predict, view


@pytest.fixture(params=["phantom", "real"])
def any_exam(request):
    """Return a simulated exam, or a real one if there are any."""
    if request.param == "phantom":
        return make_exam(seed=1, full=False)
    return read_patient(find_patients(request.getfixturevalue("real_cohort"))[0])


def test_attention_appears_in_the_tumour_and_not_in_air(panel, any_exam):
    choose(panel, any_exam)
    predict(panel)
    assert re.search(r"pCR \d+ %", panel.ui.probabilityLabel.text)
    panel.ui.legendCheck.checked = False
    with_attention = view().pixels().astype(int)
    panel.ui.overlayCheck.checked = False
    without = view().pixels().astype(int)
    changed = np.abs(with_attention - without).max(-1)
    inside, air = inside_and_air(view(), any_exam)
    assert inside.sum() > 100
    assert (changed[inside] > 10).mean() > 0.5
    assert (changed[air] > 2).mean() < 0.02
    assert panel.messages == []


def test_opacity_threshold_outline_and_colours_change_the_views(panel):
    exam = make_exam(seed=1, full=False)
    choose(panel, exam)
    predict(panel)
    panel.ui.legendCheck.checked = False
    inside, _ = inside_and_air(view(), exam)
    usual = view().pixels().astype(int)

    def change(pixels):
        return np.abs(pixels.astype(int) - usual).max(-1)

    panel.ui.opacitySlider.value = 0.9
    assert change(view().pixels())[inside].mean() > 10
    panel.ui.opacitySlider.value = 0.45
    assert change(view().pixels()).max() == 0
    panel.ui.thresholdSlider.value = 0.95
    assert (change(view().pixels())[inside] > 10).mean() > 0.3
    panel.ui.thresholdSlider.value = 0.15
    panel.ui.outlineCheck.checked = False
    assert not change(view().pixels())[inside].any()
    assert change(view().pixels()).any()
    panel.ui.outlineCheck.checked = True
    pick_node(panel.ui.colourSelector, slicer.mrmlScene.GetNodeByID("vtkMRMLColorTableNodeBlue"))
    blue = view().pixels().astype(int)[inside]
    assert (blue[:, 2] - blue[:, 0]).mean() > 10 + (usual[inside][:, 2] - usual[inside][:, 0]).mean()


def test_overlay_settings_touch_only_what_changed(panel):
    _exam, nodes = choose_tiny(panel)
    predict(panel)
    outline, red = nodes["segmentation"].GetDisplayNode(), view("Red").composite
    outline.SetVisibility(False)  # as in the module Data
    red.SetForegroundVolumeID(nodes["late"].GetID())
    red.SetForegroundOpacity(0.2)
    panel.ui.opacitySlider.value = 0.9
    panel.ui.thresholdSlider.value = 0.5
    panel.exit()
    panel.enter()
    assert not outline.GetVisibility()
    assert (red.GetForegroundVolumeID(), red.GetForegroundOpacity()) == (nodes["late"].GetID(), 0.2)
    assert view("Green").composite.GetForegroundOpacity() == 0.9


def test_legend_is_drawn_and_can_be_hidden(panel):
    choose_tiny(panel)
    predict(panel)
    drawn = view().pixels().astype(int)
    panel.ui.legendCheck.checked = False
    assert np.abs(drawn - view().pixels())[:, -100:].max() > 50


def test_every_map_has_its_colours_and_scale_over_the_tumour(panel):
    choose_tiny(panel)
    predict(panel)
    panel.ui.legendCheck.checked = False
    seen = {}
    for k, kind in enumerate(("attention", "evidence", "enhancement")):
        panel.ui.mapSelector.setCurrentIndex(k)
        slicer.app.processEvents()
        assert panel.session.overlay.kind == kind
        display = panel.scene.attention.GetDisplayNode()
        seen[kind] = display.GetWindowLevelMin(), display.GetWindowLevelMax()
    assert seen["attention"] == (0, 1)
    assert seen["evidence"][0] == -seen["evidence"][1] < 0
    assert seen["enhancement"][1] > 100
    panel.ui.mapSelector.setCurrentIndex(0)
    assert panel.scene.attention.GetName() == "Attention"


def test_jump_centres_every_view_on_the_peak(panel):
    choose_tiny(panel)
    predict(panel)
    peak = np.array(panel.session.result.prediction.attention_summary.peak) * [-1, -1, 1]
    for name in ("Red", "Green", "Yellow"):
        view(name).node.JumpSliceByCentering(0, 0, 0)
    panel.ui.peakButton.click()
    for name in ("Red", "Green", "Yellow"):
        centre = [view(name).node.GetSliceToRAS().GetElement(row, 3) for row in range(3)]
        assert centre == pytest.approx(peak, abs=0.01)


def test_compare_shows_the_phases_and_the_subtraction_linked(panel):
    exam, nodes = choose_tiny(panel)
    predict(panel)
    panel.ui.compareButton.click()
    subtraction = slicer.util.arrayFromVolume(panel.scene.parameters.subtraction)
    assert np.array_equal(subtraction, exam.early.astype(int) - exam.pre)
    shown = {name: view(name).composite for name in ("Pre", "Early", "Late", "Subtraction")}
    assert [c.GetBackgroundVolumeID() for c in shown.values()] == [
        *(nodes[role].GetID() for role in ("pre", "early", "late")),
        panel.scene.parameters.subtraction.GetID(),
    ]
    assert all(c.GetLinkedControl() and c.GetForegroundVolumeID() for c in shown.values())
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(panel.scene.attention)
    assert all(legend.IsDisplayableInView(view(name).node.GetID()) for name in (*shown, "Red"))
    panel.ui.fourUpButton.click()
    assert slicer.app.layoutManager().shown == [["Red", "1"], ["Green", "Yellow"]]


def test_attention_is_drawn_in_3d(panel):
    choose_tiny(panel)
    predict(panel)
    panel.ui.outlineCheck.checked = False
    before = view("1").pixels().astype(int)
    panel.ui.renderingCheck.checked = True
    assert (np.abs(view("1").pixels() - before).max(-1) > 20).sum() > 50
    panel.ui.renderingCheck.checked = False
    assert np.abs(view("1").pixels() - before).max() == 0
