"""Folders that hold no exam, or more than one."""

import contextlib
from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.errors import DataError
from support.dicom_exam import (
    EXAM,
    assert_refused,
    clock,
    write_dicom_exam,
    write_pre_apart,
    write_slice,
)
from support.examples import AXIAL, TILT, tiny_exam


def test_two_versions_of_the_same_moments_are_refused(tmp_path):
    for number in range(2):
        for stored, (phase, time) in enumerate(zip(EXAM.phases, (0, 120, 400), strict=True)):
            tags = {"ContentTime": clock(500 * number + 99 * stored)}
            write_dicom_exam(tmp_path, EXAM, "siemens", (time,), [phase + number], **tags)
    assert_refused(tmp_path, r"series (\d) \(dyn T1\) and series \1 \(dyn T1\) were taken at the same time")


def test_filtered_and_unfiltered_copies_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens")
    write_dicom_exam(tmp_path, EXAM, "siemens", ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])
    assert_refused(tmp_path, "has several dynamic series")


def test_two_patients_in_a_folder_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    write_dicom_exam(tmp_path, EXAM, "ge", PatientID="SECRET-8")
    assert_refused(tmp_path, "holds more than one patient")


def test_birth_date_tells_patients_apart_where_names_are_removed(tmp_path):
    for series, born in (("1.2.3", "19700101"), ("1.2.4", "19810203")):
        tags = {"PatientID": "", "PatientName": "", "PatientBirthDate": born, "SeriesInstanceUID": series}
        write_dicom_exam(tmp_path, EXAM, "ge", **tags)
    assert_refused(tmp_path, "holds more than one patient")


def test_two_phases_are_too_few(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(0, 100), phases=EXAM.phases[:2])
    assert_refused(tmp_path, r"at least 3 whole phases on one grid, got 2 \(found series 5 \(dyn T1\), series 6")


def test_phases_on_different_grids_are_refused_naming_both(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(0, 100), phases=EXAM.phases[:2])
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0)))
    write_dicom_exam(tmp_path, moved, "siemens", times=(300,), phases=EXAM.phases[2:])
    assert_refused(tmp_path, r"one grid, but series . .* and series . .* differ in origin \(.* against .* mm\)")


def test_missing_slices_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    next(iter(tmp_path.iterdir())).unlink()
    assert_refused(tmp_path, r"got 2 \(found series 5 .*, of which a phase has 5 of 6 slices\)")


def test_slices_missing_from_every_phase_are_refused(tmp_path):
    for number, phase in enumerate(EXAM.phases):
        for k in (0, 1, 2, 4, 5):
            tags = {"SeriesInstanceUID": f"1.2.{number}", "AcquisitionTime": f"1{number}0000", "SeriesNumber": number}
            write_slice(tmp_path, EXAM.geometry, phase[k], k, 1, tags)
    assert_refused(tmp_path, "slices are missing, their distances differ")


@pytest.mark.parametrize("style", ["ge", "siemens"])
@pytest.mark.parametrize("instance", [1, 3, 6])
def test_pre_contrast_phase_that_lacks_a_slice_is_never_passed_over(tmp_path, style, instance):
    write_pre_apart(tmp_path, style)
    next(f for f in (tmp_path / "pre").iterdir() if pydicom.dcmread(f).InstanceNumber == instance).unlink()
    assert_refused(tmp_path, r"phase 0, series 4 \(dyn pre\), has 5 of 6 slices; .* \(0: series 4 .*, 1: series 5")


def test_pre_contrast_phase_with_more_slices_is_never_passed_over(tmp_path):
    write_pre_apart(tmp_path, exam=tiny_exam(size=(12, 10, 7)))
    assert_refused(tmp_path, r"phase 0, series 4 \(dyn pre\), has 7 slices instead of 6")


@pytest.mark.parametrize("turn", [AXIAL, TILT])
def test_pre_contrast_phase_that_lies_elsewhere_is_never_passed_over(tmp_path, turn):
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0), direction=turn))
    write_pre_apart(tmp_path, exam=moved)
    assert_refused(
        tmp_path,
        r"series 4 \(dyn pre\) may be a phase of the exam but lies (on a different grid|in a different)",
    )


def test_pixels_cut_short_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    file = next(iter(tmp_path.iterdir()))
    file.write_bytes(file.read_bytes()[:-50])
    assert_refused(tmp_path, rf"1 of 6 images that cannot be used \(the first is cut short\) \({file.name}\)")


def test_derived_images_alone_are_refused(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", ImageType=["DERIVED", "SECONDARY"])
    assert_refused(tmp_path, r"at least 3 whole phases on one grid, got 0 \(found only other images\)")


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
    assert_refused(tmp_path, r"several dynamic series, series . \(dyn T1\) or series")


@pytest.mark.parametrize("later", [3, 4])
def test_baseline_and_follow_up_are_refused_as_two_studies(tmp_path, later):
    write_dicom_exam(tmp_path, EXAM, "ge")
    phases = (*EXAM.phases, EXAM.late + 5)[:later]
    write_dicom_exam(tmp_path, EXAM, "ge", (0, 100, 200, 300)[:later], phases, StudyInstanceUID="1.2.3", SeriesNumber=9)
    assert_refused(tmp_path, r"holds 2 studies with a dynamic acquisition each \(.*3 phases from series 5 \(dyn T1\)")
    assert_refused(tmp_path, rf"{later} phases from series 9 \(dyn T1\).*; give a folder with one study")


def test_duplicate_slice_is_reported_only_for_its_series(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge")
    file = next(iter(tmp_path.iterdir()))
    data = pydicom.dcmread(file)
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    data.PixelData = bytes(len(data.PixelData))
    data.save_as(tmp_path / "again")
    assert_refused(tmp_path, r"got 2 \(found .*, of which a phase has a slice twice, with different pixels\)")


def test_empty_and_missing_folders_are_refused(tmp_path):
    assert_refused(tmp_path, "has no DICOM images")
    assert_refused(tmp_path / "nowhere", "does not exist")


def test_phase_that_would_be_left_out_is_refused_since_an_enhanced_one_would_pass_for_it(tmp_path):
    pre, early, late = EXAM.phases
    moved = replace(EXAM, geometry=replace(EXAM.geometry, origin=(5.0, 5.0, 5.0)))
    write_dicom_exam(tmp_path, moved, "siemens", times=(0,), phases=(pre,), SeriesDescription="dyn pre")
    rest = (early, late, late + 5)
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(120, 240, 400), phases=rest, SeriesDescription="dyn post")
    assert_refused(tmp_path, r"series 5 \(dyn pre\) may be a phase of the exam but lies on a different grid")


def test_phase_that_lacks_a_slice_is_refused_and_not_left_out(tmp_path):
    pre, *rest = EXAM.phases
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(0,), phases=(pre[:5],))
    write_dicom_exam(tmp_path, EXAM, "siemens", times=(120, 240, 400), phases=(*rest, rest[1] + 5))
    assert_refused(tmp_path, r"phase 0, series 5 \(dyn T1\), has 5 of 6 slices")
