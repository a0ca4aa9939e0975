"""3D Slicer's MRML nodes as an exam. With `mrml`, the only files that touch `slicer` and `vtk`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .errors import DataError
from .exam import PHASE_NAMES, Exam, Geometry, Provenance

Node = Any  # slicer and vtk carry no types
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def exam_from_nodes(
    pre: Node,
    early: Node,
    late: Node,
    segmentation: Node,
    segment_id: str,
    clinical: Mapping[str, object] | None = None,
) -> Exam:
    """The exam that volume nodes and a segment hold. Phases are the nodes' own voxels, not copies: only read them.

    Args:
        pre, early, late: scalar volume nodes on one lattice.
        segmentation: segmentation node on any lattice; it is resampled (nearest voxel) where it differs.
        segment_id: of the tumour.
        clinical: clinical variables as they were given, by name.

    Raises:
        DataError: if a node is empty, in colour, under a transform or on another lattice, or has no such segment.
    """
    nodes = dict(zip(PHASE_NAMES, (pre, early, late), strict=True))
    arrays = [_array(node, f"the {name} volume") for name, node in nodes.items()]
    geometry = geometry_of(pre)
    for name, node in nodes.items():
        if not geometry.matches(geometry_of(node)):
            raise DataError(
                f"the {name} volume must be on the grid of the pre volume ({geometry}), got {geometry_of(node)}; "
                "resample it to the pre volume first"
            )
    mask = _segment_array(segmentation, segment_id, geometry)
    return Exam(arrays[0], arrays[1], arrays[2], geometry, mask, clinical or {}, Provenance(source="mrml"))


def _array(node: Node, what: str) -> np.ndarray:
    """Voxels of a volume node, (k, j, i), without a copy."""
    image = node.GetImageData()
    if image is None or image.GetPointData().GetScalars() is None:
        raise DataError(f"{what} must hold voxels, got an empty volume; choose another one")
    if image.GetNumberOfScalarComponents() != 1:
        raise DataError(f"{what} must have one value a voxel, got a colour volume; choose another one")
    _check_not_moved(node, what)
    return voxels_of(image)


def _segment_array(node: Node, segment_id: str, geometry: Geometry) -> np.ndarray:
    """A segment on a lattice: uint8 (k, j, i)."""
    import slicer

    _check_not_moved(node, "the segmentation")
    if node.GetSegmentation().GetSegment(segment_id) is None:
        raise DataError(f"the segmentation must hold the segment {segment_id!r}, got none; choose another segment")
    segment, reference, result = (slicer.vtkOrientedImageData() for _ in range(3))
    node.CreateBinaryLabelmapRepresentation()
    node.GetBinaryLabelmapRepresentation(segment_id, segment)
    if segment.IsEmpty():
        return np.zeros(geometry.shape, np.uint8)
    reference.SetDimensions(*geometry.size)
    reference.SetImageToWorldMatrix(ijk_to_ras(geometry))
    resample = slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage
    if not resample(segment, reference, result):
        raise DataError("the segmentation cannot be resampled to the exam; segment the tumour on the pre volume")
    return (voxels_of(result) != 0).astype(np.uint8)


def _check_not_moved(node: Node, what: str) -> None:
    if node.GetTransformNodeID():
        raise DataError(f"{what} must not be under a transform; harden the transform in the Data module first")


def voxels_of(image: Node) -> np.ndarray:
    from vtk.util.numpy_support import vtk_to_numpy

    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def geometry_of(node: Node) -> Geometry:
    """Geometry of a volume node, in LPS."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    axes = (LPS_TO_RAS @ [[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])[:3]
    spacing = np.linalg.norm(axes[:, :3], axis=0)
    return Geometry(
        size=tuple(node.GetImageData().GetDimensions()),
        spacing=tuple(spacing.tolist()),
        origin=tuple(axes[:, 3].tolist()),
        direction=axes[:, :3] / spacing,
    )


def ijk_to_ras(geometry: Geometry) -> Node:
    import vtk

    values = np.eye(4)
    values[:3, :3] = geometry.direction * geometry.spacing
    values[:3, 3] = geometry.origin
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy((LPS_TO_RAS @ values).ravel())
    return matrix
