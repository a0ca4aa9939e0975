"""Stored values by a decoder, with pydicom 3 and with pydicom 2 of Slicer 5.10, which decodes whole files."""

from types import SimpleNamespace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom import decoding
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.headers import encoding_of
from pydicom.uid import RLELossless
from support.dicom.folder import change_files
from support.dicom_exam import EXAM, write_dicom_exam, write_enhanced_exam


@pytest.fixture(params=["as installed", "pydicom 2"])
def decoder(request, monkeypatch):
    if request.param == "pydicom 2":
        monkeypatch.setattr(decoding, "_pixels", None)


@pytest.mark.parametrize("write", [write_enhanced_exam, lambda folder, exam: write_dicom_exam(folder, exam, "ge")])
def test_compressed_frames_and_files_are_decoded(tmp_path, decoder, write):
    write(tmp_path, EXAM)
    change_files(tmp_path, lambda data: data.compress(RLELossless))
    for ours, theirs in zip(read_dicom_exam(tmp_path).phases, EXAM.phases, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_file_of_one_frame_is_decoded(tmp_path, decoder):
    write_enhanced_exam(tmp_path, EXAM)
    (file,) = tmp_path.iterdir()
    data = pydicom.dcmread(file)
    data.PixelData, data.NumberOfFrames = data.PixelData[: data.Rows * data.Columns * 2], 1
    data.compress(RLELossless)
    data.save_as(file)
    (frame,) = decoding.decode([SimpleNamespace(file=file, frame=0)], "the series")
    assert frame.shape == (data.Rows, data.Columns)


def test_the_encoding_is_known_to_both_versions():
    assert encoding_of(SimpleNamespace(original_encoding=(False, True))) == (False, True)
    assert encoding_of(SimpleNamespace(read_implicit_vr=True, read_little_endian=False)) == (True, False)
