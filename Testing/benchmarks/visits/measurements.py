"""What is measured at a visit, against the trial's published values and against phantoms whose truth is known.

    .venv/bin/python Testing/benchmarks/visits/measurements.py --cohorts ../shared/cohorts --phantoms 30 --full 6

Slabs: the patients of ispy2_visits.csv that have images. A slab is some slices spread evenly over the middle of the
tumour: it lacks both ends. "With ends" divides the volume by (3 f - f^3) / 2, the share of an ellipsoid in the middle
f of its height, with f from the tumour's published extent.

Phantoms: small ones of the sites A and B at three visits, half of them shrinking in pieces, and full-size ones at two,
which have another breast. "In the earlier outline" is without a mask at the later visits.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.lesion.functional import functional_voxels
from PCRPredictorLib.lesion.measurements import measure_lesion
from PCRPredictorLib.phantom.site import SITES
from PCRPredictorLib.phantom.treatment import Shrinkage
from PCRPredictorLib.phantom.visits import PhantomCourse, make_course
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRPredictorLib.registration.rigid import carry_mask, register
from PCRPredictorLib.response.course import QUANTITIES
from PCRPredictorLib.response.measure import measure_visit
from PCRPredictorLib.visits.measured import MARGIN_MM


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


def measure_course(course: PhantomCourse) -> Iterator[dict[str, tuple[float, float]]]:
    """Yield found and true values of each visit, by name; nan where there is none."""
    first = course.visits[0].exam
    for visit in course.visits:
        found = measure_visit(visit.exam, side="left" if course.traits.side > 0 else "right").values
        pairs = {q.name: (number(found.get(q.name)), number(visit.truth[q.name])) for q in QUANTITIES}
        if visit is not course.visits[0]:
            registration = register(first, visit.exam)
            within = carry_mask(registration, np.asarray(first.mask), visit.exam, MARGIN_MM)
            values = measure_visit(replace(visit.exam, mask=None), within).values
            pairs["in the earlier outline"] = number(values.functional_volume_ml), pairs["functional_volume_ml"][1]
            off = (registration.matrix - visit.motion) @ np.append(first.centre, 1)
            pairs["registration_mm"] = float(np.linalg.norm(off)), 0.0
        yield pairs


def number(value: float | None) -> float:
    """Return a value, nan if there is none."""
    return np.nan if value is None else float(value)


def show_phantoms(patients: int, full: bool, visits: int) -> None:
    """Print bias and spread of each measurement on phantoms, with the true outline."""
    rows = []
    for n in range(patients):
        kind: Shrinkage = "pieces" if n % 2 else "concentric"
        course = make_course(SITES["AB"[n // 2 % 2]], 1 + n, 0, full, visits, kind)
        rows += list(measure_course(course))
    print(f"{patients} {'full-size' if full else 'small'} phantoms, {len(rows)} visits")
    for name in dict.fromkeys(name for row in rows for name in row):
        found, true = np.array([row[name] for row in rows if name in row]).T
        known = np.isfinite(found) & np.isfinite(true)
        if known.any():
            print(describe(name, found[known], true[known]))
    gone = [row for row in rows if row["functional_volume_ml"][1] == 0]
    print(f"  gone: {len(gone)} visits, of which {sum(row['functional_volume_ml'][0] == 0 for row in gone)} have 0 ml")


def describe(name: str, found: np.ndarray, true: np.ndarray) -> str:
    """Return one line: bias and spread of the difference, and relative to the truth where that is not 0."""
    difference = found - true
    line = f"  {name:34s} n {len(found):3d}  bias {difference.mean():7.3f}  spread {difference.std():6.3f}"
    some = true > 0
    if some.any():
        ratio = found[some] / true[some]
        low, high = np.percentile(ratio, [5, 95])
        line += f"  median ratio {np.median(ratio):.3f} (90 %: {low:.2f} to {high:.2f})"
        line += f"  median difference {np.median(np.abs(ratio - 1)):.1%}"
    return line


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=Path, default=Path("../shared/cohorts"))
    parser.add_argument("--phantoms", type=int, default=30)
    parser.add_argument("--full", type=int, default=6)
    given = parser.parse_args()
    show_slabs(given.cohorts)
    if given.phantoms:
        show_phantoms(given.phantoms, full=False, visits=3)
    if given.full:
        show_phantoms(given.full, full=True, visits=2)


if __name__ == "__main__":
    main()
