"""Phantom patients under treatment: the same body at each visit, a tumour that responds, and the truth."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.phantom import visits as module
from PCRPredictorLib.phantom.cohort import TRUTH, write_courses
from PCRPredictorLib.phantom.patient import make_patient
from PCRPredictorLib.phantom.site import SITES
from PCRPredictorLib.phantom.treatment import Remains, State, draw_states
from PCRPredictorLib.phantom.visits import make_course
from PCRPredictorLib.response.measure import measure_visit
from scipy import ndimage

SITE = replace(SITES["A"], name="V", noise=0.0)


@pytest.fixture(scope="module")
def course():
    return make_course(SITE, 3)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    out = tmp_path_factory.mktemp("phantom") / "cohort"
    write_courses(out, 1, SITES["A"], visits=2, shrinkage="pieces")
    return out


def test_the_first_visit_is_the_patient_without_treatment(course):
    exam = make_patient(SITE, 3).exam
    assert all(np.array_equal(*pair) for pair in zip(exam.phases, course.visits[0].exam.phases, strict=True))


def test_the_truth_is_what_is_measured_without_noise(course):
    for visit in course.visits:
        found = measure_visit(visit.exam).values
        truth = visit.truth["functional_volume_ml"]
        assert found.functional_volume_ml == pytest.approx(truth, rel=0.05, abs=0.05)
        assert found.longest_diameter_mm == visit.truth["longest_diameter_mm"]


def test_the_body_moves_with_its_tumour(course):
    first = course.visits[0].exam
    for visit in course.visits[1:]:
        assert visit.exam.has_tumour
        expected = visit.motion @ np.append(first.centre, 1)
        assert np.linalg.norm(expected[:3] - visit.exam.centre) < 0.25 * course.traits.diameter


def test_days_rise_and_tumours_of_responders_shrink_more():
    courses = {pcr: [draw_states(np.random.default_rng(n), pcr, 4) for n in range(200)] for pcr in (0, 1)}
    assert all(np.diff([state.day for state in states]).min() > 10 for states in courses[0])
    left = {pcr: np.array([[state.left for state in states] for states in courses[pcr]]) for pcr in (0, 1)}
    assert (np.diff(left[0]) <= 0).all()
    assert (np.median(left[1], 0)[1:] < np.median(left[0], 0)[1:]).all()
    assert (left[1][:, 3] == 0).mean() > (left[0][:, 3] == 0).mean() + 0.2


def test_what_is_left_has_its_share_of_the_volume_and_lies_in_one_or_in_pieces():
    frame, k = type("Frame", (), {}), np.indices((40, 40, 40))
    distance = np.linalg.norm(k - np.full((3, 1, 1, 1), 20), axis=0) - 15
    noise = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal(distance.shape), 3)
    frame.field = lambda _rng, _scale: noise / noise.std()
    pieces = {}
    for shrinkage in ("concentric", "pieces"):
        rest = Remains(0.3, 1.0, shrinkage, np.random.default_rng(0)).recede(frame, distance, 15.0) < 0
        assert rest.sum() == pytest.approx(0.3 * (distance < 0).sum(), rel=0.05)
        pieces[shrinkage] = ndimage.label(rest)[1]
    assert pieces["concentric"] == 1 < pieces["pieces"]


def test_a_tumour_that_is_gone_leaves_an_empty_mask_and_values_of_0(monkeypatch):
    gone = (State("T0", 0), State("T1", 21, left=0.0))
    monkeypatch.setattr(module, "draw_states", lambda *_: gone)
    visit = make_course(SITE, 3).visits[1]
    assert not visit.exam.mask.any()
    assert (visit.truth["functional_volume_ml"], visit.truth["longest_diameter_mm"]) == (0, 0)
    assert visit.truth["sphericity"] is None


def test_a_cohort_with_visits_has_days_masks_and_the_truth(cohort):
    name = "PHANTOM_A_0001"
    assert (cohort / "images" / name / "T1" / f"{name.lower()}_0002.nii.gz").is_file()
    assert (cohort / "segmentations" / "expert" / f"{name.lower()}_T1.nii.gz").is_file()
    with (cohort / TRUTH).open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["visit"], row["gone"]) for row in rows] == [("T0", "0"), ("T1", "0")]
    with (cohort / "clinical_and_imaging_info.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (int(row["day_T1"]) == int(rows[1]["day"])) and row["acquisition_times_T1"] == row["acquisition_times"]


@pytest.mark.parametrize(
    ("given", "message"), [({"visits": 5}, "visits must be 1 to 4"), ({"shrinkage": "x"}, "pieces")]
)
def test_impossible_visits_are_refused(tmp_path, given, message):
    with pytest.raises(DataError, match=message):
        write_courses(tmp_path / "cohort", 1, SITE, **given)
    assert not (tmp_path / "cohort").exists()
