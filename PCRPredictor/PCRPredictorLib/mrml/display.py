"""Overlay controls in Slicer's views: opacity, threshold, outline, jump, layouts, 3D."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from ..exam import Exam, Geometry, bounding_box
from ..report.display import ATTENTION_RGB, FAINT, OPACITY
from .exam import LPS_TO_RAS, Node, geometry_of, phases_from_nodes, scalar_array
from .layouts import show_layout, show_own_layout
from .maps import hide_faint, kind_of, opacity_of
from .nodes import DRAWN_IN_3D, nodes_of, put_own, put_subtraction, remove, to_vtk_image

COMPARE_LAYOUT, STEPS_LAYOUT, HANGING_LAYOUT = 5207, 5211, 5213  # unlike those of Slicer and of other extensions
COMPARE_VIEWS = {"Pre": "#8a8a8a", "Early": "#e6a23c", "Late": "#5b8ff9", "Subtraction": "#61d9a3"}
HANGING_VIEWS = ("Pre", "Early", "Subtraction")  # and the MIP, in a 3D view
CURVE_VIEW = "PCRCurve"  # the plot view beside them


def set_overlay(scene: Node, attention: Node | None, *, visible: bool = True, opacity: float = OPACITY) -> None:
    """Show or hide attention as the foreground of the slice views; other foregrounds stay as they are."""
    wanted = attention.GetID() if attention is not None else None
    for node in nodes_of(scene, "vtkMRMLSliceCompositeNode"):
        if visible and wanted:
            node.SetForegroundVolumeID(wanted)
            node.SetForegroundOpacity(opacity_of(attention, opacity))
        elif wanted and node.GetForegroundVolumeID() == wanted:
            node.SetForegroundVolumeID(None)


def set_opacity(scene: Node, attention: Node, opacity: float) -> None:
    """Set the opacity of attention in the slice views that show it."""
    for node in nodes_of(scene, "vtkMRMLSliceCompositeNode"):
        if node.GetForegroundVolumeID() == attention.GetID():
            node.SetForegroundOpacity(opacity_of(attention, opacity))


def set_background(scene: Node, volume: Node) -> None:
    """Show a volume in every slice view, under the overlay."""
    for node in nodes_of(scene, "vtkMRMLSliceCompositeNode"):
        node.SetBackgroundVolumeID(volume.GetID())


def set_outline(segmentation: Node, visible: bool) -> None:
    """Show or hide the tumour's outline in slices and its surface in 3D."""
    segmentation.GetDisplayNode().SetVisibility(visible)


def set_legend(attention: Node, visible: bool) -> None:
    """Show or hide the colour legend."""
    import slicer

    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(attention)
    if legend is not None:
        legend.SetVisibility(visible)
        legend.Modified()  # the legend does not notice that its volume is now in view


def apply_overlay(
    scene: Node,
    attention: Node | None,
    segmentation: Node | None,
    rendering_logic: Node,
    *,
    kind: str,
    visible: bool,
    opacity: float,
    threshold: float,
    outline: bool,
    legend: bool,
    rendering: bool,
    changed: Collection[str] = (),
) -> None:
    """Make the views what a person set, see `session.overlay.OverlaySettings`.

    Args:
        attention: node of the map, which is of this kind already; see `maps.put_map`.
        rendering_logic: of Slicer's module Volume Rendering.
        changed: names of the settings to apply, as the rest may have been set elsewhere in Slicer; empty for all.
    """
    parts = set(changed) or {"outline", "visible", "threshold", "legend", "rendering"}
    if "outline" in parts and segmentation is not None and segmentation.GetDisplayNode() is not None:
        set_outline(segmentation, outline)
    if attention is None or attention.GetDisplayNode() is None:
        return
    if "visible" in parts:
        set_overlay(scene, attention, visible=visible, opacity=opacity)
    elif "opacity" in parts:
        set_opacity(scene, attention, opacity)
    if "threshold" in parts:
        hide_faint(attention, threshold)
    if parts & {"legend", "visible"}:
        set_legend(attention, legend and visible)
    if "rendering" in parts:
        render_in_3d(rendering_logic, attention, rendering and kind_of(attention) == "attention")


def jump_to(scene: Node, position: Sequence[float]) -> None:
    """Centre every slice view and the cameras on a point.

    Args:
        position: LPS mm.
    """
    point = LPS_TO_RAS[:3, :3] @ np.asarray(position, float)
    for node in nodes_of(scene, "vtkMRMLSliceNode"):
        node.JumpSliceByCentering(*point)
    for node in nodes_of(scene, "vtkMRMLCameraNode"):
        away = np.subtract(node.GetPosition(), node.GetFocalPoint())
        node.SetFocalPoint(*point)
        node.SetPosition(*(point + away))


