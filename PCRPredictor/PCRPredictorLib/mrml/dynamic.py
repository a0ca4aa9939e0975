"""Every phase of an acquisition that is in a scene: items of a sequence, components, or volumes of a study."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from ..errors import DataError
from ..exam import Dynamic
from ..phases import pick_phases
from .exam import SEQUENCE, Node, scalar_array, sequence_times


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
