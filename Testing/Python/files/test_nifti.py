"""Raw headers of NIfTI: every number that ITK would quietly replace, and positions as Slicer shows them."""

import itertools

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.files.nifti import read_nifti_header
from PCRPredictorLib.files.voxels import read_volumes
from PCRPredictorLib.reading.images import read_volume
from support.examples import ARRAY, write_raw_nifti

TURN = np.array([[0.8, -0.6, 0, 7], [0.6, 0.8, 0, -9], [0, 0, 1, 4.5], [0, 0, 0, 1]])


def itk_geometry(path):
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    direction = np.reshape(reader.GetDirection(), (3, 3))
    return Geometry(reader.GetSize(), reader.GetSpacing(), reader.GetOrigin(), direction)


def write_forms(path, qform, sform, qcode, scode):
    image = nibabel.Nifti1Image(ARRAY.T, None)
    image.header.set_qform(qform, qcode)
    image.header.set_sform(sform, scode)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize(("qcode", "scode"), list(itertools.product((0, 1, 2, 4), repeat=2)))
def test_of_two_positions_that_is_taken_which_itk_takes(tmp_path, qcode, scode):
    scale = np.diag([0.7, 0.8, 2.5, 1])
    mirrored = np.diag([-1, 1, 1, 1]) @ np.eye(4)
    path = write_forms(tmp_path / "a.nii", TURN @ scale, mirrored @ scale, qcode, scode)
    header = read_nifti_header(path)
    assert header.geometry.offset(itk_geometry(path)) < 1e-5
    codes = [notice.code for notice in header.notices]
    assert codes == (["positions_conflict"] if qcode and scode else [] if qcode or scode else ["no_position"])


def test_positions_are_those_of_itk_for_any_rotation(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(20):
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        affine = np.eye(4)
        affine[:3, :3], affine[:3, 3] = turn * rng.uniform(0.3, 4, 3), rng.normal(0, 90, 3)
        path = write_forms(tmp_path / f"{k}.nii", affine, affine, int(rng.integers(3)), int(rng.integers(1, 3)))
        header = read_nifti_header(path)
        assert header.geometry.offset(itk_geometry(path)) < 1e-4
        assert header.notices == ()


@pytest.mark.parametrize("value", [np.nan, np.inf, 0, -1, 0.01, 50])
@pytest.mark.parametrize("axis", [1, 2, 3])
def test_spacing_that_no_exam_has_is_refused(tmp_path, value, axis):
    pixdim = [1, 1, 2, 3, 0, 0, 0, 0]
    pixdim[axis] = value
    with pytest.raises(DataError, match=r"its voxels must be 0.05 to 20 mm wide .*, got .* mm; correct the header"):
        read_volume(write_raw_nifti(tmp_path / "a.nii.gz", pixdim=pixdim))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"qoffset": [np.nan, 0, 0]}, "its origin must be three numbers"),
        ({"quatern": [np.nan, 0, 0]}, "directions of its axes must be numbers"),
        ({"qform_code": 0, "sform_code": 1}, "axes of its sform must be numbers other than 0"),
        ({"qform_code": 0, "sform_code": 1, "srow": [np.inf] * 12}, "axes of its sform must be numbers other than 0"),
        (
            {"sform_code": 1, "srow": [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0]},
            r"has two voxel sizes, 1 x 2 x 3 mm \(pixdim\) and 2 x 2 x 3 mm \(sform\)",
        ),
        ({"dim": [0] * 8}, "must be one three-dimensional volume, .* got 0 dimensions"),
        ({"dim": [9, 8, 7, 6, 1, 1, 1, 1]}, "got 9 dimensions"),
        ({"dim": [2, 8, 42, 1, 1, 1, 1, 1]}, "got 8 x 42"),
        ({"dim": [3, 8, -7, 6, 1, 1, 1, 1]}, "got 8 x -7 x 6"),
        ({"dim": [5, 4, 7, 6, 2, 2, 1, 1]}, "got 4 x 7 x 6 x 2 x 2"),
        (
            {"dim": [3, 30000, 30000, 30000, 1, 1, 1, 1]},
            "its header promises 5.03e.04 GB of voxels, at most 4 GB are read",
        ),
        ({"dim": [3, 1000, 1000, 100, 1, 1, 1, 1]}, "is cut short"),
        ({"vox_offset": 0}, "its voxels must begin at byte 352 or later, got 0"),
        ({"vox_offset": np.nan}, "must begin at byte 352 or later"),
        ({"vox_offset": 1e9}, "must begin at byte 352 or later"),
        ({"vox_offset": 500}, "is cut short"),
        ({"magic": b"ni1"}, "it is not NIfTI in one file"),
        ({"magic": b""}, "it is not NIfTI in one file"),
        ({"datatype": 32}, "got colours or complex numbers"),
        ({"datatype": 1792}, "got colours or complex numbers"),
        ({"datatype": 128}, "got colours or complex numbers"),
        ({"datatype": 1}, "got colours or complex numbers"),
    ],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_header_that_cannot_be_right_is_refused(tmp_path, name, fields, message):
    with pytest.raises(DataError, match=message) as caught:
        read_volume(write_raw_nifti(tmp_path / name, **fields))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize(("name", "compressed"), [("a.nii", True), ("a.nii", False), ("a.nii.gz", False)])
