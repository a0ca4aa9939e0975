"""Baseline and follow-up side by side: linked views in the baseline's space, with the same window.

What is shown are copies that share the voxels of the exams: the follow-up's lie under a transform, which the exam that
is predicted must not. Windows are alike in units of each exam's reference signal, see `follow.compare`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..exam import Exam
from ..follow.compare import reference_signal
from ..report.display import OUTLINE_RGB, ZOOM_MM, enhancement_limits, grey_limits, near_tumour, subtract
from .display import compare_layout_xml
from .exam import LPS_TO_RAS, Node, geometry_of
from .layouts import show_layout
from .nodes import nodes_of, put_own, remove, to_vtk_image
from .segments import add_segmentation, tumours_of

FOLLOW_LAYOUT = 5221  # unlike those of Slicer, of this extension's other views and of other extensions
BASELINE = "VisitBaseline"  # view of the baseline
VISIT_VIEWS = {  # the label of each view by its name
    BASELINE: "Baseline",
    "VisitFollowUp": "Follow-up",
    "VisitBaselineSubtraction": "Baseline, subtraction",
    "VisitFollowUpSubtraction": "Follow-up, subtraction",
}
COLOURS = dict(zip(VISIT_VIEWS, ("#e6a23c", "#5b8ff9", "#e6a23c", "#5b8ff9"), strict=True))
BASELINE_RGB = (0.96, 0.83, 0.2)  # the baseline's outline on the follow-up; a visit's own has the usual colour
_ON_FIRST, _ON_LATER = (BASELINE, "VisitBaselineSubtraction"), ("VisitFollowUp", "VisitFollowUpSubtraction")
_SHOWN_ON = {"own": _ON_FIRST, "now": _ON_LATER, "then": _ON_LATER}


@dataclass(frozen=True, eq=False)
class SideBySide:
    """The nodes of a comparison.

    Args:
        volumes: shown in each view, by its name.
        outlines: the baseline's "own" tumour, the follow-up's "now", and "then", the baseline's on the follow-up.
        transform: that moves the follow-up onto the baseline; None if it stays where it is.
    """

    volumes: Mapping[str, Node]
    outlines: Mapping[str, Node]
    transform: Node | None


def put_side_by_side(scene: Node, baseline: Exam, follow: Exam, matrix: np.ndarray | None) -> SideBySide:
    """Add what is shown of two visits to a scene.

    Args:
        baseline: with its tumour's mask, or without.
        follow: the later exam, the same.
        matrix: (4, 4) LPS mm from the baseline to the follow-up, see `registration.rigid`; None leaves the follow-up
            where it is.
    """
    grey, difference = _limits(baseline)
    scale = reference_signal(follow) / reference_signal(baseline)
    transform = _add_transform(scene, matrix)
    volumes = {}
    for name, exam, factor in zip(VISIT_VIEWS, (baseline, follow) * 2, (1.0, scale) * 2, strict=True):
        is_difference = name.endswith("Subtraction")
        image = subtract(exam.early, exam.pre) if is_difference else np.asarray(exam.early)
        node = put_own(scene, None, to_vtk_image(image), exam.geometry, VISIT_VIEWS[name])
        low, high = difference if is_difference else grey
        node.GetDisplayNode().SetWindowLevelMinMax(low * factor, high * factor)
        if exam is follow and transform is not None:
            node.SetAndObserveTransformNodeID(transform.GetID())
        volumes[name] = node
    first, second = volumes[BASELINE], volumes["VisitFollowUp"]
    outlines = {
        "own": _add_outline(scene, baseline, first, OUTLINE_RGB),
        "now": _add_outline(scene, follow, second, OUTLINE_RGB),
    }
    if matrix is not None:  # else nobody knows where it is in the follow-up
        outlines["then"] = _add_outline(scene, baseline, first, BASELINE_RGB)
    if outlines["now"] is not None and transform is not None:
        outlines["now"].SetAndObserveTransformNodeID(transform.GetID())
    found = {role: node for role, node in outlines.items() if node is not None}
    for node in (*volumes.values(), *found.values(), *([transform] if transform is not None else [])):
        _keep_out_of_the_way(node)
    return SideBySide(volumes, found, transform)


def show_side_by_side(scene: Node, shown: SideBySide, *, mip: bool = False) -> None:
    """Show two visits in their layout, linked; call it again after the views were made.

    Args:
        mip: the subtraction as a maximum intensity projection through the whole exam.
    """
    show_layout(scene, FOLLOW_LAYOUT, follow_layout_xml())
    fill_views(scene, shown, mip=mip)


def fill_views(scene: Node, shown: SideBySide, *, mip: bool = False) -> None:
    """Give each view that exists its volume, and each outline its views; other outlines are hidden in them."""
    baseline = shown.volumes[BASELINE]
    for name, volume in shown.volumes.items():
        composite = scene.GetSingletonNode(name, "vtkMRMLSliceCompositeNode")
        view = scene.GetSingletonNode(name, "vtkMRMLSliceNode")
        if composite is None or view is None:
            continue
        composite.SetBackgroundVolumeID(volume.GetID())
        composite.SetForegroundVolumeID(None)
        composite.SetLinkedControl(True)
        _set_slab(view, baseline, mip and name.endswith("Subtraction"))
    _divide_outlines(scene, shown)


def turn_to(scene: Node, shown: SideBySide, position: np.ndarray, field_mm: float = 1.5 * ZOOM_MM) -> None:
    """Centre the views side by side on an LPS position (3,) in mm of the baseline, axial, with one width in mm."""
    point = LPS_TO_RAS[:3, :3] @ np.asarray(position, float)
    for name in shown.volumes:
        if (view := scene.GetSingletonNode(name, "vtkMRMLSliceNode")) is not None:
            view.SetOrientation("Axial")
            width, height, depth = view.GetFieldOfView()
            view.SetFieldOfView(field_mm, field_mm * height / max(width, 1e-6), depth)
            view.JumpSliceByCentering(*point)


def remove_side_by_side(scene: Node, shown: SideBySide) -> None:
    """Remove what `put_side_by_side` added; other outlines are shown everywhere again."""
    for node in nodes_of(scene, "vtkMRMLSegmentationDisplayNode"):
        if node.GetAttribute(_RESTRICTED):
            node.RemoveAllViewNodeIDs()
            node.RemoveAttribute(_RESTRICTED)
    for node in (*shown.volumes.values(), *shown.outlines.values()):
        remove(node)
    if shown.transform is not None and shown.transform.GetScene() is not None:
        scene.RemoveNode(shown.transform)


def follow_layout_xml() -> str:
    """Return the layout of the two visits, two by two, in the XML of Slicer."""
    description = compare_layout_xml(COLOURS)
    for name, label in VISIT_VIEWS.items():
        description = description.replace(
            f'"viewlabel" action="default">{name}<', f'"viewlabel" action="default">{label}<'
        )
    return description


_RESTRICTED = "BreastPCR.notBesideVisits"  # attribute of outlines that are hidden in the views side by side


def _limits(exam: Exam) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return darkest and brightest value of the early phase and of the subtraction."""
    if exam.has_tumour:
        near = near_tumour(exam)
        mask = np.asarray(exam.mask)[near]
        return grey_limits(exam.early[near], mask), enhancement_limits(exam.early[near], exam.pre[near], mask)
    difference = subtract(exam.early, exam.pre)[::4, ::4, ::4]
    return grey_limits(exam.early[::2, ::4, ::4], np.zeros(0)), (0.0, max(float(np.percentile(difference, 99.8)), 1e-3))


