import contextlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.dicom.exam import find_phases, read_dicom_exam
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry, Provenance
from PCRPredictorLib.model.notices import about_source
from PCRPredictorLib.prediction import exam_to_json
from PCRPredictorLib.writing import write_nifti
from support.dicom_exam import STYLES, clock, item, write_dicom_exam, write_enhanced_exam, write_slice
from support.examples import AXIAL, SAGITTAL, tiny_exam

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
        write_slice(tmp_path, Geometry((12, 10, 6), (2, 2, 4)), EXAM.pre[k], k, 1, {"SeriesInstanceUID": "1.2.4"})
    np.testing.assert_array_equal(read_dicom_exam(tmp_path).late, EXAM.late)


@pytest.mark.parametrize(
    "tags",
    [
        {"FlipAngle": "2"},
        {"EchoTime": "4.8"},
        {"ImageType": ["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"]},
        {"StudyInstanceUID": "1.2.3"},
        {"ScanningSequence": "SE"},
        {"ImagePositionPatient": None},
        {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]},
    ],
)
def test_image_of_another_kind_on_the_same_grid_is_not_a_phase(tmp_path, tags):
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


def test_rounding_of_positions_is_borne_in_silence(tmp_path, capfd):
    geometry, shifts = EXAM.geometry, (0.005, 0.00499, 0.00501)
    for number, (phase, shift) in enumerate(zip(EXAM.phases, shifts, strict=True)):
        for k in range(6):
            place = [float(x) for x in geometry.to_physical([0, 0, k]) + shift * (1 + k % 2)]
            tags = {"SeriesInstanceUID": f"1.2.{number}", "SeriesNumber": number, "ImagePositionPatient": place}
            write_slice(tmp_path, geometry, phase[k], k, 1, tags)
    np.testing.assert_array_equal(read_dicom_exam(tmp_path).early, EXAM.early)
    assert capfd.readouterr() == ("", "")


