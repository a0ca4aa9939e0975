"""Hostile volumes: each is refused in one sentence, with little memory, and without a warning on the terminal."""

import tracemalloc
import warnings

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files import voxels
from PCRPredictorLib.reading.images import read_exam, read_volume
from PCRPredictorLib.reading.mask import read_masks
from support.hostile.images import GEOMETRY, INFLATION, nifti

READ = {"nrrd: a header line of 2 MB"}  # nothing is wrong with the image
MB = 1 << 20


@pytest.mark.parametrize("kind", sorted(INFLATION.keys() - READ))
def test_what_inflates_or_promises_too_much_is_refused_with_little_memory(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(voxels, "VOXELS", 16 * MB)
    monkeypatch.setattr(voxels, "BEHIND", 4 * MB)
    path = INFLATION[kind](tmp_path / "p")
    tracemalloc.start()
    with pytest.raises(DataError) as caught:
        read_volume(path)
    assert tracemalloc.get_traced_memory()[1] < 8 * MB
    tracemalloc.stop()
    assert len(str(caught.value)) < 1100 and "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", GEOMETRY)
def test_a_lattice_that_no_exam_has_is_refused_in_every_format(tmp_path, kind):
    path = GEOMETRY[kind](tmp_path / "p")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if kind == "nii quaternion of length 3":  # is read as ITK reads it: of length 1
            read_volume(path)
            return
        with pytest.raises(DataError) as caught:
            read_volume(path)
    assert path.name in str(caught.value) and len(str(caught.value)) < 1100


def test_an_exam_that_is_larger_than_the_limit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(voxels, "EXAM", 30_000)
    files = [nifti()(tmp_path / f"p{k}") for k in range(3)]
    with pytest.raises(DataError, match=r"the phases must take at most 2.79e-05 GB of memory, got .* crop the images"):
        read_exam(files)


def test_more_than_the_free_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("PCRPredictorLib.files.memory.free_memory", lambda: 1000)
    with pytest.raises(DataError, match=r"p.nii.gz: needs 1.1e-05 GB of memory, and 9.3e-07 GB may be used"):
        read_volume(nifti()(tmp_path / "p"))


@pytest.mark.parametrize("kind", [kind for kind in INFLATION if "promises what it inflates to" in kind])
def test_an_exam_that_is_compressed_as_no_image_is_refused_before_it_is_read(tmp_path, kind):
    bombs = [INFLATION[kind](tmp_path / f"p{k}") for k in range(3)]
    voxels.check_packing(24 * MB, bombs[0].stat().st_size, "p")  # small ones may be nearly empty
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voxels, "FEW", MB)
        patch.setattr("PCRPredictorLib.reading.images.read_volumes", None)
        with pytest.raises(DataError, match=r"^p0\..*: 24 MB are packed into .* times less, and images of MRI at most"):
            read_exam(bombs)


def test_a_mask_that_is_larger_than_the_exam_is_refused_before_it_is_read(tmp_path, monkeypatch):
    exam = read_exam([nifti()(tmp_path / f"p{k}") for k in range(3)])
    file = INFLATION["nii.gz: promises what it inflates to"](tmp_path / "mask")
    monkeypatch.setattr("PCRPredictorLib.reading.mask.read_volumes", None)
    with pytest.raises(DataError, match=r"mask.nii.gz: the mask must lie on the exam's grid of 32 x 32 x 6 voxels"):
        read_masks(file, exam.geometry)
