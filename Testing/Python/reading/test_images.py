import contextlib
import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.lesion.exam_check import check_exam
from PCRPredictorLib.reading.images import read_exam, read_volume
from PCRPredictorLib.reading.mask import add_mask
from PCRPredictorLib.writing import write_nifti
from support.examples import ARRAY, OBLIQUE, write_image


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "nrrd", "seg.nrrd", "mha"])
def test_every_format_keeps_values_type_and_geometry(tmp_path, ending):
    array, geometry = read_volume(write_image(tmp_path / f"Ärztin 1.{ending}"))
    np.testing.assert_array_equal(array, ARRAY)
    assert array.dtype == np.int16
    assert geometry.matches(OBLIQUE)


@pytest.mark.parametrize("ending", ["nii", "nii.gz", "nrrd", "mha"])
def test_file_cut_short_is_refused(tmp_path, ending):
    noise = np.random.default_rng(0).integers(0, 99, (20, 40, 40)).astype(np.int16)
    path = write_image(tmp_path / f"a.{ending}", noise, Geometry((40, 40, 20), (1, 1, 1)))
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
    path = write_image(tmp_path / name, noise, Geometry((40, 40, 20), (1, 1, 1)), compress=True)
    np.testing.assert_array_equal(read_volume(path)[0], noise)
    content = bytearray((tmp_path / voxels).read_bytes())
    content[len(content) // 2] ^= 0x55
    (tmp_path / voxels).write_bytes(content)
    with pytest.raises(DataError, match="export it again"):
        read_volume(path)


def test_axes_that_are_not_at_right_angles_are_refused(tmp_path):
    affine = np.array([[1, 0.3, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(ARRAY.T, affine), tmp_path / "a.nii")
    with pytest.raises(DataError, match=r"axes must be at right angles .* an angle of 73.3 degrees"):
        read_volume(tmp_path / "a.nii")


def test_damaged_nifti_header_is_reported_in_one_sentence(tmp_path):
    content, rng = write_image(tmp_path / "a.nii").read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(content)
        damaged[rng.choice([*range(40, 56), *range(70, 76), *range(108, 112)])] = rng.integers(256)
        (tmp_path / "a.nii").write_bytes(damaged)
        with contextlib.suppress(DataError):
            read_volume(tmp_path / "a.nii")


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
def test_voxel_that_is_not_finite_keeps_its_value(tmp_path, ending, value):
    array = ARRAY.astype(np.float32)
    array[3, 2, 1] = value
    read, _ = read_volume(write_image(tmp_path / f"a.{ending}", array))
    np.testing.assert_array_equal(read, array)


def test_scaled_voxels_are_scaled(tmp_path):
    path = write_image(tmp_path / "a.nii")
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
    path = write_image(tmp_path / "a.nii.gz")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-100]))
    with pytest.raises(DataError, match="cut short"):
        read_volume(path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.nii.gz", "does not exist"),
        ("folder.nii", "is a folder"),
        ("image.png", "give one of .nii"),
        ("text.nrrd", "cannot be read"),
    ],
)
def test_file_that_is_not_a_volume_is_refused(tmp_path, name, message):
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
    files = [write_image(tmp_path / f"{name}.nii") for name in ("pre", "early")]
    files.append(
        write_image(tmp_path / "late.nii", ARRAY, Geometry((8, 7, 6), (0.9, 1.1, 3.0), (0, 0, 0), OBLIQUE.direction))
    )
    message = r"pre.nii and late.nii differ in origin \(-10, 20, 5 against 0, 0, 0 mm\), which puts .* \(23 mm\) apart"
    with pytest.raises(DataError, match=message):
        read_exam(files)


def test_two_phases_are_too_few(tmp_path):
    with pytest.raises(DataError, match=r"must be three files .* got 2"):
        read_exam([tmp_path / "a.nii", tmp_path / "b.nii"])


def test_one_file_for_two_phases_is_refused(tmp_path):
    late = write_image(tmp_path / "late.nii", ARRAY + 9)
    exam = add_mask(
        read_exam([write_image(tmp_path / "pre.nii"), late, late]), write_image(tmp_path / "mask.nii", ARRAY % 2)
    )
    with pytest.raises(DataError, match="early and late phases must differ"):
        check_exam(exam)


def test_exam_is_read_whole(tmp_path):
    files = [tmp_path / f"{name}.nii.gz" for name in ("pre", "early", "late", "mask")]
    for number, file in enumerate(files):
        write_nifti(ARRAY + number if number < 3 else ARRAY % 2, OBLIQUE, file)
    exam = add_mask(read_exam(files[:3]), files[3])
    assert [int(phase.flat[0]) for phase in exam.phases] == [0, 1, 2]
    assert exam.mask.dtype == np.uint8


@pytest.mark.parametrize("header", [b"NDims = 93", b"NDims = -3", b"NDims = 2", b"NDims = 3\nNDims = 93", b""])
def test_a_metaimage_with_a_header_that_itk_trips_over_is_refused(tmp_path, header):
    path = tmp_path / "a.mha"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((3, 4, 5), np.uint8)), path)
    path.write_bytes(path.read_bytes().replace(b"NDims = 3", header))
    with pytest.raises(DataError, match=r"three-dimensional|cannot be read as an image"):
        read_volume(path)