def test_any_byte_order_and_type_is_read_compressed_or_not_whatever_the_name(tmp_path, order, kind, name, compressed):
    read, geometry = read_volume(write_raw_nifti(tmp_path / name, ARRAY.astype(kind), order, compressed))
    np.testing.assert_array_equal(read, ARRAY.astype(kind))
    assert geometry.spacing == (1, 2, 3)


@pytest.mark.parametrize(("slope", "offset"), [(np.nan, np.nan), (0, 0), (1, 0), (np.inf, 0), (np.nan, 5)])
def test_scale_that_means_none_leaves_the_voxels(tmp_path, slope, offset):
    read, _ = read_volume(write_raw_nifti(tmp_path / "a.nii", scl_slope=slope, scl_inter=offset))
    np.testing.assert_array_equal(read, ARRAY)


@pytest.mark.parametrize(("units", "factor"), [(0, 1), (2, 1), (1, 1000), (3, 0.001)])
def test_units_of_length_are_those_of_the_header(tmp_path, units, factor):
    pixdim = [1, 0.7 / factor, 0.8 / factor, 3 / factor, 0, 0, 0, 0]
    path = write_raw_nifti(tmp_path / "a.nii", pixdim=pixdim, xyzt_units=units, qoffset=np.array([9, 8, 7]) / factor)
    geometry = read_nifti_header(path).geometry
    np.testing.assert_allclose(geometry.spacing, (0.7, 0.8, 3), rtol=1e-6)
    np.testing.assert_allclose(geometry.origin, (-9, -8, 7), rtol=1e-6)
    assert geometry.offset(itk_geometry(path)) < 1e-4


def test_nifti_2_is_read(tmp_path):
    image = nibabel.Nifti2Image(np.stack([ARRAY.T, ARRAY.T + 1, ARRAY.T + 2], -1), TURN)
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 90
    image.header["scl_slope"] = 1
    nibabel.save(image, tmp_path / "a.nii.gz")
    header = read_nifti_header(tmp_path / "a.nii.gz")
    assert (header.volumes, header.times) == (3, (0, 90, 180))
    assert header.geometry.offset(itk_geometry_of(TURN)) < 1e-5
    np.testing.assert_array_equal(read_volumes(header, [2, 0])[0], ARRAY + 2)


def itk_geometry_of(affine):
    lps = np.diag([-1, -1, 1]) @ affine[:3]
    return Geometry(ARRAY.shape[::-1], (1, 1, 1), tuple(lps[:, 3]), lps[:, :3])


@pytest.mark.parametrize(
    ("step", "units", "times"),
    [
        (60, 10, (0, 60, 120)),
        (90_000, 18, (0, 90, 180)),
        (60, 2, None),  # no unit
        (1, 10, None),  # what writers put that know no time
        (0, 10, None),
        (np.nan, 10, None),
        (60, 34, None),  # hertz
    ],
)
def test_times_are_known_if_step_and_unit_are(tmp_path, step, units, times):
    path = write_raw_nifti(
        tmp_path / "a.nii", np.stack([ARRAY] * 3), pixdim=[1, 1, 2, 3, step, 0, 0, 0], xyzt_units=units
    )
    assert read_nifti_header(path).times == pytest.approx(times)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 1, 1)])
def test_one_volume_with_further_axes_of_length_one_is_a_volume(tmp_path, shape):
    read, _ = read_volume(write_raw_nifti(tmp_path / "a.nii", ARRAY.reshape(*shape, *ARRAY.shape)))
    np.testing.assert_array_equal(read, ARRAY)


def test_sheared_sform_is_left_for_the_qform_as_itk_does(tmp_path):
    srow = [1, 0.6, 0, 5, 0, 1.908, 0, 0, 0, 0, 3, 0]
    path = write_raw_nifti(tmp_path / "a.nii", sform_code=1, srow=srow)
    assert read_nifti_header(path).geometry.offset(itk_geometry(path)) < 1e-5