def _add_transform(scene: Node, matrix: np.ndarray | None) -> Node | None:
    """Add the transform that moves the follow-up onto the baseline."""
    if matrix is None:
        return None
    import slicer
    import vtk

    to_baseline = LPS_TO_RAS @ np.linalg.inv(matrix) @ LPS_TO_RAS
    values = vtk.vtkMatrix4x4()
    values.DeepCopy(to_baseline.ravel())
    node = slicer.vtkMRMLLinearTransformNode()
    node.SetName(scene.GenerateUniqueName("Follow-up to baseline"))
    node.SetMatrixTransformToParent(values)
    return scene.AddNode(node)


def _add_outline(scene: Node, exam: Exam, reference: Node, colour: tuple[float, float, float]) -> Node | None:
    if not exam.has_tumour:
        return None
    node = add_segmentation(scene, tumours_of(exam), exam.geometry, reference, "Outline beside")
    content = node.GetSegmentation()
    for key in content.GetSegmentIDs():
        content.GetSegment(key).SetColor(*colour)
    return node


def _divide_outlines(scene: Node, shown: SideBySide) -> None:
    """Show each outline in its own views, and every other one elsewhere."""
    views = [*nodes_of(scene, "vtkMRMLSliceNode"), *nodes_of(scene, "vtkMRMLViewNode")]
    mine = {node.GetDisplayNode(): _SHOWN_ON[role] for role, node in shown.outlines.items()}
    for display in nodes_of(scene, "vtkMRMLSegmentationDisplayNode"):
        if display in mine:
            _restrict(display, [view for view in views if view.GetName() in mine[display]])
        elif display.GetNumberOfViewNodeIDs() == 0 or display.GetAttribute(_RESTRICTED):
            display.SetAttribute(_RESTRICTED, "yes")
            _restrict(display, [view for view in views if view.GetName() not in VISIT_VIEWS])


def _restrict(display: Node, views: Iterable[Node]) -> None:
    display.RemoveAllViewNodeIDs()
    for view in views:
        display.AddViewNodeID(view.GetID())


def _set_slab(view: Node, volume: Node, wanted: bool) -> None:
    """Show the maximum through the whole exam in a view, or a slice."""
    import vtk

    view.SetSlabReconstructionEnabled(wanted)
    if wanted:
        geometry = geometry_of(volume)
        view.SetSlabReconstructionType(vtk.VTK_IMAGE_SLAB_MAX)
        view.SetSlabReconstructionThickness(float(2 * np.max(np.array(geometry.size) * geometry.spacing)))


def _keep_out_of_the_way(node: Node) -> None:
    """Keep a node from lists, menus and the saved scene."""
    node.HideFromEditorsOn()
    node.SetSaveWithScene(False)
    if hasattr(node, "GetDisplayNode") and node.GetDisplayNode() is not None:
        node.GetDisplayNode().SetSaveWithScene(False)
