"""The kinetic map against truth."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.curves.kinetic_map import UNDECIDED, map_kinetics
from PCRPredictorLib.curves.types import CurveType, curve_types, relative_change
from PCRPredictorLib.curves.words import describe_shares
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.phantom.patient import make_patient
from PCRPredictorLib.phantom.site import SITES
from scipy import ndimage

GEOMETRY = Geometry((60, 60, 12), (0.8, 0.8, 2.0), (0.0, 0.0, 0.0), np.eye(3))
LATE = {CurveType.PERSISTENT: 390, CurveType.PLATEAU: 300, CurveType.WASHOUT: 210}


def three_types(noise, seed=0):
    """A lesion whose thirds along k are persistent, plateau and washout, 300 early; return exam and true types."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat(list(CurveType), 4)[:, None, None] * np.ones((1, 60, 60), int)
    mask = np.zeros(GEOMETRY.shape, np.uint8)
    mask[:, 20:40, 20:40] = 1
    late = np.vectorize(LATE.get)(kinds)
    clean = [np.where(mask, value, 100.0) for value in (100, 300, late)]
    phases = [phase + noise * rng.standard_normal(phase.shape) for phase in clean]
    return Exam(*[phase.astype(np.float32) for phase in phases], GEOMETRY, mask), np.where(mask, kinds, 0)


def test_types_and_shares_are_true_above_the_noise():
    exam, true = three_types(noise=10)
    found = map_kinetics(exam, exam.mask)
    known = np.isin(found.types, list(CurveType))
    assert (found.types[known] == true[known]).mean() > 0.95
    assert known.sum() > 0.8 * found.voxels
    assert list(found.shares.values()) == pytest.approx([1 / 3] * 3, abs=0.05)
    assert found.noise == pytest.approx(10 * 2**0.5 / 3, rel=0.2)
    assert not found.types[exam.mask == 0].any()
    assert found.ser[true == CurveType.WASHOUT].mean() == pytest.approx(200 / 110, abs=0.1)


def zero_filled(phase):
    """Return twice the voxels in each slice, as scanners interpolate."""
    spectrum = np.fft.fftshift(np.fft.fft2(phase), axes=(1, 2))
    filled = np.pad(spectrum, ((0, 0), (30, 30), (30, 30)))
    return 4 * np.fft.ifft2(np.fft.ifftshift(filled, axes=(1, 2))).real


def test_noise_that_interpolation_has_spread_counts_in_full():
    exam, _ = three_types(noise=10)
    phases = [zero_filled(phase) for phase in exam.phases]
    geometry = Geometry((120, 120, 12), (0.4, 0.4, 2.0), (0.0, 0.0, 0.0), np.eye(3))
    found = map_kinetics(Exam(*phases, geometry), np.kron(exam.mask, np.ones((1, 2, 2), np.uint8)))
    means = ndimage.uniform_filter(phases[2] - phases[1], (1, 3, 3))[:, :30]
    assert found.noise == pytest.approx(means.std(), rel=0.3)


def test_what_the_noise_leaves_open_is_undecided_and_said_so():
    exam, _ = three_types(noise=120)
    found = map_kinetics(exam, exam.mask)
    assert found.undecided > 0.5
    assert (found.types == UNDECIDED).any()
    assert "too close to call" in describe_shares(found)


def test_a_lesion_that_does_not_enhance_has_no_type():
    exam, _ = three_types(noise=10)
    found = map_kinetics(replace(exam, early=exam.pre, late=exam.pre), exam.mask)
    assert found.enhancing < 0.02 * found.voxels
    empty = map_kinetics(exam, np.zeros_like(exam.mask))
    assert describe_shares(empty) == "No voxel of the lesion enhances above the noise."


@pytest.mark.parametrize("site", "ABC")
def test_types_of_phantoms_are_right_in_95_percent_of_voxels_above_noise(site):
    right = voxels = 0
    for index in (1, 2):
        exam = make_patient(SITES[site], index).exam
        truth = make_patient(replace(SITES[site], noise=0.0), index).exam
        found = map_kinetics(exam, exam.mask).types
        known = np.isin(found, list(CurveType))
        true = curve_types(relative_change(truth.early, truth.late))
        right, voxels = right + (found[known] == true[known]).sum(), voxels + known.sum()
    assert right > 0.95 * voxels
    assert voxels > 500
