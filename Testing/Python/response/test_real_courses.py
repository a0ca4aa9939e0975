"""The model that ships, on real patients of the trial's table: sums, and ranges that hold."""

import csv
import math

import numpy as np
import pytest
from PCRPredictorLib.model.training_marks import known_patients
from PCRPredictorLib.response.bundle import find_response, load_response
from PCRPredictorLib.response.course import VISITS, Course, Visit, VisitValues

PATIENTS = 60


@pytest.fixture(scope="module")
def model():
    return load_response(find_response())


@pytest.fixture
def courses(real_cohort):
    """The first patients of the table, without clinical values."""
    table = real_cohort.parent / "ispy2_visits.csv"
    if not table.is_file():
        pytest.skip(f"needs {table}")
    with table.open() as file:
        rows = [row for row, _ in zip(csv.DictReader(file), range(PATIENTS), strict=False)]
    return [Course({v: Visit(v, _values(row, v)) for v in VISITS}, {}, row["patient_id"]) for row in rows]


def _values(row, visit):
    names = ("ftv_ml", "longest_diameter_cm", "sphericity", "bpe_percent")
    volume, diameter, sphericity, background = (float(row[f"{name}_{visit}"]) for name in names)
    return VisitValues(volume, 10 * diameter, sphericity, background)


def test_terms_add_up_to_the_probability_of_every_visit(model, courses):
    for course in courses[:20]:
        for found in model.predict(course).visits:
            total = math.fsum(term.log_odds for term in found.evidence.terms)
            assert 1 / (1 + math.exp(-total)) == pytest.approx(found.probability, abs=1e-9)


def test_the_range_of_what_is_unknown_holds_the_probability_with_everything_known(model, courses):
    inside = []
    for course in (course.until("T2") for course in courses):
        mm = {v.name: VisitValues(longest_diameter_mm=v.values.longest_diameter_mm) for v in course}
        told = model.predict(Course({name: Visit(name, each) for name, each in mm.items()})).last
        low, high = told.missing_interval
        inside.append(low <= model.predict(course).last.probability <= high)
    assert np.mean(inside) >= 0.8


def test_a_patient_that_the_model_was_trained_on_is_told(model, courses):
    assert known_patients([courses[0].patient_id], model.training_patients)
    assert "trained_on_patient" in {notice.code for notice in model.predict(courses[0]).notices}
