import numpy as np
import pytest
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.model.grid import (
    GridSpec,
    acquisition_order,
    place_window,
    sample,
    share_inside,
    spread_in_exam,
    to_exam_space,
)
from support.examples import TILT, tiny_exam

SPEC = GridSpec()
AXIAL = np.eye(3)
SAGITTAL = np.array([[0, 0, 1], [1, 0, 0], [0, -1, 0]], float)  # i to posterior, j to feet, k to the left
CORONAL = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float)


def random_geometry(rng):
    """Any plane, oblique by up to 25 degrees, stored mirrored and in any axis order, anisotropic."""
    plane = (AXIAL, SAGITTAL, CORONAL)[rng.integers(3)]
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angle = np.deg2rad(rng.uniform(0, 25))
    tilt = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    in_plane = rng.uniform(0.5, 1.2)
    spacing = np.array([in_plane, in_plane, rng.uniform(1.3, 4)])
    size = np.array([*rng.integers(150, 260, 2), rng.integers(30, 70)])
    stored = rng.permutation(3)
    direction = (tilt @ plane)[:, stored] * rng.choice([-1, 1], 3)
    return Geometry(
        tuple(int(n) for n in size[stored]), tuple(spacing[stored]), tuple(rng.uniform(-200, 200, 3)), direction
    )


def gaussian_blob(geometry, centre, sigma=6.0):
    """exp(-r^2 / 2 sigma^2) around an LPS position, on the lattice."""
    k, j, i = np.indices(geometry.shape)
    distance = np.linalg.norm(geometry.to_physical(np.stack([i, j, k], -1)) - centre, axis=-1)
    return np.exp(-0.5 * (distance / sigma) ** 2)


def centroid(array, geometry):
    voxels = np.argwhere(array > 0)
    weights = array[array > 0]
    return (voxels[:, ::-1] * weights[:, None]).sum(0) / weights.sum()


@pytest.mark.parametrize("seed", range(30))
def test_a_blob_comes_back_to_its_place_within_a_voxel_in_any_geometry(seed):
    rng = np.random.default_rng(seed)
    geometry = random_geometry(rng)
    centre = geometry.to_physical(np.array(geometry.size) * rng.uniform(0.35, 0.65, 3))
    blob = gaussian_blob(geometry, centre)
    window = place_window(blob > 0.2, geometry, SPEC)
    at_stem = sample(blob, window).reshape(8, 32, 2, 32, 2).mean((2, 4))
    back = to_exam_space(at_stem, window)
    assert back.shape == blob.shape
    assert np.abs(centroid(back, geometry) - geometry.to_index(centre)).max() < 1


@pytest.mark.parametrize("direction", [AXIAL, SAGITTAL, CORONAL])
def test_a_different_order_of_stored_axes_gives_the_same_grid(direction):
    rng = np.random.default_rng(0)
    array = rng.random((12, 90, 110))
    mask = np.zeros(array.shape, bool)
    mask[3:8, 30:50, 60:75] = True
    geometry = Geometry((110, 90, 12), (0.9, 0.9, 3.0), direction=direction)
    mirrored = Geometry(
        (12, 110, 90),
        (3.0, 0.9, 0.9),
        tuple(geometry.to_physical([109, 0, 0])),
        direction[:, [2, 0, 1]] * [1, -1, 1],
    )
    stored = array.transpose(1, 2, 0)[:, ::-1]
    same = sample(stored, place_window(mask.transpose(1, 2, 0)[:, ::-1], mirrored, SPEC))
    np.testing.assert_allclose(sample(array, place_window(mask, geometry, SPEC)), same, atol=1e-5)


@pytest.mark.parametrize(("direction", "rows", "columns"), [(AXIAL, 1, 0), (SAGITTAL, 2, 1), (CORONAL, 2, 0)])
def test_rows_and_columns_run_as_a_viewer_shows_them(direction, rows, columns):
    order = acquisition_order(Geometry((64, 64, 10), (1, 1, 3), direction=direction))
    index = np.zeros((3, 3))  # the step along each of slices, rows, columns in (i, j, k)
    for n, (axis, mirror) in enumerate(zip(order.axes, order.mirrored, strict=True)):
        index[n, 2 - axis] = -1 if mirror else 1
    steps = index @ direction.T
    assert steps[1, rows] == (1 if rows == 1 else -1)
    assert steps[2, columns] == 1


@pytest.mark.parametrize(
    ("spacing", "axis"), [((1, 1, 3), 0), ((3, 1, 1), 2), ((0.9, 0.9, 0.8), 0), ((1, 2, 1.5), 1), ((1, 1, 1), 0)]
)
def test_slices_run_along_the_axis_whose_spacing_stands_out(spacing, axis):
    assert Geometry((10, 10, 10), spacing).slice_axis == axis


