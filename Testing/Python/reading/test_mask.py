from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.reading.mask import add_mask, read_mask, read_masks
from support.examples import ARRAY, OBLIQUE, write_image, write_raw_nifti


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
    message = (
        r"mask.nrrd: the mask must lie on the exam's grid of .*differs from it in spacing \(1 x 1 x 3 against 0.9 x "
    )
    with pytest.raises(DataError, match=message):
        read_mask(path, OBLIQUE)


def shifted(**values):
    return replace(OBLIQUE, **values)


def test_mask_whose_spacing_was_rounded_is_on_the_grid_and_reported_if_it_moves_a_voxel_noticeably(tmp_path):
    geometry = Geometry((448, 448, 4), (0.703125, 0.703125, 3))
    mask = np.zeros(geometry.shape, np.uint8)
    mask[2, 200, 300] = 1
    exam = Exam(mask, mask, mask, geometry)
    path = write_image(tmp_path / "mask.nii.gz", mask, replace(geometry, spacing=(0.7031, 0.7031, 3)))
    read = add_mask(exam, path)
    np.testing.assert_array_equal(read.mask, mask)
    assert [notice.code for notice in read.provenance.notices] == ["mask_off_grid"]
    assert "up to 0.02 voxels" in read.provenance.notices[0].message
    exact = write_image(tmp_path / "exact.nii.gz", mask, geometry)
    assert add_mask(exam, exact).provenance.notices == ()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"origin": (-10.2, 20.0, 5.0)},
            r"in origin \(-10.2, 20, 5 against -10, 20, 5 mm\), which puts corners up to 0.18",
        ),
        ({"spacing": (0.9, 1.1, 3.07)}, r"in spacing \(0.9 x 1.1 x 3.07 against 0.9 x 1.1 x 3 mm\), which .* apart"),
        ({"spacing": (0.9, 1.1, 3.000001), "origin": (-10, 20, 5.4)}, r"in origin \(-10, 20, 5.4 .* \(0.4 mm\) apart"),
        ({"direction": np.eye(3)}, r"in direction \(1, 0, 0, .* against 0.8, 0.6, 0, "),
        ({"size": (8, 7, 5)}, r"in size \(8 x 7 x 5 against 8 x 7 x 6 voxels\)"),
    ],
)
def test_what_differs_is_named_in_digits_that_differ(tmp_path, values, message):
    own = shifted(**values)
    path = write_image(tmp_path / "mask.nrrd", np.ones(own.shape, np.uint8), own)
    with pytest.raises(DataError, match=message):
        read_mask(path, OBLIQUE)


def test_one_label_of_several_is_the_mask(tmp_path):
    path = write_image(tmp_path / "mask.seg.nrrd", ARRAY % 4)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, [2]), ARRAY % 4 == 2)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, [2, "3"]), ARRAY % 4 >= 2)
    with pytest.raises(DataError, match=r"must have label 7, got 1 \(0.249 ml\), 2 .*; choose one of them"):
        read_mask(path, OBLIQUE, [7])


def test_several_labels_are_refused_with_their_sizes_unless_chosen(tmp_path):
    path = write_image(tmp_path / "mask.nii.gz", (ARRAY < 100).astype(np.int16) + 4 * (ARRAY > 300))
    with pytest.raises(DataError, match=r'has 2 labels, 1 \(0.297 ml\), 4 \(0.104 ml\); choose .*--label .*"all"'):
        read_masks(path, OBLIQUE)
    each = read_masks(path, OBLIQUE, ["all"])
    assert [(lesion.name, lesion.label, int(lesion.mask.sum())) for lesion in each] == [
        ("label 1", 1, 100),
        ("label 4", 4, 35),
    ]


def test_each_chosen_label_is_a_lesion_of_the_exam_the_largest_first(tmp_path):
    exam = Exam(ARRAY, ARRAY, ARRAY, OBLIQUE)
    path = write_image(
        tmp_path / "mask.nii.gz", np.where(ARRAY < 9, 1, np.where(ARRAY < 30, 2, np.where(ARRAY > 200, 3, 0)))
    )
    read = add_mask(exam, path, [1, 2])
    assert [(lesion.label, int(lesion.mask.sum())) for lesion in read.lesions] == [(2, 21), (1, 9)]
    assert add_mask(exam, path, [2]).lesions == ()


