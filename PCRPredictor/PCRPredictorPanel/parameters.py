"""What the panel's fields hold, saved with the scene."""

from __future__ import annotations

from typing import Annotated

import slicer
from PCRPredictorLib.enhancement import FUNCTIONAL_ENHANCEMENT
from PCRPredictorLib.session.overlay import OverlaySettings
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper


@parameterNodeWrapper
class PCRPredictorParameterNode:
    """The nodes and settings of the panel; `enhancement` is in percent."""

    preVolume: slicer.vtkMRMLScalarVolumeNode
    earlyVolume: slicer.vtkMRMLScalarVolumeNode
    lateVolume: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    segmentId: str
    attention: slicer.vtkMRMLScalarVolumeNode
    subtraction: slicer.vtkMRMLScalarVolumeNode
    enhancement: Annotated[float, WithinRange(20, 200)] = 100 * FUNCTIONAL_ENHANCEMENT
    overlayKind: str = OverlaySettings.kind
    overlayVisible: bool = OverlaySettings.visible
    opacity: Annotated[float, WithinRange(0, 1)] = OverlaySettings.opacity
    threshold: Annotated[float, WithinRange(0, 1)] = OverlaySettings.threshold
    outlineVisible: bool = OverlaySettings.outline
    legendVisible: bool = OverlaySettings.legend
    renderingVisible: bool = OverlaySettings.rendering


def overlay_settings(parameters: PCRPredictorParameterNode) -> OverlaySettings:
    """Return the settings of the overlay that a parameter node holds."""
    return OverlaySettings(
        kind=parameters.overlayKind or OverlaySettings.kind,
        visible=parameters.overlayVisible,
        opacity=parameters.opacity,
        threshold=parameters.threshold,
        outline=parameters.outlineVisible,
        legend=parameters.legendVisible,
        rendering=parameters.renderingVisible,
    )
