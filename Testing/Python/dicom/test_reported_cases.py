"""Folders as public reports describe them, with the command that a user types: what is predicted, what is refused."""

import json

import numpy as np
import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.writing import write_nifti
from support.dicom.folder import GRID, TIMES, write_apart, write_together
from support.dicom_exam import clock

MASK = (np.indices(GRID.shape)[2] > 4).astype(np.uint8)


@pytest.fixture
def predict(tmp_path, bundle, capsys):
    """Run `pcr predict --dicom` on the folder `exam`; return the exit code, series taken, warnings and last line."""
    write_nifti(MASK, GRID, tmp_path / "mask.nii.gz")

    def ask(*words):
        given = ["--dicom", tmp_path / "exam", "--mask", tmp_path / "mask.nii.gz", "--model", bundle.path]
        code = run(app, ["predict", *map(str, given), "--out", str(tmp_path / "out"), *words])
        said = capsys.readouterr().err.replace("\n", " ")
        if code:
            assert not (tmp_path / "out").exists()
            return code, said
        content = json.loads((tmp_path / "out" / "prediction.json").read_text())
        series = [phase["series"] for phase in content["exam"]["phases"].values()]
        return code, series, content["exam"]["left_aside"], [warning["code"] for warning in content["warnings"]]

    return ask


def test_echo_time_that_differs_by_two_microseconds(predict, tmp_path):
    """rordenlab/dcm2niix, issue 416: the pre-contrast series was dropped."""
    write_apart(tmp_path / "exam", lambda p, k: {"EchoTime": "2.351" if p else "2.349"})
    code, series, aside, _ = predict()
    assert (code, series, aside) == (0, [5, 7, 9], [])


def test_files_of_the_first_series_are_empty(predict, tmp_path):
    """TIGRLab/datman, issue 355: the rest was taken, from the first enhanced series on."""
    write_apart(tmp_path / "exam")
    for file in (tmp_path / "exam" / "series5").iterdir():
        file.write_bytes(b"")
    code, said = predict()
    assert code == 1
    assert "4 unreadable files are empty: series5/" in said
    code, series, aside, warnings = predict("--pick", "0", "1", "3")
    assert (code, series, aside[0]["files"]) == (0, [6, 7, 9], 4)
    assert "phase_left_aside" in warnings


def test_name_of_the_patient_ends_in_carets(predict, tmp_path):
    """fo-dicom/fo-dicom, issue 765: one patient counted as two."""
    write_apart(tmp_path / "exam", lambda p, k: {"PatientName": "Test^One" if p else "Test^One^^^"})
    assert predict()[:3] == (0, [5, 7, 9], [])


def test_dynamic_is_stopped_by_hand(predict, tmp_path):
    """rordenlab/dcm2niix, issue 357: nothing was found at all."""
    write_together(tmp_path / "exam", slices=lambda p: range(4 if p < 4 else 2))
    code, said = predict()
    assert code == 1
    assert "phase 4, series 5 (dyn T1), has 2 of 4 slices" in said
    code, _, aside, warnings = predict("--pick", "0", "1", "3")
    assert (code, aside[0]["reason"], aside[0]["looks_like_phase"]) == (0, "has 2 of 4 slices", True)
    assert "phase_left_aside" in warnings


def test_every_slice_position_is_a_series(predict, tmp_path):
    """rordenlab/dcm2niix, issue 495: several dynamic series were seen."""
    tags = {"SeriesNumber": 10000}
    write_together(
        tmp_path / "exam",
        lambda p, k: {"SeriesInstanceUID": f"1.2.{k}", "AcquisitionTime": clock(TIMES[p])},
        count=4,
        **tags,
    )
    assert predict()[:3] == (0, [10000] * 3, [])
