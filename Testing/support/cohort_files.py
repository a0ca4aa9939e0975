"""Cohorts on disk with constant phases, for tests of reading."""

import numpy as np
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.writing import write_nifti

GEOMETRY = Geometry((20, 18, 6), (1, 1, 3))


def write_patient(cohort, name, phases=3, upper=False):
    """Write phases of 100, 200, ... with noise, and a mask."""
    rng = np.random.default_rng(0)
    folder = cohort / "images" / name.upper()
    folder.mkdir(parents=True)
    for k in range(phases):
        file = f"{name.upper() if upper else name.lower()}_{k:04d}.nii.gz"
        write_nifti(rng.integers(0, 9, GEOMETRY.shape).astype(np.int16) + 100 * (k + 1), GEOMETRY, folder / file)
    mask = np.zeros(GEOMETRY.shape, np.uint8)
    mask[2:4, 5:9, 5:9] = 1
    segmentations = cohort / "segmentations" / "expert"
    segmentations.mkdir(parents=True, exist_ok=True)
    write_nifti(mask, GEOMETRY, segmentations / f"{name.lower()}.nii.gz")


def write_table(cohort, text):
    (cohort / "clinical_and_imaging_info.csv").write_text(text, encoding="utf-8")