def test_age_is_taken_from_the_headers_unless_it_is_given(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    assert read_dicom_exam(tmp_path).clinical["age"] == 53
    assert read_dicom_exam(tmp_path, clinical={"age": 60}).clinical["age"] == 60


@pytest.mark.parametrize(("written", "years"), [("636M", 53), ("999W", 19.1), ("53y", 53), ("018Y", 18)])
def test_age_may_be_in_months_or_weeks(tmp_path, written, years):
    write_dicom_exam(tmp_path, EXAM, "ge", PatientAge=written)
    read = read_dicom_exam(tmp_path)
    assert read.clinical["age"] == pytest.approx(years, abs=0.05)
    assert list(about_source(read.provenance)) == []


@pytest.mark.parametrize("written", ["000Y", "120Y", "999D", "053", "unknown"])
def test_age_in_the_headers_that_is_none_is_unknown_and_said(tmp_path, written):
    write_dicom_exam(tmp_path, EXAM, "ge", PatientAge=written)
    read = read_dicom_exam(tmp_path)
    assert read.clinical == {}
    assert [notice.code for notice in about_source(read.provenance)] == ["age_unusable"]
    assert list(about_source(read_dicom_exam(tmp_path, clinical={"Age": 60}).provenance)) == []


def write_without_times(folder):
    """Six phases of which nobody knows when they were taken."""
    phases = (*EXAM.phases, EXAM.late + 5, EXAM.late + 6, EXAM.late + 7)
    write_dicom_exam(folder, EXAM, "philips", times=range(6), phases=phases)


def test_phases_without_times_are_taken_by_their_numbers_which_is_said(tmp_path):
    write_without_times(tmp_path)
    (notice,) = about_source(read_dicom_exam(tmp_path).provenance)
    assert "times of the phases are not known: phases 0, 1 and 5 of 6" in notice.message
    assert list(about_source(read_dicom_exam(tmp_path, pick=(0, 2, 5)).provenance)) == []


def test_guess_of_the_phases_is_in_every_result(tmp_path, bundle, capsys):
    write_without_times(tmp_path / "exam")
    write_nifti(EXAM.mask, EXAM.geometry, tmp_path / "mask.nii.gz")
    asked = {"--dicom": tmp_path / "exam", "--mask": tmp_path / "mask.nii.gz", "--model": bundle.path}
    words = [str(word) for pair in asked.items() for word in pair]
    assert run(app, ["predict", *words, "--out", str(tmp_path / "out")]) == 0
    said = json.loads((tmp_path / "out" / "prediction.json").read_text())
    report = (tmp_path / "out" / "report.html").read_text()
    for text in (capsys.readouterr().out, said["warnings"][-1]["message"], report):
        assert "phases 0, 1 and 5 of 6" in text
    assert said["exam"]["phases"]["late"] == {"index": 5, "series": 5, "seconds": None}


def test_what_is_said_of_the_exam_names_phases_and_grid_but_nobody(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", PatientAge="053Y")
    said = exam_to_json(read_dicom_exam(tmp_path))
    assert said == {
        "source": "dicom",
        "phases_found": 3,
        "phases": {
            "pre": {"index": 0, "series": 5, "seconds": 0.0},
            "early": {"index": 1, "series": 6, "seconds": 120.0},
            "late": {"index": 2, "series": 7, "seconds": 400.0},
        },
        "size": [12, 10, 6],
        "spacing_mm": [1.5, 1.5, 3.0],
        "positions": "LPS, mm",
    }


def test_of_an_exam_from_files_only_the_grid_is_known():
    said = exam_to_json(replace(EXAM, provenance=Provenance("file")))
    assert (said["source"], said["phases_found"]) == ("file", None)
    assert said["phases"]["pre"] == {"index": None, "series": None, "seconds": None}


def test_picked_times_are_seconds_after_the_picked_first_one(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", times=(0, 60, 120, 300), phases=(*EXAM.phases, EXAM.late + 5))
    assert read_dicom_exam(tmp_path, pick=(1, 2, 3)).provenance.phase_times == pytest.approx((0, 60, 240))


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


def test_injection_time_is_read_on_the_clock_of_the_acquisition(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", ContrastBolusStartTime="101530.00")
    assert find_phases(tmp_path).injection == pytest.approx(30)


def test_injection_that_only_later_phases_tell_is_found(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(0,), phases=(EXAM.pre,))
    later = {"phases": EXAM.phases[1:], "ContrastBolusStartTime": "101530.00"}
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(120, 400), **later)
    assert find_phases(tmp_path).injection == pytest.approx(30)


def test_injection_is_placed_on_the_clock_of_ge(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", ContrastBolusStartTime="101530.00")
    assert find_phases(tmp_path).injection == pytest.approx(30)


def test_injection_outside_the_acquisition_is_not_believed(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", ContrastBolusStartTime="090000.00")
    assert find_phases(tmp_path).injection is None


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


def test_slices_scaled_one_by_one_are_comparable(tmp_path):
    for number, phase in enumerate(EXAM.phases):
        for k in range(6):
            tags = {"SeriesInstanceUID": f"1.2.{number}", "SeriesNumber": number}
            write_slice(tmp_path, EXAM.geometry, phase[k], k, 1 + 0.5 * (k > 0), tags)
    early = read_dicom_exam(tmp_path).early
    assert early.dtype == np.float32
    np.testing.assert_allclose(early, EXAM.early, atol=0.76)


@pytest.mark.parametrize("slope", [1000, 2000])
def test_slices_scaled_beyond_the_type_of_the_first_do_not_wrap(tmp_path, slope):
    for number in range(3):
        for k in range(6):
            tags = {"SeriesInstanceUID": f"1.2.{number}", "SeriesNumber": number}
            scale = 1 if k == 0 else slope
            write_slice(tmp_path, EXAM.geometry, np.full((10, 12), 200 * scale), k, scale, tags)
    np.testing.assert_array_equal(read_dicom_exam(tmp_path).early[:, 0, 0], [200] + [200 * slope] * 5)


def test_two_versions_of_the_same_moments_are_refused(tmp_path):
    for number in range(2):
        for stored, (phase, time) in enumerate(zip(EXAM.phases, (0, 120, 400), strict=True)):
            write_dicom_exam(tmp_path, EXAM, "siemens", (time,), [phase], ContentTime=clock(500 * number + 99 * stored))
    refuses(tmp_path, r"series (\d) \(dyn T1\) and series \1 \(dyn T1\) were taken at the same time")


def test_filtered_and_unfiltered_copies_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens")
    write_dicom_exam(tmp_path, EXAM, "siemens", ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])
    refuses(tmp_path, "has several dynamic series")


def test_acquisition_past_midnight_stays_in_order(tmp_path):
    for phase, time in zip(EXAM.phases, ("235900.00", "000100.00", "000500.00"), strict=True):
        write_dicom_exam(tmp_path, EXAM, "siemens", times=(0,), phases=(phase,), AcquisitionTime=time)
    assert read_dicom_exam(tmp_path).provenance.phase_times == pytest.approx((0, 120, 360))


def test_two_patients_in_a_folder_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    write_dicom_exam(tmp_path, EXAM, "ge", PatientID="SECRET-8")
    refuses(tmp_path, "holds more than one patient")


def test_birth_date_tells_patients_apart_where_names_are_removed(tmp_path):
    for series, born in (("1.2.3", "19700101"), ("1.2.4", "19810203")):
        tags = {"PatientID": "", "PatientName": "", "PatientBirthDate": born, "SeriesInstanceUID": series}
        write_dicom_exam(tmp_path, EXAM, "ge", **tags)
    refuses(tmp_path, "holds more than one patient")


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


def write_pre_apart(folder, style="siemens", exam=EXAM, description="dyn pre"):
    """The pre-contrast phase in a series of its own before three others, which would do without it."""
    first = {"SeriesNumber": 4, "AcquisitionTime": "101000.00", "SeriesDescription": description}
    write_dicom_exam(folder / "pre", exam, style, (0,), exam.phases[:1], **first)
    later = (*EXAM.phases[1:], EXAM.late + 5)
    write_dicom_exam(folder, EXAM, style, (100, 200, 300), later, SeriesDescription="dyn post 1")


@pytest.mark.parametrize("style", ["ge", "siemens"])
@pytest.mark.parametrize("instance", [1, 3, 6])
def test_pre_contrast_phase_that_lacks_a_slice_is_never_passed_over(tmp_path, style, instance):
    write_pre_apart(tmp_path, style)
    next(f for f in (tmp_path / "pre").iterdir() if pydicom.dcmread(f).InstanceNumber == instance).unlink()
    refuses(tmp_path, r"\(dyn post 1\) has 6 slices of a phase and series 4 \(dyn pre\) has 5 on the same grid")


def test_pre_contrast_phase_with_more_slices_is_never_passed_over(tmp_path):
    write_pre_apart(tmp_path, exam=tiny_exam(size=(12, 10, 7)))
    refuses(tmp_path, r"has 6 slices of a phase and series 4 \(dyn pre\) has 7 on the same grid")


@pytest.mark.parametrize("turn", [AXIAL, TILT])
def test_pre_contrast_phase_that_lies_elsewhere_is_never_passed_over(tmp_path, turn):
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0), direction=turn))
    write_pre_apart(tmp_path, exam=moved)
    refuses(tmp_path, r"must lie on one grid, but series 4 \(dyn pre\) has .* and series . \(dyn post 1\) has")


@pytest.mark.parametrize("description", ["sag delayed", None])
def test_image_elsewhere_that_is_named_otherwise_is_left_aside(tmp_path, description):
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0)))
    write_pre_apart(tmp_path, exam=moved, description=description)
    assert len(find_phases(tmp_path).phases) == 3


