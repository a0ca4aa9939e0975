"""Results as text nodes, each under the study of its exam; a saved scene has them. The scene is an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..exam import PHASE_NAMES
from .exam import Node
from .nodes import nodes_of
from .subjects import put_beside

RESULT = "BreastPCR.result"  # attribute of the text node of a result; its value is the probability in words
MAP, SEGMENTATION = "map", "segmentation"  # roles of its references, beside those of the phases
TITLE = "pCR result"


def put_result(scene: Node, text: str, title: str, nodes: Mapping[str, Node]) -> Node:
    """Put a result into the text node of its exam, a new one if there is none.

    Args:
        text: see `saved.result`.
        title: the probability in words.
        nodes: "pre", "early", "late", "segmentation" and "map".
    """
    import slicer

    node = find_result(scene, [nodes[name] for name in PHASE_NAMES])
    if node is None:
        node = slicer.vtkMRMLTextNode()
        node.SetName(scene.GenerateUniqueName(TITLE))
        node.SetForceCreateStorageNode(slicer.vtkMRMLTextNode.CreateStorageNodeAlways)  # a file of its own
        node = scene.AddNode(node)
        node.AddDefaultStorageNode()
        node.GetStorageNode().SetDefaultWriteFileExtension("json")
    node.SetAttribute(RESULT, title)
    for role in (*PHASE_NAMES, SEGMENTATION, MAP):
        other = nodes.get(role)
        node.SetNodeReferenceID(role, other.GetID() if other is not None else None)
    node.SetText(text)
    put_beside(node, nodes["early"])
    return node


def results_in(scene: Node) -> list[Node]:
    """Return the text nodes of all results, in the order of the scene."""
    return [node for node in nodes_of(scene, "vtkMRMLTextNode") if node.GetAttribute(RESULT) is not None]


def find_result(scene: Node, phases: Sequence[Node]) -> Node | None:
    """Return the text node of the result of pre, early and late volume nodes, None without one."""
    if None in phases:
        return None
    wanted = [node.GetID() for node in phases]
    return next((node for node in results_in(scene) if _ids(node) == wanted), None)


def result_of_map(scene: Node, map_node: Node) -> Node | None:
    """Return the text node of the result that a map is of, None without one."""
    found = (node for node in results_in(scene) if node.GetNodeReferenceID(MAP) == map_node.GetID())
    return next(found, None)


def name_result(node: Node) -> str:
    """Return a result in a line: the probability, and the early volume that it is of."""
    early = node.GetNodeReference("early")
    return f"{node.GetAttribute(RESULT)}, {early.GetName()}" if early is not None else node.GetAttribute(RESULT)


def _ids(node: Node) -> list[str | None]:
    return [node.GetNodeReferenceID(role) for role in PHASE_NAMES]
