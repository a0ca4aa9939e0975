"""The section "Reading" of the panel: curves, kinetic colours, films and tools, in the harness."""

import time
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.phantom.patient import make_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from harness import session
from PCRPredictorLib.exam import Dynamic
from PCRPredictorLib.mrml.display import CURVE_VIEW, HANGING_LAYOUT, match_view
from PCRPredictorLib.mrml.keys import KEYS
from PCRPredictorLib.mrml.nodes import add_volume
from support.examples import tiny_exam
from support.panel_help import choose, choose_tiny, view, wait


def reading_ui(panel):
    return panel.reading._ui


def point_at(lps):
    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    crosshair.SetCursorPositionRAS((np.array(lps) * [-1, -1, 1]).tolist())
    for _ in range(2):  # the curve follows the mouse at 30 per second
        time.sleep(0.05)
        slicer.app.processEvents()


def test_the_cursor_shows_values_position_and_curve(panel):
    exam, _ = choose_tiny(panel)
    panel.reading.act("hang")
    point_at(exam.centre)
    assert reading_ui(panel).cursorLabel.text.startswith("L 23.3 A 6.0 S 25.0 mm: pre 187, early 487")
    assert "wash-in +149 %" in reading_ui(panel).curveLabel.text
    chart = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
    assert (chart.GetTitle(), chart.GetYAxisTitle()) == ("Time-intensity curve", "Enhancement over pre-contrast (%)")
    assert "Phase" in chart.GetXAxisTitle()  # nodes made here have no times
    assert np.ptp(slicer.app.layoutManager().views[CURVE_VIEW].pixels()) > 100


def test_hanging_has_four_views_and_goes_back(panel):
    choose_tiny(panel)
    layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    panel.reading.act("hang")
    assert layout.GetViewArrangement() == HANGING_LAYOUT
    shown = {
        name: slicer.mrmlScene.GetNodeByID(view(name).composite.GetBackgroundVolumeID()).GetName()
        for name in ("Pre", "Early", "Subtraction")
    }
    assert shown == {"Pre": "Pre-contrast", "Early": "Early phase", "Subtraction": "Early minus pre-contrast"}
    space = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLViewNode")
    assert space.GetRaycastTechnique() == space.MaximumIntensityProjection
    panel.reading.act("hang")
    assert layout.GetViewArrangement() != HANGING_LAYOUT
    assert space.GetRaycastTechnique() == space.Composite


def test_the_lesion_is_coloured_by_curve_type_without_a_prediction(panel):
    choose(panel, make_exam(seed=1, full=False))
    before = view().pixels().astype(int)
    panel.reading.act("kinetics")
    wait(panel)
    attention = panel.scene.attention
    assert attention.GetName() == "Curve type"
    colours = attention.GetDisplayNode().GetColorNode()
    assert (colours.GetColorName(0), colours.GetNumberOfColors()) == ("I (persistent)", 4)
    panel.session.set_overlay(panel.session.overlay)
    assert "Curve types" in reading_ui(panel).kineticsLabel.text
    assert np.abs(view().pixels().astype(int) - before).max() > 50
    panel.reading.act("kinetics")
    assert panel.scene.attention is None


def test_the_four_views_have_the_legend_of_the_curve_types(panel):
    choose(panel, make_exam(seed=1, full=False))
    panel.reading.act("kinetics")
    wait(panel)
    panel.reading.act("hang")
    rows, columns = (slice(-200, None), slice(-60, None))  # the corner of the legend, away from the lesion
    red, green, blue = np.moveaxis(view("Early").pixels()[rows, columns].astype(int), -1, 0)
    assert ((red > 200) & (green < 80) & (blue < 80)).sum() > 100  # washout


