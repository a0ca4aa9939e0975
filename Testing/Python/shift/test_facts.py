import numpy as np
import pytest
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.shift.facts import (
    PatientFacts,
    describe_acquisition,
    facts_of_exam,
    make_facts,
    summarise,
    summarise_training,
)
from support.card_and_schema import SCHEMA
from support.examples import AXIAL, CORONAL, SAGITTAL, TILT, tiny_exam


@pytest.mark.parametrize(
    ("direction", "plane"), [(AXIAL, "axial"), (SAGITTAL, "sagittal"), (CORONAL, "coronal"), (TILT, "axial")]
)
def test_plane_and_slice_spacing_are_those_of_the_lattice(direction, plane):
    found = describe_acquisition(Geometry((20, 20, 8), (0.7, 0.7, 2.5), direction=direction))
    assert found == {"plane": plane, "slice_spacing": 2.5}


def test_facts_of_an_exam_hold_no_identifier():
    found = facts_of_exam(tiny_exam(), SCHEMA, 0.3, 1)
    assert found.numbers["age"] == 52
    assert (found.numbers["early"], found.numbers["pixel_spacing"]) == (120, 1.5)
    assert found.categories == {"plane": "axial"}
    assert "SECRET" not in repr(found)


def test_what_is_not_known_is_left_out():
    row = {"age": "old", "hr": "1", "manufacturer": "n/a", "field_strength": "1.50", "fat": "yes"}
    found = make_facts(row, {"early": None}, {"tumour_volume": float("nan")}, {}, SCHEMA)
    assert found == PatientFacts({}, {"hr": "positive", "field_strength": "1.5 T"})


@pytest.mark.parametrize("text", ["GE", " ge ", "GE MEDICAL SYSTEMS"])
def test_manufacturers_are_one_in_any_spelling(text):
    assert make_facts({"manufacturer": text}, {}, {}, {}, SCHEMA).categories["manufacturer"] == "GE"


def test_training_distribution_has_no_value_of_a_few_patients():
    patients = [PatientFacts({"age": 40 + k, "early": 100}, {"manufacturer": "GE"}, k % 2) for k in range(12)]
    patients[0] = PatientFacts({"age": 40, "late": 300}, {"manufacturer": "RARE"}, 0)
    found = summarise_training(patients, SCHEMA)
    assert (found.patients, found.pcr) == (12, 6)
    assert found.find("age").percentiles["50"] == 45.5
    assert found.find("late").percentiles == {} and found.find("late").mean is None
    assert "RARE" not in found.find("manufacturer").shares


def test_nobody_has_empty_distributions():
    assert {each.patients for each in summarise([], SCHEMA, least=1)} == {0}
    assert np.all([not each.percentiles and not each.shares for each in summarise([], SCHEMA, least=1)])


def test_late_phase_is_that_of_the_table_if_the_exam_does_not_tell():
    row = {"acquisition_times": "[0, 100, 200, 400]"}
    assert make_facts(row, {"early": 100, "late": None}, {}, {}, SCHEMA).numbers == {"early": 100, "late": 300}
    assert make_facts(row, {"late": 250}, {}, {}, SCHEMA).numbers == {"late": 250}
