"""Enhanced MR: exams with many frames in a file."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom.exam import find_phases, read_dicom_exam
from support.dicom_exam import EXAM, assert_refused, item, write_dicom_exam, write_enhanced_exam
from support.examples import AXIAL, SAGITTAL, TILT, tiny_exam


def test_multi_frame_images_that_are_not_enhanced_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", NumberOfFrames=2)
    assert_refused(tmp_path, "multi-frame DICOM images that are not Enhanced MR")


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("direction", [AXIAL, SAGITTAL, TILT])
def test_enhanced_mr_is_read_as_it_was_written(tmp_path, direction, apart):
    exam = tiny_exam(direction, size=(12, 10, 6))
    write_enhanced_exam(tmp_path, exam, apart=apart)
    read = read_dicom_exam(tmp_path)
    assert read.geometry.matches(exam.geometry)
    assert read.provenance.phase_times == pytest.approx((0, 120, 400))
    assert read.clinical == {"age": 53}
    for ours, theirs in zip(read.phases, exam.phases, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_enhanced_mr_with_a_series_a_phase_is_read(tmp_path):
    for number, (phase, time) in enumerate(zip(EXAM.phases, (0, 120, 400), strict=True)):
        write_enhanced_exam(tmp_path, replace(EXAM, pre=phase), times=(time,), slopes=(1,), series=f"1.2.{number}")
    assert find_phases(tmp_path).times == pytest.approx((0, 120, 400))
    np.testing.assert_array_equal(read_dicom_exam(tmp_path).early, EXAM.early)


def test_enhanced_mr_that_lacks_a_frame_is_refused(tmp_path):
    write_enhanced_exam(tmp_path, EXAM)
    (file,) = tmp_path.iterdir()
    data = pydicom.dcmread(file)
    del data.PerFrameFunctionalGroupsSequence[4].PlanePositionSequence
    data.save_as(file)
    assert_refused(tmp_path, r"got 2 \(found .*, of which one phase has 5 of 6 slices, .* without ImagePositionPatient")


def test_enhanced_mr_and_single_frames_give_the_same_exam(tmp_path):
    write_dicom_exam(tmp_path / "single", EXAM, "philips")
    write_enhanced_exam(tmp_path / "enhanced", EXAM, slopes=(1, 2, 3))
    one, other = (read_dicom_exam(tmp_path / name) for name in ("single", "enhanced"))
    assert one.geometry.matches(other.geometry)
    for a, b in zip(one.phases, other.phases, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_times_of_enhanced_frames_may_be_offsets_alone(tmp_path):
    offsets = (0.0, 120.0, 400.0)
    write_enhanced_exam(
        tmp_path,
        EXAM,
        FrameContentSequence=lambda n, k: item(TemporalPositionIndex=n + 1),
        TemporalPositionSequence=lambda n, k: item(TemporalPositionTimeOffset=offsets[n]),
    )
    assert find_phases(tmp_path).times == pytest.approx(offsets)


def test_enhanced_frames_that_are_missing_or_derived_are_no_phase(tmp_path):
    def kind(n, k):
        return item(
            FrameType=["DERIVED", "PRIMARY", "T1", "SUBTRACTION"] if n == 2 else ["ORIGINAL", "PRIMARY", "T1", "NONE"]
        )

    write_enhanced_exam(tmp_path / "derived", EXAM, MRImageFrameTypeSequence=kind)
    assert_refused(tmp_path / "derived", "at least 3 whole phases on one grid")
    write_enhanced_exam(tmp_path / "nowhere", EXAM, PlanePositionSequence=None)
    assert_refused(tmp_path / "nowhere", "series 7 .dyn T1., which has images without ImagePositionPatient")


def test_enhanced_pixels_cut_short_are_refused(tmp_path):
    write_enhanced_exam(tmp_path, EXAM)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-400])
    assert_refused(tmp_path, r"6 of 6 images that cannot be used \(the first is cut short\)")
