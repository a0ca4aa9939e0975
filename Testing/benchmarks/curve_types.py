"""Curve types and shares of phantoms against truth: the same patients scanned without noise.

    nice .venv/bin/python Testing/benchmarks/curve_types.py --patients 20

Of each site: the share of the voxels above noise whose type is right, the share that the noise leaves undecided, and
by how much the share of each type is off, in points. Small exams, seeds 0 to patients - 1.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from PCRPredictorLib.curves.curve import curve_of
from PCRPredictorLib.curves.kinetic_map import map_kinetics
from PCRPredictorLib.curves.phases import load_phases
from PCRPredictorLib.curves.types import CurveType, curve_types, relative_change
from PCRPredictorLib.phantom.patient import make_patient
from PCRPredictorLib.phantom.site import SITES

NOISES = (1.0, 2.0)  # times that of the site


def measure(site, noise, index):
    """Share right, share undecided, enhancing share, errors of the shares in points, and if the lesion's type is."""
    exam = make_patient(replace(site, noise=noise * site.noise), index).exam
    truth = make_patient(replace(site, noise=0.0), index).exam
    found = map_kinetics(exam, exam.mask)
    true = curve_types(relative_change(truth.early, truth.late))
    known = np.isin(found.types, list(CurveType))
    enhancing = (exam.mask != 0) & (truth.early > 1.2 * np.maximum(truth.pre, 1))
    shares = [np.mean(true[enhancing] == kind) for kind in CurveType]
    errors = [100 * abs(found.shares[kind] - share) for kind, share in zip(CurveType, shares, strict=True)]
    types = [curve_of(load_phases(each), each.mask).kinetics.type for each in (exam, truth)]
    right = np.mean(found.types[known] == true[known]) if known.any() else np.nan
    return right, found.undecided, found.enhancing / found.voxels, np.mean(errors), types[0] == types[1], known.sum()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=20)
    patients = parser.parse_args().patients
    for noise in NOISES:
        for site in SITES.values():
            found = np.array([measure(site, noise, index) for index in range(patients)], float)
            voxels = found[:, 5]
            pooled = np.nansum(found[:, 0] * voxels) / voxels.sum()
            low, high = np.nanmin(found[:, 0]), np.nanmax(found[:, 0])
            print(
                f"site {site.name}, noise x {noise:g}, {patients} patients: right {100 * pooled:.1f} % "
                f"({100 * low:.1f} to {100 * high:.1f}) of {voxels.sum():.0f} voxels, undecided "
                f"{100 * found[:, 1].mean():.0f} %, above noise {100 * found[:, 2].mean():.0f} % of the lesion, shares "
                f"off by {found[:, 3].mean():.1f} points, lesion's type right in {found[:, 4].sum():.0f}"
            )


if __name__ == "__main__":
    main()
