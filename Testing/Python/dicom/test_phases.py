"""Which images of a folder are phases, in which order, and when they were taken."""

import shutil
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom.exam import find_phases, read_dicom_exam
from PCRPredictorLib.exam import Geometry
from pydicom.uid import generate_uid
from support.dicom.folder import PHASES, TIMES, read, write_apart, write_series, write_together
from support.dicom_exam import EXAM, assert_refused, clock, write_dicom_exam, write_slice

ALL = (0, 2, 4)  # pre, early and late of five phases


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


@pytest.mark.parametrize("times", [True, False])
def test_series_of_each_slice_position_are_one_acquisition(tmp_path, times):
    own = (lambda p: {"AcquisitionTime": clock(TIMES[p])}) if times else (lambda p: {})
    write_together(tmp_path, lambda p, k: {"SeriesInstanceUID": f"1.2.3.{k}", **own(p)})
    assert read(tmp_path) == (ALL if times else (0, 1, 4), {}, [])


@pytest.mark.parametrize(
    "tags", [{}, {"SeriesNumber": 5}, {"SeriesNumber": None}, {"SeriesNumber": None, "SeriesDescription": None}]
)
def test_series_of_each_file_are_one_acquisition(tmp_path, tags):
    write_apart(tmp_path, lambda p, k: {"SeriesInstanceUID": generate_uid(), **tags})
    assert read(tmp_path) == (ALL, {}, [])


@pytest.mark.parametrize("uid", ["1.2.3", None])
def test_one_series_uid_for_all_phases_changes_nothing(tmp_path, uid):
    write_apart(tmp_path, lambda p, k: {"SeriesInstanceUID": uid})
    assert read(tmp_path) == (ALL, {}, [])


@pytest.mark.parametrize(
    ("tags", "codes"),
    [
        (lambda p, k: {"PixelSpacing": [1.5003, 1.5003] if p else [1.5, 1.5]}, []),
        (lambda p, k: {"ImageOrientationPatient": [0.99995, 0.0001, 0, -0.0001, 0.99995, 0]} if p == 0 else {}, []),
        (lambda p, k: {"ImageOrientationPatient": [1, 0.00001 * p, 0.00002 * k, 0, 1, 0]}, []),
        (lambda p, k: {"ImagePositionPatient": [-20, -30, round(10.03 + 3 * k, p)]}, ["phases_off_grid"]),
        (
            lambda p, k: {"ImagePositionPatient": [-20 + 0.03 * p, -30, 10 + 3 * k + 0.1 * ((p + k) % 2)]},
            ["phases_off_grid"],
        ),
    ],
)
def test_rounding_of_spacing_orientation_and_positions_changes_nothing(tmp_path, tags, codes):
    write_apart(tmp_path, tags)
    assert read(tmp_path) == (ALL, {}, codes)


def test_slices_that_are_shifted_by_one_are_refused(tmp_path):
    write_apart(tmp_path, lambda p, k: {} if p else {"ImagePositionPatient": [-20, -30, 13 + 3 * k]})
    assert_refused(tmp_path, r"phase 0, series 5 \(dyn T1\), has 3 of the 4 slices of the other phases")


@pytest.mark.parametrize("temporal", [{}, {"TemporalPositionIdentifier": None}, {"InstanceNumber": "by position"}])
@pytest.mark.parametrize(
    ("held", "number", "count", "pick"),
    [
        (lambda p: range(4 if p < 4 else 2), 4, 2, (0, 1, 3)),
        (lambda p: range(4 if p else 2), 0, 2, (1, 2, 4)),
        (lambda p: [k for k in range(4) if (p, k) != (2, 1)], 2, 3, (0, 1, 4)),
    ],
)
def test_incomplete_phase_is_refused_by_its_number_and_pick_goes_round_it(
    tmp_path, temporal, held, number, count, pick
):
    if temporal.get("InstanceNumber"):
        tags = {"TemporalPositionIdentifier": None}
        write_together(tmp_path, lambda p, k: {"InstanceNumber": 5 * k + p + 1}, slices=held, **tags)
    else:
        write_together(tmp_path, slices=held, **temporal)
    assert_refused(tmp_path, rf"phase {number}, series 5 \(dyn T1\), has {count} of 4 slices; .* --pick \(0: series 5")
    assert_refused(tmp_path, f"phase {number} cannot be used, it has {count} of 4 slices", pick=(number, 1, 3))
    aside = {f"has {count} of 4 slices": (f"phase {number}, series 5 (dyn T1),", count, True)}
    assert read(tmp_path, pick) == (pick, aside, [])


def test_extra_slice_is_refused(tmp_path):
    write_apart(tmp_path)
    write_series(tmp_path, 7, PHASES[2][:1], 150, SeriesInstanceUID=uid_of(tmp_path / "series7"), **at(4))
    assert_refused(tmp_path, r"phase 2, series 7 \(dyn T1\), has 5 slices instead of 4")


def test_slice_that_is_there_twice_with_different_pixels_is_refused(tmp_path):
    write_apart(tmp_path)
    write_series(tmp_path, 7, PHASES[2][:1] + 1, 150, SeriesInstanceUID=uid_of(tmp_path / "series7"))
    assert_refused(tmp_path, r"phase 2, series 7 \(dyn T1\), has a slice twice, with different pixels")


def test_two_breasts_in_series_of_their_own_are_refused(tmp_path):
    write_apart(tmp_path / "r")
    write_apart(tmp_path / "l", lambda p, k: {**at(30 + k), "AcquisitionTime": clock(TIMES[p] + 5)})
    assert_refused(tmp_path, "has several dynamic series, .* the grids differ")


def test_headers_without_names_and_numbers_suffice(tmp_path):
    gone = ("PatientID", "PatientName", "SeriesDescription", "SeriesNumber", "InstanceNumber", "StudyInstanceUID")
    write_apart(tmp_path, **dict.fromkeys(gone))
    assert read(tmp_path) == (ALL, {}, [])


@pytest.mark.parametrize("slopes", [("0.5", "1"), ("1", "3"), ("0.5", "0.25")])
def test_scales_of_whole_and_broken_numbers_are_comparable(tmp_path, slopes):
    write_apart(tmp_path, lambda p, k: {"RescaleSlope": slopes[p % 2], "RescaleIntercept": "-3"})
    exam = read_dicom_exam(tmp_path)
    for array, p in zip(exam.phases, ALL, strict=True):
        np.testing.assert_allclose(array, PHASES[p] * float(slopes[p % 2]) - 3)


def uid_of(folder):
    return pydicom.dcmread(next(folder.iterdir())).SeriesInstanceUID


def at(k):
    """Return the position of slice k."""
    return {"ImagePositionPatient": [-20, -30, 10 + 3 * k]}
