"""A map over an exam as a volume node: attention, evidence, enhancement, curve types, SER; with colours and legend."""

from __future__ import annotations

import numpy as np

from ..exam import Geometry
from ..report.maps import KINETIC, MapOverlay, OverlayKind
from .exam import Node, scalar_array
from .nodes import ATTENTION, is_own, make_colour_table, put_attention, to_vtk_image

_ANY = 1e-3  # least value of a kinetic map that is one
KIND = "BreastPCR.map"  # attribute of a map's node
NAMES: dict[OverlayKind, str] = {
    "attention": ATTENTION,
    "evidence": "Evidence",
    "enhancement": "Early enhancement",
    "curve_type": "Curve type",
    "ser": "SER",
}
_LABELS = {  # of the legend
    "attention": (6, "%.1f"),
    "evidence": (5, "%+.2g"),
    "enhancement": (6, "%.0f"),
    "curve_type": (4, "%s"),
    "ser": (5, "%.1f"),
}
_CLASS_LEGEND, _NUMBER_LEGEND = (0.2, 0.2), (0.06, 0.2)  # width and height, shares of the view


def put_map(scene: Node, node: Node | None, overlay: MapOverlay, geometry: Geometry) -> Node:
    """Put a map into a volume node with its colours and legend; what is faint is transparent.

    Args:
        node: to change in place, whatever map it held, or None for a new one.
        geometry: of the exam.
    """
    node = put_attention(scene, node, to_vtk_image(overlay.values), geometry)
    display, before = node.GetDisplayNode(), node.GetAttribute(KIND) or "attention"
    if before != overlay.kind:
        node.SetName(NAMES[overlay.kind])
        _colour(scene, node, overlay)
    node.SetAttribute(KIND, overlay.kind)
    display.SetWindowLevelMinMax(overlay.low, overlay.high)
    display.SetInterpolate(not overlay.names)  # between classes there is nothing
    _write_legend(node, overlay)
    return node


def kind_of(node: Node) -> OverlayKind:
    """Return which map a node holds."""
    return node.GetAttribute(KIND) or "attention"


def opacity_of(node: Node, opacity: float) -> float:
    """Return how opaque a map is drawn: evidence, whose weak colours are dark, more than others, or a bright tumour
    under it would turn its colours into greys that its legend does not have.
    """
    return 1 - (1 - opacity) ** 2 if kind_of(node) == "evidence" else opacity


def hide_faint(node: Node, threshold: float) -> None:
    """Hide the values of a map that are smaller than a share of its scale's end, to both sides of 0."""
    display = node.GetDisplayNode()
    low, high, colours = display.GetWindowLevelMin(), display.GetWindowLevelMax(), display.GetColorNode()
    if kind_of(node) in KINETIC:  # every value is one, and 0 is none
        threshold, low = _ANY / high, 0.0
    display.SetApplyThreshold(low >= 0)
    if low >= 0:
        highest = float(scalar_array(node).max())  # VTK takes ten times as long
        display.SetThreshold(threshold * high, max(high, highest))
    elif colours is not None and is_own(colours):
        levels = np.abs(np.linspace(-1, 1, colours.GetNumberOfColors()))
        for index, level in enumerate(levels):
            colours.SetOpacity(index, float(level >= max(threshold, 1e-6)))


def _colour(scene: Node, node: Node, overlay: MapOverlay) -> None:
    """Give a node a colour table of its own for a different map, in place of the last one of its own."""
    display = node.GetDisplayNode()
    last = display.GetColorNode()
    table = make_colour_table(scene, overlay.colours, NAMES[overlay.kind], overlay.names)
    display.SetAndObserveColorNodeID(table.GetID())
    if last is not None and is_own(last):
        scene.RemoveNode(last.GetStorageNode())
        scene.RemoveNode(last)


def _write_legend(node: Node, overlay: MapOverlay) -> None:
    import slicer

    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(node)
    if legend is None:
        return
    count, form = _LABELS[overlay.kind]
    legend.SetTitleText(f"{NAMES[overlay.kind]}\n{overlay.unit or 'of its peak'}")  # two narrow lines: it hides little
    legend.SetNumberOfLabels(count)
    legend.SetLabelFormat(form)
    legend.SetUseColorNamesForLabels(bool(overlay.names))
    legend.SetSize(*(_CLASS_LEGEND if overlay.names else _NUMBER_LEGEND))
