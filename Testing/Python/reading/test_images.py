import contextlib
import gzip
from itertools import permutations, product

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.checks import check_exam
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.reading.images import read_exam, read_mask, read_volume
from PCRPredictorLib.writing import write_nifti

TILT = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
GEOMETRY = Geometry((8, 7, 6), (0.9, 1.1, 3.0), (-10.0, 20.0, 5.0), TILT)
ARRAY = np.arange(8 * 7 * 6, dtype=np.int16).reshape(6, 7, 8)


def write(path, array=ARRAY, geometry=GEOMETRY, compress=False):
    """Any format, by the ending."""
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction.ravel().tolist())
    sitk.WriteImage(image, path, compress)
    return path


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "nrrd", "seg.nrrd", "mha"])
def test_every_format_keeps_values_type_and_geometry(tmp_path, ending):
    array, geometry = read_volume(write(tmp_path / f"Ärztin 1.{ending}"))
    np.testing.assert_array_equal(array, ARRAY)
    assert array.dtype == np.int16
    assert geometry.matches(GEOMETRY)


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "nrrd", "mha"])
def test_file_cut_short_is_refused(tmp_path, ending):
    noise = np.random.default_rng(0).integers(0, 99, (20, 40, 40)).astype(np.int16)
    path = write(tmp_path / f"a.{ending}", noise, Geometry((40, 40, 20), (1, 1, 1)))
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(DataError, match="export it again"):
        read_volume(path)


@pytest.mark.parametrize(
    ("name", "voxels"),
    [
        ("a.nii.gz", "a.nii.gz"),
        ("a.nrrd", "a.nrrd"),
        ("a.seg.nrrd", "a.seg.nrrd"),
        ("a.mha", "a.mha"),
        ("a.mhd", "a.zraw"),
        ("a.nhdr", "a.raw.gz"),
    ],
)
def test_damaged_compressed_voxels_are_refused(tmp_path, name, voxels):
    noise = np.random.default_rng(0).integers(0, 99, (20, 40, 40)).astype(np.int16)
    path = write(tmp_path / name, noise, Geometry((40, 40, 20), (1, 1, 1)), compress=True)
    np.testing.assert_array_equal(read_volume(path)[0], noise)
    content = bytearray((tmp_path / voxels).read_bytes())
    content[len(content) // 2] ^= 0x55
    (tmp_path / voxels).write_bytes(content)
    with pytest.raises(DataError, match="export it again"):
        read_volume(path)


def test_axes_that_are_not_at_right_angles_are_refused(tmp_path):
    affine = np.array([[1, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(ARRAY.T, affine), tmp_path / "a.nii")
    with pytest.raises(DataError, match="not at right angles; resample"):
        read_volume(tmp_path / "a.nii")


def test_damaged_nifti_header_ends_in_one_sentence(tmp_path):
    content, rng = write(tmp_path / "a.nii").read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(content)
        damaged[rng.choice([*range(40, 56), *range(70, 76), *range(108, 112)])] = rng.integers(256)
        (tmp_path / "a.nii").write_bytes(damaged)
        with contextlib.suppress(DataError):
            read_volume(tmp_path / "a.nii")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
def test_voxel_that_is_no_number_stays_what_it_is(tmp_path, ending, value):
    array = ARRAY.astype(np.float32)
    array[3, 2, 1] = value
    read, _ = read_volume(write(tmp_path / f"a.{ending}", array))
    np.testing.assert_array_equal(read, array)


def test_scaled_voxels_are_scaled(tmp_path):
    path = write(tmp_path / "a.nii")
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([2.0, 5.0], "<f4").tobytes()  # scl_slope and scl_inter
    path.write_bytes(content)
    np.testing.assert_allclose(read_volume(path)[0], 2.0 * ARRAY + 5)


def test_other_byte_order_is_read(tmp_path):
    header = np.zeros(352, "u1")
    for kind, offset, values in ((">i4", 0, [348]), (">i2", 40, [3, 8, 7, 6, 1, 1, 1, 1]), (">i2", 70, [4, 16])):
        header[offset : offset + 4 * len(values)][: np.array(values, kind).nbytes] = np.array(values, kind).view("u1")
    header[76:108] = np.array([1] * 8, ">f4").view("u1")
    header[108:112] = np.array([352], ">f4").view("u1")
    header[344:348] = np.frombuffer(b"n+1\0", "u1")
    (tmp_path / "a.nii").write_bytes(header.tobytes() + ARRAY.astype(">i2").tobytes())
    np.testing.assert_array_equal(read_volume(tmp_path / "a.nii")[0], ARRAY)


def test_gzip_file_whole_by_itself_with_too_few_voxels_is_refused(tmp_path):
    path = write(tmp_path / "a.nii.gz")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-100]))
    with pytest.raises(DataError, match="cut short"):
        read_volume(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.nii.gz", "no such file"),
        ("folder.nii", "is a folder"),
        ("image.png", "give one of .nii"),
        ("text.nrrd", "cannot be read"),
    ],
)
def test_what_is_no_volume_is_refused(tmp_path, name, message):
    (tmp_path / "folder.nii").mkdir()
    (tmp_path / "image.png").write_text("")
    (tmp_path / "text.nrrd").write_text("hello")
    with pytest.raises(DataError, match=message):
        read_volume(tmp_path / name)


