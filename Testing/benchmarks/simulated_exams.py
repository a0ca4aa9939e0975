"""Whole exams of four simulated sites, for the benchmark of *Find tumours*; each is made once and kept in a folder.

The sites differ in orientation, lattice, noise, timing, suppression of fat and shading of the coil. The seed is that
of no phantom cohort.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.phantom.patient import make_patient
from PCRPredictorLib.phantom.site import SITES

SITES_OF_WHOLE_EXAMS = (
    replace(SITES["A"], name="A", full_lattice=((380, 380, 100), (0.9, 0.9, 1.8))),
    replace(SITES["B"], name="B", full_lattice=((320, 320, 90), (1.1, 1.1, 2.0))),
    replace(SITES["C"], name="C"),
    replace(SITES["A"], name="D", full_lattice=((360, 360, 70), (0.95, 0.95, 2.5)), noise=0.09, fat=3.5, shading=1.8),
)


def simulated_exams(folder: Path, patients: int, seed: int) -> Iterator[tuple[str, Exam]]:
    """Yield the name and exam of `patients` patients of each site."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(1, patients + 1):
        for site in SITES_OF_WHOLE_EXAMS:
            file = folder / f"{site.name}_{seed}_{index:03d}.npz"
            exam = read(file) if file.exists() else make_patient(site, index, seed, full=True).exam
            if not file.exists():
                write(exam, file)
            yield file.stem, exam


def write(exam: Exam, file: Path) -> None:
    """Keep an exam as an uncompressed archive of arrays."""
    arrays = dict(zip(("pre", "early", "late"), exam.phases, strict=True))
    g = exam.geometry
    np.savez(
        file.with_suffix(".part.npz"), **arrays, mask=exam.mask, spacing=g.spacing, origin=g.origin, axes=g.direction
    )
    file.with_suffix(".part.npz").replace(file)


def read(file: Path) -> Exam:
    """Read an exam that was kept."""
    from PCRPredictorLib.exam import Geometry

    with np.load(file) as kept:
        size = kept["pre"].shape[::-1]
        geometry = Geometry(size, tuple(kept["spacing"]), tuple(kept["origin"]), kept["axes"])
        return Exam(kept["pre"], kept["early"], kept["late"], geometry, kept["mask"])


if __name__ == "__main__":
    import sys

    for name, made in simulated_exams(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])):
        print(name, f"{int(made.mask.sum()) * made.geometry.voxel_volume / 1000:.2f} ml", flush=True)