def scroll_to(scene: Node, position: Sequence[float]) -> None:
    """Move every slice view through the exam to a point, without shifting what it shows.

    Args:
        position: LPS mm.
    """
    point = LPS_TO_RAS[:3, :3] @ np.asarray(position, float)
    for node in nodes_of(scene, "vtkMRMLSliceNode"):
        node.JumpSliceByOffsetting(*point)


def subtract_nodes(pre: Node, early: Node, node: Node | None = None, mask: np.ndarray | None = None) -> Node:
    """Return a volume node with early minus pre of two volume nodes: `node`, changed in place, or a new one.

    Args:
        mask: (k, j, i) of the tumour, by which grey values are chosen.

    Raises:
        DataError: if the volumes cannot be subtracted.
    """
    (before, after), geometry = phases_from_nodes({"pre": pre, "early": early})
    return put_subtraction(pre.GetScene(), node, Exam(before, after, after, geometry, mask))


def compare_layout_xml(views: Mapping[str, str], hanging: bool = False) -> str:
    """Return the layout of linked axial slice views, two by two, in the XML of Slicer.

    Args:
        views: colour by name.
        hanging: add a 3D view for the MIP, and the curves beside all of them.
    """
    cells = [
        f'<item><view class="vtkMRMLSliceNode" singletontag="{name}"><property name="orientation" action="default">'
        f'Axial</property><property name="viewlabel" action="default">{name}</property><property name="viewcolor" '
        f'action="default">{colour}</property><property name="viewgroup" action="default">7</property></view></item>'
        for name, colour in views.items()
    ]
    if hanging:
        cells.append('<item><view class="vtkMRMLViewNode" singletontag="1"/></item>')
    half = (len(cells) + 1) // 2
    rows = "".join(
        f'<item><layout type="horizontal">{"".join(part)}</layout></item>' for part in (cells[:half], cells[half:])
    )
    views_xml = f'<layout type="vertical" split="true">{rows}</layout>'
    if not hanging:
        return views_xml
    plot = f'<view class="vtkMRMLPlotViewNode" singletontag="{CURVE_VIEW}"/>'
    return (
        f'<layout type="horizontal" split="true"><item splitSize="700">{views_xml}</item>'
        f'<item splitSize="300">{plot}</item></layout>'
    )


def compare_phases(scene: Node, volumes: Mapping[str, Node], attention: Node | None, opacity: float) -> None:
    """Show the phases and the subtraction side by side, linked, each with the attention as overlay.

    Args:
        volumes: volume nodes by name in `COMPARE_VIEWS`; some may be missing.
    """
    shown = {name: (volume, attention) for name, volume in volumes.items()}
    _show_linked(scene, COMPARE_LAYOUT, COMPARE_VIEWS, shown, opacity)


def hang_views(scene: Node, volumes: Mapping[str, Node], overlay: Node | None, opacity: float) -> None:
    """Show pre, early and subtraction side by side, linked, with a 3D view for the MIP and a plot of the curves.

    Args:
        volumes: volume nodes by name in `HANGING_VIEWS`.
        overlay: the map over them, or None.
    """
    shown = {name: (volumes[name], overlay) for name in HANGING_VIEWS if name in volumes}
    _show_linked(scene, HANGING_LAYOUT, {name: COMPARE_VIEWS[name] for name in HANGING_VIEWS}, shown, opacity)


def compare_steps(scene: Node, volume: Node, attention: Mapping[str, Node], opacity: float = OPACITY) -> None:
    """Show the attention of the steps of a training side by side over one volume, linked.

    Args:
        attention: volume nodes by the name of the step; the last four if there are more.
    """
    last = list(attention.items())[-len(COMPARE_VIEWS) :]
    views = {name: colour for (name, _), colour in zip(last, COMPARE_VIEWS.values(), strict=False)}
    _show_linked(scene, STEPS_LAYOUT, views, {name: (volume, node) for name, node in last}, opacity)


def _show_linked(
    scene: Node, number: int, views: Mapping[str, str], shown: Mapping[str, tuple[Node, Node | None]], opacity: float
) -> None:
    """Show a layout of linked views, each with its background and overlay, in the place of the first slice view.

    Args:
        number: of the layout.
        views: colour by name.
        shown: background and overlay by name.
    """
    show_layout(scene, number, compare_layout_xml(views, number == HANGING_LAYOUT))
    first = nodes_of(scene, "vtkMRMLSliceNode")[0]
    for name, (volume, overlay) in shown.items():
        composite = scene.GetSingletonNode(name, "vtkMRMLSliceCompositeNode")
        view = scene.GetSingletonNode(name, "vtkMRMLSliceNode")
        if composite is None or view is None:
            continue
        composite.SetBackgroundVolumeID(volume.GetID())
        composite.SetForegroundVolumeID(overlay.GetID() if overlay is not None else None)
        composite.SetForegroundOpacity(opacity if overlay is None else opacity_of(overlay, opacity))
        composite.SetLinkedControl(True)
        match_view(view, first)
        _show_legend_in(view, composite, overlay)


