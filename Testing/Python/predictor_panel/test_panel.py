"""The PCRPredictor panel, driven in the harness: choose, predict, look."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.results import FILES
from PCRPredictorLib.dicom.segmentation import read_segmentation
from PCRPredictorLib.mrml.nodes import is_own
from PCRPredictorLib.phantom.patient import make_exam
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRPredictorLib.writing import write_nifti
from support.dicom_exam import write_dicom_exam
from support.examples import tiny_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.panel_help import MODULE, ROLES, choose, choose_tiny, inside_and_air, predict, view, wait

TESTING = Path(__file__).parents[2]
CODE = [MODULE, *(MODULE.parent / "PCRPredictorPanel").glob("*.py")]


def test_every_widget_that_the_code_names_is_in_the_panel():
    code = "\n".join(file.read_text() for file in CODE)
    used = set(re.findall(r"\bui\.(\w+)", code)) - {"connect"}
    named = set(re.findall(r'name="(\w+)"', (MODULE.parent / "Resources/UI/PCRPredictor.ui").read_text()))
    assert used
    assert used <= named


def test_every_named_widget_has_a_tooltip_or_is_a_plain_label(panel):
    for name, widget in vars(panel.ui).items():
        if name.endswith(("Button", "Selector", "Check", "Slider", "Path")):
            assert widget.toolTip, name


def test_opening_the_module_loads_neither_torch_nor_monai():
    code = (
        "import sys; from harness import session; session.start(); "
        f"session.open_module({str(MODULE)!r}); print([m for m in ('torch', 'monai') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=TESTING, capture_output=True, text=True)
    assert done.stdout.strip().endswith("[]"), done.stderr


def test_predict_says_what_is_missing_until_everything_is_chosen(panel):
    nodes = choose(panel, tiny_exam())
    assert panel.ui.predictButton.enabled
    for role in ROLES:
        getattr(panel.ui, f"{role}Selector").setCurrentNode(None)
        assert not panel.ui.predictButton.enabled
        assert role in panel.ui.predictButton.toolTip.lower()
        getattr(panel.ui, f"{role}Selector").setCurrentNode(nodes[role])
    panel.ui.lateSelector.setCurrentNode(nodes["early"])
    assert "different" in panel.ui.predictButton.toolTip


@pytest.fixture(params=["phantom", "real"])
def any_exam(request):
    """A simulated exam, and a real one where there are any."""
    if request.param == "phantom":
        return make_exam(seed=1, full=False)
    return read_patient(find_patients(request.getfixturevalue("real_cohort"))[0])


def test_attention_appears_in_the_tumour_and_not_in_air(panel, any_exam):
    choose(panel, any_exam)
    predict(panel)
    assert re.search(r"pCR \d+%", panel.ui.probabilityLabel.text)
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


def test_opacity_threshold_outline_and_colours_do_what_they_say(panel):
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
    panel.ui.colourSelector.setCurrentNode(slicer.mrmlScene.GetNodeByID("vtkMRMLColorTableNodeBlue"))
    blue = view().pixels().astype(int)[inside]
    assert (blue[:, 2] - blue[:, 0]).mean() > 10 + (usual[inside][:, 2] - usual[inside][:, 0]).mean()


def test_legend_is_drawn_and_can_be_hidden(panel):
    choose_tiny(panel)
    predict(panel)
    drawn = view().pixels().astype(int)
    panel.ui.legendCheck.checked = False
    assert np.abs(drawn - view().pixels())[:, -100:].max() > 50


def test_jump_centres_every_view_on_the_peak(panel):
    choose_tiny(panel)
    predict(panel)
    peak = np.array(panel.results.shown.prediction.attention_summary.peak) * [-1, -1, 1]
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
    subtraction = slicer.util.arrayFromVolume(panel._parameters.subtraction)
    assert np.array_equal(subtraction, exam.early.astype(int) - exam.pre)
    shown = {name: view(name).composite for name in ("Pre", "Early", "Late", "Subtraction")}
    assert [c.GetBackgroundVolumeID() for c in shown.values()] == [
        *(nodes[role].GetID() for role in ("pre", "early", "late")),
        panel._parameters.subtraction.GetID(),
    ]
    assert all(c.GetLinkedControl() and c.GetForegroundVolumeID() for c in shown.values())
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


def test_clinical_values_change_the_probability_and_the_panel_says_by_how_much(panel):
    choose_tiny(panel)
    predict(panel)
    assert "no clinical value is known" in panel.ui.imageLabel.text
    panel.form.fill({"age": 40, "hr": "negative"})
    assert "predict again" in panel.ui.statusLabel.text
    predict(panel)
    prediction = panel.results.shown.prediction
    change = 100 * (prediction.probability - prediction.image_probability)
    assert f"{change:+.0f} points" in panel.ui.imageLabel.text
    assert panel.form.values() == {"age": 40, "hr": "negative"}


def test_operating_point_decides(panel):
    choose_tiny(panel)
    predict(panel)
    shown = panel.results.shown
    panel.results.shown = replace(shown, prediction=replace(shown.prediction, probability=0.45))
    decisions = {}
    for k in range(panel.ui.pointSelector.count):
        panel.ui.pointSelector.setCurrentIndex(k)
        decisions[panel.ui.pointSelector.currentText] = panel.ui.decisionLabel.text
    assert decisions["high sensitivity"].startswith("pCR at threshold 0.2")
    assert decisions["high specificity"].startswith("no pCR at threshold 0.5")


def test_second_prediction_reuses_exam_model_and_nodes(panel):
    choose_tiny(panel)
    predict(panel)
    first, predictor, attention = panel.results.shown, panel.logic.predictor.predictor, panel._parameters.attention
    panel.form.fill({"age": 60})
    predict(panel)
    assert panel.results.shown.exam.mask is first.exam.mask
    assert panel.results.shown.exam.pre is first.exam.pre
    assert panel.logic.predictor.predictor is predictor
    assert panel._parameters.attention is attention


def test_edited_segmentation_is_read_again(panel):
    exam, nodes = choose_tiny(panel)
    predict(panel)
    from PCRPredictorLib.mrml.nodes import set_segment

    smaller = exam.mask.copy()
    smaller[:, :, : int(np.argwhere(exam.mask)[:, 2].mean())] = 0
    set_segment(nodes["segmentation"], smaller, exam.geometry, nodes["early"])
    predict(panel)
    assert np.array_equal(panel.results.shown.exam.mask, smaller)


def test_another_exam_leaves_nothing_of_the_one_before(panel):
    choose_tiny(panel)
    predict(panel)
    other = make_exam(seed=2, full=False)
    choose(panel, other)
    assert panel.results.shown is None
    assert panel.ui.probabilityLabel.text == "No prediction yet."
    assert panel._parameters.attention is None
    assert not panel.ui.peakButton.enabled
    predict(panel)
    assert panel._parameters.attention.GetImageData().GetDimensions() == other.geometry.size
    made = [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if is_own(node)]
    assert made == [panel._parameters.attention]


def test_results_that_are_gone_leave_no_node_behind(panel):
    counts = []
    for seed in (2, 3, 4):
        choose(panel, make_exam(seed=seed, full=False))
        predict(panel)
        classes = ("vtkMRMLVolumeNode", "vtkMRMLColorTableNode", "vtkMRMLColorLegendDisplayNode")
        counts.append([len(slicer.util.getNodesByClass(name)) for name in classes])
    assert counts[1:] == [[volumes + 3, colours, legends] for volumes, colours, legends in counts[:-1]]


def test_scene_close_empties_the_panel_and_it_works_again(panel):
    choose_tiny(panel)
    predict(panel)
    slicer.mrmlScene.Clear(False)
    assert panel.results.shown is None
    assert panel.exam.nodes() == [None] * 4
    assert panel.ui.segmentSelector.count == 0
    assert not panel.ui.predictButton.enabled
    assert panel.ui.volumeLabel.text == "-"
    choose_tiny(panel)
    predict(panel)
    assert panel.results.shown is not None
    assert panel.messages == []


def test_scene_close_during_a_prediction_shows_nothing(panel):
    choose_tiny(panel)
    panel.ui.predictButton.click()
    slicer.mrmlScene.Clear(False)
    wait(panel)
    assert panel.results.shown is None
    assert panel.messages == []


def test_module_reload_keeps_the_choice_and_predicts(panel, slicer_session):
    choose_tiny(panel)
    predict(panel)
    slicer_session.close_module(panel)
    again = slicer_session.open_module(MODULE)
    assert again.results.shown is None
    assert None not in again.exam.nodes()
    predict(again)
    assert again.results.shown is not None
    slicer_session.close_module(again)
    panel.exit = panel.cleanup = lambda: None  # closed already


def test_reload_reads_sections_and_library_again(training_panel, monkeypatch):
    reloaded = []
    monkeypatch.setattr(slicer.util, "reloadScriptedModule", reloaded.append)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))  # those of the other tests stay
    training_panel.predictor.onReload()
    training_panel.onReload()
    assert reloaded == ["PCRPredictor", "PCRTraining"]
    assert not [name for name in sys.modules if re.match("PCR(Predictor|Training)(Panel|Lib)", name)]


def test_panel_that_is_reloaded_while_it_is_open_follows_the_scene(panel):
    from types import SimpleNamespace

    from PCRPredictor import PCRPredictorWidget

    assert PCRPredictorWidget(SimpleNamespace(isEntered=True, layout=lambda: None))._entered
    assert not PCRPredictorWidget(panel.parent)._entered


def test_result_and_scene_are_saved(panel, tmp_path):
    choose_tiny(panel)
    predict(panel)
    panel.results.save_into(tmp_path / "résult 1")
    wait(panel)
    saved = {file.name for file in (tmp_path / "résult 1").iterdir()}
    assert {"prediction.json", "attention.nii.gz", "overlay.png", "report.html"} <= saved
    assert "Saved" in panel.ui.statusLabel.text


def test_saved_decision_is_that_of_the_chosen_operating_point(panel, tmp_path):
    choose_tiny(panel)
    predict(panel)
    for k in range(panel.ui.pointSelector.count):
        panel.ui.pointSelector.setCurrentIndex(k)
        panel.results.save_into(tmp_path / "result")
        wait(panel)
        saved = json.loads((tmp_path / "result" / "prediction.json").read_text())
        assert saved["operating_point"]["name"] == panel.ui.pointSelector.currentText
        assert panel.ui.decisionLabel.text.startswith(saved["decision"] + " at")


class Database:
    """Slicer's DICOM database, of the files of a folder."""

    isOpen = True

    def __init__(self, folder):
        self._files = {pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID: file for file in folder.iterdir()}

    def fileForInstance(self, uid):
        return str(self._files.get(uid, ""))

    def instanceValue(self, uid, tag):
        return str(pydicom.dcmread(self._files[uid])[tag.replace(",", "")].value)


