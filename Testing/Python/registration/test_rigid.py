"""Rigid registration: a known motion is found, wrong ones are told, outlines are carried over."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.registration.rigid import carry_mask, register
from support.examples import AXIAL, SAGITTAL, tiny_exam

ANGLE = np.deg2rad(6)
MOTION = np.array(
    [[np.cos(ANGLE), -np.sin(ANGLE), 0, 8], [np.sin(ANGLE), np.cos(ANGLE), 0, -5], [0, 0, 1, 6], [0, 0, 0, 1]]
)
TUMOUR = np.array([15.0, -5.0, 5.0])


def patient(seed=0, motion=None, direction=AXIAL, tumour=8.0, shift=0.0):
    """Return an exam of an ellipsoid with glands at places of its own, which moved; with a tumour of that radius."""
    extent = np.array([150.0, 130.0, 120.0])
    size = tuple(int(n) for n in np.rint(np.abs(np.linalg.inv(direction)) @ extent / 3))
    geometry = Geometry(size, (3.0, 3.0, 3.0), (0.0, 0.0, 0.0), direction)
    middle = geometry.to_physical((np.array(size) - 1) / 2)
    geometry = replace(geometry, origin=tuple(shift - middle))
    k, j, i = np.indices(geometry.shape)
    now = geometry.to_physical(np.stack([i, j, k], -1))
    back = np.linalg.inv(np.eye(4) if motion is None else motion)
    x = now @ back[:3, :3].T + back[:3, 3]
    rng = np.random.default_rng(seed)
    signal = np.full(geometry.shape, 40.0)
    for centre in rng.uniform(-45, 45, (40, 3)):
        signal += 80 * np.exp(-((x - centre) ** 2).sum(-1) / 2 / 6**2)
    signal *= ((x / (60, 50, 45)) ** 2).sum(-1) < 1
    mask = ((x - TUMOUR) ** 2).sum(-1) < tumour**2
    pre = np.abs(signal + np.random.default_rng(9).normal(0, 2, geometry.shape))
    early = pre + 100 * mask
    return Exam(pre, early, early, geometry, mask.astype(np.uint8))


def test_a_known_motion_is_found():
    found = register(patient(), patient(motion=MOTION, tumour=4.0))
    assert found.holds and found.agreement.correlation > 0.9 > found.agreement.before + 0.3
    point = np.append(TUMOUR, 1)
    assert np.linalg.norm((found.matrix - MOTION) @ point) < 1.5  # mm
    assert found.agreement.turned_degrees == pytest.approx(6, abs=1)


def test_a_motion_is_found_between_planes_and_across_headers_that_do_not_meet():
    found = register(patient(), patient(motion=MOTION, direction=SAGITTAL, shift=500.0))
    assert not found.holds  # the tissue is outside the second field: its header puts it elsewhere
    other = patient(direction=SAGITTAL)
    elsewhere = replace(other, geometry=replace(other.geometry, origin=tuple(np.add(other.geometry.origin, 500.0))))
    found = register(patient(), elsewhere)
    assert found.holds
    assert np.linalg.norm((found.matrix @ np.append(TUMOUR, 1))[:3] - TUMOUR - 500) < 1.5


@pytest.mark.parametrize(
    "other", [patient(seed=1), patient(motion=np.diag([-1.0, 1, 1, 1]))], ids=["other", "mirrored"]
)
def test_another_patient_or_breast_does_not_hold(other):
    found = register(patient(), other)
    assert not found.holds
    assert found.message.startswith("The exams could not be brought together: ")


def test_the_same_motion_is_found_again():
    one, other = patient(), patient(motion=MOTION)
    assert np.array_equal(register(one, other).matrix, register(one, other).matrix)


def test_exams_without_a_tumour_or_of_few_slices_are_judged_by_the_body():
    found = register(replace(patient(), mask=None), patient(motion=MOTION))
    assert found.holds and "in the body" in found.message
    flat = tiny_exam(size=(48, 40, 2))
    assert "too little tissue that both show" in register(flat, flat).message


def test_voxels_that_are_no_number_do_not_matter():
    exam = patient()
    exam.pre[0, 0, 0] = np.nan
    assert register(exam, patient(motion=MOTION)).holds


def test_a_carried_mask_lies_on_the_moved_tumour_and_is_widened_by_the_margin():
    exam, follow_up = patient(), patient(motion=MOTION)
    found = register(exam, follow_up)
    radii = []
    for margin in (0.0, 6.0):
        carried = carry_mask(found, exam.mask, follow_up, margin)
        radii.append((3 / (4 * np.pi) * carried.sum() * 27) ** (1 / 3))
        assert np.linalg.norm(replace(follow_up, mask=carried).centre - follow_up.centre) < 1.5
    assert radii == [pytest.approx(8, abs=0.8), pytest.approx(14, abs=1)]
