"""The layout of the views: ours come and go, the user's own is kept and given back.

A saved scene has only the number of its layout. What the number means must be registered before the scene is loaded,
or the view area stays empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Node = Any  # slicer carries no types
OWN = range(5200, 5300)  # numbers of this extension's layouts
_BEFORE = "BreastPCR.layoutBefore"  # attribute of the layout node: the user's own one


def register_layouts(scene: Node, descriptions: Mapping[int, str]) -> None:
    """Register layouts with a scene, by their numbers; one that is registered already stays as it is.

    Args:
        descriptions: in the XML of Slicer.
    """
    for number, description in descriptions.items():
        _layout(scene).AddLayoutDescription(number, description)


def remember_layout(layout: Node) -> None:
    """Keep the user's own layout, whatever it is; call this before one of ours is shown."""
    now = layout.GetViewArrangement()
    if now not in OWN and layout.IsLayoutDescription(now):
        layout.SetAttribute(_BEFORE, str(now))


def show_layout(scene: Node, number: int, description: str) -> None:
    """Show one of our layouts, registered anew, and keep the user's own.

    Args:
        description: in the XML of Slicer.
    """
    layout = _layout(scene)
    if layout.IsLayoutDescription(number):
        layout.SetLayoutDescription(number, description)
    else:
        layout.AddLayoutDescription(number, description)
    remember_layout(layout)
    layout.SetViewArrangement(number)


def show_own_layout(scene: Node) -> None:
    """Give the user's own layout back; Slicer's usual one if none is known, or it is gone."""
    import slicer

    layout, usual = _layout(scene), slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    kept = layout.GetAttribute(_BEFORE)
    if kept is None and layout.GetViewArrangement() not in OWN:  # it is shown
        return
    number = int(kept) if kept is not None and kept.isdecimal() else usual
    layout.SetViewArrangement(number if layout.IsLayoutDescription(number) else usual)


def show_slices(scene: Node) -> None:
    """Show Slicer's usual layout if the user's own one has no slice view, in which nothing would be seen."""
    import slicer

    layout = _layout(scene)
    description = layout.GetLayoutDescription(layout.GetViewArrangement()) or ""
    if "vtkMRMLSliceNode" not in description:
        remember_layout(layout)
        layout.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)


def _layout(scene: Node) -> Node:
    return scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