def test_flat_series_and_colour_images_are_refused(tmp_path):
    series = sitk.JoinSeries([sitk.GetImageFromArray(ARRAY)] * 3)
    for image in (series, sitk.GetImageFromArray(ARRAY[0]), sitk.GetImageFromArray(ARRAY, isVector=True)):
        sitk.WriteImage(image, tmp_path / "a.nrrd")
        with pytest.raises(DataError, match="must be one three-dimensional volume"):
            read_volume(tmp_path / "a.nrrd")


def test_phases_on_different_grids_are_refused_naming_both(tmp_path):
    files = [write(tmp_path / f"{name}.nii") for name in ("pre", "early")]
    files.append(write(tmp_path / "late.nii", ARRAY, Geometry((8, 7, 6), (0.9, 1.1, 3.0), (0, 0, 0), TILT)))
    with pytest.raises(DataError, match=r"pre.nii has .*\(-10.0, 20.0, 5.0\) and late.nii has .*\(0.0, 0.0, 0.0\)"):
        read_exam(files)


def test_two_phases_are_too_few(tmp_path):
    with pytest.raises(DataError, match=r"must be three files .* got 2"):
        read_exam([tmp_path / "a.nii", tmp_path / "b.nii"])


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_mask_stored_in_another_axis_order_is_put_in_the_exam_order(tmp_path, order):
    mask = (ARRAY % 5 == 0).astype(np.uint8)
    for mirror in product([False, True], repeat=3):
        corner = np.where(mirror, np.array(GEOMETRY.size) - 1, 0)
        own = Geometry(
            tuple(np.array(GEOMETRY.size)[list(order)].tolist()),
            tuple(np.array(GEOMETRY.spacing)[list(order)].tolist()),
            tuple(GEOMETRY.to_physical(corner)),
            (TILT * np.where(mirror, -1, 1))[:, list(order)],
        )
        stored = mask[tuple(slice(None, None, -1 if m else 1) for m in mirror[::-1])]
        stored = stored.transpose([2 - order[2 - axis] for axis in range(3)])
        path = write(tmp_path / "mask.nrrd", np.ascontiguousarray(stored), own)
        np.testing.assert_array_equal(read_mask(path, GEOMETRY), mask)


def test_mask_on_another_grid_is_refused_naming_both(tmp_path):
    path = write(tmp_path / "mask.nrrd", ARRAY % 2, Geometry((8, 7, 6), (1, 1, 3)))
    with pytest.raises(DataError, match=r"mask.nrrd: the mask must lie on the exam's grid of .*, got .*; resample it"):
        read_mask(path, GEOMETRY)


def test_one_label_of_several_is_the_mask(tmp_path):
    path = write(tmp_path / "mask.seg.nrrd", ARRAY % 4)
    np.testing.assert_array_equal(read_mask(path, GEOMETRY, label=2), ARRAY % 4 == 2)
    np.testing.assert_array_equal(read_mask(path, GEOMETRY), ARRAY % 4 != 0)
    with pytest.raises(DataError, match=r"must have label 7, got \[1, 2, 3\]"):
        read_mask(path, GEOMETRY, label=7)


def test_background_is_no_label_and_an_image_is_no_mask(tmp_path):
    path = write(tmp_path / "labels.nrrd", ARRAY % 4)
    with pytest.raises(DataError, match=r"must have label 0, got \[1, 2, 3\]"):
        read_mask(path, GEOMETRY, label=0)
    with pytest.raises(DataError, match="got many grey values; give the segmentation"):
        read_mask(write(tmp_path / "image.nrrd", ARRAY), GEOMETRY)


def test_segmentation_of_overlapping_layers_is_refused(tmp_path):
    layers = sitk.Compose([sitk.GetImageFromArray((ARRAY % n == 0).astype(np.uint8)) for n in (2, 3)])
    sitk.WriteImage(layers, tmp_path / "mask.seg.nrrd")
    with pytest.raises(DataError, match="save overlapping segments as one labelmap"):
        read_mask(tmp_path / "mask.seg.nrrd", GEOMETRY)


def test_mask_with_voxels_that_are_no_numbers_is_refused(tmp_path):
    array = ARRAY.astype(np.float32)
    array[0, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"mask.nrrd: has voxels that are not finite"):
        read_mask(write(tmp_path / "mask.nrrd", array), GEOMETRY)


def test_one_file_given_for_two_phases_is_noticed(tmp_path):
    late = write(tmp_path / "late.nii", ARRAY + 9)
    exam = read_exam([write(tmp_path / "pre.nii"), late, late], write(tmp_path / "mask.nii", ARRAY % 2))
    with pytest.raises(DataError, match="early and late phases must differ"):
        check_exam(exam)


def test_exam_is_read_whole(tmp_path):
    files = [tmp_path / f"{name}.nii.gz" for name in ("pre", "early", "late", "mask")]
    for number, file in enumerate(files):
        write_nifti(ARRAY + number if number < 3 else ARRAY % 2, GEOMETRY, file)
    exam = read_exam(files[:3], files[3], {"age": 50})
    assert [int(phase.flat[0]) for phase in exam.phases] == [0, 1, 2]
    assert exam.mask.dtype == np.uint8
    assert exam.clinical == {"age": 50}


@pytest.mark.parametrize("header", [b"NDims = 93", b"NDims = -3", b"NDims = 2", b"NDims = 3\nNDims = 93", b""])
def test_a_metaimage_with_a_header_that_itk_trips_over_is_refused(tmp_path, header):
    path = tmp_path / "a.mha"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((3, 4, 5), np.uint8)), path)
    path.write_bytes(path.read_bytes().replace(b"NDims = 3", header))
    with pytest.raises(DataError, match="three-dimensional"):
        read_volume(path)
