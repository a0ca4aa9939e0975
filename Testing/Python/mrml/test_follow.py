"""Two visits side by side: linked in the baseline's space, alike in grey values, with the right outlines."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("slicer")
from PCRPredictorLib.mrml.exam import LPS_TO_RAS, voxels_of
from PCRPredictorLib.mrml.follow import (
    VISIT_VIEWS,
    fill_views,
    follow_layout_xml,
    put_side_by_side,
    remove_side_by_side,
    show_side_by_side,
)
from PCRPredictorLib.mrml.nodes import add_volume
from PCRPredictorLib.mrml.scene import headless_scene
from PCRPredictorLib.mrml.segments import add_segmentation, tumours_of
from support.examples import tiny_exam

FIRST, SECOND = list(VISIT_VIEWS)[:2]


@pytest.fixture
def scene(tmp_path):
    with headless_scene(tmp_path) as scene:
        for name in VISIT_VIEWS:
            for kind in ("vtkMRMLSliceNode", "vtkMRMLSliceCompositeNode"):
                node = scene.CreateNodeByClass(kind)
                node.SetSingletonTag(name)
                node.SetLayoutName(name)
                node.SetName(name)
                scene.AddNode(node)
        yield scene


def moved(exam, matrix, gain=1):
    """Return an exam whose tissue lies elsewhere by a rigid matrix, LPS mm, and whose signal is stronger."""
    geometry = replace(
        exam.geometry,
        origin=tuple(matrix[:3, :3] @ exam.geometry.origin + matrix[:3, 3]),
        direction=matrix[:3, :3] @ exam.geometry.direction,
    )
    pre, early, late = (array * gain for array in exam.phases)
    return replace(exam, pre=pre, early=early, late=late, geometry=geometry)


def turn(degrees, shift):
    angle = np.deg2rad(degrees)
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix[:3, 3] = shift
    return matrix


def middle_in_ras(node):
    """Return where the middle of a volume is shown, with its transform."""
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    return np.array(bounds).reshape(3, 2).mean(1)


def test_the_follow_up_is_moved_onto_the_baseline(scene):
    exam, matrix = tiny_exam(), turn(0, (10, -5, 3))
    shown = put_side_by_side(scene, exam, moved(exam, matrix), matrix)
    assert middle_in_ras(shown.volumes[SECOND]) == pytest.approx(middle_in_ras(shown.volumes[FIRST]), abs=1e-6)
    middle = exam.geometry.to_physical((np.array(exam.geometry.size) - 1) / 2)
    assert middle_in_ras(shown.volumes[FIRST]) == pytest.approx(LPS_TO_RAS[:3, :3] @ middle, abs=2)


def test_the_transform_turns_back_what_the_registration_turned(scene):
    exam, matrix = tiny_exam(), turn(12, (10, -5, 3))
    shown = put_side_by_side(scene, exam, moved(exam, matrix), matrix)
    point = LPS_TO_RAS @ matrix @ (1, 2, 3, 1)  # where tissue at (1, 2, 3) of the baseline is in the follow-up
    found = shown.transform.GetTransformToParent().TransformPoint(*point[:3])
    assert found == pytest.approx((LPS_TO_RAS @ (1, 2, 3, 1))[:3])


def test_without_a_registration_nothing_is_moved_and_no_outline_is_carried_over(scene):
    exam = tiny_exam()
    shown = put_side_by_side(scene, exam, moved(exam, turn(0, (10, 0, 0))), None)
    assert shown.transform is None
    assert set(shown.outlines) == {"own", "now"}


def test_a_stronger_signal_is_shown_in_a_window_that_is_as_much_wider(scene):
    exam = tiny_exam()
    shown = put_side_by_side(scene, exam, moved(exam, np.eye(4), gain=4), np.eye(4))
    for name, other in zip(list(VISIT_VIEWS)[::2], list(VISIT_VIEWS)[1::2], strict=True):
        first, second = (shown.volumes[each].GetDisplayNode() for each in (name, other))
        assert second.GetWindowLevelMax() == pytest.approx(4 * first.GetWindowLevelMax(), rel=0.01)


def test_each_view_has_its_volume_and_outlines(scene):
    exam = tiny_exam()
    other = add_segmentation(
        scene, tumours_of(exam), exam.geometry, add_volume(scene, exam.early, exam.geometry, "Early")
    )
    shown = put_side_by_side(scene, exam, exam, np.eye(4))
    show_side_by_side(scene, shown)
    composite = scene.GetSingletonNode(SECOND, "vtkMRMLSliceCompositeNode")
    assert composite.GetBackgroundVolumeID() == shown.volumes[SECOND].GetID()
    assert composite.GetLinkedControl()
    seen = {role: set(node.GetDisplayNode().GetViewNodeIDs()) for role, node in shown.outlines.items()}
    views = {name: scene.GetSingletonNode(name, "vtkMRMLSliceNode").GetID() for name in ("Red", *VISIT_VIEWS)}
    assert views[FIRST] in seen["own"]
    assert views[SECOND] not in seen["own"]
    assert seen["then"] == seen["now"] == {views[SECOND], views[list(VISIT_VIEWS)[3]]}
    elsewhere = set(other.GetDisplayNode().GetViewNodeIDs())
    assert views["Red"] in elsewhere
    assert elsewhere.isdisjoint({views[name] for name in VISIT_VIEWS})
    remove_side_by_side(scene, shown)
    assert other.GetDisplayNode().GetViewNodeIDs() == ()


def test_the_subtractions_become_projections_and_slices_again(scene):
    exam = tiny_exam()
    shown = put_side_by_side(scene, exam, exam, np.eye(4))
    for mip in (True, False):
        fill_views(scene, shown, mip=mip)
        slabs = [
            bool(scene.GetSingletonNode(name, "vtkMRMLSliceNode").GetSlabReconstructionEnabled())
            for name in VISIT_VIEWS
        ]
        assert slabs == [False, False, mip, mip]


def test_the_exam_itself_lies_under_no_transform_and_is_not_copied(scene):
    exam = tiny_exam()
    shown = put_side_by_side(scene, exam, exam, np.eye(4))
    image = shown.volumes[SECOND].GetImageData()
    assert np.shares_memory(voxels_of(image), exam.early)


def test_nothing_stays_in_the_scene(scene):
    before = scene.GetNumberOfNodes()
    exam = tiny_exam()
    remove_side_by_side(scene, put_side_by_side(scene, exam, exam, np.eye(4)))
    assert scene.GetNumberOfNodes() == before


def test_the_layout_names_the_views_for_the_reader():
    xml = follow_layout_xml()
    assert 'singletontag="VisitFollowUp"' in xml
    assert ">Follow-up<" in xml
