"""Attention of each step of a run in one patient, on the voxels of the exam."""

import numpy as np
import torch
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.model.attention import to_attention_map
from PCRPredictorLib.model.grid import place_window
from PCRPredictorLib.model.kinetics import tumour_quantities
from PCRPredictorLib.model.normalisation import to_channels
from torch.nn import functional

from ..run_folder import RunFolder
from ..run_state import held_out
from ..training.folds import load_network
from ..training.inference import explain
from .scaling import read_schema


def explain_steps(run: RunFolder, patient_id: str, exam: Exam) -> dict[str, np.ndarray]:
    """Return the map of each trained step's network that did not see the patient; Grad-CAM without attention.

    Args:
        patient_id: of a patient that was held out in one of the folds.
        exam: of that patient, with a mask.

    Returns:
        Step to float32 (k, j, i), 1 at the peak, 0 outside the window; only steps that are trained.

    Raises:
        DataError: if no fold held the patient out, or none of its steps is trained yet.
    """
    config = run.read_config()
    fold = held_out(run).get(patient_id)
    if fold is None:
        raise DataError(f"no fold of this run held {patient_id} out; choose a patient of the training cohort")
    schema = read_schema(run.schema)
    trained = [step for step in config.steps if run.step(fold, step.name).weights.is_file()]
    if not trained:
        raise DataError("no step that held this patient out is trained yet; wait until its fold has begun")
    window = place_window(np.asarray(exam.mask) != 0, exam.geometry, config.grid)
    image = torch.from_numpy(to_channels(exam, window))[None]
    values = schema.complete(schema.parse(exam.clinical), tumour_quantities(exam))
    clinical = torch.from_numpy(schema.encode(values))[None]
    maps = {}
    for step in trained:
        network = load_network(step, config, schema, run.step(fold, step.name))
        with torch.set_grad_enabled(network.attention is None):
            channels_last = image.contiguous(memory_format=torch.channels_last_3d)
            found = explain(network(channels_last, clinical if step.clinical else None)).detach()
        found = functional.interpolate(found, size=(config.grid.slices, *found.shape[3:]), mode="trilinear")
        maps[step.name] = to_attention_map(found[0, 0].numpy(), window)
    return maps