def test_exam_from_dicom_is_saved_as_dicom_too(panel, tmp_path, monkeypatch):
    pytest.importorskip("highdicom")
    write_dicom_exam(tmp_path / "exam", make_exam(seed=1, full=False), "siemens")
    monkeypatch.setattr(slicer, "dicomDatabase", Database(tmp_path / "exam"), raising=False)
    simulated = make_exam(seed=1, full=False)
    write_nifti(simulated.mask, simulated.geometry, tmp_path / "mask.nii.gz")
    exam = read_dicom_exam(tmp_path / "exam", tmp_path / "mask.nii.gz")
    nodes = choose(panel, exam)
    predict(panel)
    assert not panel.ui.dicomCheck.enabled
    assert "DICOM database" in panel.ui.dicomCheck.toolTip
    uids = [pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID for file in exam.provenance.files]
    nodes["early"].SetAttribute("DICOM.instanceUIDs", " ".join(uids[::-1]))
    predict(panel)
    assert panel.ui.dicomCheck.enabled
    panel.ui.dicomCheck.checked = True
    panel.results.save_into(tmp_path / "result")
    wait(panel)
    assert panel.messages == []
    assert sorted(file.name for file in (tmp_path / "result" / "dicom").iterdir()) == sorted(FILES)
    assert read_segmentation(tmp_path / "result" / "dicom" / FILES[0], exam.geometry).sum() == (exam.mask != 0).sum()


