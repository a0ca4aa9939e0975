"""What is measured at a visit, against the trial's published values and against phantoms whose truth is known.

    .venv/bin/python Testing/benchmarks/visits/measurements.py --cohorts ../shared/cohorts

Slabs: the patients of ispy2_visits.csv that have images. A slab is some slices spread evenly over the middle of the
tumour: it lacks both ends. "With ends" divides the volume by (3 f - f^3) / 2, the share of an ellipsoid in the middle
f of its height, with f from the tumour's published extent.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.lesion.functional import functional_voxels
from PCRPredictorLib.lesion.measurements import measure_lesion
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRPredictorLib.response.measure import measure_visit


def read_table(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a table by patient."""
    with path.open(newline="") as file:
        return {row["patient_id"]: row for row in csv.DictReader(file)}


def agreement(name: str, found: np.ndarray, published: np.ndarray) -> str:
    """Return one line: median relative difference, median ratio, correlation, correlation of logarithms."""
    difference = np.abs(found - published) / published
    r = np.corrcoef(found, published)[0, 1]
    logs = np.corrcoef(np.log(found), np.log(published))[0, 1]
    return (
        f"{name:58s} n {len(found):3d}  median difference {np.median(difference):6.1%} "
        f"(quartiles {np.percentile(difference, 25):.1%} to {np.percentile(difference, 75):.1%})  "
        f"ratio {np.median(found / published):.3f}  r {r:.3f}  r of logs {logs:.4f}"
    )


def measure_slab(exam: Exam, published: dict[str, str], size: dict[str, str]) -> dict[str, float]:
    """Return what is measured in a slab and what is published of it, volumes in ml, diameters in mm."""
    values = measure_visit(exam).values
    lesion = measure_lesion(exam)
    height = exam.geometry.shape[0] * exam.geometry.spacing[2] / float(size["extent_slices_mm"])
    box = np.zeros(exam.geometry.shape, bool)
    found = np.argwhere(np.asarray(exam.mask))
    box[tuple(slice(a, b + 1) for a, b in zip(found.min(0), found.max(0), strict=True))] = True
    inside = min(height, 1.0)
    return {
        "ftv": float(published["ftv_ml_T0"]),
        "ld": 10 * float(published["longest_diameter_cm_T0"]),
        "sphericity": float(published["sphericity_T0"]),
        "own_ftv": values.functional_volume_ml or np.nan,
        "ends": (3 * inside - inside**3) / 2,
        "mask": lesion.volume_ml,
        "in_box": functional_voxels(exam, box, outlined=False).sum() * exam.geometry.voxel_volume / 1000,
        "own_ld": values.longest_diameter_mm or np.nan,
        "any_direction": lesion.longest_mm,
        "own_sphericity": values.sphericity or np.nan,
        "smooth": lesion.sphericity,
    }


def show_slabs(cohorts: Path) -> None:
    """Print how the measurements in slabs agree with the table."""
    table, sizes = read_table(cohorts / "ispy2_visits.csv"), read_table(cohorts / "ispy2_tumour_size.csv")
    patients = [p for p in find_patients(cohorts / "ispy2") if p.patient_id in table]
    rows = [measure_slab(read_patient(p), table[p.patient_id], sizes[p.patient_id]) for p in patients]
    of = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    print(agreement("functional volume", of["own_ftv"], of["ftv"]))
    print(agreement("functional volume, with ends", of["own_ftv"] / of["ends"], of["ftv"]))
    print(agreement("volume of the mask", of["mask"], of["ftv"]))
    print(agreement("all four conditions in the box around the mask", of["in_box"], of["ftv"]))
    print(agreement("all four conditions in the box, with ends", of["in_box"] / of["ends"], of["ftv"]))
    print(agreement("longest diameter", of["own_ld"], of["ld"]))
    print(agreement("longest diameter of the mask in any direction", of["any_direction"], of["ld"]))
    print(agreement("sphericity (voxel faces of the functional volume)", of["own_sphericity"], of["sphericity"]))
    print(agreement("sphericity of `measurements` (smoothed mask)", of["smooth"], of["sphericity"]))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=Path, default=Path("../shared/cohorts"))
    given = parser.parse_args()
    show_slabs(given.cohorts)


if __name__ == "__main__":
    main()
