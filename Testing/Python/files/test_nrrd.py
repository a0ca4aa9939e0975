"""Raw headers of NRRD: spaces, volumes on the first or last axis, detached voxels, encodings, Slicer's sequences."""

import bz2
import gzip

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.nrrd import read_nrrd_header
from PCRPredictorLib.files.voxels import read_volumes
from PCRPredictorLib.reading.images import read_volume
from support.examples import ARRAY, OBLIQUE, write_image

VOXELS = ARRAY.astype("<i2")
CONTENT = VOXELS.tobytes()
SERIES = np.stack([VOXELS, VOXELS + 1000, VOXELS + 2000, VOXELS + 3000])
ONE = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "8 7 6",
    "space directions": "(0.9,0,0) (0,1.1,0) (0,0,3)",
    "kinds": "domain domain domain",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(1,2,3)",
}
FIRST = {
    "dimension": "4",
    "sizes": "4 8 7 6",
    "space directions": "none (0.9,0,0) (0,1.1,0) (0,0,3)",
    "kinds": "list domain domain domain",
}
LAST = {
    "dimension": "4",
    "sizes": "8 7 6 4",
    "space directions": "(0.9,0,0) (0,1.1,0) (0,0,3) none",
    "kinds": "domain domain domain list",
}


def write_nrrd(path, content=CONTENT, values=(), **fields):
    """Write a header and what follows it; a field of None is left out; underscores stand for blanks."""
    fields = {**ONE, **{name.replace("_", " "): value for name, value in fields.items()}}
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    path.write_bytes("\n".join(["NRRD0005", "# a comment", *lines, *values, "", ""]).encode() + content)
    return path