def test_slab_is_read_as_the_exam_it_was_cut_from():
    rng = np.random.default_rng(1)
    exam = rng.random((60, 300, 300)).astype(np.float32)
    mask = np.zeros(exam.shape, bool)
    mask[20:41, 140:160, 150:170] = True
    full = place_window(mask, Geometry((300, 300, 60), (0.8, 0.8, 1.5)), SPEC)
    chosen = full.slices.round().astype(int)
    rows = slice(100, 200)  # 80 mm around the middle of rows 140 to 159
    columns = slice(110, 210)
    slab = place_window(mask[chosen, rows, columns], Geometry((100, 100, 8), (0.8, 0.8, 3.0)), SPEC)
    cut = sample(exam[chosen, rows, columns], slab)
    full.slices[:] = chosen
    inner = (slice(None), slice(1, -1), slice(1, -1))  # pixels at the border of the slab lack a neighbour
    np.testing.assert_allclose(sample(exam, full)[inner], cut[inner], atol=1e-5)


def test_window_moves_inside_the_field_when_the_tumour_is_at_its_edge():
    mask = np.zeros((10, 200, 200), bool)
    mask[4:6, 0:10, 190:200] = True
    window = place_window(mask, Geometry((200, 200, 10), (1, 1, 2)), SPEC)
    assert window.rows == (-0.5, 79.5)
    assert window.columns == (119.5, 199.5)


def test_field_smaller_than_the_window_is_surrounded_by_zeros():
    mask = np.ones((4, 50, 50), bool)
    grid = sample(np.ones(mask.shape), place_window(mask, Geometry((50, 50, 4), (1, 1, 2)), SPEC))
    assert grid[:, :10].max() == 0
    assert grid[:, 20:44, 20:44].min() == pytest.approx(1)


def test_mask_of_a_single_slice_is_read_and_laid_back_on_that_slice():
    mask = np.zeros((9, 128, 128), bool)
    mask[4, 60:70, 60:70] = True
    window = place_window(mask, Geometry((128, 128, 9), (1, 1, 3)), SPEC)
    back = to_exam_space(sample(mask, window), window)
    assert (window.slices == 4).all()
    assert set(np.nonzero(back)[0]) == {4}
    assert back.max() == pytest.approx(1)


def test_a_grid_of_one_slice_reads_the_middle_of_the_tumour():
    mask = np.zeros((40, 64, 64), bool)
    mask[10:31, 20:40, 20:40] = True
    geometry = Geometry((64, 64, 40), (1, 1, 2), (0, 0, 0), np.eye(3))
    np.testing.assert_allclose(place_window(mask, geometry, GridSpec(slices=1)).slices, [20])


def test_single_slice_exam_is_read():
    mask = np.zeros((1, 128, 128), bool)
    mask[0, 60:70, 60:70] = True
    window = place_window(mask, Geometry((128, 128, 1), (1, 1, 5)), SPEC)
    assert sample(mask, window).sum() == pytest.approx(8 * 100 / 1.25**2, rel=0.01)


def test_larger_pixels_are_averages_and_not_samples():
    stripes = np.zeros((8, 800, 800), np.float32)
    stripes[:, ::2] = 1
    grid = sample(stripes, place_window(np.ones(stripes.shape, bool), Geometry((800, 800, 8), (0.1, 0.1, 2)), SPEC))
    assert np.abs(grid - 0.5).max() < 0.03


def test_share_inside_tells_how_much_of_a_large_tumour_is_read():
    mask = np.ones((4, 160, 80), bool)
    window = place_window(mask, Geometry((80, 160, 4), (1, 1, 3)), SPEC)
    assert share_inside(mask, window) == pytest.approx(0.5, abs=0.01)


def test_nothing_outside_the_window_gets_attention():
    mask = np.zeros((20, 200, 200), bool)
    mask[8:12, 95:105, 95:105] = True
    window = place_window(mask, Geometry((200, 200, 20), (1, 1, 2)), SPEC)
    back = to_exam_space(np.ones((8, 32, 32)), window)
    back[window.region] = 0
    assert back.max() == 0


@pytest.mark.parametrize("direction", [AXIAL, SAGITTAL, TILT])
@pytest.mark.parametrize("spacing", [(0.7, 0.7, 1.2), (1.5, 1.5, 3.0), (4.0, 4.0, 9.0)])
def test_density_keeps_its_sum_on_any_lattice(direction, spacing):
    exam = tiny_exam(direction, size=(60, 50, 12), spacing=spacing)
    window = place_window(exam.mask, exam.geometry, GridSpec())
    values = np.random.default_rng(0).normal(size=(8, 32, 32))
    found = spread_in_exam(values, window)
    assert found.sum(dtype=float) == pytest.approx(values.sum(), abs=1e-4)
    assert not np.delete(window.order.view(found), np.r_[window.inside[0]], 0).any()


def test_density_lies_where_the_model_read_it():
    exam = tiny_exam(size=(120, 110, 20), spacing=(1.0, 1.0, 2.0))
    window = place_window(exam.mask, exam.geometry, GridSpec())
    position = np.indices(exam.mask.shape)[2].astype(np.float32)
    columns = sample(position, window)
    spot = np.zeros((8, 64, 64))
    spot[4, 30, 20] = 1
    assert (spread_in_exam(spot, window) * position).sum() == pytest.approx(columns[4, 30, 20], abs=0.01)
