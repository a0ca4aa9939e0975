"""From MRML nodes of 3D Slicer to an exam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import DataError
from ..exam import PHASE_NAMES, Exam, Geometry, Lesion, Provenance
from ..files.header import checked

Node = Any  # slicer and vtk carry no types
SIMULATED = "BreastPCR.simulated"  # attribute of the volumes of a phantom
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def exam_from_nodes(
    pre: Node,
    early: Node,
    late: Node,
    segmentation: Node,
    segment_ids: Sequence[str],
    clinical: Mapping[str, object] | None = None,
) -> Exam:
    """Return the exam that volume nodes and segments hold. Its phases share the voxels of the nodes: only read them.

    Args:
        pre, early, late: scalar volume nodes on one lattice.
        segmentation: segmentation node; it is resampled (nearest voxel) if it is on a different lattice.
        segment_ids: of the tumour, or of each of several.
        clinical: clinical variables by name, as given.

    Raises:
        DataError: if a node is empty, in colour, under a transform, on a lattice that no exam can have or on a
            different one, or lacks the segment.
    """
    arrays, geometry = phases_from_nodes(dict(zip(PHASE_NAMES, (pre, early, late), strict=True)))
    names = [segment_name(segmentation, key) for key in segment_ids]
    masks = [segment_array(segmentation, key, geometry) for key in segment_ids]
    simulated = all(node.GetAttribute(SIMULATED) for node in (pre, early, late))
    provenance = Provenance(source="mrml", simulated=simulated)
    exam = Exam(arrays[0], arrays[1], arrays[2], geometry, None, clinical or {}, provenance)
    return exam.with_lesions([Lesion(name, mask) for name, mask in zip(names, masks, strict=True)])


def phases_from_nodes(nodes: Mapping[str, Node]) -> tuple[list[np.ndarray], Geometry]:
    """Return the voxels (k, j, i) of volume nodes, not copied, and the geometry that they share.

    Args:
        nodes: by phase, "pre" first.

    Raises:
        DataError: if a volume is empty, in colour, under a transform, on a lattice that no exam can have, or on a
            different one than the first.
    """
    arrays = [scalar_array(node, f"the {name} volume") for name, node in nodes.items()]
    each = {name: checked(geometry_of(node), f"the {name} volume") for name, node in nodes.items()}
    geometry = each["pre"]
    for name, own in each.items():
        if not geometry.matches(own):
            raise DataError(
                f"the {name} volume must be on the grid of the pre volume ({geometry}), got {own}; "
                "resample it to the pre volume first"
            )
    return arrays, geometry


def state_of(
    pre: Node, early: Node, late: Node, segmentation: Node, segment_ids: Sequence[str]
) -> tuple[tuple[object, ...], ...]:
    """Return a value that changes whenever the exam in these nodes may have changed; no voxel is read.

    The last part is that of the segments, the others are those of the volumes.
    """
    content = segmentation.GetSegmentation()
    segments = [(key, content.GetSegment(key)) for key in segment_ids]
    source = content.GetSourceRepresentationName()
    drawn = [(key, segment.GetRepresentation(source)) for key, segment in segments if segment is not None]
    return (
        *(
            (node.GetID(), node.GetTransformNodeID(), node.GetImageData().GetMTime(), _matrix_of(node))
            for node in (pre, early, late)
            if node.GetImageData() is not None
        ),
        (
            segmentation.GetID(),
            segmentation.GetTransformNodeID(),
            *((key, segment_name(segmentation, key), voxels.GetMTime() if voxels else None) for key, voxels in drawn),
        ),
    )


def segment_name(segmentation: Node, segment_id: str) -> str:
    """Return the name of a segment as the user sees it; "" if there is none."""
    segment = segmentation.GetSegmentation().GetSegment(segment_id)
    return segment.GetName() or segment_id if segment is not None else ""


def is_resampled(segmentation: Node, segment_id: str, volume: Node) -> bool:
    """Return whether a segment must be resampled to a volume, which moves its edge by up to half a voxel."""
    import slicer

    labelmap = slicer.vtkOrientedImageData()
    if not segmentation.GetBinaryLabelmapRepresentation(segment_id, labelmap) or labelmap.IsEmpty():
        return False
    own, geometry = _labelmap_geometry(labelmap), geometry_of(volume)
    return own.problem() is None and geometry.problem() is None and _start_on(own, geometry) is None


def scalar_array(node: Node, what: str = "the volume") -> np.ndarray:
    """Return the voxels of a volume node, (k, j, i), without a copy.

    Raises:
        DataError: if the node is empty, in colour or under a transform; `what` names it.
    """
    image = node.GetImageData()
    if image is None or image.GetPointData().GetScalars() is None:
        raise DataError(f"{what} must hold voxels, got an empty volume; choose a different one")
    if image.GetNumberOfScalarComponents() != 1:
        raise DataError(f"{what} must have one value per voxel, got a colour volume; choose a different one")
    _check_not_moved(node, what)
    return voxels_of(image)


def segment_array(node: Node, segment_id: str, geometry: Geometry) -> np.ndarray:
    """Return a segment on a lattice, uint8 (k, j, i); it is resampled (nearest voxel) if its lattice differs.

    Raises:
        DataError: if the segment is missing, or the segmentation is under a transform.
    """
    box, part = segment_part(node, segment_id, geometry)
    mask = np.zeros(geometry.shape, np.uint8)
    mask[box] = part != 0
    return mask


def segment_part(node: Node, segment_id: str, geometry: Geometry) -> tuple[tuple[slice, ...], np.ndarray]:
    """Return the box (k, j, i) of a lattice that holds a segment, and its voxels, non-zero inside; see `segment_array`.

    Raises:
        DataError: if the segment is missing, or the segmentation is under a transform or on a lattice that no exam can
            have.
    """
    import slicer

    _check_not_moved(node, "the segmentation")
    if node.GetSegmentation().GetSegment(segment_id) is None:
        raise DataError(f"the segmentation must hold the segment {segment_id!r}, got none; choose a different segment")
    segment, reference, result = (slicer.vtkOrientedImageData() for _ in range(3))
    node.CreateBinaryLabelmapRepresentation()
    node.GetBinaryLabelmapRepresentation(segment_id, segment)
    if segment.IsEmpty():
        return (slice(0, 0),) * 3, np.zeros((0, 0, 0), np.uint8)
    lattice = checked(_labelmap_geometry(segment), "the segmentation")
    if (start := _start_on(lattice, geometry)) is not None:
        own, box = _overlap(segment, start, geometry)
        return box, voxels_of(segment)[own]
    reference.SetDimensions(*geometry.size)
    reference.SetImageToWorldMatrix(ijk_to_ras(geometry))
    resample = slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage
    if not resample(segment, reference, result):
        raise DataError("the segmentation cannot be resampled to the exam; segment the tumour on the pre volume")
    return tuple(slice(0, n) for n in geometry.shape), voxels_of(result)


def _check_not_moved(node: Node, what: str) -> None:
    if node.GetTransformNodeID():
        raise DataError(f"{what} must not be under a transform; harden the transform in the Data module first")


def voxels_of(image: Node) -> np.ndarray:
    """Return the scalars of a VTK image as (k, j, i), sharing its memory."""
    from vtk.util.numpy_support import vtk_to_numpy

    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def fill_image(image: Node, array: np.ndarray, *, copy: bool = True) -> Node:
    """Fill a VTK image with (k, j, i) and return it; without a copy the array must not be changed afterwards."""
    from vtk.util.numpy_support import numpy_to_vtk

    kind = np.uint8 if array.dtype == bool else array.dtype.newbyteorder("=")
    image.SetDimensions(*array.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array, kind).ravel(), deep=copy))
    return image


def geometry_of(node: Node) -> Geometry:
    """Return the geometry of a volume node, in LPS, whatever it is."""
    return _geometry(_matrix_of(node), tuple(node.GetImageData().GetDimensions()))


def _matrix_of(node: Node) -> tuple[float, ...]:
    """Return the index-to-RAS matrix of a volume node, row by row."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return _rows(matrix)


