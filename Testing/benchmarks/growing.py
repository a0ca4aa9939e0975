"""A click, and *Find tumours*, on real exams and simulated ones.

    .venv/bin/python Testing/benchmarks/growing.py exam      the real whole exam of ../shared/exams
    .venv/bin/python Testing/benchmarks/growing.py slabs DIR the slabs of ../shared/cohorts; each patient's Dice in DIR
    .venv/bin/python Testing/benchmarks/growing.py find DIR  100 simulated exams, kept in DIR

The limits in `PCRPredictorLib.finding` were chosen on every second I-SPY2 slab and on simulated exams of other seeds.
The positions of the clicks that are not on the mass were chosen by eye in the subtraction images.
"""

from __future__ import annotations

import importlib.util
import itertools
import sys
import time
from pathlib import Path

import numpy as np
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from scipy import ndimage

NEW = importlib.util.find_spec("PCRPredictorLib.finding") is not None  # else a version before, to compare with
grow_tumour = importlib.import_module("PCRPredictorLib.finding.grow" if NEW else "PCRPredictorLib.grow").grow_tumour
SHARED = Path(__file__).resolve().parents[3] / "shared"
BOX = (slice(23, 42), slice(47, 83), slice(90, 125))  # the published one, k, j, i
ELSEWHERE = {  # clicks by eye, (k, j, i)
    "vessel": [
        (26, 100, 100),
        (26, 120, 112),
        (34, 140, 118),
        (34, 255, 150),
        (26, 253, 150),
        (52, 195, 85),
        (46, 180, 87),
    ],
    "skin": [(34, 60, 68), (34, 150, 201), (46, 33, 365), (52, 50, 400), (58, 47, 360), (34, 226, 230), (46, 27, 124)],
    "parenchyma": [
        (26, 130, 330),
        (26, 170, 375),
        (26, 140, 405),
        (34, 80, 370),
        (46, 95, 300),
        (40, 90, 300),
        (34, 190, 185),
    ],
    "heart": [(30, 285, 200), (34, 300, 250), (40, 300, 220), (50, 310, 260), (60, 320, 230), (10, 320, 130)],
    "second focus": [(45, 97, 80), (46, 97, 81), (40, 97, 80)],
}


def dice(one: np.ndarray, other: np.ndarray) -> float:
    """Overlap of two masks."""
    one, other = one != 0, other != 0
    return 2 * float(np.count_nonzero(one & other)) / max(np.count_nonzero(one) + np.count_nonzero(other), 1)


def rise_of(exam: Exam, sigma: tuple[float, float, float] = (0, 0, 0)) -> np.ndarray:
    """Early minus pre, smoothed."""
    return ndimage.gaussian_filter(exam.early.astype(np.float32) - exam.pre, sigma)


def grow(exam: Exam, index: np.ndarray) -> tuple[np.ndarray, str]:
    """Mask and verdict of a click at (k, j, i); works with versions whose click returned a mask."""
    try:
        grown = grow_tumour(exam.pre, exam.early, exam.geometry, exam.geometry.to_physical(np.array(index)[::-1]))
    except DataError:
        return np.zeros(exam.geometry.shape, bool), "refused"
    return np.asarray(getattr(grown, "mask", grown)) != 0, getattr(grown, "verdict", "mass")


def mass_of(exam: Exam) -> np.ndarray:
    """The mass: in the published box, half of its highest rise or more, the largest piece."""
    rise = rise_of(exam, (0.7, 1, 1))
    bright = np.zeros(rise.shape, bool)
    bright[BOX] = rise[BOX] >= 0.5 * np.percentile(rise[BOX], 99)
    labels, _ = ndimage.label(bright)
    return np.asarray(labels == 1 + np.argmax(np.bincount(labels.ravel())[1:]))