def test_slices_phases_and_mip_are_played_and_stop_with_the_panel(panel):
    exam, _ = choose_tiny(panel)
    panel.scene.jump_to(exam.centre)
    red = view("Red").node
    start = red.GetSliceOffset()
    panel.reading.act("next_slice")
    assert red.GetSliceOffset() - start == pytest.approx(3.0)
    panel.reading.act("previous_slice")
    assert red.GetSliceOffset() == pytest.approx(start, abs=1.5)
    panel.reading.act("play_phases")
    session.wait(lambda: panel.reading.station._number is not None, 5)
    panel.reading.act("play_phases")
    panel.reading.act("play_slices")
    panel.exit()
    assert not any(timer.isActive() for timer in panel.reading._players.values())
    panel.enter()


def test_a_step_is_one_slice_in_views_that_move_each_other(panel):
    exam, _ = choose_tiny(panel)
    panel.reading.act("hang")
    panel.scene.jump_to(exam.centre)
    pre, early = view("Pre").node, view("Early").node
    start = early.GetSliceOffset()
    tag = pre.AddObserver("ModifiedEvent", lambda *_: early.SetSliceOffset(pre.GetSliceOffset()))
    panel.reading.act("next_slice")
    pre.RemoveObserver(tag)
    assert early.GetSliceOffset() - start == pytest.approx(3.0, abs=1.5)


def test_a_view_that_is_in_its_place_is_not_touched(panel):
    choose_tiny(panel)
    panel.reading.act("hang")
    pre, early = view("Pre").node, view("Early").node
    match_view(early, pre)
    changes = []
    tag = early.AddObserver("ModifiedEvent", lambda *_: changes.append(1))
    match_view(early, pre)
    assert changes == []
    pre.SetSliceOffset(pre.GetSliceOffset() + 3)
    match_view(early, pre)
    early.RemoveObserver(tag)
    assert (len(changes), early.GetSliceOffset()) == (1, pytest.approx(pre.GetSliceOffset()))


def test_every_key_has_a_shortcut_that_ends_with_the_module(panel, monkeypatch):
    import qt
    from PCRPredictorPanel.controls.reading import _ACTIONS

    window = qt.QMainWindow()
    monkeypatch.setattr(slicer.util, "mainWindow", lambda: window)
    assert {key.action for key in KEYS} == set(_ACTIONS)
    for _ in range(2):
        panel.enter()
        assert len(window.findChildren(qt.QShortcut)) == len(KEYS)
        panel.exit()
        qt.QCoreApplication.sendPostedEvents(None, qt.QEvent.DeferredDelete)
        assert window.findChildren(qt.QShortcut) == []  # also after a reload of the module
    panel.enter()
    panel.exit()


def test_ruler_and_window_are_slicers_own_tools(panel):
    choose_tiny(panel)
    mode = slicer.app.applicationLogic().GetInteractionNode()
    panel.reading.act("window")
    assert mode.GetCurrentInteractionMode() == mode.AdjustWindowLevel
    panel.reading.act("reset")
    assert mode.GetCurrentInteractionMode() == mode.ViewTransform
    panel.reading.act("ruler")
    assert mode.GetCurrentInteractionMode() == mode.Place
    line = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLMarkupsLineNode")
    line.AddControlPointWorld(0, 0, 0)
    line.AddControlPointWorld(0, 30, 40)
    assert line.GetLineLengthWorld() == pytest.approx(50)
    panel.reading.act("clear_rulers")
    assert slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLMarkupsLineNode") is None


def test_grey_values_are_reset(panel):
    _exam, nodes = choose_tiny(panel)
    display = nodes["early"].GetDisplayNode()
    panel.reading.act("window")
    before = display.GetWindow(), display.GetLevel()
    display.SetWindowLevel(11, 22)
    panel.reading.act("reset")
    assert (display.GetWindow(), display.GetLevel()) == pytest.approx(before)


