"""The phantom exam as Slicer's sample data: made here, never downloaded."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import slicer
from PCRPredictorLib.mrml import add_exam

SAMPLE = "BreastPCR phantom"


def load_sample(_source: Any = None) -> list[Any]:
    """Make a simulated exam, put it into the scene and show it; for the button in Sample Data, and for scripts.

    Returns:
        The nodes: volumes before contrast, early and late, and the segmentation.
    """
    training = Path(__file__).resolve().parents[2] / "PCRTraining"
    if str(training) not in sys.path and training.is_dir():
        sys.path.append(str(training))  # in the source tree; in an installed extension both lie side by side
    from PCRTrainingLib.phantom_patient import make_exam

    nodes = add_exam(slicer.mrmlScene, make_exam(seed=1, full=False))
    slicer.util.setSliceViewerLayers(background=nodes["early"], fit=True)
    return [nodes[name] for name in ("pre", "early", "late", "segmentation")]
