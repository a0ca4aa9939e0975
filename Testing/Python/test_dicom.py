from dataclasses import replace

import numpy as np
import pytest
from dicom_exam import STYLES, write_dicom_exam, write_slice
from examples import AXIAL, SAGITTAL, tiny_exam
from PCRPredictorLib.dicom import find_phases, pick_phases, read_dicom_exam
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.writing import write_nifti

TILT = np.array([[0.8, 0, -0.6], [0, 1, 0], [0.6, 0, 0.8]])
EXAM = tiny_exam(size=(12, 10, 6))


def refuses(folder, message, **options):
    """The reader refuses the folder with that message, and without the patient's name in it."""
    with pytest.raises(DataError, match=message) as caught:
        read_dicom_exam(folder, **options)
    assert "SECRET" not in str(caught.value).upper()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("direction", [AXIAL, SAGITTAL, TILT])
def test_voxels_geometry_and_order_are_read_as_they_were_written(tmp_path, style, direction):
    exam = tiny_exam(direction, size=(12, 10, 6))
    write_dicom_exam(tmp_path / "Ä b", exam, style)
    read = read_dicom_exam(tmp_path / "Ä b")
    assert read.geometry.matches(exam.geometry)
    for ours, theirs in zip(read.phases, exam.phases, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2)


@pytest.mark.parametrize("style", ["ge", "siemens"])
def test_times_are_seconds_after_the_first_phase(tmp_path, style):
    write_dicom_exam(tmp_path, EXAM, style, times=(60, 200, 500))
    assert read_dicom_exam(tmp_path).provenance.phase_times == pytest.approx((0, 140, 440))


def test_phases_written_in_any_order_come_in_time_order(tmp_path):
    pre, early, late = EXAM.phases
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(400, 0, 120), phases=(late, pre, early))
    np.testing.assert_array_equal(read_dicom_exam(tmp_path).early, early)


def test_repeated_positions_alone_are_divided_by_instance_number(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", TriggerTime=None, AcquisitionTime=None)
    found = find_phases(tmp_path)
    assert found.times == (None, None, None)
    np.testing.assert_array_equal(read_dicom_exam(tmp_path).late, EXAM.late)


def test_other_series_and_subtractions_are_left_aside(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens")
    write_dicom_exam(tmp_path, EXAM, "siemens", ImageType=["DERIVED", "PRIMARY", "M", "SUB"])
    write_slice(tmp_path, Geometry((12, 10, 6), (9, 9, 9)), EXAM.pre[0], 0, 1, {"SeriesInstanceUID": "1.2.3"})
    (tmp_path / "DICOMDIR.txt").write_text("not an image")
    assert len(find_phases(tmp_path).phases) == 3


def test_age_is_taken_from_the_headers_unless_it_is_given(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    assert read_dicom_exam(tmp_path).clinical["age"] == 53
    assert read_dicom_exam(tmp_path, clinical={"age": 60}).clinical["age"] == 60


def test_picked_phases_override_the_times(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", times=(0, 60, 120, 300), phases=(*EXAM.phases, EXAM.late + 5))
    np.testing.assert_array_equal(read_dicom_exam(tmp_path, pick=(0, 1, 2)).late, EXAM.late)
    refuses(tmp_path, r"three different phases, got \(0, 1, 9\); the folder has 0: series 5", pick=(0, 1, 9))


def test_mask_made_from_mirrored_nifti_fits(tmp_path):
    write_dicom_exam(tmp_path / "dicom", EXAM, "ge")
    corner = tuple(EXAM.geometry.to_physical([0, 9, 0]))
    mirrored = replace(EXAM.geometry, origin=corner, direction=np.diag([1.0, -1, 1]))
    write_nifti(np.ascontiguousarray(EXAM.mask[:, ::-1]), mirrored, tmp_path / "mask.nii.gz")
    np.testing.assert_array_equal(read_dicom_exam(tmp_path / "dicom", tmp_path / "mask.nii.gz").mask, EXAM.mask)


@pytest.mark.parametrize(
    ("times", "injection", "expected"),
    [
        ((0, 60, 130, 200, 300), None, (0, 2, 4)),
        ((0, 60, 130, 200, 300), 70, (0, 3, 4)),
        ((0, 178, 265, 352), None, (0, 1, 3)),
        ((None, None, None, None), None, (0, 1, 3)),
        ((0, 20, 125), None, (0, 1, 2)),
    ],
)
def test_early_is_nearest_to_two_minutes_after_injection(times, injection, expected):
    assert pick_phases(times, injection) == expected


def test_injection_time_is_read_on_the_clock_of_the_acquisition(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", ContrastBolusStartTime="101530.00")
    assert find_phases(tmp_path).injection == pytest.approx(30)


def test_acquisition_past_midnight_stays_in_order(tmp_path):
    for phase, time in zip(EXAM.phases, ("235900.00", "000100.00", "000500.00"), strict=True):
        write_dicom_exam(tmp_path, EXAM, "siemens", times=(0,), phases=(phase,), AcquisitionTime=time)
    assert read_dicom_exam(tmp_path).provenance.phase_times == pytest.approx((0, 120, 360))


def test_two_patients_in_a_folder_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    write_dicom_exam(tmp_path, EXAM, "ge", PatientID="SECRET-8")
    refuses(tmp_path, "holds more than one patient")


def test_two_phases_are_too_few(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(0, 100), phases=EXAM.phases[:2])
    refuses(tmp_path, r"at least 3 phases on one grid, got 2 \(found series 5 \(dyn T1\), series 6")


def test_phases_on_different_grids_are_refused_naming_both(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(0, 100), phases=EXAM.phases[:2])
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0)))
    write_dicom_exam(tmp_path, moved, "siemens", times=(300,), phases=EXAM.phases[2:])
    refuses(tmp_path, r"must lie on one grid, but series .* has .* voxels .* and series .* has .* voxels")


def test_missing_slices_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    next(iter(tmp_path.iterdir())).unlink()
    refuses(tmp_path, "slices are missing")


def test_slices_missing_from_every_phase_are_refused(tmp_path):
    for number, phase in enumerate(EXAM.phases):
        for k in (0, 1, 2, 4, 5):
            tags = {"SeriesInstanceUID": f"1.2.{number}", "AcquisitionTime": f"1{number}0000", "SeriesNumber": number}
            write_slice(tmp_path, EXAM.geometry, phase[k], k, 1, tags)
    refuses(tmp_path, "slices are missing, their distances differ")


def test_two_dynamic_series_are_refused_naming_them(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0)))
    write_dicom_exam(tmp_path, moved, "ge", SeriesNumber=9)
    refuses(tmp_path, r"several dynamic series, series . \(dyn T1\) or series")


def test_multi_frame_images_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", NumberOfFrames=2)
    refuses(tmp_path, "multi-frame")


def test_empty_and_missing_folders_are_refused(tmp_path):
    refuses(tmp_path, "has no DICOM images")
    refuses(tmp_path / "nowhere", "no such folder")
