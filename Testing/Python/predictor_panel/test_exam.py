"""The panel's section "Exam": guessed phases, sequences."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.exam import LeftAside, Provenance
from support.examples import tiny_exam, write_raw_nifti

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.mrml import nodes as mrml
from support.panel_help import choose_tiny, pick_node, predict, wait


def test_phases_are_guessed_from_names_and_changed_by_hand(panel):
    exam = tiny_exam()
    for name in ("DCE 3 late", "DCE 1 pre", "DCE 2 early", "T2 axial"):
        mrml.add_volume(slicer.mrmlScene, exam.early, exam.geometry, name)
    panel.ui.guessButton.click()
    assert [node.GetName() for node in panel.scene.volumes] == ["DCE 1 pre", "DCE 2 early", "DCE 3 late"]
    panel.ui.earlySelector.setCurrentNode(slicer.util.getNode("T2 axial"))
    assert panel.scene.parameters.earlyVolume.GetName() == "T2 axial"


def test_phases_of_the_same_name_are_distinguished(panel):
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


def test_names_without_meaning_are_one_message(panel):
    exam = tiny_exam()
    for name in ("a", "b", "c"):
        mrml.add_volume(slicer.mrmlScene, exam.early, exam.geometry, name)
    panel.ui.guessButton.click()
    assert len(panel.messages) == 1
    assert "choose them" in panel.messages[0]


def test_loaded_exam_is_chosen_when_the_module_is_opened(panel):
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
    pick_node(panel.ui.sequenceSelector, sequence)
    assert [node.GetName() for node in panel.scene.volumes] == ["DCE pre", "DCE early", "DCE late"]
    chosen = [slicer.util.arrayFromVolume(node)[0, 0, 0] - exam.early[0, 0, 0] for node in panel.scene.volumes]
    assert chosen == [0, 2, 3]


def test_a_sequence_that_is_chosen_again_adds_no_volumes(panel):
    exam = tiny_exam()
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "DCE")
    for k in range(3):
        volume = mrml.add_volume(slicer.mrmlScene, exam.early + k, exam.geometry, f"item {k}")
        sequence.SetDataNodeAtValue(volume, str(k))
        slicer.mrmlScene.RemoveNode(volume)
    components = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "4-D")
    slicer.util.updateVolumeFromArray(components, np.stack([exam.early + k for k in range(4)], -1))
    found = {}
    for node in (sequence, components, sequence, components):
        pick_node(panel.ui.sequenceSelector, node)
        assert panel.scene.volumes == found.setdefault(node, panel.scene.volumes)
    made = [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if node is not components]
    assert len(made) == 6


def test_components_of_a_volume_are_phases(panel):
    exam = tiny_exam()
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "DCE")
    slicer.util.updateVolumeFromArray(volume, np.stack([exam.early + k for k in range(4)], -1))
    pick_node(panel.ui.sequenceSelector, volume)
    chosen = [slicer.util.arrayFromVolume(node)[0, 0, 0] - exam.early[0, 0, 0] for node in panel.scene.volumes]
    assert chosen == [0, 1, 3]


def write_all_phases(path, exam):
    phases = np.stack([exam.pre, exam.early - 9, exam.early, exam.late]).astype(np.int16)
    return write_raw_nifti(path, phases, pixdim=[1, 1.5, 1.5, 3, 60, 0, 0, 0], xyzt_units=10)


def test_a_file_with_all_phases_is_opened(panel, tmp_path):
    exam = tiny_exam()
    panel.ui.examPath.currentPath = str(write_all_phases(tmp_path / "dce.nii.gz", exam))
    panel.ui.openExamButton.click()
    wait(panel)
    assert panel.messages == []
    assert all(panel.scene.volumes)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(panel.scene.volumes[1]), exam.early)


def test_a_file_that_is_refused_is_one_sentence(panel, tmp_path):
    path = write_all_phases(tmp_path / "dce.nii", tiny_exam())
    content = bytearray(path.read_bytes())
    content[80:84] = np.array(0, "<f4").tobytes()  # spacing along i
    path.write_bytes(content)
    panel.ui.examPath.currentPath = str(path)
    panel.ui.openExamButton.click()
    wait(panel)
    assert panel.messages == [
        "dce.nii: its voxels must be 0.05 to 20 mm wide along each axis, got 0 x 1.5 x 3 mm; correct the header, or "
        "export or resample it again"
    ]
    panel.ui.examPath.currentPath = ""
    panel.ui.openExamButton.click()
    assert panel.messages[1:] == ["Choose a file with all phases, or a folder with an exam."]


def test_times_and_what_was_not_used_are_shown_before_and_after_a_prediction(panel):
    aside = (LeftAside("series 9 (t1)", "has 4 of 10 slices", 4, looks_like_phase=True),)
    source = Provenance("dicom", (0, 1371.1, 1737), first_post=1371.1, left_aside=aside)
    panel.session.open(lambda: replace(tiny_exam(), provenance=source))
    wait(panel)
    for text in ("1371 s after the pre-contrast one", "injection unknown", "series 9 (t1) (4 files): has 4 of 10"):
        assert text in panel.ui.examNotesLabel.text
    predict(panel)
    assert {"unfamiliar_timing", "phase_left_aside"} <= {n.code for n in panel.session.result.prediction.notices}
    assert "1371 s after the pre-contrast one" in panel.ui.warningLabel.text
    choose_tiny(panel)
    assert panel.ui.examNotesLabel.text == ""


class Database:
    """Slicer's DICOM database with one file per volume."""

    isOpen = True

    def __init__(self, injection):
        self.injection, self.times = injection, {"1": "101500", "2": "103751.10", "3": "104400"}

    def fileForInstance(self, _uid):
        return ""

    def instanceValue(self, uid, tag):
        return self.times[uid] if tag == "0008,0032" else self.injection if tag == "0018,1042" else ""


@pytest.mark.parametrize(("injection", "words"), [("", "time since the injection is unknown"), ("103730", "21 s")])
def test_times_of_volumes_from_the_dicom_database_are_compared_with_the_training(panel, monkeypatch, injection, words):
    monkeypatch.setattr(slicer, "dicomDatabase", Database(injection), raising=False)
    nodes = choose_tiny(panel)[1]
    for name, uid in (("pre", "1"), ("early", "2"), ("late", "3")):
        nodes[name].SetAttribute("DICOM.instanceUIDs", uid)
    panel.session.update()
    assert "early 1371 s, late 1740 s after the pre-contrast one" in panel.ui.examNotesLabel.text
    assert words in panel.ui.examNotesLabel.text
    assert ("unfamiliar_timing" in {n.code for n in _predicted(panel)}) == (injection == "")


def _predicted(panel):
    predict(panel)
    return panel.session.result.prediction.notices
