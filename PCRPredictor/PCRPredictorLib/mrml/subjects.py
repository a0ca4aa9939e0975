"""Nodes in the subject hierarchy: what is made of an exam lies under the exam's study."""

from __future__ import annotations

from typing import Any

Node = Any  # slicer carries no types
INSTANCES = "DICOM.instanceUIDs"  # attribute of volumes that were loaded from Slicer's DICOM database


def copy_instances(node: Node, source: Node) -> None:
    """Give a volume that shares voxels with a second one its DICOM instances, by which Slicer finds the files."""
    if source.GetAttribute(INSTANCES):
        node.SetAttribute(INSTANCES, source.GetAttribute(INSTANCES))


def put_beside(node: Node, volume: Node) -> None:
    """Put a node under the same study, or folder, as a volume; it stays where it is if the volume is in none."""
    import slicer

    scene = volume.GetScene()
    if scene is None or node is None or node.GetScene() is not scene:
        return
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    if hierarchy is None:  # outside the desktop
        return
    own, other = hierarchy.GetItemByDataNode(node), hierarchy.GetItemByDataNode(volume)
    if other and not own:
        own = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
    if own and other and hierarchy.GetItemParent(own) != hierarchy.GetItemParent(other):
        hierarchy.SetItemParent(own, hierarchy.GetItemParent(other))