def show_exam() -> None:
    """Clicks on the mass, and elsewhere; candidates; times."""
    exam = read_dicom_exam(SHARED / "exams" / "duke_153" / "dicom")
    ml = exam.geometry.voxel_volume / 1000
    voxels = np.argwhere(mass_of(exam))
    wider = np.zeros(exam.geometry.shape, bool)
    margin = [int(np.ceil(3 / s)) for s in exam.geometry.spacing[::-1]]
    wider[tuple(slice(b.start - m, b.stop + m) for b, m in zip(BOX, margin, strict=True))] = True
    masks, seconds, processor, volumes, inside, pieces, verdicts = [], [], [], [], [], [], []
    for index in voxels[np.random.default_rng(0).integers(len(voxels), size=30)]:
        start, used = time.perf_counter(), time.process_time()
        mask, verdict = grow(exam, index)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
        masks.append(mask)
        volumes.append(mask.sum() * ml)
        inside.append((mask & wider).sum() / max(mask.sum(), 1))
        pieces.append(ndimage.label(mask, np.ones((3, 3, 3)))[1])
        verdicts.append(verdict)
    among = [dice(one, other) for one, other in itertools.combinations(masks, 2)]
    print(f"30 clicks on the mass: {min(volumes):.2f} to {max(volumes):.2f} ml, {max(pieces)} piece at most")
    print(f"inside the box widened by 3 mm: {min(inside):.1%} at least; Dice among them {min(among):.3f} at least")
    print(f"verdicts {sorted(set(verdicts))}; median {np.median(seconds):.2f} s, {np.median(processor):.2f} s of CPU")
    for name, places in ELSEWHERE.items():
        answers = [(mask.sum() * ml, verdict) for mask, verdict in (grow(exam, np.array(place)) for place in places)]
        silent = [f"{volume:.2f} ml" for volume, verdict in answers if verdict == "mass" and volume > 1]
        print(
            f"{name}: " + ", ".join(f"{v} {volume:.2f} ml" for volume, v in answers) + f"; silently over 1 ml: {silent}"
        )
    show_candidates(exam)


def show_candidates(exam: Exam) -> None:
    """The candidates of the real exam, and how long they took."""
    from PCRPredictorLib.finding.find import find_tumours

    for _ in range(3):
        start, used = time.perf_counter(), time.process_time()
        found = find_tumours(*exam.phases, exam.geometry)
        print(f"found in {time.perf_counter() - start:.2f} s, {time.process_time() - used:.2f} s of CPU")
    mass = mass_of(exam)
    for one in found:
        print(f"score {one.score:.0f}, Dice with the mass {dice(one.mask, mass):.2f}: {', '.join(one.reasons)}")


def show_slabs(folder: Path) -> None:
    """Dice with the masks of both cohorts from a click at the brightest voxel, and at the brightest after smoothing."""
    for name, half in (("ispy2", 0), ("ispy2", 1), ("ispy2", None), ("duke", None)):
        patients = find_patients(SHARED / "cohorts" / name)
        overlaps, asked = [], []
        for patient in patients if half is None else patients[half::2]:
            exam = read_patient(patient)
            mask = np.asarray(exam.mask) != 0
            clicks = []
            for sigma in ((0, 0, 0), (0, 2.5, 2.5)):
                rise = np.where(mask, rise_of(exam, sigma), -np.inf)
                clicks.append(grow(exam, np.array(np.unravel_index(rise.argmax(), rise.shape))))
            overlaps.append([dice(grown, mask) for grown, _ in clicks])
            asked.append([verdict != "mass" for _, verdict in clicks])
        part = {0: " (half used for development)", 1: " (other half)", None: ""}[half]
        for column, kind in enumerate(("brightest voxel", "brightest after smoothing")):
            values = np.array(overlaps)[:, column]
            print(
                f"{name}{part}, {len(values)}, {kind}: Dice median {np.median(values):.3f}, 10th percentile "
                f"{np.percentile(values, 10):.3f}, mean {values.mean():.3f}; asked "
                f"{np.mean(np.array(asked)[:, column]):.0%}"
            )
        np.savetxt(folder / f"{name}_{half}.csv", overlaps)


def show_found(folder: Path, patients: int = 25, seed: int = 500) -> None:
    """Rank of the tumour among the candidates of simulated whole exams."""
    from PCRPredictorLib.finding.find import find_tumours
    from simulated_exams import simulated_exams

    ranks: dict[str, list[int]] = {}
    for name, exam in simulated_exams(folder, patients, seed):
        near = ndimage.binary_dilation(np.asarray(exam.mask) != 0, iterations=2)
        found = find_tumours(*exam.phases, exam.geometry)
        hits = [n for n, one in enumerate(found, 1) if near[tuple(_index(exam, one.position))]]
        ranks.setdefault(name[0], []).append(hits[0] if hits else 99)
    for site, values in ranks.items():
        print(
            f"site {site}: first in {sum(v == 1 for v in values)}, "
            f"first three in {sum(v <= 3 for v in values)} of {len(values)}"
        )
    every = list(itertools.chain(*ranks.values()))
    print(f"all: first in {sum(v == 1 for v in every)}, first three in {sum(v <= 3 for v in every)} of {len(every)}")


def _index(exam: Exam, position: tuple[float, float, float]) -> np.ndarray:
    index = np.rint(exam.geometry.to_index(np.array(position))[::-1]).astype(int)
    return np.clip(index, 0, np.array(exam.geometry.shape) - 1)


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    {"exam": show_exam, "slabs": show_slabs, "find": show_found}[what](*(Path(word) for word in rest))
