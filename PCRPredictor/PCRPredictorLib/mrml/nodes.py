"""An exam and its prediction as MRML nodes of 3D Slicer.

`slicer` and `vtk` are imported inside functions: elsewhere they may be missing, and they are slow to load.
The scene is always an argument, so that the same functions serve the scene of the desktop and one without a desktop.
Nodes are named after their content, never after the patient.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..exam import PHASE_NAMES, Exam, Geometry
from ..prediction import Prediction
from ..report.display import (
    ATTENTION_RGB,
    FAINT,
    OPACITY,
    ZOOM_MM,
    enhancement_limits,
    grey_limits,
    near_tumour,
    subtract,
)
from .exam import LPS_TO_RAS, SIMULATED, Node, fill_image, geometry_of, ijk_to_ras
from .segments import add_segmentation, tumours_of

VOLUME_NAMES = {"pre": "Pre-contrast", "early": "Early phase", "late": "Late phase"}
ATTENTION = "Attention"
SUBTRACTION = "Early minus pre-contrast"
DRAWN_IN_3D = "BreastPCR.drawnIn3D"  # node reference from attention to its part that is drawn as a volume
_OWN = "BreastPCR"  # attribute of nodes that this library made


def register_legends(scene: Node) -> None:
    """Register colour legends with a scene, as Slicer's module Colors does."""
    import slicer

    scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())


def add_prediction(scene: Node, exam: Exam, prediction: Prediction) -> dict[str, Node]:
    """Add an exam and its prediction to a scene, and show them.

    Returns:
        The nodes added: "pre", "early", "late", "subtraction", "segmentation", "attention".
    """
    nodes = add_exam(scene, exam)
    nodes["subtraction"] = put_subtraction(scene, None, exam)
    nodes["attention"] = put_attention(scene, None, to_vtk_image(prediction.attention), exam.geometry)
    show_overlay(scene, nodes["early"], nodes["attention"], prediction.attention_summary.peak)
    return nodes


def add_exam(scene: Node, exam: Exam, *, share: bool = False) -> dict[str, Node]:
    """Add an exam with a mask to a scene; each of several tumours is a segment.

    Returns:
        The nodes added: "pre", "early", "late", "segmentation".
    """
    nodes = add_phases(scene, exam, share=share)
    nodes["segmentation"] = add_segmentation(scene, tumours_of(exam), exam.geometry, nodes["early"])
    return nodes


def add_phases(scene: Node, exam: Exam, *, share: bool = False) -> dict[str, Node]:
    """Add "pre", "early" and "late" of an exam to a scene, with grey values chosen by the mask, if any.

    Args:
        share: let the nodes have the exam's own voxels where these may be changed: copies of a whole exam take a tenth
            of a second, and its memory twice.
    """
    nodes = {}
    for name in PHASE_NAMES:
        array = getattr(exam, name)
        image = to_vtk_image(array) if share and array.flags.writeable else _copy_to_vtk_image(array)
        nodes[name] = _add_image(scene, image, exam.geometry, VOLUME_NAMES[name])
    if exam.has_tumour:
        near = near_tumour(exam)
        limits = grey_limits(exam.early[near], np.asarray(exam.mask)[near])
    else:
        limits = grey_limits(exam.early[::2, ::4, ::4], np.zeros(0))
    for node in nodes.values():
        node.GetDisplayNode().SetWindowLevelMinMax(*limits)
        if exam.provenance.is_phantom:
            node.SetAttribute(SIMULATED, "true")
    return nodes


def put_subtraction(scene: Node, node: Node | None, exam: Exam) -> Node:
    """Put early minus pre-contrast into a volume node: `node`, changed in place, or a new one."""
    difference = subtract(exam.early, exam.pre)
    node = put_own(scene, node, to_vtk_image(difference), exam.geometry, SUBTRACTION)
    if exam.has_tumour:
        near = near_tumour(exam)
        limits = enhancement_limits(exam.early[near], exam.pre[near], np.asarray(exam.mask)[near])
    else:
        limits = 0.0, max(float(np.percentile(difference[::4, ::4, ::4], 99.8)), 1e-3)
    node.GetDisplayNode().SetWindowLevelMinMax(*limits)
    return node


