"""What is made of an exam: under its study, with its DICOM instances, and with a terminology entry."""

import numpy as np
import pytest
from PCRPredictorLib.mrml.subjects import INSTANCES, put_beside
from support.examples import tiny_exam

pytest.importorskip("slicer")


@pytest.fixture
def scene(tmp_path):
    from PCRPredictorLib.mrml.scene import headless_scene

    with headless_scene(tmp_path) as scene:
        yield scene


def _study(scene, node):
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "patient")
    study = hierarchy.CreateStudyItem(patient, "study")
    hierarchy.CreateItem(study, node)
    return hierarchy, study


def test_node_is_put_under_the_study_of_the_volume(scene):
    from PCRPredictorLib.mrml.nodes import add_exam

    nodes = add_exam(scene, tiny_exam())
    hierarchy, study = _study(scene, nodes["early"])
    put_beside(nodes["segmentation"], nodes["early"])
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(nodes["segmentation"])) == study


def test_volume_in_no_study_moves_nothing(scene):
    from PCRPredictorLib.mrml.nodes import add_exam

    nodes = add_exam(scene, tiny_exam())
    hierarchy, study = _study(scene, nodes["segmentation"])
    put_beside(nodes["segmentation"], nodes["late"])
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(nodes["segmentation"])) == study


def test_phases_of_a_sequence_have_its_instances_and_lie_beside_it(scene):
    import slicer
    from PCRPredictorLib.mrml.dynamic import phases_of_sequence
    from PCRPredictorLib.mrml.nodes import add_phases

    scene.RegisterNodeClass(slicer.vtkMRMLSequenceNode())
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", "dyn")
    for k, node in enumerate(add_phases(scene, tiny_exam()).values()):
        node.SetAttribute(INSTANCES, f"1.2.{k}")
        sequence.SetDataNodeAtValue(node, str(k))
    hierarchy, study = _study(scene, sequence)
    found = phases_of_sequence(sequence)
    assert [node.GetAttribute(INSTANCES) for node in found] == ["1.2.0", "1.2.1", "1.2.2"]
    assert {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) for node in found} == {study}


def test_segments_say_that_they_are_neoplasms_of_the_breast_and_keep_what_a_user_chose(scene):
    import slicer
    from PCRPredictorLib.mrml.nodes import add_exam
    from PCRPredictorLib.mrml.segments import TERMINOLOGY, Tumour, _terminology, put_segments

    exam = tiny_exam()
    nodes = add_exam(scene, exam)
    segment = nodes["segmentation"].GetSegmentation().GetSegment("tumour")
    assert _terminology(segment) == TERMINOLOGY
    own = TERMINOLOGY.replace("108369006^Neoplasm", "4147007^Mass")
    segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), own)
    put_segments(nodes["segmentation"], [Tumour.of_mask(np.zeros_like(exam.mask))], exam.geometry, nodes["pre"])
    put_segments(nodes["segmentation"], [Tumour.of_mask(exam.mask)], exam.geometry, nodes["pre"])
    assert _terminology(nodes["segmentation"].GetSegmentation().GetSegment("tumour")) == own


def test_terminology_is_what_the_desktop_reads():
    import slicer
    from PCRPredictorLib.mrml.segments import TERMINOLOGY

    entry, logic = slicer.vtkSlicerTerminologyEntry(), slicer.vtkSlicerTerminologiesModuleLogic()
    logic.DeserializeTerminologyEntry(TERMINOLOGY, entry)
    assert entry.GetTypeObject().GetCodeMeaning() == "Neoplasm"
    assert entry.GetRegionObject().GetCodeMeaning() == "Breast"
    assert logic.SerializeTerminologyEntry(entry) == TERMINOLOGY
