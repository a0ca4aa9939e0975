"""The files of a follow-up: all of them or none."""

import json

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.follow import files
from PCRPredictorLib.follow.files import write_follow_up
from PCRPredictorLib.reading.images import read_volume
from support.follow.examples import RESPONSE_MODEL, in_place, tiny_course, tiny_exams, tiny_prediction, without_tumour

EVERY = {"follow.json", "visits.csv", "report.html", "course.png", "course.svg"}


@pytest.fixture
def write(tmp_path):
    """Write a follow-up with two exams, the tumour shrunk at the second; return the names of the files."""

    def write_exams(exams=None, visits=2, **options):
        exams = tiny_exams(2) if exams is None else exams
        course = tiny_course(visits, exams)
        options = {"registrations": in_place(exams) if len(exams) > 1 else {}, "model": RESPONSE_MODEL, **options}
        write_follow_up(course, tiny_prediction(course), tmp_path / "out", **options)
        return {path.name for path in (tmp_path / "out").iterdir()}

    return write_exams


def test_every_file_is_written(write):
    assert write() == EVERY | {"comparison.png", "tumour_T0.nii.gz", "tumour_T1.nii.gz"}


def test_values_alone_give_all_but_pictures_and_masks(write):
    assert write([]) == EVERY


def test_mask_of_a_tumour_that_is_gone_is_empty(write, tmp_path):
    exams = tiny_exams(2)
    write([exams[0], without_tumour(exams[1])])
    array, geometry = read_volume(tmp_path / "out" / "tumour_T1.nii.gz")
    assert not array.any()
    assert geometry.matches(exams[1].geometry)


def test_what_was_drawn_does_not_count_at_a_visit_at_which_the_tumour_is_gone(write, tmp_path):
    write(tiny_exams(4), 4)
    assert not read_volume(tmp_path / "out" / "tumour_T3.nii.gz")[0].any()


def test_files_of_an_earlier_follow_up_do_not_stay(write):
    write()
    assert write([]) == EVERY


def test_a_mask_that_the_user_keeps_is_not_replaced(write, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "tumour_T1.nii.gz").write_bytes(b"mine")
    with pytest.raises(DataError, match=r"tumour_T1.nii.gz: is there already, and of no earlier result"):
        write()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["tumour_T1.nii.gz"]


def test_after_an_error_nothing_is_left(write, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "render_follow_up", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write()
    assert [*tmp_path.iterdir()] == []


def test_visits_are_registered_if_that_was_not_done(write, tmp_path):
    write(registrations=None)
    second = json.loads((tmp_path / "out" / "follow.json").read_text())["visits"][1]
    assert second["registration"]["message"]
    assert np.shape(second["registration"]["matrix"]) == (4, 4)


def test_results_in_dicom_that_are_not_possible_are_refused_before_anything_is_written(write, tmp_path):
    with pytest.raises(DataError, match="results in DICOM need an exam that was read from DICOM"):
        write(dicom=True)
    assert [*tmp_path.iterdir()] == []
