"""Which images of a folder are phases, in which order, and when they were taken."""

import shutil
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom.exam import find_phases, read_dicom_exam
from PCRPredictorLib.exam import Geometry
from support.dicom_exam import (
    EXAM,
    clock,
    write_dicom_exam,
    write_slice,
)


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
    localiser = {"SeriesInstanceUID": "1.2.3", "SeriesDescription": "localiser"}
    write_slice(tmp_path, Geometry((12, 10, 6), (9, 9, 9)), EXAM.pre[0], 0, 1, localiser)
    (tmp_path / "DICOMDIR.txt").write_text("not an image")
    assert len(find_phases(tmp_path).phases) == 3


def test_slices_timed_one_by_one_are_divided_by_their_times(tmp_path):
    numbers = np.random.default_rng(0).permutation(18)
    for n, k in np.ndindex(3, 6):
        tags = {
            "SeriesInstanceUID": "1.2.3",
            "AcquisitionTime": clock(150 * n + k),
            "InstanceNumber": numbers[6 * n + k],
        }
        write_slice(tmp_path, EXAM.geometry, EXAM.phases[n][k], k, 1, tags)
    assert find_phases(tmp_path).times == pytest.approx((0, 150, 300))
    np.testing.assert_array_equal(read_dicom_exam(tmp_path).early, EXAM.early)


def test_series_of_other_kinds_are_left_aside_however_long_they_are(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    diffusion = {"ScanningSequence": ["EP", "SE"], "SeriesDescription": "DWI"}
    write_dicom_exam(tmp_path, EXAM, "ge", times=range(0, 500, 100), phases=[EXAM.pre] * 5, **diffusion)
    segmentation = {"Modality": "SEG", "NumberOfFrames": 2, "SeriesInstanceUID": "1.2.3"}
    write_slice(tmp_path, EXAM.geometry, EXAM.pre[0], 0, 1, segmentation)
    for k in (0, 1, 1, 3):
        other = {"SeriesInstanceUID": "1.2.4", "SeriesDescription": "t1 map"}
        write_slice(tmp_path, Geometry((12, 10, 6), (2, 2, 4)), EXAM.pre[k], k, 1, other)
    np.testing.assert_array_equal(read_dicom_exam(tmp_path).late, EXAM.late)


@pytest.mark.parametrize(
    "tags",
    [
        {"FlipAngle": "2"},
        {"EchoTime": "4.8"},
        {"ImageType": ["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"]},
        {"ScanningSequence": "SE"},
    ],
)
def test_image_of_a_different_kind_on_the_same_grid_is_not_a_phase(tmp_path, tags):
    write_dicom_exam(tmp_path, EXAM, "siemens")
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(60,), phases=(EXAM.late,), **tags)
    assert find_phases(tmp_path).times == pytest.approx((0, 120, 400))


