"""The panel's result: in words, beside a different exam, saved."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.objects.results import FILES
from PCRPredictorLib.exam import Provenance
from PCRPredictorLib.phantom.patient import make_exam
from PCRPredictorLib.reading.mask import add_mask, read_mask
from PCRPredictorLib.writing import write_nifti
from support.dicom.database import Database
from support.dicom_exam import write_dicom_exam
from support.examples import tiny_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.panel_help import choose, choose_tiny, predict, view, wait


def test_effect_of_clinical_values_on_the_probability_is_shown(panel):
    choose_tiny(panel)
    predict(panel)
    assert "No clinical value was given" in panel.ui.imageLabel.text
    panel.session.enter({"age": 40, "hr": "negative"})
    assert "Hypothetical until you predict" in panel.ui.statusLabel.text
    predict(panel)
    prediction = panel.session.result.prediction
    change = 100 * (prediction.probability - prediction.image_probability)
    assert f"{change:+.0f} percentage points" in panel.ui.imageLabel.text
    assert panel.session.clinical.values == {"age": 40, "hr": "negative"}


def test_operating_point_decides(panel):
    choose_tiny(panel)
    predict(panel)
    for k, point in enumerate(panel.session.model.points):
        panel.ui.pointSelector.setCurrentIndex(k)
        assert panel.ui.pointSelector.currentText == point.name
        assert f"the threshold of “{point.name}” ({100 * point.threshold:.1f} %)" in panel.ui.decisionLabel.text


def test_bars_and_what_if_are_in_the_panel(panel):
    choose_tiny(panel)
    predict(panel)
    assert panel.ui.evidenceLabel.text.startswith("<b>The image moved the probability by")
    bars = panel.ui.evidenceLabel.text
    panel.session.enter({"age": 70, "hr": "negative"})
    assert "Hypothetical, if Age were 70 years and Hormone receptors were negative:" in panel.ui.probabilityLabel.text
    assert panel.ui.evidenceLabel.text != bars
    assert panel.ui.statusLabel.text.startswith("Hypothetical until you predict")
    predict(panel)
    assert "Hypothetical" not in panel.ui.probabilityLabel.text + panel.ui.statusLabel.text


def test_texts_of_the_result_are_not_cut(panel):
    choose_tiny(panel)
    predict(panel)
    for label in (panel.ui.decisionLabel, panel.ui.evidenceLabel, panel.ui.attentionLabel):
        assert label.minimumHeight >= label.heightForWidth(label.width) > 0


def test_whether_the_picture_matters_is_found_out_on_demand(panel):
    assert not panel.ui.matterButton.enabled
    assert panel.ui.matterButton.toolTip == "Predict first."
    choose_tiny(panel)
    predict(panel)
    assert panel.ui.matterLabel.text == ""
    panel.ui.matterButton.click()
    wait(panel)
    assert "Erasing the tumour" in panel.ui.matterLabel.text


def test_model_is_named_with_its_result_and_that_of_phantoms_warns(panel):
    choose(panel, replace(tiny_exam(), provenance=Provenance("nifti")))
    panel.models.refresh("phantom")
    predict(panel)
    assert f"Model {panel.session.model.bundle.card.name}" in panel.ui.decisionLabel.text
    assert "was trained on simulated exams" in panel.ui.probabilityLabel.text


def test_second_prediction_reuses_exam_and_nodes(panel):
    choose_tiny(panel)
    predict(panel)
    first, attention = panel.session.result, panel.scene.attention
    panel.session.enter({"age": 60})
    predict(panel)
    assert panel.session.result.exam.mask is first.exam.mask
    assert panel.session.result.exam.pre is first.exam.pre
    assert panel.scene.attention is attention


def test_edited_segmentation_is_read_again(panel):
    exam, nodes = choose_tiny(panel)
    predict(panel)
    from PCRPredictorLib.mrml.segments import Tumour, put_segments

    smaller = exam.mask.copy()
    smaller[:, :, : int(np.argwhere(exam.mask)[:, 2].mean())] = 0
    put_segments(nodes["segmentation"], [Tumour.of_mask(smaller)], exam.geometry, nodes["early"])
    predict(panel)
    assert np.array_equal(panel.session.result.exam.mask, smaller)


def test_different_exam_leaves_nothing_of_the_last_one(panel):
    choose_tiny(panel)
    predict(panel)
    other = make_exam(seed=2, full=False)
    choose(panel, other)
    assert panel.session.result is None
    assert panel.ui.probabilityLabel.text == "No prediction yet."
    assert panel.scene.parameters.attention is None
    assert not panel.ui.peakButton.enabled
    predict(panel)
    assert panel.scene.parameters.attention.GetImageData().GetDimensions() == other.geometry.size
    assert view().composite.GetForegroundVolumeID() == panel.scene.parameters.attention.GetID()


def test_removed_results_leave_no_node(panel):
    counts = []
    for seed in (2, 3, 4):
        choose(panel, make_exam(seed=seed, full=False))
        predict(panel)
        panel.session.clear_result()
        classes = ("vtkMRMLVolumeNode", "vtkMRMLColorTableNode", "vtkMRMLColorLegendDisplayNode", "vtkMRMLTextNode")
        counts.append([len(slicer.util.getNodesByClass(name)) for name in classes])
    assert counts[1:] == [[volumes + 3, *others] for volumes, *others in counts[:-1]]


def test_result_and_scene_are_saved(panel, tmp_path):
    choose_tiny(panel)
    predict(panel)
    panel.results.save_into(tmp_path / "résult 1")
    wait(panel)
    saved = {file.name for file in (tmp_path / "résult 1").iterdir()}
    assert {"prediction.json", "attention.nii.gz", "overlay.png", "report.html"} <= saved
    assert "Saved" in panel.ui.statusLabel.text


def test_exam_from_dicom_is_saved_as_dicom_too(panel, tmp_path, monkeypatch):
    pytest.importorskip("highdicom")
    write_dicom_exam(tmp_path / "exam", make_exam(seed=1, full=False), "siemens")
    monkeypatch.setattr(slicer, "dicomDatabase", Database(tmp_path / "exam"), raising=False)
    simulated = make_exam(seed=1, full=False)
    write_nifti(simulated.mask, simulated.geometry, tmp_path / "mask.nii.gz")
    exam = add_mask(read_dicom_exam(tmp_path / "exam"), tmp_path / "mask.nii.gz")
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
    assert read_mask(tmp_path / "result" / "dicom" / FILES[0], exam.geometry).sum() == (exam.mask != 0).sum()


def test_scene_is_saved_as_one_file_whatever_its_name(panel, tmp_path, monkeypatch):
    import qt

    choose_tiny(panel)
    predict(panel)
    chosen = str(tmp_path / "my scene")
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", lambda *_args: chosen)
    panel.ui.saveSceneButton.click()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["my scene.mrb"]
    assert panel.messages == []


def test_edited_segment_makes_the_result_stale(panel):
    exam, nodes = choose_tiny(panel)
    predict(panel)
    volume = panel.ui.volumeLabel.text
    smaller = exam.mask.copy()
    smaller[:, :, : int(np.argwhere(exam.mask)[:, 2].mean())] = 0
    segmentation = nodes["segmentation"]
    slicer.util.updateSegmentBinaryLabelmapFromArray(smaller, segmentation, panel.scene.segment_ids[0], nodes["early"])
    assert "predict again" in panel.ui.statusLabel.text
    assert panel.ui.volumeLabel.text != volume


def test_segmentation_deselected_during_a_prediction_is_one_message_and_the_panel_still_works(panel):
    _, nodes = choose_tiny(panel)
    panel.ui.predictButton.click()
    panel.ui.segmentationSelector.setCurrentNode(None)
    wait(panel)
    assert panel.session.result is None
    panel.ui.segmentationSelector.setCurrentNode(nodes["segmentation"])
    predict(panel)
    assert panel.session.result is not None
    assert panel.messages == ["The exam was changed or deleted meanwhile; nothing is shown."]