@pytest.mark.parametrize(
    ("space", "origin", "x"),
    [("left-posterior-superior", (1, 2, 3), 1), ("right-anterior-superior", (-1, -2, 3), -1), ("LAS", (1, -2, 3), 1)],
)
def test_space_is_turned_to_lps_as_itk_does(tmp_path, space, origin, x):
    path = write_nrrd(tmp_path / "a.nrrd", space=space)
    array, geometry = read_volume(path)
    np.testing.assert_array_equal(array, ARRAY)
    assert geometry.origin == origin
    assert geometry.direction[0, 0] == x
    image = sitk.ReadImage(path)
    assert np.allclose(image.GetOrigin(), geometry.origin)
    assert np.allclose(image.GetDirection(), geometry.direction.ravel())


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("kind", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_what_itk_writes_is_read_in_its_type(tmp_path, kind, compress):
    path = write_image(tmp_path / "a.nrrd", (ARRAY % 100).astype(kind), OBLIQUE, compress)
    array, geometry = read_volume(path)
    np.testing.assert_array_equal(array, ARRAY % 100)
    assert array.dtype == np.dtype(kind)
    assert geometry.offset(OBLIQUE) < 1e-9


@pytest.mark.parametrize(
    ("fields", "content"),
    [
        ({"encoding": "gzip"}, gzip.compress(VOXELS.tobytes())),
        ({"encoding": "bzip2"}, bz2.compress(VOXELS.tobytes())),
        ({"encoding": "text"}, " ".join(str(n) for n in VOXELS.ravel()).encode()),
        ({"endian": "big"}, VOXELS.astype(">i2").tobytes()),
        ({"byte_skip": "5"}, b"12345" + VOXELS.tobytes()),
        ({"byte_skip": "-1"}, b"123" + VOXELS.tobytes()),
        ({"encoding": "gzip", "byte_skip": "5"}, gzip.compress(b"12345" + VOXELS.tobytes())),
    ],
)
def test_every_encoding_is_read(tmp_path, fields, content):
    np.testing.assert_array_equal(read_volume(write_nrrd(tmp_path / "a.nrrd", content, **fields))[0], ARRAY)


def test_an_empty_mask_is_read_however_small_its_file_is(tmp_path):
    content = bz2.compress(bytes(180 * 512 * 512))
    path = write_nrrd(tmp_path / "a.nrrd", content, type="uchar", sizes="512 512 180", encoding="bzip2")
    assert not read_volume(path)[0].any()


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
@pytest.mark.parametrize(
    ("axes", "stored"),
    [(FIRST, SERIES.transpose(1, 2, 3, 0)), (LAST, SERIES)],
    ids=["first", "last"],
)
@pytest.mark.parametrize("kind", ["list", "vector", "time", "???", "domain"])
def test_several_volumes_lie_on_the_first_or_last_axis(tmp_path, axes, stored, kind, encoding):
    content = np.ascontiguousarray(stored).tobytes()
    content = gzip.compress(content) if encoding == "gzip" else content
    fields = {**axes, "kinds": axes["kinds"].replace("list", kind), "encoding": encoding}
    header = read_nrrd_header(write_nrrd(tmp_path / "a.nrrd", content, **fields))
    assert (header.volumes, header.geometry.size) == (4, (8, 7, 6))
    for k, volume in zip((3, 1), read_volumes(header, [3, 1]), strict=True):
        np.testing.assert_array_equal(volume, SERIES[k])


@pytest.mark.parametrize("nothing", ["none", "(nan,nan,nan)", "(0,0,0)"])
def test_axis_of_volumes_has_no_direction_however_that_is_written(tmp_path, nothing):
    fields = {**FIRST, "space directions": FIRST["space directions"].replace("none", nothing)}
    header = read_nrrd_header(write_nrrd(tmp_path / "a.nrrd", SERIES.transpose(1, 2, 3, 0).tobytes(), **fields))
    np.testing.assert_array_equal(read_volumes(header, [2])[0], SERIES[2])


def test_what_itk_writes_with_four_axes_or_components_is_read(tmp_path):
    volumes = [sitk.GetImageFromArray(volume) for volume in SERIES]
    for image in (sitk.JoinSeries(volumes), sitk.Compose(volumes)):
        sitk.WriteImage(image, tmp_path / "a.nrrd")
        header = read_nrrd_header(tmp_path / "a.nrrd")
        assert header.volumes == 4
        np.testing.assert_array_equal(read_volumes(header, [3])[0], SERIES[3])


@pytest.mark.parametrize(
    ("values", "fields", "times"),
    [
        (["axis 0 index values:=0 60 120.5 240"], {"units": '"s" "mm" "mm" "mm"'}, (0, 60, 120.5, 240)),
        (["axis 0 index values:=0 60000 120000 240000", "axis 0 index unit:=ms"], {}, (0, 60, 120, 240)),
        (
            ["MultiVolume.FrameLabels:=0,60000,120000,240000", "MultiVolume.FrameIdentifyingDICOMTagUnits:=ms"],
            {},
            (0, 60, 120, 240),
        ),
        (["axis 0 index values:=0 1 2 3"], {}, None),
        (["axis 0 index values:=0 60 120", "axis 0 index unit:=s"], {}, None),
        (["axis 0 index values:=0 nan 120 130", "axis 0 index unit:=s"], {}, None),
        (["axis 0 index values:=pre early mid late", "axis 0 index unit:=s"], {}, None),
    ],
)
def test_times_of_a_sequence_are_known_if_their_unit_is_one_of_time(tmp_path, values, fields, times):
    content = SERIES.transpose(1, 2, 3, 0).tobytes()
    header = read_nrrd_header(write_nrrd(tmp_path / "a.seq.nrrd", content, values, **FIRST, **fields))
    assert header.times == pytest.approx(times)


@pytest.mark.parametrize(
    "fields",
    [
        {"space": None, "space_directions": None, "space_origin": None, "spacings": "0.9 1.1 3"},
        {"space": None, "space_dimension": "3"},
        {"space": "scanner-xyz"},
    ],
)
def test_missing_space_is_a_warning(tmp_path, fields):
    header = read_nrrd_header(write_nrrd(tmp_path / "a.nrrd", **fields))
    assert header.geometry.spacing == pytest.approx((0.9, 1.1, 3))
    assert [notice.code for notice in header.notices] == ["no_position"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"space_directions": "(nan,0,0) (0,1.1,0) (0,0,3)"}, "must be 0.05 to 20 mm wide"),
        ({"space_directions": "(0,0,0) (0,1.1,0) (0,0,3)"}, "got directions"),
        ({"space_directions": "(0.9,0,0) (0,1.1,0) (0,0,inf)"}, "must be 0.05 to 20 mm wide"),
        ({"space_directions": "(0.9,0,0) (0.5,1.1,0) (0,0,3)"}, "axes must be at right angles"),
        ({"space_directions": "(0.9,0,0) (0,1.1,0) (0,0,x)"}, "got directions"),
        ({"space_directions": None, "spacings": "0.9 nan 3"}, "must be 0.05 to 20 mm wide"),
        ({"space_directions": None}, "must be 0.05 to 20 mm wide along each axis, got nan x nan x nan mm"),
        ({"space_origin": "(1,nan,3)"}, "its origin must be three numbers"),
        ({"space_origin": "(1,2)"}, "its origin must be three numbers"),
        ({"sizes": "8 7 -6"}, "got sizes 8 7 -6"),
        ({"sizes": "8 7 99999999"}, "its header promises"),
        ({"sizes": "8 7 7"}, "is cut short"),
        ({"dimension": "4"}, "must be one three-dimensional volume"),
        ({"dimension": "93"}, "must be one three-dimensional volume"),
        ({"sizes": None}, "must have the field 'sizes'"),
        ({"type": "block"}, "must have one number per voxel, got 'block'"),
        ({"encoding": "hex"}, "must have the encoding raw, gzip, bzip2 or text, got 'hex'"),
        ({"endian": None}, "must have the field 'endian'"),
        ({"line_skip": "3"}, "has lines to skip"),
        ({"space_units": '"m" "m" "m"'}, "its space must be in mm, got m"),
        ({"space_directions": None, "spacings": "1 1 3", "units": '"cm" "cm" "cm"'}, "its space must be in mm, got cm"),
        ({**FIRST, "kinds": "RGBA-color domain domain domain"}, "must have one number per voxel"),
        ({**FIRST, "kinds": "3D-symmetric-matrix domain domain domain"}, "must have one number per voxel"),
        ({"data_file": "/etc/passwd"}, "its voxels must lie beside it, got '/etc/passwd'; put them there"),
        ({"data_file": "../other.raw"}, "its voxels must lie beside it"),
        ({"data_file": "voxels.raw"}, "its voxels are in voxels.raw, which is missing"),
        ({"data_file": "slice%03d.raw 1 6 1"}, "its voxels must be in one file"),
        ({"data_file": "LIST"}, "its voxels must be in one file"),
    ],
)
def test_header_that_cannot_be_right_is_refused(tmp_path, fields, message):
    with pytest.raises(DataError, match=message) as caught:
        read_volume(write_nrrd(tmp_path / "a.nrrd", **fields))
    assert "\n" not in str(caught.value)


def test_detached_voxels_lie_beside_the_header_or_in_a_folder_there(tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.raw").write_bytes(VOXELS.tobytes())
    path = write_nrrd(tmp_path / "a.nhdr", b"", data_file="raw/a.raw")
    np.testing.assert_array_equal(read_volume(path)[0], ARRAY)


def test_segments_have_their_names(tmp_path):
    names = [
        "Segment0_Name:=Tumour",
        "Segment0_LabelValue:=1",
        "Segment1_Name:=Cyst",
        "Segment1_LabelValue:=4",
        "Segment1_Layer:=0",
        "Segment2_Name:=Elsewhere",
        "Segment2_LabelValue:=1",
        "Segment2_Layer:=1",
    ]
    header = read_nrrd_header(write_nrrd(tmp_path / "a.seg.nrrd", values=names))
    assert header.segments == {1: "Tumour", 4: "Cyst"}