def test_of_dixon_images_the_water_is_read(tmp_path):
    fat = [phase // 2 for phase in EXAM.phases]
    write_dicom_exam(tmp_path, EXAM, "ge", ImageType=["DERIVED", "PRIMARY", "DIXON", "WATER"])
    write_dicom_exam(tmp_path, EXAM, "ge", phases=fat, ImageType=["DERIVED", "PRIMARY", "DIXON", "FAT"])
    np.testing.assert_array_equal(read_dicom_exam(tmp_path).early, EXAM.early)


def test_files_that_are_there_twice_count_once(tmp_path):
    write_dicom_exam(tmp_path / "one", EXAM, "ge")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert len(find_phases(tmp_path).phases) == 3


@pytest.mark.parametrize("trigger", [0, None])
def test_pre_contrast_series_apart_is_put_before_the_others(tmp_path, trigger):
    first = {"SeriesNumber": 4, "AcquisitionTime": "101000.00", "TriggerTime": trigger}
    write_dicom_exam(tmp_path, EXAM, "ge", (0,), EXAM.phases[:1], **first)
    write_dicom_exam(tmp_path, EXAM, "ge", (0, 200), EXAM.phases[1:], SeriesNumber=6)
    assert find_phases(tmp_path).times == pytest.approx((0, 300, 500))


def test_date_and_time_in_one_tag_are_read(tmp_path):
    for day, time in enumerate(("20200131235900.5+0100", "20200201000100.5+0100", "20200201000500.5+0100")):
        tags = {"AcquisitionTime": None, "AcquisitionDateTime": time}
        write_dicom_exam(tmp_path, EXAM, "siemens", times=(0,), phases=EXAM.phases[day : day + 1], **tags)
    assert find_phases(tmp_path).times == pytest.approx((0, 120, 360))


def test_clock_that_hardly_moves_is_not_believed(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(0, 1, 2))
    assert find_phases(tmp_path).times == (None, None, None)


def test_acquisition_past_midnight_stays_in_order(tmp_path):
    for phase, time in zip(EXAM.phases, ("235900.00", "000100.00", "000500.00"), strict=True):
        write_dicom_exam(tmp_path, EXAM, "siemens", times=(0,), phases=(phase,), AcquisitionTime=time)
    assert read_dicom_exam(tmp_path).provenance.phase_times == pytest.approx((0, 120, 360))


def test_birth_date_that_some_files_lack_is_no_other_patient(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(0, 120), phases=EXAM.phases[:2], PatientBirthDate="19700101")
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(400,), phases=EXAM.phases[2:], PatientBirthDate="")
    assert len(find_phases(tmp_path).phases) == 3


def write_philips(folder, write_time):
    """One series in which all phases have one acquisition time; `write_time` gives the tags of a time in s."""
    for number, time in enumerate((0, 70, 140, 210)):
        tags = {"TemporalPositionIdentifier": number + 1, "SeriesInstanceUID": "1.2.3", **write_time(time)}
        write_dicom_exam(folder, EXAM, "philips", times=(0,), phases=(EXAM.pre + number,), **tags)


def test_trigger_times_of_philips_count_where_acquisition_times_are_one(tmp_path):
    write_philips(tmp_path, lambda time: {"TriggerTime": 1000 * time})
    assert find_phases(tmp_path).times == pytest.approx((0, 70, 140, 210))
    np.testing.assert_array_equal(read_dicom_exam(tmp_path).early, EXAM.pre + 2)


@pytest.mark.parametrize(("creator", "known"), [("Philips MR Imaging DD 001", True), ("ANOTHER", False)])
def test_own_clock_of_philips_counts_where_no_other_does(tmp_path, creator, known):
    write_philips(tmp_path, lambda time: {"TriggerTime": 560})  # of an inversion, the same throughout
    for file in tmp_path.iterdir():
        data = pydicom.dcmread(file)
        block = data.private_block(0x2005, creator, create=True)
        block.add_new(0xA0, "FL", 70.0 * (data.TemporalPositionIdentifier - 1))
        data.save_as(file)
    found = find_phases(tmp_path)
    assert found.times == (pytest.approx((0, 70, 140, 210)) if known else (None,) * 4)
    np.testing.assert_array_equal(read_dicom_exam(tmp_path).early, EXAM.pre + (2 if known else 1))


@pytest.mark.parametrize("description", ["sag scout", None])
def test_image_elsewhere_that_is_named_otherwise_is_left_aside(tmp_path, description):
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0)))
    write_dicom_exam(tmp_path, EXAM, "siemens")
    write_dicom_exam(tmp_path, moved, "siemens", (700,), EXAM.phases[:1], SeriesDescription=description)
    assert len(find_phases(tmp_path).phases) == 3


def test_shorter_acquisition_elsewhere_is_left_aside(tmp_path):
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0)))
    write_dicom_exam(tmp_path, moved, "ge", AcquisitionTime="111500.00")
    write_dicom_exam(tmp_path, EXAM, "ge", (0, 100, 200, 300), (*EXAM.phases, EXAM.late))
    assert len(find_phases(tmp_path).phases) == 4
