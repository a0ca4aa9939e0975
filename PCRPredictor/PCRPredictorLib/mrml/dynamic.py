"""Every phase of an acquisition that is in a scene: items of a sequence, components, or volumes of a study."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from ..errors import DataError
from ..exam import PHASE_NAMES, Dynamic
from ..phases import pick_phases
from .exam import Node, scalar_array
from .subjects import copy_instances, put_beside

SEQUENCE = "BreastPCR.sequence"  # node reference from a phase to the sequence, or volume, that it was picked from
_ITEM = "BreastPCR.item"  # attribute of such a phase: the number of its item, or component


def phases_of_sequence(sequence: Node) -> tuple[Node, Node, Node]:
    """Return the pre, early and late phase of a sequence as volume nodes of the scene, which share its voxels.

    Times are the index of the sequence if it is in seconds or milliseconds. A volume with several components, as which
    Slicer loads some files with all phases, counts as a sequence without times. Volumes that were made of the sequence
    before are used again.

    Raises:
        DataError: if the sequence holds fewer than three phases or anything but volumes.
    """
    if sequence.IsA("vtkMRMLVolumeNode"):
        return _phases_of_components(sequence)
    items = [sequence.GetNthDataNode(k) for k in range(sequence.GetNumberOfDataNodes())]
    if not all(item is not None and item.IsA("vtkMRMLScalarVolumeNode") for item in items):
        raise DataError("the sequence must hold volumes; choose the dynamic series")
    picked = zip(pick_phases(sequence_times(sequence)), PHASE_NAMES, strict=True)
    return tuple(_put_phase(sequence, k, name, items[k], items[k].GetImageData()) for k, name in picked)


def sequence_times(sequence: Node) -> list[float | None]:
    """Return the seconds of each item of a sequence, None if its index counts something else."""
    unit = {"s": 1.0, "ms": 0.001}.get((sequence.GetIndexUnit() or "").lower())
    return [_number(sequence.GetNthIndexValue(k), unit) for k in range(sequence.GetNumberOfDataNodes())]


def _phases_of_components(volume: Node) -> tuple[Node, Node, Node]:
    """Return phases that are the components of a volume, copied to volume nodes of its scene."""
    image = volume.GetImageData()
    count = 0 if image is None else image.GetNumberOfScalarComponents()
    if count < len(PHASE_NAMES):
        raise DataError(
            f"the volume must have a component for each of 3 phases or more, got {count}; choose the series"
        )
    picked = zip(pick_phases([None] * count), PHASE_NAMES, strict=True)
    return tuple(_put_phase(volume, k, name, volume, _component(image, k)) for k, name in picked)


def _component(image: Node, k: int) -> Node:
    """Return a component of an image as an image of its own."""
    import vtk

    extract = vtk.vtkImageExtractComponents()
    extract.SetInputData(image)
    extract.SetComponents(k)
    extract.Update()
    return extract.GetOutput()


def dynamic_of_sequence(early: Node) -> Dynamic | None:
    """Return every phase of the sequence that an early phase was picked from; None if it was not, or the node is gone.

    The phases share the voxels of the scene.
    """
    sequence = early.GetNodeReference(SEQUENCE) if early is not None else None
    if sequence is None:
        return None
    if sequence.IsA("vtkMRMLVolumeNode"):
        image = sequence.GetImageData()
        count = 0 if image is None else image.GetNumberOfScalarComponents()
        times: list[float | None] = [None] * count
        read = partial(_read_components, sequence)
    else:
        count, times = sequence.GetNumberOfDataNodes(), sequence_times(sequence)
        read = partial(_read_nodes, [sequence.GetNthDataNode(k) for k in range(count)])
    if count <= 3:
        return None
    picked = pick_phases(times)
    return Dynamic(read, picked, count, _after(times, picked[0]))


def dynamic_of_volumes(phases: Sequence[Node], volumes: Sequence[tuple[Node, float]]) -> Dynamic | None:
    """Return the volumes of one acquisition as its phases; None if they are but three, or do not hold all of those.

    Args:
        phases: pre, early and late.
        volumes: each with its seconds, in any order.
    """
    ordered = sorted(volumes, key=lambda each: each[1])
    nodes, times = [node for node, _ in ordered], [seconds for _, seconds in ordered]
    if len(nodes) <= len(phases) or any(node not in nodes for node in phases) or len(set(times)) < len(times):
        return None
    picked = tuple(nodes.index(node) for node in phases)
    if list(picked) != sorted(picked):
        return None
    return Dynamic(partial(_read_nodes, nodes), picked, len(nodes), _after(times, picked[0]))  # type: ignore[arg-type]


def _after(times: Sequence[float | None], start: int) -> tuple[float, ...] | None:
    known = [time for time in times if time is not None]
    return tuple(time - known[start] for time in known) if len(known) == len(times) else None


def _read_nodes(nodes: Sequence[Node], wanted: Sequence[int]) -> list[np.ndarray | DataError]:
    return [_read_node(nodes[k]) for k in wanted]


def _read_node(node: Node) -> np.ndarray | DataError:
    try:
        return scalar_array(node, node.GetName() if node is not None else "the volume")
    except (DataError, AttributeError) as error:  # an item that is no volume
        return error if isinstance(error, DataError) else DataError("it is no volume")


def _read_components(volume: Node, wanted: Sequence[int]) -> list[np.ndarray | DataError]:
    from vtk.util.numpy_support import vtk_to_numpy

    image = volume.GetImageData()
    voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(*image.GetDimensions()[::-1], -1)
    return [voxels[..., k] for k in wanted]


def _number(text: str, unit: float | None) -> float | None:
    """Return the seconds of an index value of a sequence, None if it counts something else."""
    try:
        return None if unit is None else float(text) * unit
    except ValueError:
        return None


def _put_phase(sequence: Node, k: int, name: str, source: Node, image: Node) -> Node:
    """Return the volume node of an item of a sequence: the one that was made before, or a new one.

    Args:
        sequence: or volume with several components.
        k: number of the item.
        name: of the phase.
        source: volume node with the position and the DICOM instances of the item.
        image: of the item, which the node shares.
    """
    scene = sequence.GetScene()
    node = next((node for node in _phases_made_of(sequence) if node.GetAttribute(_ITEM) == str(k)), None)
    if node is None:
        node = scene.AddNewNodeByClass(
            "vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(f"{sequence.GetName()} {name}")
        )
        node.SetAttribute(_ITEM, str(k))
        node.SetNodeReferenceID(SEQUENCE, sequence.GetID())
        copy_instances(node, source)
        put_beside(node, sequence)
    node.CopyOrientation(source)
    node.SetAndObserveImageData(image)
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    return node


def _phases_made_of(sequence: Node) -> list[Node]:
    """Return the volume nodes of a scene that were made of a sequence."""
    scene, kind = sequence.GetScene(), "vtkMRMLScalarVolumeNode"
    volumes = [scene.GetNthNodeByClass(n, kind) for n in range(scene.GetNumberOfNodesByClass(kind))]
    return [node for node in volumes if node.GetNodeReference(SEQUENCE) is sequence]
