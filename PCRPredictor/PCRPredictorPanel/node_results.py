"""The results that Slicer's scene keeps, one for each exam: kept, hidden, shown again, dropped. No widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import slicer
from PCRPredictorLib.exam import PHASE_NAMES
from PCRPredictorLib.mrml import display, kept, nodes


class NodeResults:
    """Results in the scene."""

    def __init__(self) -> None:
        self._chosen: tuple[Any, ...] = ()

    def keep(self, text: str, title: str, chosen: Mapping[str, Any]) -> None:
        """Keep a result; `chosen` are its phases, segmentation and map, see `kept.put_result`."""
        kept.put_result(slicer.mrmlScene, text, title, chosen)

    def text_of(self, volumes: Sequence[Any]) -> str:
        """Return the result of pre, early and late volume, "" without one."""
        node = kept.find_result(slicer.mrmlScene, volumes)
        return node.GetText() if node is not None else ""

    def map_of(self, volumes: Sequence[Any]) -> Any:
        """Return the map of the result of pre, early and late volume, None without one."""
        node = kept.find_result(slicer.mrmlScene, volumes)
        return node.GetNodeReference(kept.MAP) if node is not None else None

    def drop(self, volumes: Sequence[Any]) -> None:
        """Remove the result of pre, early and late volume from the scene, with its map."""
        node = kept.find_result(slicer.mrmlScene, volumes)
        if node is not None:
            if (shown := node.GetNodeReference(kept.MAP)) is not None:
                nodes.remove(shown)
            nodes.remove(node)

    def list(self) -> list[tuple[str, str]]:
        """Return identifier and line of each result, in the order of the scene."""
        found = kept.results_in(slicer.mrmlScene)
        return [(node.GetID(), kept.name_result(node)) for node in found if None not in self.exam_of(node.GetID())]

    def exam_of(self, identifier: str) -> list[Any]:
        """Return pre, early and late volume and segmentation of a result; None for each that is gone."""
        node = slicer.mrmlScene.GetNodeByID(identifier)
        return [node.GetNodeReference(role) for role in (*PHASE_NAMES, kept.SEGMENTATION)]

    def show_only(self, volumes: Sequence[Any], segmentation: Any) -> None:
        """Take what is of other results' exams out of the views, once after each choice.

        Args:
            volumes: pre, early and late volume that are chosen.
            segmentation: that is chosen; it is not hidden.
        """
        chosen = (*volumes, segmentation)
        if chosen == self._chosen or None in chosen:
            return
        self._chosen = chosen
        for node in kept.results_in(slicer.mrmlScene):
            *phases, outline = self.exam_of(node.GetID())
            if phases == list(volumes):
                continue
            if outline is not None and outline is not segmentation and outline.GetDisplayNode() is not None:
                outline.GetDisplayNode().SetVisibility(False)
            others = {phase.GetID() for phase in phases if phase is not None and phase not in volumes}
            views = nodes.nodes_of(slicer.mrmlScene, "vtkMRMLSliceCompositeNode")
            if any(view.GetBackgroundVolumeID() in others for view in views):
                display.set_background(slicer.mrmlScene, volumes[1])

    def hide(self, shown: Any) -> None:
        """Take a map out of the views; one that no result keeps is removed."""
        if kept.result_of_map(slicer.mrmlScene, shown) is None:
            nodes.remove(shown)
            return
        display.set_overlay(slicer.mrmlScene, shown, visible=False)
        display.set_legend(shown, False)
        display.render_in_3d(slicer.modules.volumerendering.logic(), shown, False)


def is_in_view(shown: Any) -> bool:
    """Return True if a slice view has a map as its overlay."""
    views = nodes.nodes_of(slicer.mrmlScene, "vtkMRMLSliceCompositeNode")
    return any(view.GetForegroundVolumeID() == shown.GetID() for view in views)
