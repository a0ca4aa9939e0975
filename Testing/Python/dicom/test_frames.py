"""Enhanced MR: exams with many frames in a file."""

import shutil
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom.exam import find_phases, read_dicom_exam
from PCRPredictorLib.exam import Exam
from support.dicom.folder import GRID, PHASES, change_files, read
from support.dicom_exam import EXAM, assert_refused, clock, item, write_dicom_exam, write_enhanced_exam
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
    assert_refused(tmp_path, r"got 2 \(found .*, of which a phase has 5 of 6 slices; .* without ImagePositionPatient")


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


TINY = Exam(*PHASES[:3], GRID)
SECONDS = (0, 120, 400)


def write_frame(folder, n, k, **header):
    """Write slice k of phase n as an Enhanced MR file of one frame."""
    place = replace(GRID, size=(8, 8, 1), origin=tuple(GRID.to_physical([0, 0, k])))
    content = item(TemporalPositionIndex=n + 1, FrameAcquisitionDateTime=f"20250101{clock(SECONDS[n])}")
    write_enhanced_exam(
        folder,
        Exam(*[PHASES[n][k : k + 1]] * 3, place),
        times=(0,),
        slopes=(1,),
        header={"InstanceNumber": k + 1, "SeriesInstanceUID": f"1.2.{n}", "SeriesNumber": 5 + n, **header},
        FrameContentSequence=lambda *_: content,
    )


@pytest.mark.parametrize("header", [{}, {"SeriesInstanceUID": "1.2.7", "SeriesNumber": 7}])
@pytest.mark.parametrize("counted", [True, False])
def test_enhanced_mr_of_one_frame_per_file_is_read(tmp_path, header, counted):
    for n, k in np.ndindex(3, 4):
        write_frame(tmp_path, n, k, **header, **({"InstanceNumber": 4 * n + k + 1} if header else {}))
    if not counted:
        change_files(tmp_path, lambda data: data.pop("NumberOfFrames") and None)
    assert read(tmp_path) == ((0, 1, 2), {}, [])


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        None,
        lambda n, k: item(InStackPositionNumber=k + 1),
        lambda n, k: item(FrameAcquisitionDateTime="20250101101500"),
    ],
)
def test_enhanced_phases_without_temporal_positions_and_times_are_ordered_by_their_frames(tmp_path, apart, content):
    write_enhanced_exam(tmp_path, TINY, apart=apart, FrameContentSequence=content)
    assert read(tmp_path) == ((0, 1, 2), {}, [])


def test_legacy_converted_enhanced_mr_is_read(tmp_path):
    write_enhanced_exam(tmp_path, TINY)
    change_files(tmp_path, lambda data: setattr(data, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.4.4"))
    assert read(tmp_path)[0] == (0, 1, 2)


def test_enhanced_files_that_are_cut_damaged_or_contradictory_are_refused(tmp_path):
    write_enhanced_exam(tmp_path, TINY, apart=True)
    file = min(tmp_path.iterdir())
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    assert_refused(tmp_path, rf"4 of 4 images that cannot be used \(the first is cut short\) \({file.name}\)")
    file.write_bytes(whole)
    change_files(tmp_path, lambda data: setattr(data, "NumberOfFrames", 3))
    assert_refused(tmp_path, "the first has 512 bytes of pixels, but Rows and Columns ask for 384")
    change_files(tmp_path, lambda data: data.pop("PerFrameFunctionalGroupsSequence") and None)
    assert_refused(tmp_path, "has multi-frame DICOM images that are not Enhanced MR")


def test_one_unreadable_file_may_be_a_whole_phase_of_enhanced_mr(tmp_path):
    write_enhanced_exam(tmp_path, TINY, apart=True)
    (tmp_path / "x.dcm").write_text("gone")
    assert_refused(tmp_path, "1 unreadable file is not DICOM: x.dcm")


def test_enhanced_file_that_is_there_twice_is_left_aside(tmp_path):
    write_enhanced_exam(tmp_path, TINY, apart=True)
    shutil.copy(min(tmp_path.iterdir()), tmp_path / "again")
    aside = {"has identical copies of other images": ("series 7 (dyn T1)", 1, False)}
    assert read(tmp_path) == ((0, 1, 2), aside, [])
