"""Voxels are read within what the header promises: a small file cannot become gigabytes of memory."""

import bz2
import gzip
import tracemalloc
import zlib

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files import voxels
from PCRPredictorLib.files.header import BZIP2, GZIP
from PCRPredictorLib.files.voxels import Inflating
from PCRPredictorLib.reading.images import read_volume
from support.examples import ARRAY, write_raw_nifti

NOISE = np.random.default_rng(0).integers(0, 99, 300_000).astype(np.uint8).tobytes()


@pytest.mark.parametrize(
    ("kind", "packed"),
    [
        (GZIP, gzip.compress(NOISE)),
        (GZIP, zlib.compress(NOISE)),
        (GZIP, gzip.compress(NOISE[:1000]) + gzip.compress(NOISE[1000:]) + b"\0" * 99),
        (GZIP, gzip.compress(NOISE, 0)),
        (BZIP2, bz2.compress(NOISE)),
        (BZIP2, bz2.compress(NOISE[:7]) + bz2.compress(NOISE[7:])),
    ],
)
@pytest.mark.parametrize("piece", [7, 4096, 1 << 20])
def test_streams_of_any_kind_and_of_several_members_are_inflated_in_pieces_of_any_size(
    tmp_path, monkeypatch, kind, packed, piece
):
    monkeypatch.setattr(voxels, "_GIVEN", piece)
    (tmp_path / "a").write_bytes(packed)
    with (tmp_path / "a").open("rb") as file:
        stream = Inflating(file, kind)
        found = stream.read(10) + stream.read(123_456) + stream.read(10**9)
        assert (bytes(found), bytes(stream.read(1))) == (NOISE, b"")


@pytest.mark.parametrize("cut", [1, 5, 9, 3000])
def test_a_stream_that_ends_early_is_an_error(tmp_path, cut):
    (tmp_path / "a").write_bytes(gzip.compress(NOISE)[:-cut])
    with (tmp_path / "a").open("rb") as file, pytest.raises(EOFError):
        Inflating(file, GZIP).read(10**9)


def test_a_small_file_that_inflates_to_gigabytes_takes_no_memory(tmp_path):
    path = write_raw_nifti(tmp_path / "a.nii")
    content = path.read_bytes()
    bomb = zlib.compressobj(9, wbits=31)
    packed = bomb.compress(content) + b"".join(bomb.compress(bytes(1 << 20)) for _ in range(100)) + bomb.flush()
    path.write_bytes(packed)
    tracemalloc.start()
    with pytest.raises(DataError, match="holds far more than its header says"):
        read_volume(path)
    assert tracemalloc.get_traced_memory()[1] < 40 << 20
    tracemalloc.stop()


def test_a_header_that_promises_more_than_the_file_can_hold_takes_no_memory(tmp_path):
    path = write_raw_nifti(tmp_path / "a.nii.gz", dim=[3, 1024, 1024, 400, 1, 1, 1, 1])
    tracemalloc.start()
    with pytest.raises(DataError, match="is cut short"):
        read_volume(path)
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_a_little_behind_the_voxels_is_no_fault(tmp_path):
    path = write_raw_nifti(tmp_path / "a.nii", compressed=False)
    path.write_bytes(gzip.compress(path.read_bytes() + b"some extension" * 100))
    np.testing.assert_array_equal(read_volume(path)[0], ARRAY)