def test_shorter_acquisition_elsewhere_is_left_aside(tmp_path):
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0)))
    write_dicom_exam(tmp_path, moved, "ge")
    write_dicom_exam(tmp_path, EXAM, "ge", (0, 100, 200, 300), (*EXAM.phases, EXAM.late))
    assert len(find_phases(tmp_path).phases) == 4


def test_pixels_cut_short_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    file = next(iter(tmp_path.iterdir()))
    file.write_bytes(file.read_bytes()[:-50])
    refuses(tmp_path, "its pixels cannot be read")


def test_derived_images_alone_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", ImageType=["DERIVED", "SECONDARY"])
    refuses(tmp_path, r"at least 3 phases on one grid, got 0 \(found only other images\)")


def test_damaged_headers_raise_nothing_but_data_errors(tmp_path):
    rng = np.random.default_rng(0)
    write_dicom_exam(tmp_path, EXAM, "ge")
    for file in tmp_path.iterdir():
        content = bytearray(file.read_bytes())
        for place in rng.integers(132, len(content) - 240, 8):
            content[place] = rng.integers(256)
        file.write_bytes(content)
        with contextlib.suppress(DataError):
            read_dicom_exam(tmp_path)


def test_two_dynamic_series_are_refused_naming_them(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0)))
    write_dicom_exam(tmp_path, moved, "ge", SeriesNumber=9)
    refuses(tmp_path, r"several dynamic series, series . \(dyn T1\) or series")


