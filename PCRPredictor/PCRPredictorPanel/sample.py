"""The phantom exam as Slicer's sample data. It is simulated on this computer, never downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from PCRPredictorLib.mrml.nodes import add_exam
from PCRPredictorLib.phantom.patient import make_exam

SAMPLE = "BreastPCR phantom"


def register_sample(picture: Path) -> None:
    """List the phantom among Slicer's sample data, with a picture; it is made when it is first opened."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="BreastPCR",
        sampleName=SAMPLE,
        thumbnailFileName=str(picture),
        uris=[],  # nothing is downloaded
        fileNames=[],
        customDownloader=open_sample,
    )


def open_sample(_source: Any = None) -> list[Any]:
    """Load the sample and open the module that predicts it; for the button in Sample Data.

    Returns:
        The nodes, as `load_sample`.
    """
    nodes = load_sample()
    slicer.util.selectModule("PCRPredictor")
    return nodes


def load_sample(_source: Any = None) -> list[Any]:
    """Simulate an exam, add it to the scene and show it; for scripts.

    Returns:
        The nodes: volumes before contrast, early and late, and the segmentation.
    """
    nodes = add_exam(slicer.mrmlScene, make_exam(seed=1, full=False))
    slicer.util.setSliceViewerLayers(background=nodes["early"], fit=True)
    return [nodes[name] for name in ("pre", "early", "late", "segmentation")]