@pytest.mark.parametrize("value", [1, 2, 255])
@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.float64])
def test_single_label_of_any_positive_value_and_type_is_the_tumour(tmp_path, value, kind):
    path = write_image(tmp_path / "mask.nii", (value * (ARRAY % 2)).astype(kind))
    np.testing.assert_array_equal(read_mask(path, OBLIQUE), ARRAY % 2)


def test_an_empty_mask_is_read_as_empty_and_has_no_label(tmp_path):
    path = write_image(tmp_path / "mask.nii", np.zeros_like(ARRAY))
    assert not read_mask(path, OBLIQUE).any()
    with pytest.raises(DataError, match="must have label 1, got an empty mask"):
        read_mask(path, OBLIQUE, [1])


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (ARRAY / 400, "must be a mask of whole numbers, got 0 to 0.838 in fractions"),
        (ARRAY % 3 / 2, "got 0 to 1 in fractions; give the segmentation, or save what is 0.5 and more as 1"),
        (np.where(ARRAY == 5, np.nan, 1.0), "not finite"),
        (ARRAY % 2 * -1, "must be 0 outside the tumour and positive inside, got -1 to 0"),
        (ARRAY, "got many grey values; give the segmentation"),
    ],
)
def test_voxels_that_are_no_labels_are_refused(tmp_path, array, message):
    with pytest.raises(DataError, match=message):
        read_mask(write_image(tmp_path / "image.nrrd", array), OBLIQUE)


def test_background_cannot_be_chosen(tmp_path):
    with pytest.raises(DataError, match=r"must have label 0, got 1 "):
        read_mask(write_image(tmp_path / "labels.nrrd", ARRAY % 4), OBLIQUE, [0])


def test_a_folder_with_one_file_is_its_mask_and_any_other_folder_is_refused(tmp_path):
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / ".DS_Store").write_text("")
    write_image(tmp_path / "export" / "mask.nrrd", ARRAY % 2)
    np.testing.assert_array_equal(read_mask(tmp_path / "export", OBLIQUE), ARRAY % 2)
    write_image(tmp_path / "export" / "other.nrrd", ARRAY % 2)
    with pytest.raises(DataError, match="must hold one mask, got 2 files; give the file"):
        read_mask(tmp_path / "export", OBLIQUE)


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


def test_segments_of_slicer_are_chosen_by_name(tmp_path):
    path = write_image(tmp_path / "mask.seg.nrrd", ARRAY % 3)
    names = b"Segment0_Name:=Tumour\nSegment0_LabelValue:=2\nSegment1_Name:=Cyst\nSegment1_LabelValue:=1\n"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\n\n", b"\n" + names + b"\n", 1))
    np.testing.assert_array_equal(read_mask(path, OBLIQUE, ["tumour"]), ARRAY % 3 == 2)
    with pytest.raises(DataError, match=r"has 2 labels, 1 'Cyst' \(0.333 ml\), 2 'Tumour' \(0.333 ml\)"):
        read_mask(path, OBLIQUE)


def test_a_mask_with_a_fourth_axis_of_length_one_is_read(tmp_path):
    geometry = Geometry((8, 7, 6), (1, 2, 3), direction=np.diag([-1.0, -1.0, 1.0]))
    path = write_raw_nifti(tmp_path / "mask.nii.gz", (ARRAY % 2)[None])
    np.testing.assert_array_equal(read_mask(path, geometry), ARRAY % 2)


def test_segmentation_that_slicer_cropped_is_filled_out(tmp_path):
    whole = np.zeros(OBLIQUE.shape, np.uint8)
    whole[1:4, 2:5, 3:6] = 1
    path = write_image(tmp_path / "mask.seg.nrrd", whole)
    cropped = sitk.ReadImage(path)[2:7, 1:6, 1:5]
    sitk.WriteImage(cropped, path)
    np.testing.assert_array_equal(read_mask(path, OBLIQUE), whole)
    sitk.WriteImage(cropped, tmp_path / "mask.nrrd")
    with pytest.raises(DataError, match="differs from it in size"):
        read_mask(tmp_path / "mask.nrrd", OBLIQUE)
    cropped.SetOrigin(OBLIQUE.to_physical([2.3, 1, 1]).tolist())
    sitk.WriteImage(cropped, path)
    with pytest.raises(DataError, match="must lie on the exam's grid"):
        read_mask(path, OBLIQUE)
