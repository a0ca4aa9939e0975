"""The models that ship: the same patient gets the same probability, however the exam was stored."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.exam import PHASE_NAMES, Exam, Geometry
from PCRPredictorLib.model.bundle import bundled_models, load_bundle
from PCRPredictorLib.model.grid import GridSpec, place_window, sample
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.phantom.patient import make_exam

NAMES = (*PHASE_NAMES, "mask")


@pytest.fixture(scope="module", params=sorted(bundled_models()))
def predictor(request):
    return Predictor(load_bundle(bundled_models()[request.param]))


@pytest.fixture(scope="module", params=[0, 1])
def full(request):
    return made(request.param)


@cache
def made(seed):
    """Return a full-size exam, which takes longer to make than to predict."""
    return make_exam(seed=seed)


@pytest.fixture(scope="module")
def probability(predictor, full):
    return predictor.predict(full).probability


@pytest.fixture(scope="module")
def image_probability(predictor, full):
    """The probability without clinical values."""
    return predictor.predict(replace(full, clinical={})).probability


def thin_slab(exam):
    """Cut out as the real cohort is: 80 mm in plane, up to 8 slices over the middle of the tumour, 8 bits."""
    mask = np.asarray(exam.mask) != 0
    window = place_window(mask, exam.geometry, GridSpec(size=112, slices=8))
    chosen = np.unique(window.slices.round().astype(int))
    whole = replace(window, slices=chosen.astype(float))
    scale = 255 / max(float(phase.max()) for phase in exam.phases)
    arrays = {name: (scale * sample(getattr(exam, name), whole)).round().astype(np.uint8) for name in PHASE_NAMES}
    between = float(np.diff(chosen).mean()) * exam.geometry.spacing[2]
    geometry = Geometry((112, 112, len(chosen)), (80 / 112, 80 / 112, between))
    return Exam(**arrays, geometry=geometry, mask=(sample(mask, whole) >= 0.5).astype(np.uint8), clinical=exam.clinical)


def on_another_lattice(exam, factor, shift_mm):
    """Resampled linearly to voxels of another size, the lattice shifted by a part of a voxel."""
    geometry = exam.geometry
    spacing = tuple(factor * step for step in geometry.spacing)
    size = tuple(int(n / factor) for n in geometry.size)
    origin = geometry.to_physical(np.full(3, shift_mm) / geometry.spacing)
    target = sitk.Image(size, sitk.sitkFloat32)
    target.SetSpacing(spacing)
    target.SetOrigin(tuple(map(float, origin)))
    target.SetDirection(geometry.direction.ravel().tolist())
    arrays = {}
    for name in NAMES:
        image = sitk.GetImageFromArray(np.asarray(getattr(exam, name)).astype(np.float32))
        image.SetSpacing(geometry.spacing)
        image.SetOrigin(geometry.origin)
        image.SetDirection(geometry.direction.ravel().tolist())
        arrays[name] = sitk.GetArrayFromImage(sitk.Resample(image, target, sitk.Transform(), sitk.sitkLinear))
    arrays["mask"] = (arrays["mask"] >= 0.5).astype(np.uint8)
    return Exam(**arrays, geometry=Geometry(size, spacing, tuple(map(float, origin)), geometry.direction))


def in_another_order(exam):
    """Slices last, rows backwards: the same voxels in the same places."""
    geometry = exam.geometry
    arrays = {name: np.asarray(getattr(exam, name)).transpose(1, 2, 0)[::-1] for name in NAMES}
    order = [2, 0, 1]  # the old index axis behind each new one of i, j, k
    direction = geometry.direction[:, order].copy()
    direction[:, 2] *= -1
    origin = geometry.to_physical(np.array([0, geometry.size[1] - 1, 0]))
    size, spacing = (tuple(values[axis] for axis in order) for values in (geometry.size, geometry.spacing))
    return Exam(
        **arrays, geometry=Geometry(size, spacing, tuple(map(float, origin)), direction), clinical=exam.clinical
    )


@pytest.mark.slow
def test_thin_slab_gets_the_probability_of_the_full_exam(predictor, full, probability):
    assert predictor.predict(thin_slab(full)).probability == pytest.approx(probability, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "shift"), [(1.0, 0.3), (0.9, 0.2), (1.15, 0.4)])
def test_resampled_and_shifted_exam_gets_the_same_probability(predictor, full, image_probability, factor, shift):
    moved = on_another_lattice(full, factor, shift)
    assert predictor.predict(moved).probability == pytest.approx(image_probability, abs=0.02)


@pytest.mark.slow
def test_order_and_sign_of_the_axes_do_not_matter(predictor, full, probability):
    assert predictor.predict(in_another_order(full)).probability == pytest.approx(probability, abs=1e-4)


@pytest.mark.slow
def test_scale_of_the_intensities_does_not_matter(predictor, full, probability):
    louder = replace(full, **{name: np.asarray(getattr(full, name)) * np.float32(3.7) for name in PHASE_NAMES})
    assert predictor.predict(louder).probability == pytest.approx(probability, abs=0.001)
