"""Raw headers of MetaImage: those that ITK's reader trips over, and several volumes."""

import zlib

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.meta_image import read_meta_image_header
from PCRPredictorLib.files.voxels import read_volumes
from PCRPredictorLib.reading.images import read_volume
from support.examples import ARRAY, OBLIQUE, write_image

VOXELS = ARRAY.astype("<i2").tobytes()
SERIES = np.stack([ARRAY, ARRAY + 1000, ARRAY + 2000])
ONE = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "1 2 3",
    "ElementSpacing": "0.9 1.1 3",
    "DimSize": "8 7 6",
    "ElementType": "MET_SHORT",
    "ElementDataFile": "LOCAL",
}


def write_mha(path, content=VOXELS, **fields):
    fields = {**{name: value for name, value in ONE.items() if name != "ElementDataFile"}, **fields}
    fields["ElementDataFile"] = fields.pop("ElementDataFile", "LOCAL")
    lines = [f"{name} = {value}\n" for name, value in fields.items() if value is not None]
    path.write_bytes("".join(lines).encode() + content)
    return path


@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_what_itk_writes_is_read_in_its_type(tmp_path, name, kind, compress):
    path = write_image(tmp_path / name, (ARRAY % 100).astype(kind), OBLIQUE, compress)
    array, geometry = read_volume(path)
    np.testing.assert_array_equal(array, ARRAY % 100)
    assert array.dtype == np.dtype(kind)
    assert geometry.offset(OBLIQUE) < 1e-6


@pytest.mark.parametrize("compress", [False, True])
def test_several_volumes_are_a_fourth_axis_or_components(tmp_path, compress):
    volumes = [sitk.GetImageFromArray(volume) for volume in SERIES]
    for image in (sitk.JoinSeries(volumes), sitk.Compose(volumes)):
        sitk.WriteImage(image, tmp_path / "a.mha", compress)
        header = read_meta_image_header(tmp_path / "a.mha")
        assert header.volumes == 3
        for k, volume in zip((2, 0), read_volumes(header, [2, 0]), strict=True):
            np.testing.assert_array_equal(volume, SERIES[k])


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"BinaryDataByteOrderMSB": None, "ElementByteOrderMSB": "True"}, ARRAY.astype(">i2").tobytes()),
        ({"HeaderSize": "4"}, b"1234" + ARRAY.astype("<i2").tobytes()),
        ({"HeaderSize": "-1"}, b"123" + ARRAY.astype("<i2").tobytes()),
        ({"CompressedData": "True"}, zlib.compress(ARRAY.astype("<i2").tobytes())),
        ({"Offset": None, "Position": "1 2 3"}, ARRAY.astype("<i2").tobytes()),
    ],
)
def test_variants_of_the_header_are_read(tmp_path, fields, content):
    array, geometry = read_volume(write_mha(tmp_path / "a.mha", content, **fields))
    np.testing.assert_array_equal(array, ARRAY)
    assert geometry.origin == (1, 2, 3)


def test_missing_directions_are_a_warning(tmp_path):
    header = read_meta_image_header(write_mha(tmp_path / "a.mha", TransformMatrix=None))
    assert [notice.code for notice in header.notices] == ["no_position"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ElementSpacing": None}, "must have ElementSpacing"),
        ({"DistanceUnits": "cm"}, "its space must be in mm, got cm; export it again"),
        ({"ElementSpacing": "nan 1 1"}, "must be 0.05 to 20 mm wide"),
        ({"ElementSpacing": "0 1 1"}, "must be 0.05 to 20 mm wide"),
        ({"ElementSpacing": "1 1"}, "ElementSpacing must be 3 numbers, got 1 1"),
        ({"TransformMatrix": "1 0.5 0 0 1 0 0 0 1"}, "axes must be at right angles"),
        ({"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, "axes must be at right angles"),
        ({"TransformMatrix": "nan 0 0 0 1 0 0 0 1"}, "directions of its axes must be numbers"),
        ({"TransformMatrix": "1 0 0"}, "TransformMatrix must be 9 numbers"),
        ({"Offset": "inf 0 0"}, "its origin must be three numbers"),
        ({"NDims": "93"}, "must be one three-dimensional volume"),
        ({"NDims": "-3"}, "must be one three-dimensional volume"),
        ({"NDims": "4"}, "must be one three-dimensional volume"),
        ({"DimSize": "8 7 0"}, "must be one three-dimensional volume"),
        ({"DimSize": "80000 70000 60000"}, "its header promises"),
        ({"DimSize": "8 7 7"}, "is cut short"),
        ({"ElementNumberOfChannels": "0"}, "must have one number per voxel, got 0 channels"),
        ({"ElementType": "MET_FLOAT_ARRAY"}, "must have numbers as voxels"),
        ({"BinaryData": "False"}, "its voxels must be binary"),
        ({"HeaderSize": "x"}, "HeaderSize must be a number"),
        ({"ElementDataFile": "/etc/passwd"}, "its voxels must lie beside it"),
        ({"ElementDataFile": "LIST"}, "its voxels must be in one file"),
        ({"ElementDataFile": "a%02d.raw 1 6 1"}, "its voxels must be in one file"),
        ({"ElementDataFile": None}, "cannot be read as an image"),
        ({"ObjectType": "Tube"}, "cannot be read as an image"),
    ],
)
def test_header_that_cannot_be_right_is_refused(tmp_path, fields, message):
    with pytest.raises(DataError, match=message) as caught:
        read_volume(write_mha(tmp_path / "a.mha", **fields))
    assert "\n" not in str(caught.value)
