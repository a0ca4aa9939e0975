"""What Slicer must know before the panel is opened; called once the application has started."""

from __future__ import annotations

import slicer
from PCRPredictorLib.mrml.layouts import register_layouts
from slicer.i18n import tr as _

from .plot_charts import describe_layout

TRAINING_LAYOUT, RESULTS_LAYOUT = 5208, 5209  # numbers of this extension; see PCRPredictorLib.mrml.display
LAYOUTS = {  # title of each plot view by its name: "PCR" and the key of the chart
    TRAINING_LAYOUT: {
        "PCRLoss": _("Loss"),
        "PCRValidation": _("AUC of the validation patients"),
        "PCRAttention": _("Attention inside the tumour"),
    },
    RESULTS_LAYOUT: {"PCRROC": _("ROC"), "PCRCalibration": _("Calibration"), "PCRBenefit": _("Decision curve")},
}


def register_chart_layouts() -> None:
    """Register the layouts of charts, so that a saved scene that shows one of them opens with its plots."""
    register_layouts(slicer.mrmlScene, {number: describe_layout(titles) for number, titles in LAYOUTS.items()})
