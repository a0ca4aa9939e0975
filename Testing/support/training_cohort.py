"""A tiny cohort on disk whose tumours reveal the label, for tests of training."""

import csv

import numpy as np
from PCRPredictorLib.engine.engine import ThisProcess
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.writing import write_nifti
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.run_folder import RunFolder
from PCRTrainingLib.runs.job import Job

GEOMETRY = Geometry((32, 32, 6), (2.0, 2.0, 4.0))
TABLE = "clinical_and_imaging_info.csv"
QUICK = """{"steps": [
 {"name": "step1", "epochs": 2},
 {"name": "step2", "epochs": 2, "after": "step1", "attention": true, "guidance": "mask cross-entropy", "swap": true},
 {"name": "step3", "epochs": 2, "after": "step2", "attention": true, "clinical": true, "clinical_fit": true,
  "guidance": "mask cross-entropy", "swap": true, "image_rate": 0.3, "clinical_dropout": 0.2}],
 "split": {"folds": 2}, "widths": [4, 6, 8], "batch_size": 4, "dropout": 0.1}"""


def quiet_job(cohort, out, **options):
    """Return a job in this process that reports nothing, on one cohort or a list of several."""
    cohorts = cohort if isinstance(cohort, list) else [cohort]
    return Job(
        {path.resolve().name: path for path in cohorts},
        RunFolder(out),
        **{"engine": ThisProcess(threads=1), "progress": Progress(), "keep_anyway": True, **options},
    )


def out_of_fold_logits(out):
    """Patient to fold and logit."""
    with RunFolder(out).out_of_fold.open(newline="") as file:
        return {row["patient_id"]: (row["fold"], float(row["logit"])) for row in csv.DictReader(file)}


def assert_same_predictions(out, other):
    """The same patients in the same folds, with the same logits."""
    ours, theirs = out_of_fold_logits(out), out_of_fold_logits(other)
    assert ours.keys() == theirs.keys()
    assert all(ours[name][0] == theirs[name][0] for name in ours)
    assert max(abs(ours[name][1] - theirs[name][1]) for name in ours) < 1e-4


def write_patient(cohort, name, label, seed):
    """Write noise and an enhancing ball, which is brighter with pCR."""
    rng = np.random.default_rng(seed)
    k, j, i = np.indices(GEOMETRY.shape)
    centre = np.array([3, 16, 16]) + rng.integers(-1, 2, 3)
    ball = ((np.stack([k, j, i], -1) - centre) ** 2 * (4, 1, 1)).sum(-1) < 30
    base = rng.normal(60, 4, GEOMETRY.shape)
    folder = cohort / "images" / name.upper()
    folder.mkdir(parents=True)
    for phase, gain in enumerate((0, 60 + 50 * label, 50 + 30 * label)):
        image = (base + gain * ball + rng.normal(0, 2, GEOMETRY.shape)).clip(0, 255).astype(np.uint8)
        write_nifti(image, GEOMETRY, folder / f"{name.lower()}_{phase:04d}.nii.gz")
    masks = cohort / "segmentations" / "expert"
    masks.mkdir(parents=True, exist_ok=True)
    write_nifti(ball.astype(np.uint8), GEOMETRY, masks / f"{name.lower()}.nii.gz")


def write_cohort(cohort, patients=16, prefix="P", seed=0):
    """Write patients of two sites, of whom every other one has pCR."""
    rows = []
    for k in range(patients):
        write_patient(cohort, f"{prefix}{k}", k % 2, seed + 1000 + k)
        rows.append(
            {
                "patient_id": f"{prefix}{k}",
                "pcr": k % 2,
                "age": 40 + k % 50,
                "hr": (k // 2) % 2,
                "her2": "",
                "menopause": "post (> 12 months)" if k % 3 else "peri (6-12 months)",
                "site": "AB"[k // 2 % 2],
            }
        )
    write_table(cohort, rows)
    return cohort


def write_table(cohort, rows):
    with (cohort / TABLE).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read_table(cohort):
    with (cohort / TABLE).open(newline="") as file:
        return list(csv.DictReader(file))
