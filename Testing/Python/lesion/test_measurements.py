"""Measurements of tumours of known shape, on lattices of any spacing and direction."""

import numpy as np
import pytest
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.lesion.measurements import (
    count_pieces,
    diameters,
    longest_in_slice,
    measure_lesion,
    sphericity,
    surface_points,
)
from support.examples import AXIAL, SAGITTAL, TILT, tiny_exam

SEMI_AXES = (15.0, 10.0, 7.0)  # mm
LATTICES = [(AXIAL, (0.8, 0.8, 1.5)), (TILT, (1.0, 0.7, 2.0)), (SAGITTAL, (0.7, 0.7, 3.0)), (TILT, (1.0, 1.0, 1.0))]


def ellipsoid(direction, spacing, semi_axes=SEMI_AXES, turn=0.4):
    """Return an exam with an ellipsoid that is oblique to its lattice, enhancing by 100 % in one half of its length."""
    size = tuple(int(2 * 17 / s) + 4 for s in spacing)
    geometry = Geometry(size, spacing, (5.0, -60.0, 30.0), direction)
    k, j, i = np.indices(geometry.shape)
    centre = geometry.to_physical((np.array(size) - 1) / 2 + (0.2, 0.3, 0.1))
    offset = geometry.to_physical(np.stack([i, j, k], -1)) - centre
    c, s = np.cos(turn), np.sin(turn)
    along = offset @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    mask = ((along / semi_axes) ** 2).sum(-1) <= 1
    pre = np.full(geometry.shape, 100, np.int16)
    early = pre + np.where(along[..., 0] > 0, 100, 30).astype(np.int16)
    return Exam(pre, early, early, geometry, mask.astype(np.uint8))


@pytest.mark.parametrize(("direction", "spacing"), LATTICES)
def test_ellipsoid_is_measured_on_any_lattice(direction, spacing):
    found = measure_lesion(ellipsoid(direction, spacing))
    assert (found.longest_mm, *found.across_mm) == pytest.approx((30, 20, 14), abs=max(spacing))
    assert found.volume_ml == pytest.approx(4 / 3 * np.pi * np.prod(SEMI_AXES) / 1000, rel=0.02)
    assert found.functional_volume_ml == pytest.approx(found.volume_ml / 2, rel=0.05)
    assert found.sphericity == pytest.approx(0.905, rel=0.05)
    assert (found.pieces, found.side, found.distance_to_skin_mm) == (1, None, None)


def test_box_is_measured_along_its_diagonal():
    exam = tiny_exam(size=(40, 30, 20), spacing=(1.0, 1.0, 1.0))
    mask = np.zeros(exam.mask.shape, bool)
    mask[5:9, 5:15, 5:25] = True  # 4 x 10 x 20 mm
    longest, _, third = diameters(surface_points(mask) * (1.0, 1.0, 1.0))
    assert longest == pytest.approx(np.hypot(20, np.hypot(9, 3)), abs=0.05)  # between middles of outer faces
    assert third <= 10.5
    assert longest_in_slice(mask, exam.geometry) == pytest.approx(np.hypot(20, 9), abs=0.05)


def test_single_voxel_is_as_long_as_its_edges():
    points = surface_points(np.ones((1, 1, 1), bool)) * (3.0, 0.8, 0.7)
    assert diameters(points) == (pytest.approx(3.0), pytest.approx(0.8), pytest.approx(0.7))


@pytest.mark.parametrize(
    "spacing", [(1.0, 1.0, 1.0), (3.0, 0.7, 0.7), (6.0, 0.71, 0.71), (1.1, 0.76, 0.76), (2.0, 2.0, 2.0)]
)
@pytest.mark.parametrize("radius", [6.0, 12.0, 20.0])
def test_ball_has_a_sphericity_of_one(radius, spacing):
    axes = [np.arange(-radius - 2 * s, radius + 2 * s, s) for s in spacing]
    mask = sum(part**2 for part in np.ix_(*axes)) <= radius**2
    assert sphericity(mask, spacing) == pytest.approx(1, abs=0.05 if radius >= 2 * max(spacing) else 0.1)


def test_box_is_less_round_than_a_ball_and_a_plate_less_than_a_box():
    box, plate = np.ones((20, 20, 20), bool), np.ones((4, 40, 40), bool)
    assert sphericity(box, (1, 1, 1)) == pytest.approx(0.806, rel=0.11)
    assert sphericity(plate, (1, 1, 1)) < 0.62


def test_pieces_touch_at_corners():
    mask = np.zeros((4, 4, 4), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[3, 3, 3] = True
    assert count_pieces(mask) == 2
