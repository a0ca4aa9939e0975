"""How many wrong masks the mask check finds, and how many right ones it warns of.

    .venv/bin/python Testing/benchmarks/mask_check.py --cohorts ../shared/cohorts --phantoms 24

Exams: the real slabs of the cohorts whose identifier falls into the half that the thresholds were not chosen on, and
simulated whole exams, which alone have a second breast, skin and a heart.
Each mask is made wrong in several ways; a wrong mask counts as found if any code of the check is reported.
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.lesion.body import outline_body
from PCRPredictorLib.lesion.mask_check import about_mask, examine_mask
from PCRPredictorLib.phantom.patient import make_patient
from PCRPredictorLib.phantom.site import SITES
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from scipy import ndimage

KINDS = (
    "right",
    "shifted 5 mm",
    "shifted 10 mm",
    "shifted 20 mm",
    "elsewhere",
    "other breast",
    "single slice",
    "eroded",
)
WHOLE = ("with skin", "with heart")
HEART = (24.0, 78.0, -22.0)  # of the phantom, LPS mm


def wrong_masks(exam: Exam, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the mask and wrong versions of it that a slab allows, by kind."""
    mask, axis = np.asarray(exam.mask) != 0, exam.geometry.slice_axis
    yield "right", mask
    for distance in (5, 10, 20):
        yield f"shifted {distance} mm", shifted(exam, mask, distance, rng)
    yield "elsewhere", min((shifted(exam, mask, 30, rng) for _ in range(4)), key=lambda moved: (moved & mask).sum())
    single = np.zeros_like(mask)
    plane = tuple(
        int(mask.sum(tuple(np.delete(range(3), axis))).argmax()) if a == axis else slice(None) for a in range(3)
    )
    single[plane] = mask[plane]
    yield "single slice", single
    yield "eroded", eroded(mask, axis)


def shifted(exam: Exam, mask: np.ndarray, distance: float, rng: np.random.Generator) -> np.ndarray:
    """Move a mask in plane in a random direction in which at least 60 % of it stays in the field."""
    spacing = np.array(exam.geometry.spacing[::-1])
    in_plane = np.delete(range(3), exam.geometry.slice_axis)
    for _ in range(30):
        angle = rng.uniform(0, 2 * np.pi)
        steps = np.zeros(3, int)
        steps[in_plane] = np.rint(distance * np.array([np.sin(angle), np.cos(angle)]) / spacing[in_plane])
        moved = np.zeros_like(mask)
        there = [slice(max(s, 0), n + min(s, 0)) for s, n in zip(steps, mask.shape, strict=True)]
        here = [slice(max(-s, 0), n + min(-s, 0)) for s, n in zip(steps, mask.shape, strict=True)]
        moved[tuple(there)] = mask[tuple(here)]
        if moved.sum() > 0.6 * mask.sum():
            break
    return moved


def eroded(mask: np.ndarray, axis: int) -> np.ndarray:
    """Erode in plane until less than 40 % of the mask is left, or until the next step would leave nothing."""
    cross = np.zeros((3, 3, 3), bool)
    for a in range(3):
        cross[tuple(slice(None) if b == a != axis else 1 for b in range(3))] = True
    left = mask
    while left.sum() > 0.4 * mask.sum() and (less := ndimage.binary_erosion(left, cross)).any():
        left = less
    return left


def wrong_in_whole(exam: Exam) -> Iterator[tuple[str, np.ndarray]]:
    """Yield wrong masks of a simulated whole exam: on the other side, with skin, with heart."""
    mask, geometry, body = np.asarray(exam.mask) != 0, exam.geometry, outline_body(exam)
    k, j, i = np.indices(geometry.shape, dtype=np.float32, sparse=True)
    x, y, z = (
        sum(np.float32(geometry.spacing[a] * geometry.direction[w, a]) * index for a, index in enumerate((i, j, k)))
        + np.float32(geometry.origin[w])
        for w in range(3)
    )
    if body is not None and body.cleft is not None:
        lattice = np.argwhere(mask)[:, ::-1]
        points = geometry.to_physical(lattice) * (-1, 1, 1) + (2 * body.cleft[0], 0, 0)
        index = np.rint(geometry.to_index(points)).astype(int)[:, ::-1].clip(0, np.array(mask.shape) - 1)
        mirrored = np.zeros_like(mask)
        mirrored[tuple(index.T)] = True
        yield "other breast", ndimage.binary_closing(mirrored)
        ball = (x - HEART[0]) ** 2 + (y - HEART[1]) ** 2 + (z - HEART[2]) ** 2 < 18**2
        yield "with heart", mask | ball
    tissue = ndimage.binary_fill_holes(exam.early > 0.25 * np.percentile(exam.early[exam.early > 0], 50))
    depth = ndimage.distance_transform_edt(tissue, sampling=geometry.spacing[::-1])
    nearest = np.argwhere(mask)[depth[mask].argmin()]
    near = geometry.to_physical(nearest[::-1])
    reach = float(depth[tuple(nearest)]) + 10
    ball = (x - near[0]) ** 2 + (y - near[1]) ** 2 + (z - near[2]) ** 2 < reach**2
    yield "with skin", mask | (ball & (depth > 0) & (depth < 3))


def real_exams(folder: Path, half: int) -> Iterator[tuple[str, Exam]]:
    """Yield the exams of the cohorts in one half of the patients."""
    for cohort in ("ispy2", "duke"):
        for patient in find_patients(folder / cohort):
            if zlib.crc32(patient.patient_id.encode()) % 2 == half:
                try:
                    yield cohort, read_patient(patient)
                except DataError as error:
                    print(error)


def phantoms(count: int, seed: int) -> Iterator[tuple[str, Exam]]:
    """Yield simulated whole exams of all sites in turn."""
    sites = list(SITES.values())
    for n in range(count):
        yield "phantom", make_patient(sites[n % len(sites)], n, seed=seed, full=True).exam


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=Path, default=Path("../shared/cohorts"))
    parser.add_argument("--half", type=int, default=1, help="0: the half that the thresholds were chosen on")
    parser.add_argument("--phantoms", type=int, default=24)
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    tried: Counter = Counter()
    found: Counter = Counter()
    codes: dict[str, Counter] = defaultdict(Counter)
    for source in (real_exams(given.cohorts, given.half), phantoms(given.phantoms, given.seed)):
        for n, (group, exam) in enumerate(source):
            rng, body = np.random.default_rng(n), outline_body(exam)
            masks = [*wrong_masks(exam, rng), *(wrong_in_whole(exam) if group == "phantom" else ())]
            for kind, mask in masks:
                findings = examine_mask(replace(exam, mask=mask.astype(np.uint8)), body)
                notices = [notice.code for notice in about_mask(findings)]
                tried[kind, group] += 1
                found[kind, group] += bool(notices)
                codes[kind].update(notices)
                if given.verbose and (bool(notices) == (kind == "right")):
                    print(group, n, kind, notices, findings)
    groups = ("ispy2", "duke", "phantom")
    print("| mask | I-SPY2 | Duke | simulated | codes |\n|---|---|---|---|---|")
    for kind in (*KINDS, *WHOLE):
        cells = [f"{found[kind, g]} of {tried[kind, g]}" if tried[kind, g] else "–" for g in groups]
        names = ", ".join(f"`{code}` {count}" for code, count in codes[kind].most_common(4))
        print(f"| {kind} | {' | '.join(cells)} | {names} |")


if __name__ == "__main__":
    main()
