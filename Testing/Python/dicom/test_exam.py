"""An exam from a folder of DICOM images: voxels, geometry, age, and remarks."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.exam import LeftAside, Provenance, exam_to_json
from PCRPredictorLib.model.notices import about_source
from PCRPredictorLib.reading.mask import add_mask
from PCRPredictorLib.writing import write_nifti
from support.dicom_exam import EXAM, STYLES, assert_refused, write_dicom_exam, write_slice
from support.examples import AXIAL, EXAMPLE_NOTICE, SAGITTAL, TILT, tiny_exam


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("direction", [AXIAL, SAGITTAL, TILT])
def test_voxels_geometry_and_order_are_read_as_they_were_written(tmp_path, style, direction):
    exam = tiny_exam(direction, size=(12, 10, 6))
    write_dicom_exam(tmp_path / "Ä b", exam, style)
    read = read_dicom_exam(tmp_path / "Ä b")
    assert read.geometry.matches(exam.geometry)
    for ours, theirs in zip(read.phases, exam.phases, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2)


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
    assert read_dicom_exam(tmp_path).with_clinical({"Age": 60}).clinical == {"Age": 60}


@pytest.mark.parametrize(("written", "years"), [("636M", 53), ("999W", 19.1), ("53y", 53), ("018Y", 18)])
def test_age_may_be_in_months_or_weeks(tmp_path, written, years):
    write_dicom_exam(tmp_path, EXAM, "ge", PatientAge=written)
    read = read_dicom_exam(tmp_path)
    assert read.clinical["age"] == pytest.approx(years, abs=0.05)
    assert list(about_source(read.provenance)) == []


@pytest.mark.parametrize("written", ["000Y", "120Y", "999D", "053", "unknown"])
def test_invalid_age_in_the_headers_is_unknown_and_reported(tmp_path, written):
    write_dicom_exam(tmp_path, EXAM, "ge", PatientAge=written)
    read = read_dicom_exam(tmp_path)
    assert read.clinical == {}
    assert [notice.code for notice in about_source(read.provenance)] == ["age_unusable"]
    assert list(about_source(read.with_clinical({"Age": 60}).provenance)) == []


def write_without_times(folder):
    """Six phases of which nobody knows when they were taken."""
    phases = (*EXAM.phases, EXAM.late + 5, EXAM.late + 6, EXAM.late + 7)
    write_dicom_exam(folder, EXAM, "philips", times=range(6), phases=phases)


def test_phases_without_times_are_picked_by_number_with_a_warning(tmp_path):
    write_without_times(tmp_path)
    (notice,) = about_source(read_dicom_exam(tmp_path).provenance)
    assert "times of the phases are unknown. Phases 1, 2 and 6 of 6" in notice.message
    assert list(about_source(read_dicom_exam(tmp_path, pick=(0, 2, 5)).provenance)) == []


def test_guess_of_the_phases_is_in_every_result(tmp_path, bundle, capsys):
    write_without_times(tmp_path / "exam")
    write_nifti(EXAM.mask, EXAM.geometry, tmp_path / "mask.nii.gz")
    asked = {"--dicom": tmp_path / "exam", "--mask": tmp_path / "mask.nii.gz", "--model": bundle.path}
    words = [str(word) for pair in asked.items() for word in pair]
    assert run(app, ["predict", *words, "--out", str(tmp_path / "out")]) == 0
    content = json.loads((tmp_path / "out" / "prediction.json").read_text())
    report = (tmp_path / "out" / "report.html").read_text()
    for text in (capsys.readouterr().out, " ".join(w["message"] for w in content["warnings"]), report):
        assert "1, 2 and 6 of 6 (--pick 0 1 5)" in text
    late = content["exam"]["phases"]["late"]
    assert (late["index"], late["series"], late["seconds"], late["after_first_post"]) == (5, 5, None, None)


def test_description_of_the_exam_has_phases_and_grid_but_no_patient(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "siemens", PatientAge="053Y")
    content = exam_to_json(read_dicom_exam(tmp_path))
    assert content == {
        "source": "dicom",
        "phases_found": 3,
        "phases": {
            "pre": {"index": 0, "series": 5, "seconds": 0.0, "after_injection": None, "after_first_post": -120.0},
            "early": {"index": 1, "series": 6, "seconds": 120.0, "after_injection": None, "after_first_post": 0.0},
            "late": {"index": 2, "series": 7, "seconds": 400.0, "after_injection": None, "after_first_post": 280.0},
        },
        "injection_seconds": None,
        "size": [12, 10, 6],
        "spacing_mm": [1.5, 1.5, 3.0],
        "positions": "LPS, mm",
        "left_aside": [],
    }


def test_what_was_left_aside_is_described_and_warned_of_if_it_may_be_a_phase():
    aside = (LeftAside("series 8 (t1)", "has 4 of 10 slices", 4, True), LeftAside("series 2 (t2)", "is no dynamic", 10))
    provenance = Provenance("dicom", left_aside=aside, notices=(EXAMPLE_NOTICE,))
    assert [item["files"] for item in exam_to_json(replace(EXAM, provenance=provenance))["left_aside"]] == [4, 10]
    assert [notice.code for notice in about_source(provenance)] == ["example", "phase_left_aside"]


def test_of_an_exam_from_files_only_the_grid_is_known():
    content = exam_to_json(replace(EXAM, provenance=Provenance("file")))
    assert (content["source"], content["phases_found"]) == ("file", None)
    assert set(content["phases"]["pre"].values()) == {None}


def test_picked_times_are_seconds_after_the_picked_first_one(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", times=(0, 60, 120, 300), phases=(*EXAM.phases, EXAM.late + 5))
    assert read_dicom_exam(tmp_path, pick=(1, 2, 3)).provenance.phase_times == pytest.approx((0, 60, 240))


def test_picked_phases_override_the_times(tmp_path):
    write_dicom_exam(tmp_path, EXAM, "ge", times=(0, 60, 120, 300), phases=(*EXAM.phases, EXAM.late + 5))
    np.testing.assert_array_equal(read_dicom_exam(tmp_path, pick=(0, 1, 2)).late, EXAM.late)
    assert_refused(tmp_path, r"three different phases, got \(0, 1, 9\); the folder has 0: series 5", pick=(0, 1, 9))


def test_mask_made_from_mirrored_nifti_fits(tmp_path):
    write_dicom_exam(tmp_path / "dicom", EXAM, "ge")
    corner = tuple(EXAM.geometry.to_physical([0, 9, 0]))
    mirrored = replace(EXAM.geometry, origin=corner, direction=np.diag([1.0, -1, 1]))
    write_nifti(np.ascontiguousarray(EXAM.mask[:, ::-1]), mirrored, tmp_path / "mask.nii.gz")
    read = add_mask(read_dicom_exam(tmp_path / "dicom"), tmp_path / "mask.nii.gz")
    np.testing.assert_array_equal(read.mask, EXAM.mask)


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


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"PixelSpacing": [0.001, 1]}, "its voxels must be 0.05 to 20 mm wide"),
        ({"PixelSpacing": [50, 50]}, "its voxels must be 0.05 to 20 mm wide"),
        ({"ImageOrientationPatient": [1, 0.5, 0, 0, 1, 0]}, "PixelSpacing|axes must be at right angles|ImageOrient"),
    ],
)
def test_a_lattice_that_no_exam_has_is_refused(tmp_path, tags, message):
    write_dicom_exam(tmp_path, EXAM, "siemens", **tags)
    assert_refused(tmp_path, message)