def test_phases_share_window_and_level_and_the_mip_has_the_subtractions(panel):
    _exam, nodes = choose_tiny(panel)
    panel.reading.act("hang")
    early, late = (nodes[name].GetDisplayNode() for name in ("early", "late"))
    first = early.GetWindow(), early.GetLevel()
    nodes["pre"].GetDisplayNode().SetWindowLevel(11, 22)  # as Slicer's tool does
    assert {(each.GetWindow(), each.GetLevel()) for each in (early, late)} == {(11, 22)}
    subtraction = panel.scene.parameters.subtraction.GetDisplayNode()
    assert subtraction.GetWindow() != 11
    subtraction.SetWindowLevelMinMax(5, 50)
    logic = slicer.modules.volumerendering.logic()
    drawn = logic.GetFirstVolumeRenderingDisplayNode(panel.reading.station._mip)
    assert list(drawn.GetVolumePropertyNode().GetVolumeProperty().GetScalarOpacity().GetRange()) == [5, 77]
    panel.reading.act("reset")
    assert (late.GetWindow(), late.GetLevel()) == pytest.approx(first)
    panel.exit()
    nodes["pre"].GetDisplayNode().SetWindowLevel(11, 22)
    assert late.GetWindow() == pytest.approx(first[0])
    panel.enter()


def test_the_mouse_changes_the_image_and_not_the_map_over_it(panel):
    choose(panel, make_exam(seed=1, full=False))
    panel.reading.act("kinetics")
    wait(panel)
    panel.reading.act("window")
    tool = view("Red").displayableManagerByClassName("vtkMRMLScalarBarDisplayableManager")
    assert (tool.GetAdjustBackgroundWindowLevelEnabled(), tool.GetAdjustForegroundWindowLevelEnabled()) == (True, False)
    panel.exit()
    assert tool.GetAdjustForegroundWindowLevelEnabled()
    panel.enter()


def test_a_sequence_gives_a_point_for_every_phase_with_its_time(panel):
    exam = tiny_exam()
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "DCE")
    sequence.SetIndexUnit("s")
    for k, seconds in enumerate((0, 60, 125, 300)):
        volume = add_volume(slicer.mrmlScene, exam.early + k, exam.geometry, f"item {k}")
        sequence.SetDataNodeAtValue(volume, str(seconds))
        slicer.mrmlScene.RemoveNode(volume)
    panel.scene.choose_sequence(sequence)
    phases = panel.session.reading.phases
    assert (phases.picked, phases.seconds) == ((0, 2, 3), (0, 60, 125, 300))
    assert [int(array.flat[0] - exam.early.flat[0]) for array in phases.arrays] == [0, 1, 2, 3]


def test_components_of_a_volume_are_all_phases_without_times(panel):
    exam = tiny_exam()
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "DCE")
    slicer.util.updateVolumeFromArray(volume, np.stack([exam.early + k for k in range(5)], -1))
    panel.scene.choose_sequence(volume)
    phases = panel.session.reading.phases
    assert phases.seconds is None
    assert [int(array.flat[0] - exam.early.flat[0]) for array in phases.arrays] == [0, 1, 2, 3, 4]


def test_voxels_of_an_opened_exam_are_not_copied_unless_they_must_not_be_changed(panel):
    exam = tiny_exam()
    exam.late.flags.writeable = False
    panel.session.open(lambda: exam, "files")
    wait(panel)
    held = [slicer.util.arrayFromVolume(node) for node in panel.scene.volumes]
    assert [np.shares_memory(*pair) for pair in zip(held, exam.phases, strict=True)] == [True, True, False]


def test_an_exam_from_files_keeps_all_phases(panel):
    exam = tiny_exam()
    dynamic = Dynamic(lambda wanted: [exam.early for _ in wanted], (0, 1, 3), 4, (0, 120, 260, 400))
    panel.session.open(lambda: replace(exam, dynamic=dynamic), "files")
    wait(panel)
    assert len(panel.session.reading.kinetics.lesion.signal) == 4
    assert panel.reading.station.step_phases(1) == 2
    assert slicer.mrmlScene.GetNodeByID(view("Red").composite.GetBackgroundVolumeID()).GetName() == "Phase"
    panel.reading.station.stop_phases()
    assert slicer.mrmlScene.GetNodeByID(view("Red").composite.GetBackgroundVolumeID()).GetName() == "Early phase"
