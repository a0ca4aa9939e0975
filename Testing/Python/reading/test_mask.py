from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.reading.mask import read_mask
from support.examples import ARRAY, OBLIQUE, write_image


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_mask_in_a_different_axis_order_is_reordered(tmp_path, order):
    mask = (ARRAY % 5 == 0).astype(np.uint8)
    for mirror in product([False, True], repeat=3):
        corner = np.where(mirror, np.array(OBLIQUE.size) - 1, 0)
        own = Geometry(
            tuple(np.array(OBLIQUE.size)[list(order)].tolist()),
            tuple(np.array(OBLIQUE.spacing)[list(order)].tolist()),
            tuple(OBLIQUE.to_physical(corner)),
            (OBLIQUE.direction * np.where(mirror, -1, 1))[:, list(order)],
        )
        stored = mask[tuple(slice(None, None, -1 if m else 1) for m in mirror[::-1])]
        stored = stored.transpose([2 - order[2 - axis] for axis in range(3)])
        path = write_image(tmp_path / "mask.nrrd", np.ascontiguousarray(stored), own)
        np.testing.assert_array_equal(read_mask(path, OBLIQUE), mask)


def test_mask_on_a_different_grid_is_refused_naming_both(tmp_path):
    path = write_image(tmp_path / "mask.nrrd", ARRAY % 2, Geometry((8, 7, 6), (1, 1, 3)))
    with pytest.raises(DataError, match=r"mask.nrrd: the mask must lie on the exam's grid of .*, got .*; resample it"):
        read_mask(path, OBLIQUE)


def test_one_label_of_several_is_the_mask(tmp_path):
    path = write_image(tmp_path / "mask.seg.nrrd", ARRAY % 4)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, label=2), ARRAY % 4 == 2)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE), ARRAY % 4 != 0)
    with pytest.raises(DataError, match=r"must have label 7, got \[1, 2, 3\]"):
        read_mask(path, OBLIQUE, label=7)


def test_background_as_label_and_an_image_as_mask_are_refused(tmp_path):
    path = write_image(tmp_path / "labels.nrrd", ARRAY % 4)
    with pytest.raises(DataError, match=r"must have label 0, got \[1, 2, 3\]"):
        read_mask(path, OBLIQUE, label=0)
    with pytest.raises(DataError, match="got many grey values; give the segmentation"):
        read_mask(write_image(tmp_path / "image.nrrd", ARRAY), OBLIQUE)


def test_segmentation_of_overlapping_layers_is_refused(tmp_path):
    layers = sitk.Compose([sitk.GetImageFromArray((ARRAY % n == 0).astype(np.uint8)) for n in (2, 3)])
    sitk.WriteImage(layers, tmp_path / "mask.seg.nrrd")
    with pytest.raises(DataError, match="save overlapping segments as one labelmap"):
        read_mask(tmp_path / "mask.seg.nrrd", OBLIQUE)


def test_mask_with_voxels_that_are_not_finite_is_refused(tmp_path):
    array = ARRAY.astype(np.float32)
    array[0, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"mask.nrrd: has voxels that are not finite"):
        read_mask(write_image(tmp_path / "mask.nrrd", array), OBLIQUE)