def _rows(matrix: Node) -> tuple[float, ...]:
    return tuple(matrix.GetElement(row, column) for row in range(4) for column in range(4))


def _geometry(rows: tuple[float, ...], size: tuple[int, int, int], first: tuple[int, ...] = (0, 0, 0)) -> Geometry:
    """Return the geometry in LPS of an index-to-RAS matrix, from the index `first`."""
    with np.errstate(all="ignore"):  # of a width of 0, infinity or NaN: what reads an exam refuses it
        axes = (LPS_TO_RAS @ np.reshape(rows, (4, 4)))[:3]
        spacing = np.linalg.norm(axes[:, :3], axis=0)
        origin = axes[:, :3] @ first + axes[:, 3]
        return Geometry(size, tuple(spacing.tolist()), tuple(origin.tolist()), axes[:, :3] / spacing)


def _labelmap_geometry(labelmap: Node) -> Geometry:
    """Return the geometry in LPS of the image of a segment."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(matrix)
    return _geometry(_rows(matrix), tuple(labelmap.GetDimensions()), tuple(labelmap.GetExtent()[::2]))


def _start_on(own: Geometry, geometry: Geometry) -> np.ndarray | None:
    """Return the index (i, j, k) on a lattice at which the one of a segment begins; None if they differ."""
    start: np.ndarray = np.round(geometry.to_index(np.array(own.origin))).astype(int)
    moved = Geometry(own.size, geometry.spacing, tuple(geometry.to_physical(start)), geometry.direction)
    return start if moved.matches(own) else None


def _overlap(labelmap: Node, start: np.ndarray, geometry: Geometry) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return the overlap of image and lattice, as boxes (k, j, i) of the image and of the lattice."""
    low = np.clip(start, 0, geometry.size)[::-1]
    high = np.clip(start + labelmap.GetDimensions(), 0, geometry.size)[::-1]
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    own = tuple(slice(b.start - int(s), b.stop - int(s)) for b, s in zip(box, start[::-1], strict=True))
    return own, box


def ijk_to_ras(geometry: Geometry) -> Node:
    """Return the matrix from continuous voxel indices to RAS in mm, as MRML holds the geometry of a volume."""
    import vtk

    values = np.eye(4)
    values[:3, :3] = geometry.direction * geometry.spacing
    values[:3, 3] = geometry.origin
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy((LPS_TO_RAS @ values).ravel())
    return matrix