def put_attention(scene: Node, node: Node | None, image: Node, geometry: Geometry) -> Node:
    """Put attention into a volume node with its colours and legend; faint attention is transparent.

    Args:
        node: to change in place, or None for a new one.
        image: `to_vtk_image` of attention, (k, j, i) in [0, 1].
        geometry: of the exam.
    """
    is_new = node is None
    node = put_own(scene, node, image, geometry, ATTENTION)
    if is_new:
        _colour_attention(scene, node)
    return node


def is_own(node: Node) -> bool:
    """Return whether this library made a node, other than a phase of an exam."""
    return node.GetAttribute(_OWN) is not None


def to_vtk_image(array: np.ndarray) -> Node:
    """Return a VTK image over the memory of (k, j, i), which must not be changed afterwards.

    It is no MRML node and can be made on any thread. VTK's array keeps a reference to numpy's (`_numpy_reference`).
    """
    import vtk

    return fill_image(vtk.vtkImageData(), array, copy=False)


def remove(node: Node) -> None:
    """Remove a node that this library made from its scene, with its display, legend, storage and colours.

    The nodes that draw it in 3D are removed, too.
    """
    scene = node.GetScene()
    if scene is None:
        return
    if (part := node.GetNodeReference(DRAWN_IN_3D)) is not None:
        remove(part)
    count = node.GetNumberOfDisplayNodes() if node.IsA("vtkMRMLDisplayableNode") else 0
    displays = [node.GetNthDisplayNode(k) for k in range(count)]
    colours = [display.GetColorNode() for display in displays]
    own = [node, *(colour for colour in colours if colour is not None and is_own(colour))]
    drawn = [display for display in displays if display.IsA("vtkMRMLVolumeRenderingDisplayNode")]
    drawn_with = [made for display in drawn for made in (display.GetVolumePropertyNode(), display.GetROINode())]
    for gone in [*own, *displays, *drawn_with, *(item.GetStorageNode() for item in own)]:
        if gone is not None:
            scene.RemoveNode(gone)


def put_own(scene: Node, node: Node | None, image: Node, geometry: Geometry, name: str) -> Node:
    """Put an image into a volume node that is marked as made here: `node`, changed in place, or a new one."""
    if node is None:
        node = _add_image(scene, image, geometry, name)
        node.SetAttribute(_OWN, "made")
        return node
    node.SetIJKToRASMatrix(ijk_to_ras(geometry))
    node.SetAndObserveImageData(image)
    return node


def add_volume(scene: Node, array: np.ndarray, geometry: Geometry, name: str) -> Node:
    """Add a scalar volume node with a copy of the array (k, j, i)."""
    return _add_image(scene, _copy_to_vtk_image(array), geometry, name)


def _copy_to_vtk_image(array: np.ndarray) -> Node:
    import vtk

    return fill_image(vtk.vtkImageData(), array)


def _add_image(scene: Node, image: Node, geometry: Geometry, name: str) -> Node:
    import slicer

    display = slicer.vtkMRMLScalarVolumeDisplayNode()
    display.AutoWindowLevelOff()  # before it gets the voxels: a histogram of a full exam takes a second
    scene.AddNode(display).SetAndObserveColorNodeID("vtkMRMLColorTableNodeGrey")
    node = slicer.vtkMRMLScalarVolumeNode()
    node.SetName(scene.GenerateUniqueName(name))
    node.SetIJKToRASMatrix(ijk_to_ras(geometry))
    node.SetAndObserveImageData(image)
    scene.AddNode(node).SetAndObserveDisplayNodeID(display.GetID())
    return node