@pytest.mark.parametrize("later", [3, 4])
def test_baseline_and_follow_up_are_refused_as_two_studies(tmp_path, later):
    write_dicom_exam(tmp_path, EXAM, "ge")
    phases = (*EXAM.phases, EXAM.late + 5)[:later]
    write_dicom_exam(tmp_path, EXAM, "ge", (0, 100, 200, 300)[:later], phases, StudyInstanceUID="1.2.3", SeriesNumber=9)
    refuses(tmp_path, r"holds 2 studies with a dynamic acquisition each \(.*3 phases from series 5 \(dyn T1\)")
    refuses(tmp_path, rf"{later} phases from series 9 \(dyn T1\).*; give a folder with one study")


def test_multi_frame_images_that_are_not_enhanced_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", NumberOfFrames=2)
    refuses(tmp_path, "multi-frame DICOM images that are not Enhanced MR")


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
    refuses(tmp_path, r"got 0 \(found series 7 \(dyn T1\), in which slices are missing or doubled\); copy the whole")


def test_doubled_slice_is_said_of_its_series_alone(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    file = next(iter(tmp_path.iterdir()))
    data = pydicom.dcmread(file)
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    data.save_as(tmp_path / "again")
    refuses(tmp_path, r"got 0 \(found series 5 \(dyn T1\), in which slices are missing or doubled\); copy the whole")


def test_enhanced_mr_gives_what_single_frames_give(tmp_path):
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
    refuses(tmp_path / "derived", "at least 3 phases on one grid")
    write_enhanced_exam(tmp_path / "nowhere", EXAM, PlanePositionSequence=None)
    refuses(tmp_path / "nowhere", "multi-frame DICOM images that are not Enhanced MR, or only derived ones")


def test_enhanced_pixels_cut_short_are_refused(tmp_path):
    write_enhanced_exam(tmp_path, EXAM)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-400])
    refuses(tmp_path, "its pixels cannot be read")


def test_empty_and_missing_folders_are_refused(tmp_path):
    refuses(tmp_path, "has no DICOM images")
    refuses(tmp_path / "nowhere", "no such folder")


def test_phase_that_would_be_left_out_is_refused_since_an_enhanced_one_would_pass_for_it(tmp_path):
    pre, early, late = EXAM.phases
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0)))
    write_dicom_exam(tmp_path, moved, "siemens", times=(0,), phases=(pre,), SeriesDescription="dyn pre")
    rest = (early, late, late + 5)
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(120, 240, 400), phases=rest, SeriesDescription="dyn post")
    refuses(tmp_path, "the phases must lie on one grid, but series .* and series")


def test_phase_that_lacks_a_slice_is_refused_and_not_left_out(tmp_path):
    pre, *rest = EXAM.phases
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(0,), phases=(pre[:5],))
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(120, 240, 400), phases=(*rest, rest[1] + 5))
    refuses(tmp_path, "has 6 slices of a phase and series .* has 5 on the same grid")
