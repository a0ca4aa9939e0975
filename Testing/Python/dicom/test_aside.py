"""Every file of a folder is accounted for: it is of a phase that was found, or left aside with a reason."""

import shutil

import numpy as np
import pytest
from PCRPredictorLib.dicom.exam import find_phases, read_dicom_exam
from PCRPredictorLib.exam import exam_to_json
from PCRPredictorLib.geometry import Geometry
from PCRPredictorLib.model.notices import about_source
from support.dicom.folder import GRID, PHASES, read, write_apart, write_series, write_together
from support.dicom_exam import assert_refused


def write_hospital_folder(folder):
    """Write an exam between other series, copies and files of all kinds, 55 in all."""
    write_apart(folder, SeriesDescription="t1 dyn")
    write_series(folder / "loc", 1, np.zeros((3, 16, 16)), -900, geometry=Geometry((16, 16, 3), (4.0, 4.0, 9.0)))
    write_series(folder / "t2", 2, PHASES[0], -600, ScanningSequence="SE", SeriesDescription="t2 tse")
    write_series(folder / "map", 3, PHASES[0], -300, FlipAngle="2", SeriesDescription="t1 map")
    for p in range(1, 5):
        kind = ["DERIVED", "PRIMARY", "M", "SUB"]
        write_series(folder / f"sub{p}", 20 + p, PHASES[p] - PHASES[0], 0, ImageType=kind, SeriesDescription="t1 sub")
    shutil.copytree(folder / "series6", folder / "copy of SECRET")
    for name in ("SECRET Anna.txt", "viewer.exe", ".DS_Store"):
        (folder / name).write_bytes(b"content")
    (folder / "t2" / "IM9").write_bytes(b"")


def count_files(folder):
    return sum(path.is_file() for path in folder.rglob("*"))


def test_every_file_is_used_or_named_with_its_reason(tmp_path):
    write_hospital_folder(tmp_path)
    found = find_phases(tmp_path)
    used = {s.file for phase in found.phases for s in phase.slices}
    assert len(used) + sum(item.files for item in found.left_aside) == count_files(tmp_path) == 55
    assert all(item.reason for item in found.left_aside)


@pytest.mark.parametrize("held", [lambda p: range(4 if p < 4 else 2), lambda p: range(4 if p else 3)])
def test_every_file_is_accounted_for_if_a_phase_is_incomplete(tmp_path, held):
    write_together(tmp_path, slices=held)
    found = find_phases(tmp_path, by_hand=True)
    whole = sum(len(phase.slices) for phase in found.phases if not phase.fault)
    assert whole + sum(item.files for item in found.left_aside) == count_files(tmp_path)


def test_what_is_left_aside_names_series_and_never_the_patient(tmp_path):
    write_hospital_folder(tmp_path)
    exam = read_dicom_exam(tmp_path)
    content = exam_to_json(exam)["left_aside"]
    assert {"series 2 (t2 tse)", "series 6 (t1 dyn)", "series 21 (t1 sub)"} <= {item["name"] for item in content}
    assert "SECRET" not in str(content)
    warned = [notice.message for notice in about_source(exam.provenance) if notice.code == "phase_left_aside"]
    assert len(warned) == 1
    assert "may be a phase of this exam: series 3 (t1 map)" in warned[0]


def test_refusal_names_everything_that_must_be_mended_at_once(tmp_path):
    write_apart(tmp_path, lambda p, k: {"EchoTime": "3"} if p == 0 else {})
    next((tmp_path / "series8").iterdir()).unlink()
    (tmp_path / "IM1.dcm").write_bytes(b"")
    assert_refused(
        tmp_path, r"phase 2, series 8 .*, has 3 of 4 slices; series 5 .* echo time is 3 ms .* is empty: IM1.dcm"
    )


@pytest.mark.parametrize("pixel", [0.75, 3.0])
def test_second_dynamic_is_a_warning_and_refused_if_it_is_finer(tmp_path, pixel):
    write_apart(tmp_path)
    geometry = Geometry((6, 6, 4), (pixel, pixel, 3.0), GRID.origin)
    for p in range(7):
        tags = {"SeriesDescription": "fast", "SeriesInstanceUID": "1.7", "EchoTime": "1"}
        write_series(tmp_path, 30, np.full((4, 6, 6), 9 * p), 600 + 9 * p, geometry=geometry, **tags)
    if pixel > 1.5:
        assert_refused(
            tmp_path, r"series \d \(dyn T1\) may be a phase of the exam but is of a second dynamic acquisition"
        )
    else:
        aside = find_phases(tmp_path).left_aside
        assert [(item.looks_like_phase, item.reason[:38]) for item in aside] == [
            (True, "is of a second dynamic acquisition, si")
        ] * 5


@pytest.mark.parametrize(("pick", "codes"), [((0, 1, 3), []), ((1, 2, 3), ["pre_enhanced"])])
def test_first_phase_that_shows_contrast_already_is_a_warning(tmp_path, pick, codes):
    vessels, glands = np.arange(256).reshape(PHASES[0].shape) < 9, np.arange(256).reshape(PHASES[0].shape) > 249
    for p, (washout, uptake) in enumerate(((0, 0), (90, 20), (40, 60), (20, 80))):
        write_series(tmp_path, 5 + p, PHASES[0] + washout * vessels + uptake * glands, 80 * p)
    assert read(tmp_path, pick)[2] == codes
