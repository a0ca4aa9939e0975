"""A place that may be the tumour, as it is shown before it is accepted: an outline of its own, and a cross."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...exam import Geometry
from ..exam import LPS_TO_RAS, Node
from ..nodes import nodes_of, remove
from ..segments import Tumour, add_segmentation_node, put_segments

CANDIDATE_RGB = (1.0, 0.85, 0.2)  # unlike any tumour's
_CANDIDATE = "BreastPCR.candidate"  # attribute of the two nodes
_CROSS_MM = 12.0


def show_candidate(
    scene: Node, mask: np.ndarray, position: Sequence[float], geometry: Geometry, reference: Node, name: str
) -> None:
    """Outline a candidate in the slices, as a surface in 3D, and mark its position with a cross, in place of the last.

    Args:
        mask: (k, j, i) of the candidate.
        position: LPS mm of the cross.
        geometry: of the mask.
        reference: volume node on the same lattice.
        name: of the candidate, written beside the cross.
    """
    import slicer

    hide_candidate(scene)
    outline = add_segmentation_node(scene, name, is_hidden=True)
    put_segments(outline, [Tumour.of_mask(mask, _CANDIDATE, name)], geometry, reference)
    outline.GetSegmentation().GetSegment(_CANDIDATE).SetColor(*CANDIDATE_RGB)
    cross = slicer.vtkMRMLMarkupsFiducialNode()
    cross.SetName(scene.GenerateUniqueName(name))
    cross.SetHideFromEditors(True)
    scene.AddNode(cross).CreateDefaultDisplayNodes()
    cross.AddControlPoint(*(LPS_TO_RAS[:3, :3] @ np.asarray(position, float)).tolist())
    cross.SetNthControlPointLabel(0, name)
    cross.SetLocked(True)
    display = cross.GetDisplayNode()
    display.SetGlyphTypeFromString("CrossDot2D")
    display.SetUseGlyphScale(False)
    display.SetGlyphSize(_CROSS_MM)
    display.SetColor(*CANDIDATE_RGB)
    display.SetSelectedColor(*CANDIDATE_RGB)
    for node in (outline, cross):
        node.SetAttribute(_CANDIDATE, "shown")
        node.SetSaveWithScene(False)
        node.GetDisplayNode().SetSaveWithScene(False)


def hide_candidate(scene: Node) -> None:
    """Take the candidate out of the views."""
    for kind in ("vtkMRMLSegmentationNode", "vtkMRMLMarkupsFiducialNode"):
        for node in nodes_of(scene, kind):
            if node.GetAttribute(_CANDIDATE) is not None:
                remove(node)
