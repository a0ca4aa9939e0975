"""The fit of response models: what it reads, how it is chosen, and that it is the same each time."""

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.response.course import Course
from PCRPredictorLib.response.model import ResponseModel
from PCRPredictorLib.response.settings import settings_from_json, settings_to_json
from PCRTrainingLib.response.columns import fit_filling
from PCRTrainingLib.response.config import Candidate, ResponseConfig, choose_config, read_config
from PCRTrainingLib.response.fit import fit_response
from PCRTrainingLib.response.validate import NO_CARD, Part, predict_rows, read_rows, validate
from PCRTrainingLib.statistics.metrics import auc
from PCRTrainingLib.visit_tables.patients import read_visit_tables
from support.response.visit_tables import simulate, write_csv

CONFIG = ResponseConfig(candidates=(Candidate("changes", 0.1), Candidate("levels", 0.1)), folds=3, repeats=2)


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    return read_visit_tables([write_csv(simulate(150, 5), tmp_path_factory.mktemp("t") / "a.csv")])


@pytest.fixture(scope="module")
def fitted(patients):
    return fit_response(patients.courses, patients.labels, CONFIG)


def test_every_set_of_visits_has_a_formula_with_a_fit_per_fold(fitted):
    assert len(fitted.settings.formulas) == 16
    assert {len(formula.fits) for formula in fitted.settings.formulas} == {3}


def test_settings_survive_their_json(fitted):
    again = settings_from_json(settings_to_json(fitted.settings), fitted.schema)
    assert again == fitted.settings


def test_same_seed_gives_the_same_numbers(patients, fitted):
    assert fit_response(patients.courses, patients.labels, CONFIG).settings == fitted.settings


def test_candidate_with_the_lowest_loss_is_chosen(fitted):
    assert fitted.candidate == CONFIG.candidates[int(np.argmin(fitted.losses))]


def test_responders_have_higher_probabilities_with_any_value_missing(patients, fitted):
    model = ResponseModel(NO_CARD, fitted.schema, fitted.settings)
    part = Part("diameters", ("T0", "T2"), ("longest_diameter_mm",))
    logits = [model.logit(part.of(course), {}) for course in patients.courses]
    assert auc(np.array(logits), patients.labels) > 0.75


def test_quantity_that_nobody_has_is_left_out(fitted):
    assert {scale.quantity for scale in fitted.settings.scales} >= {"functional_volume_ml", "sphericity"}
    assert "highest_ser" not in {scale.quantity for scale in fitted.settings.scales}


def test_too_few_patients_are_one_sentence(patients):
    with pytest.raises(DataError, match="a response model needs 30 patients or more with a label"):
        fit_response(patients.courses[:20], patients.labels[:20], CONFIG)


def test_filling_finds_the_relation_of_columns_despite_unknown_values():
    rng = np.random.default_rng(0)
    first = rng.normal(size=600)
    rows = np.stack([first, 2 * first + 0.1 * rng.normal(size=600)], 1)
    rows[rng.random(600) < 0.4, 1] = np.nan
    filling = fit_filling(("a", "b"), rows, rng.integers(0, 2, 600))
    assert filling.fill({"a": 1.0}).numbers[1] == pytest.approx(1.9, abs=0.15)  # shrunk by 5 %


def test_many_patients_at_once_have_the_logits_of_the_model(patients, fitted):
    model = ResponseModel(NO_CARD, fitted.schema, fitted.settings)
    part = Part("some", ("T0", "T2"), ("longest_diameter_mm", "sphericity"), ("sphericity", "T2"))
    courses = [*patients.courses[:8], Course({"T2": patients.courses[8].visits["T2"]}, {"hr": "positive"})]
    own = [model.logit(part.of(course), fitted.schema.parse_each(course.clinical)[0]) for course in courses]
    logits, _ = predict_rows(fitted, read_rows(fitted, courses), part)
    assert logits.tolist() == pytest.approx(own, abs=1e-9)


def test_validation_leaves_each_patient_out_of_its_own_prediction(patients):
    flipped = np.random.default_rng(1).permutation(patients.labels)
    courses = [Course({}, {}, course.patient_id) for course in patients.courses]
    mixed = [Course(a.visits, a.clinical, b.patient_id) for a, b in zip(patients.courses, courses, strict=True)]
    found = validate(mixed, flipped, CONFIG, [Part("all", ("T0", "T1", "T2", "T3"))])
    assert auc(found.outcomes["all"].order, flipped) < 0.65


def test_validation_repeats_with_different_folds(patients):
    found = validate(patients.courses, patients.labels, CONFIG, [Part("T0", ("T0",))])
    one, other = found.outcomes["T0"].draws
    assert not np.array_equal(one.part, other.part)
    assert sum(found.chosen.values()) == 6


def test_configuration_of_a_file_and_its_mistakes(tmp_path):
    file = tmp_path / "config.json"
    file.write_text('{"repeats": 2, "candidates": [{"inputs": "levels", "strength": 1}]}', encoding="utf-8")
    assert read_config(file).candidates == (Candidate("levels", 1),)
    assert choose_config("quick", 7) == ResponseConfig(repeats=1, seed=7)
    file.write_text('{"repeats": 0}', encoding="utf-8")
    with pytest.raises(DataError, match="folds must be 2 or more, repeats 1 or more"):
        read_config(file)
    file.write_text('{"layers": 3}', encoding="utf-8")
    with pytest.raises(DataError, match="layers"):
        read_config(file)
