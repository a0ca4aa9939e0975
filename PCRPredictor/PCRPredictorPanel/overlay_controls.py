"""The section "Overlay": how the attention is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from PCRPredictorLib.mrml.display import (
    COMPARE_VIEWS,
    compare_phases,
    jump_to,
    render_in_3d,
    set_legend,
    set_outline,
    set_overlay,
    set_threshold,
    show_four_up,
)


class OverlayControls:
    """Applies the parameters of the overlay to the views.

    Args:
        ui: the panel's widgets by name.
        subtract: makes the subtraction image of the exam shown.
    """

    def __init__(self, ui: Any, subtract: Callable[[], Any]) -> None:
        self._ui, self._subtract = ui, subtract
        self.parameters: Any = None
        self._peak: tuple[float, float, float] | None = None
        ui.colourSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._colour)
        ui.peakButton.connect("clicked(bool)", self._jump)
        ui.compareButton.connect("clicked(bool)", self._compare)
        ui.fourUpButton.connect("clicked(bool)", lambda *_: show_four_up(slicer.mrmlScene))

    def show(self, peak: tuple[float, float, float] | None) -> None:
        """There is a new result with this peak of attention (LPS mm), or none any more."""
        self._peak = peak
        for name in ("colourSelector", "peakButton", "compareButton", "fourUpButton"):
            getattr(self._ui, name).enabled = peak is not None
        if peak is not None:
            self._ui.colourSelector.setCurrentNode(self.parameters.attention.GetDisplayNode().GetColorNode())
        self.apply()

    def apply(self) -> None:
        """Make the views what the parameters say."""
        parameters = self.parameters
        attention = parameters.attention if parameters is not None else None
        if attention is None or attention.GetDisplayNode() is None:
            return
        set_overlay(slicer.mrmlScene, attention, visible=parameters.overlayVisible, opacity=parameters.opacity)
        set_threshold(attention, parameters.threshold)
        set_legend(attention, parameters.legendVisible and parameters.overlayVisible)
        render_in_3d(slicer.modules.volumerendering.logic(), attention, parameters.renderingVisible)
        if parameters.segmentation is not None and parameters.segmentation.GetDisplayNode() is not None:
            set_outline(parameters.segmentation, parameters.outlineVisible)

    def _colour(self, colours: Any) -> None:
        attention = self.parameters.attention if self.parameters is not None else None
        if self._peak is not None and attention is not None and colours is not None:
            attention.GetDisplayNode().SetAndObserveColorNodeID(colours.GetID())

    def _jump(self, *_args: object) -> None:
        if self._peak is not None:
            jump_to(slicer.mrmlScene, self._peak)

    def _compare(self, *_args: object) -> None:
        parameters = self.parameters
        volumes = (parameters.preVolume, parameters.earlyVolume, parameters.lateVolume, self._subtract())
        shown = {name: node for name, node in zip(COMPARE_VIEWS, volumes, strict=True) if node is not None}
        attention = parameters.attention if parameters.overlayVisible else None
        compare_phases(slicer.mrmlScene, shown, attention, parameters.opacity)