def test_scene_is_one_file_whatever_it_is_called(panel, tmp_path, monkeypatch):
    import qt

    choose_tiny(panel)
    predict(panel)
    chosen = str(tmp_path / "my scene")
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", lambda *_args: chosen)
    panel.ui.saveSceneButton.click()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["my scene.mrb"]
    assert panel.messages == []


def test_sample_data_and_self_test(panel):
    import SampleData

    from PCRPredictor import PCRPredictorTest

    nodes = SampleData.SampleDataLogic.click("BreastPCR phantom")
    assert [node.GetName() for node in nodes[:3]] == ["Pre-contrast", "Early phase", "Late phase"]
    assert view().composite.GetBackgroundVolumeID() == nodes[1].GetID()
    with pytest.raises(IndexError):  # as in Slicer, which asks for files only; scripts call load_sample
        SampleData.SampleDataLogic().downloadSample("BreastPCR phantom")
    slicer.mrmlScene.Clear(False)
    PCRPredictorTest().runTest()


def test_edited_segment_is_noticed_beside_the_result(panel):
    exam, nodes = choose_tiny(panel)
    predict(panel)
    volume = panel.ui.volumeLabel.text
    smaller = exam.mask.copy()
    smaller[:, :, : int(np.argwhere(exam.mask)[:, 2].mean())] = 0
    segmentation = nodes["segmentation"]
    slicer.util.updateSegmentBinaryLabelmapFromArray(smaller, segmentation, panel.exam.segment_id, nodes["early"])
    assert "predict again" in panel.ui.statusLabel.text
    assert panel.ui.volumeLabel.text != volume


def test_segmentation_deselected_during_a_prediction_leaves_the_panel_usable(panel):
    _, nodes = choose_tiny(panel)
    panel.ui.predictButton.click()
    panel.ui.segmentationSelector.setCurrentNode(None)
    wait(panel)
    assert panel.results.shown is None
    panel.ui.segmentationSelector.setCurrentNode(nodes["segmentation"])
    predict(panel)
    assert panel.results.shown is not None
    assert panel.messages == []


def test_scene_that_closes_while_another_module_is_open_is_not_followed(panel):
    choose_tiny(panel)
    panel.exit()
    slicer.mrmlScene.Clear(False)
    assert panel._gui_tag is None
    panel.enter()
    choose_tiny(panel)
    predict(panel)
    assert panel.results.shown is not None
