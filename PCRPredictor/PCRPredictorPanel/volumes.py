"""What a volume of Slicer's scene is: of a phantom, or perhaps a phase of an exam."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.names import ending_of
from PCRPredictorLib.files.nifti import read_nifti_header
from PCRPredictorLib.mrml import nodes
from PCRPredictorLib.mrml.exam import SIMULATED


def is_simulated(node: Any) -> bool:
    """Return True if a volume is of a phantom, by what this extension noted on it or in the file it was loaded from."""
    if node.GetAttribute(SIMULATED):
        return True
    storage = node.GetStorageNode()
    path = Path(storage.GetFileName() or "") if storage is not None else Path()
    try:
        return ending_of(path.name).startswith(".nii") and read_nifti_header(path).simulated
    except DataError:
        return False


def may_be_phase(node: Any) -> bool:
    """Return True unless a volume is a label map or was made by this extension."""
    return not (node.IsA("vtkMRMLLabelMapVolumeNode") or nodes.is_own(node))
