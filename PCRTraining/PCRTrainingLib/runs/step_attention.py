"""Where each step of a run looks in one patient: attention on the exam's own voxels, to be compared."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import torch
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.model.attention import scale_to_peak
from PCRPredictorLib.model.grid import lay_back, place_window, sample
from PCRPredictorLib.model.kinetics import tumour_quantities
from PCRPredictorLib.model.normalisation import to_channels

from ..config import Step, TrainingConfig
from ..history import SCHEMA, SPLITS, read_run_config
from ..training.folds import load_network
from ..training.inference import explain


def explain_steps(out: Path, patient_id: str, exam: Exam) -> dict[str, np.ndarray]:
    """The map of each trained step's network that did not see the patient; Grad-CAM for a step without attention.

    Args:
        out: run folder.
        patient_id: of a patient that was held out in one of the folds.
        exam: of that patient, with a mask.

    Returns:
        Step to float32 (k, j, i), 1 at the peak, 0 outside the window; only steps that are trained.

    Raises:
        DataError: if no fold held the patient out, or none of its steps is trained yet.
    """
    config = read_run_config(out)
    folder = out / f"fold_{find_fold(out, patient_id)}"
    schema = ClinicalSchema.from_json(json.loads((out / SCHEMA).read_text(encoding="utf-8")))
    trained = [step for step in config.steps if (folder / step.name / "weights.safetensors").is_file()]
    if not trained:
        raise DataError("no step that held this patient out is trained yet; wait until its fold has begun")
    return {step.name: _explain(step, config, schema, folder, exam) for step in trained}


def find_fold(out: Path, patient_id: str) -> int:
    """The fold that held a patient out.

    Raises:
        DataError: if none did.
    """
    try:
        with (out / SPLITS).open(newline="", encoding="utf-8") as file:
            folds = {row["patient_id"]: row["fold"] for row in csv.DictReader(file)}
    except OSError:
        raise DataError(f"{out}: holds no run any more; choose the folder of a run") from None
    if not folds.get(patient_id):
        raise DataError(f"no fold of this run held {patient_id} out; choose a patient of the training cohort")
    return int(folds[patient_id])


def _explain(step: Step, config: TrainingConfig, schema: ClinicalSchema, folder: Path, exam: Exam) -> np.ndarray:
    network = load_network(step, config, schema, folder / step.name)
    window = place_window(np.asarray(exam.mask) != 0, exam.geometry, config.grid)
    image = torch.from_numpy(to_channels(*(sample(phase, window) for phase in exam.phases)))[None]
    values = schema.complete(schema.parse(exam.clinical), tumour_quantities(exam))
    clinical = torch.from_numpy(schema.encode(values))[None] if step.clinical else None
    with torch.set_grad_enabled(network.attention is None):
        found = explain(network(image.contiguous(memory_format=torch.channels_last_3d), clinical))
    laid = lay_back(found.detach()[0, 0].numpy(), window)
    laid[window.region] = scale_to_peak(laid[window.region])
    return laid
