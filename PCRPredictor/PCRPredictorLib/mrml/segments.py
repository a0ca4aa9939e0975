"""Tumours as the segments of an MRML segmentation: added, replaced in place, taken away.

A segment that stays is changed in place, so that editors and views that show it keep it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from ..exam import Exam, Geometry, bounding_box
from ..lesion.colours import TUMOUR_RGB, tumour_rgb
from .exam import Node, fill_image, ijk_to_ras

SEGMENT = "tumour"
TERMINOLOGY = (  # the codes that DICOM segmentations of `dicom.objects` have
    "Segmentation category and type - DICOM master list"
    "~SCT^49755003^Morphologically Altered Structure~SCT^108369006^Neoplasm~^^"
    "~Anatomic codes - DICOM master list~SCT^76752008^Breast~^^"
)


class Tumour(NamedTuple):
    """A tumour to be made a segment.

    Args:
        key: identifier of the segment.
        name: as the user sees it.
        box: (k, j, i) of the exam's voxels; empty if the tumour is.
        part: (k, j, i) of the voxels in the box, non-zero inside.
    """

    key: str
    name: str
    box: tuple[slice, ...]
    part: np.ndarray

    @staticmethod
    def of_mask(mask: np.ndarray, key: str = SEGMENT, name: str = "") -> Tumour:
        """Return the tumour of a whole mask (k, j, i)."""
        box = bounding_box(mask) if np.any(mask) else (slice(0, 0),) * 3
        return Tumour(key, name or key, box, mask[box])


def tumours_of(exam: Exam) -> list[Tumour]:
    """Return the tumours of an exam with a mask, in the order of their labels."""
    lesions = sorted(exam.lesions, key=lambda lesion: lesion.label or 0)
    keys = [SEGMENT, *(f"{SEGMENT} {n}" for n in range(2, len(lesions) + 1))]
    found = [Tumour.of_mask(lesion.mask, key, lesion.name) for key, lesion in zip(keys, lesions, strict=False)]
    return found or [Tumour.of_mask(np.asarray(exam.mask))]


def add_segmentation(
    scene: Node, tumours: Sequence[Tumour], geometry: Geometry, reference: Node, name: str = "Tumour segmentation"
) -> Node:
    """Add a segmentation node with a segment per tumour: an outline in slices, a surface in 3D.

    Args:
        geometry: of the exam.
        reference: volume node whose lattice the Segment Editor continues on.
    """
    node = add_segmentation_node(scene, name)
    put_segments(node, tumours, geometry, reference)
    return node


def add_empty_segmentation(scene: Node, reference: Node, name: str = "Tumour segmentation") -> Node:
    """Add a segmentation node with an empty segment "tumour" on the lattice of a volume node."""
    node = add_segmentation_node(scene, name)
    node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    _add_segment(node.GetSegmentation(), SEGMENT, SEGMENT, TUMOUR_RGB)
    return node


def add_segmentation_node(scene: Node, name: str, *, is_hidden: bool = False) -> Node:
    """Add a segmentation node without a segment, which selectors list unless it is hidden: an outline, a surface."""
    import slicer

    node = slicer.vtkMRMLSegmentationNode()
    node.SetName(scene.GenerateUniqueName(name))
    node.SetHideFromEditors(is_hidden)  # first: a selector may choose a node that is added
    scene.AddNode(node).CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetSliceIntersectionThickness(2)
    display.SetOpacity3D(0.6)
    return node


def put_segments(node: Node, tumours: Sequence[Tumour], geometry: Geometry, reference: Node) -> None:
    """Make each tumour a segment of a segmentation node, a new one or in place of the one of its key.

    Args:
        geometry: of the exam.
        reference: volume node whose lattice the Segment Editor continues on.
    """
    content = node.GetSegmentation()
    node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    for tumour in tumours:
        is_new = content.GetSegment(tumour.key) is None
        if is_new:
            _add_segment(content, tumour.key, tumour.name, tumour_rgb(content.GetNumberOfSegments()))
        if content.GetSegment(tumour.key).GetName() != tumour.name:
            content.GetSegment(tumour.key).SetName(tumour.name)
        if not is_new or tumour.part.size:
            _replace_voxels(node, tumour, geometry)
    if any(tumour.part.size for tumour in tumours):  # an empty one has no surface
        node.CreateClosedSurfaceRepresentation()


def remove_segments(node: Node, keys: Iterable[str]) -> None:
    """Take segments away."""
    for key in keys:
        node.GetSegmentation().RemoveSegment(key)


def _clear(node: Node, key: str) -> None:
    """Make a segment empty, by a new one: Slicer reports an error when it draws the surface of a cleared one."""
    content = node.GetSegmentation()
    segment = content.GetSegment(key)
    name, colour, last = segment.GetName(), segment.GetColor(), content.GetSegmentIndex(key)
    entry = _terminology(segment)
    content.RemoveSegment(key)
    _add_segment(content, key, name, colour, entry)
    content.SetSegmentIndex(key, last)


def _add_segment(content: Node, key: str, name: str, colour: Sequence[float], entry: str = TERMINOLOGY) -> None:
    """Add an empty segment, with what it is as a terminology entry."""
    import slicer

    content.AddEmptySegment(key, name, colour)
    content.GetSegment(key).SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), entry)


def _terminology(segment: Node) -> str:
    """Return the terminology entry of a segment, ours if it has none."""
    import slicer
    import vtk

    entry = vtk.reference("")
    has_one = segment.GetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), entry)
    return str(entry.get()) if has_one and entry.get() else TERMINOLOGY


def _replace_voxels(node: Node, tumour: Tumour, geometry: Geometry) -> None:
    import slicer

    logic = slicer.vtkSlicerSegmentationsModuleLogic
    if tumour.part.size == 0:
        _clear(node, tumour.key)
        return
    image = fill_image(slicer.vtkOrientedImageData(), tumour.part != 0)
    image.SetExtent(*[edge for span in tumour.box[::-1] for edge in (span.start, span.stop - 1)])
    image.SetImageToWorldMatrix(ijk_to_ras(geometry))
    logic.SetBinaryLabelmapToSegment(image, node, tumour.key)
