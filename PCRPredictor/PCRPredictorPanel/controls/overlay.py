"""The section "Overlay": how the attention is shown. Its fields are parameters, see `parameters.overlay_settings`."""

from __future__ import annotations

from typing import Any

import slicer
from PCRPredictorLib.mrml.display import COMPARE_VIEWS, compare_phases, jump_to, show_four_up
from PCRPredictorLib.session.session import Session
from slicer.i18n import tr as _

from ..node_scene import NodeScene
from ..parameters import overlay_settings

MAPS = {  # of `report.maps`, in words
    "attention": _("Attention: where the model looks"),
    "evidence": _("Evidence: towards and against response"),
    "enhancement": _("Early enhancement, without the model"),
    "curve_type": _("Kinetics: curve type of the lesion's voxels"),
    "ser": _("Kinetics: signal enhancement ratio (SER)"),
}


class OverlayControls:
    """Colours, and buttons that turn the views.

    Args:
        ui: the panel's widgets by name.
        scene: with the exam.
        session: with the result.
    """

    def __init__(self, ui: Any, scene: NodeScene, session: Session) -> None:
        self._ui, self._scene, self._session = ui, scene, session
        for kind, text in MAPS.items():
            ui.mapSelector.addItem(text, kind)
        ui.mapSelector.connect("currentIndexChanged(int)", self._choose_map)
        ui.colourSelector.connect("nodeActivated(vtkMRMLNode*)", self._set_colours)
        ui.peakButton.connect("clicked(bool)", lambda *_: jump_to(slicer.mrmlScene, session.result.peak))
        ui.compareButton.connect("clicked(bool)", self._compare)
        ui.fourUpButton.connect("clicked(bool)", lambda *_: show_four_up(slicer.mrmlScene))
        session.activity.on_change.append(self.update)

    def apply(self) -> None:
        """Apply the parameters to the views."""
        self._session.set_overlay(overlay_settings(self._scene.parameters))

    def apply_if_changed(self) -> None:
        """Apply the parameters if they have changed."""
        if overlay_settings(self._scene.parameters) != self._session.overlay:
            self.apply()

    def update(self) -> None:
        """Enable what needs a result, and show its colours."""
        has_result, attention = self._session.result is not None, self._scene.attention
        selector, kind = self._ui.mapSelector, self._session.overlay.kind
        before = selector.blockSignals(True)
        selector.setCurrentIndex(selector.findData(kind))
        selector.blockSignals(before)
        self._ui.renderingCheck.enabled = kind == "attention"
        for name in ("mapSelector", "colourSelector", "peakButton", "compareButton", "fourUpButton"):
            getattr(self._ui, name).enabled = has_result
        if has_result and attention is not None:
            self._ui.colourSelector.setCurrentNode(attention.GetDisplayNode().GetColorNode())

    def _choose_map(self, *_args: object) -> None:
        if self._scene.parameters is not None:
            self._scene.parameters.overlayKind = self._ui.mapSelector.currentData

    def _set_colours(self, colours: Any) -> None:
        if self._session.result is not None and self._scene.attention is not None and colours is not None:
            self._scene.attention.GetDisplayNode().SetAndObserveColorNodeID(colours.GetID())

    def _compare(self, *_args: object) -> None:
        overlay, volumes = self._session.overlay, [*self._scene.volumes]
        volumes.append(self._scene.subtract(self._session.result.exam.mask))
        shown = {name: node for name, node in zip(COMPARE_VIEWS, volumes, strict=True) if node is not None}
        attention = self._scene.attention if overlay.visible else None
        compare_phases(slicer.mrmlScene, shown, attention, overlay.opacity)
