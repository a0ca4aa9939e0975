"""Registration of two visits: how far off it is after known motions, and whether it holds for the wrong exam.

    .venv/bin/python Testing/benchmarks/visits/registration.py --shared ../shared

The real whole exam against itself moved, with a smaller tumour (support.dicom.second_visit), against that deformed
smoothly, against its mirror image (another breast) and against a phantom; real slabs against themselves turned and
shifted, with noise, and against other patients; phantoms against themselves and others.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.finding.use import with_clicked_tumour
from PCRPredictorLib.phantom.patient import make_patient
from PCRPredictorLib.phantom.site import SITES
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRPredictorLib.registration.images import as_image
from PCRPredictorLib.registration.rigid import register
from scipy import ndimage

MASS = (-93.4, -107.6, -41.4)  # of the real exam, LPS mm


def show(name: str, one: Exam, other: Exam, motion: np.ndarray | None = None) -> None:
    """Print one line about a pair."""
    start, used = time.perf_counter(), time.process_time()
    found = register(one, other)
    seconds, used = time.perf_counter() - start, time.process_time() - used
    agreement = found.agreement
    off = ""
    if motion is not None:
        point = np.append(one.centre, 1)
        off = f", off by {np.linalg.norm((found.matrix - motion) @ point):.2f} mm at the tumour"
    print(
        f"{name:44s} {'holds' if found.holds else 'does not hold':14s} correlation {agreement.correlation:5.2f} "
        f"(before {agreement.before:5.2f}), overlap {agreement.overlap:.2f}, forward and backward "
        f"{agreement.disagreement_mm:.1f} mm{off}; {seconds:.1f} s, {used:.1f} s of CPU",
        flush=True,
    )


def motion_of(turned: Sequence[float], moved: Sequence[float], centre: np.ndarray) -> np.ndarray:
    """Return the (4, 4) motion by degrees about x, y, z through a centre, and by mm."""
    euler = sitk.Euler3DTransform(centre.tolist(), *np.deg2rad(turned).tolist(), tuple(moved))
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(euler.GetMatrix(), (3, 3))
    matrix[:3, 3] = euler.TransformPoint((0.0, 0.0, 0.0))
    return matrix


def moved_by_header(exam: Exam, motion: np.ndarray, noise: float, rng: np.random.Generator) -> Exam:
    """Return an exam whose lattice moved, with noise of its own."""
    geometry = exam.geometry
    origin = motion[:3, :3] @ geometry.origin + motion[:3, 3]
    turned = replace(geometry, origin=tuple(origin.tolist()), direction=motion[:3, :3] @ geometry.direction)
    pre = exam.pre + rng.normal(0, noise * float(exam.pre.std()), exam.pre.shape)
    return replace(exam, pre=pre, geometry=turned)


def deformed(exam: Exam, mm: float, rng: np.random.Generator) -> Exam:
    """Return an exam of which each point moved by about that many mm, smoothly over 30 mm."""
    image = sitk.BinShrink(as_image(exam.pre, exam.geometry), [4, 4, 2])
    sigma = [30 / spacing for spacing in image.GetSpacing()[::-1]]
    fields = [ndimage.gaussian_filter(rng.standard_normal(image.GetSize()[::-1]), sigma) for _ in range(3)]
    moves = sitk.GetImageFromArray(np.stack([mm / np.sqrt(3) * f / f.std() for f in fields], -1), isVector=True)
    moves.CopyInformation(image)
    whole = as_image(exam.pre, exam.geometry)
    return replace(exam, pre=sitk.GetArrayFromImage(sitk.Resample(whole, sitk.DisplacementFieldTransform(moves))))


def show_real_exam(folder: Path, second: Path) -> None:
    """Print the lines of the real whole exam; `second` holds its simulated second visit."""
    from support.dicom.second_visit import Treatment

    one = with_clicked_tumour(read_dicom_exam(folder), MASS)
    other = read_dicom_exam(second)
    motion = Treatment(tuple(one.centre.tolist()), 14.2).motion
    rng = np.random.default_rng(0)
    show("real exam, simulated second visit", one, other, motion)
    for mm in (3, 6, 10):
        show(f"the same, deformed by {mm} mm", one, deformed(other, mm, rng))
    show("its mirror image", one, replace(other, pre=other.pre[:, :, ::-1], early=other.early[:, :, ::-1]))
    show("a phantom", one, make_patient(SITES["A"], 1, full=True).exam)


def show_slabs(cohort: Path, number: int) -> None:
    """Print how many slabs hold against themselves moved, and against the next patient."""
    rng = np.random.default_rng(0)
    exams = [read_patient(p) for p in find_patients(cohort)[:number]]
    off, same, wrong = [], [], []
    for n, exam in enumerate(exams):
        motion = motion_of((0, 0, rng.uniform(-8, 8)), (*rng.uniform(-8, 8, 2), 0), exam.centre)
        found = register(exam, moved_by_header(exam, motion, 0.1, rng))
        same.append(found.holds)
        off.append(float(np.linalg.norm((found.matrix - motion) @ np.append(exam.centre, 1))))
        wrong.append(register(exam, exams[(n + 1) % len(exams)]).agreement.correlation)
    far = np.percentile(off, [50, 90])
    print(f"{len(exams)} slabs against themselves moved: {sum(same)} hold, off by {far[0]:.2f} mm (90 %: {far[1]:.2f})")
    print(f"against another patient: correlation {max(wrong):.2f} at most, {sum(c >= 0.5 for c in wrong)} hold")


def show_phantoms(number: int) -> None:
    """Print phantoms against themselves moved and against the next one."""
    rng = np.random.default_rng(0)
    exams = [make_patient(SITES["A"], n).exam for n in range(1, number + 1)]
    for n, exam in enumerate(exams):
        motion = motion_of(rng.uniform(-6, 6, 3), rng.uniform(-10, 10, 3), exam.centre)
        show(f"phantom {n + 1}, moved", exam, moved_by_header(exam, motion, 0.1, rng), motion)
        show(f"phantom {n + 1}, another patient", exam, exams[(n + 1) % number])


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--second", type=Path, default=Path("/tmp/second_visit/t1"))
    parser.add_argument("--slabs", type=int, default=40)
    parser.add_argument("--phantoms", type=int, default=4)
    given = parser.parse_args()
    show_real_exam(given.shared / "exams" / "duke_153" / "dicom", given.second)
    show_slabs(given.shared / "cohorts" / "ispy2", given.slabs)
    show_phantoms(given.phantoms)


if __name__ == "__main__":
    main()