def _show_legend_in(view: Node, composite: Node, overlay: Node | None) -> None:
    """Draw the colour legend of a map in a view that was made after it, too."""
    import slicer

    legend = None if overlay is None else slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(overlay)
    if legend is None or legend.IsViewNodeIDPresent(view.GetID()):
        return
    legend.AddViewNodeID(view.GetID())
    composite.SetInteractionFlags(composite.ForegroundVolumeFlag)  # as if a person had changed it: only then is a
    composite.Modified()  # legend noticed by a view that is younger
    composite.SetInteractionFlags(0)
    legend.Modified()


def match_view(view: Node, leader: Node) -> None:
    """Give a slice view the place and width of a second one, whose window may have a different shape, if it differs."""
    width, height, depth = leader.GetFieldOfView()
    across = view.GetDimensions()[1] / max(view.GetDimensions()[0], 1)
    field = (width, width * across if across else height, depth)
    is_placed = np.allclose(matrix_of(view), matrix_of(leader), rtol=0, atol=1e-6)
    has_field = np.allclose(view.GetFieldOfView(), field, rtol=1e-6)
    was_modifying = view.StartModify()
    if not is_placed:
        view.GetSliceToRAS().DeepCopy(leader.GetSliceToRAS())
        view.UpdateMatrices()
    if not has_field:
        view.SetFieldOfView(*field)
    view.EndModify(was_modifying)


def matrix_of(view: Node) -> list[float]:
    """Return the 16 elements of the matrix from a slice to RAS."""
    matrix = view.GetSliceToRAS()
    return [matrix.GetElement(row, column) for row in range(4) for column in range(4)]


def show_four_up(scene: Node) -> None:
    """Show the layout that the user had before one of ours; by default three slice views and the 3D view."""
    show_own_layout(scene)


def render_in_3d(volume_rendering: Node, attention: Node, visible: bool) -> None:
    """Draw attention as a volume in the 3D views: transparent if faint, then increasingly opaque.

    Only the box around the visible attention is drawn, from a hidden node; a whole exam takes ten times as long.

    Args:
        volume_rendering: the logic of the module, `slicer.modules.volumerendering.logic()`.
    """
    part, image = attention.GetNodeReference(DRAWN_IN_3D), attention.GetImageData()
    if not visible or image is None:
        if part is not None:
            remove(part)
        return
    made_of = str(image.GetMTime())
    if part is None or part.GetAttribute(DRAWN_IN_3D) != made_of:
        part = _put_visible_part(attention, part)
        part.SetAttribute(DRAWN_IN_3D, made_of)
    display = volume_rendering.GetFirstVolumeRenderingDisplayNode(part)
    if display is None:
        display = volume_rendering.CreateDefaultVolumeRenderingNodes(part)
        _set_colours(display.GetVolumePropertyNode().GetVolumeProperty())
        for made in (display, display.GetVolumePropertyNode(), display.GetROINode()):
            if made is not None:
                made.SetSaveWithScene(False)
    display.SetVisibility(True)


def _put_visible_part(attention: Node, part: Node | None) -> Node:
    """Put the box around the visible attention into a hidden node that is not saved with the scene."""
    array, geometry = scalar_array(attention), geometry_of(attention)
    seen = array >= FAINT
    box = bounding_box(seen) if seen.any() else (slice(0, 1),) * 3
    start, size = [axis.start for axis in box[::-1]], tuple(axis.stop - axis.start for axis in box[::-1])
    origin = tuple(geometry.to_physical(np.array(start)).tolist())
    inside = Geometry(size, geometry.spacing, origin, geometry.direction)  # type: ignore[arg-type]
    part = put_own(attention.GetScene(), part, to_vtk_image(array[box]), inside, "Attention in 3D")
    part.HideFromEditorsOn()
    part.SetSaveWithScene(False)
    part.GetDisplayNode().SetSaveWithScene(False)
    attention.SetNodeReferenceID(DRAWN_IN_3D, part.GetID())
    return part


def _set_colours(properties: Node) -> None:
    import vtk

    colours, opacity = vtk.vtkColorTransferFunction(), vtk.vtkPiecewiseFunction()
    for level, rgb in zip(np.linspace(0, 1, len(ATTENTION_RGB)), ATTENTION_RGB, strict=True):
        colours.AddRGBPoint(float(level), *map(float, rgb))
    for level, value in ((0.0, 0.0), (FAINT, 0.0), (0.5, 0.12), (1.0, 0.5)):
        opacity.AddPoint(level, value)
    properties.SetColor(colours)
    properties.SetScalarOpacity(opacity)
    properties.ShadeOff()
    properties.SetInterpolationTypeToLinear()