def _colour_attention(scene: Node, node: Node) -> None:
    """Give attention its colours from 0 to 1 and a legend in the slice views; hide faint attention."""
    import slicer

    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(make_colour_table(scene, ATTENTION_RGB, ATTENTION).GetID())
    display.SetWindowLevelMinMax(0.0, 1.0)
    display.SetThreshold(FAINT, 1.0)
    display.ApplyThresholdOn()
    legend = slicer.vtkSlicerColorLogic.AddDefaultColorLegendDisplayNode(node)
    legend.SetTitleText(ATTENTION)
    legend.SetPosition(0.98, 0.08)  # the corner between the letters of two edges
    legend.SetSize(0.06, 0.2)
    for text in (legend.GetTitleTextProperty(), legend.GetLabelTextProperty()):
        text.SetFontSize(9)
    legend.SetNumberOfLabels(6)  # 0.0, 0.2, ... 1.0: exact with one decimal
    legend.SetLabelFormat("%.1f")
    for view in nodes_of(scene, "vtkMRMLSliceNode"):  # attention is not drawn in 3D
        legend.AddViewNodeID(view.GetID())


def show_overlay(
    scene: Node,
    background: Node,
    attention: Node | None,
    centre: Sequence[float],
    field_mm: float = 1.5 * ZOOM_MM,
    *,
    four_up: bool = True,
) -> None:
    """Show attention over a volume in every slice view of the scene, and turn the 3D view to it.

    Args:
        centre: of the views, LPS position in mm.
        field_mm: width of the field in the slice views.
        four_up: show Slicer's usual layout; False to leave the user's own one.
    """
    import slicer

    geometry = geometry_of(background)
    middle = geometry.to_physical(np.floor(geometry.to_index(np.asarray(centre, float)) + 0.5))  # of a voxel
    position = LPS_TO_RAS[:3, :3] @ middle
    for node in nodes_of(scene, "vtkMRMLSliceCompositeNode"):
        node.SetBackgroundVolumeID(background.GetID())
        node.SetForegroundVolumeID(attention.GetID() if attention is not None else None)
        node.SetForegroundOpacity(OPACITY)
    oblique = np.abs(geometry.direction).max(axis=0).min() < 1 - 1e-4
    for node in nodes_of(scene, "vtkMRMLSliceNode"):
        if oblique:
            node.RotateToVolumePlane(background)
        width, height, depth = node.GetFieldOfView()
        node.SetFieldOfView(field_mm, field_mm * height / width, depth)
        node.JumpSliceByCentering(*position)
    for node in nodes_of(scene, "vtkMRMLLayoutNode") if four_up else ():
        node.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    for node in nodes_of(scene, "vtkMRMLCameraNode"):
        node.SetFocalPoint(*position)
        node.SetPosition(*(position + (0, 1.5 * field_mm, 0)))  # from the front
        node.SetViewUp(0, 0, 1)


def make_colour_table(scene: Node, colours: Sequence[Sequence[float]], name: str, classes: Sequence[str] = ()) -> Node:
    """Add the colours of a map to the scene, so that any Slicer shows them.

    Args:
        colours: RGB in [0, 1], evenly spaced.
        name: of the map.
        classes: names of the colours, if each is that of a class; else what lies between them is interpolated.
    """
    import slicer

    levels = np.linspace(0, 1, len(classes) or 256)
    anchors = np.linspace(0, 1, len(colours))
    rgb = np.stack([np.interp(levels, anchors, channel) for channel in zip(*colours, strict=True)], -1)
    node = slicer.vtkMRMLColorTableNode()
    node.SetAttribute(_OWN, "made")
    node.SetTypeToUser()
    node.SetName(scene.GenerateUniqueName(f"{name} colours"))
    node.SetNumberOfColors(len(levels))
    names = classes or [f"{level:.2f}" for level in levels]
    for index, (text, colour) in enumerate(zip(names, rgb, strict=True)):
        node.SetColor(index, text, *colour.tolist())
    scene.AddNode(node).AddDefaultStorageNode()
    node.GetStorageNode().SetDefaultWriteFileExtension("ctbl")  # older Slicers do not read colours from CSV
    return node


def nodes_of(scene: Node, class_name: str) -> list[Node]:
    """Return every node of a class, in the order of the scene."""
    return [scene.GetNthNodeByClass(n, class_name) for n in range(scene.GetNumberOfNodesByClass(class_name))]
