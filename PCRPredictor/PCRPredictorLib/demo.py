"""The demonstration: a full-size phantom exam, written to files, read back and predicted."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from .exam import PHASE_NAMES
from .model.predictor import Predictor
from .outputs import write_prediction
from .phantom.cohort import make_exam
from .prediction import Prediction
from .reading.images import read_exam
from .writing import whole_folder, write_json, write_nifti


def write_demo(out: Path, predictor: Predictor, model: str, seed: int, report: Callable[[str], object]) -> Prediction:
    """Write `out/exam` (three phases, tumour mask, clinical variables) and the files of its prediction.

    Args:
        model: what the predictor's model is called on the command line.
        report: told what is being done, a line at a time.

    Raises:
        DataError: if the folder cannot be written.
    """
    report("Making a phantom exam of 448 x 448 x 120 voxels ...")
    exam = make_exam(seed=seed)
    folder = out / "exam"
    with whole_folder(folder) as part:
        for name, array in zip((*PHASE_NAMES, "tumour"), (*exam.phases, np.asarray(exam.mask)), strict=True):
            write_nifti(array, exam.geometry, part / f"{name}.nii.gz")
        write_json(dict(exam.clinical), part / "clinical.json")
    files = [folder / f"{name}.nii.gz" for name in PHASE_NAMES]
    words = ["--phases", *files, "--mask", folder / "tumour.nii.gz", "--clinical", folder / "clinical.json"]
    words += ["--model", model, "--out", out]
    report("The same by hand: pcr predict " + shlex.join(map(str, words)))
    report("Predicting ...")
    read = replace(read_exam(files, folder / "tumour.nii.gz", clinical=exam.clinical), provenance=exam.provenance)
    prediction = predictor.predict(read)
    write_prediction(read, prediction, out)
    return prediction
