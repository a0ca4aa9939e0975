import math
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.clinical import Category, ClinicalSchema, Number
from PCRPredictorLib.model.additive import AdditiveModel, ClinicalBranches, possible_values, shapley
from PCRPredictorLib.model.calibration import average
from PCRPredictorLib.model.card import Typical

SCHEMA = ClinicalSchema(
    (
        Number("age", "Age", "years", 18, 100, 50, 10),
        Category("hr", "Hormone receptors", {"negative": ["0"], "positive": ["1"]}),
        Number("size", "Size", "mm", 0, 100, 30, 10, measured=True),
    )
)
LINEAR = [[(np.array([[0.5, 0.1, 0.4, -0.3, 1.0, 0.0]]) * k, np.array([0.2]))] for k in (1, 2)]
RNG = np.random.default_rng(0)
HIDDEN = [[(RNG.normal(size=(5, 6)), RNG.normal(size=5)), (RNG.normal(size=(1, 5)), np.zeros(1))] for _ in range(2)]
VALUES = {"age": 60.0, "hr": None, "size": 40.0}
IMAGE = np.array([0.3, 1.3])


@pytest.fixture
def settings(bundle):
    return replace(bundle.settings, calibration=(0.8, -0.4))


@pytest.mark.parametrize("folds", [LINEAR, HIDDEN])
@pytest.mark.parametrize("averaging", ["logit", "probability"])
@pytest.mark.parametrize("typical", [None, Typical(0.7, {"age": 0.2, "hr": -0.1})])
def test_terms_add_up_to_the_logit_of_the_probability(settings, folds, averaging, typical):
    model = AdditiveModel(ClinicalBranches(SCHEMA, folds), replace(settings, averaging=averaging, typical=typical))
    evidence = model.explain(IMAGE, VALUES)
    probability = average(model.logits(IMAGE, VALUES)[:, None], (0.8, -0.4), averaging)[0]
    assert evidence.sum_error < 1e-12
    assert evidence.logit == pytest.approx(math.log(probability / (1 - probability)))


def test_linear_terms_are_what_the_weights_say(settings):
    evidence = AdditiveModel(ClinicalBranches(SCHEMA, LINEAR), settings).explain(IMAGE, VALUES)
    terms = {term.name: term for term in evidence.terms}
    assert terms["age"].log_odds == pytest.approx(0.8 * 1.5 * (0.5 * 1 + 0.1))
    assert terms["image"].log_odds == pytest.approx(0.8 * 0.8)
    assert terms["base"].log_odds == pytest.approx(0.8 * 0.2 - 0.4)
    assert (evidence.exact, evidence.reference) == (True, "unknown")


def test_points_are_what_the_probability_loses_without_the_term(settings):
    evidence = AdditiveModel(ClinicalBranches(SCHEMA, LINEAR), settings).explain(IMAGE, VALUES)
    without = 1 / (1 + math.exp(evidence.image.log_odds - evidence.logit))
    assert evidence.image.points == pytest.approx(100 * (1 / (1 + math.exp(-evidence.logit)) - without))


def test_unknown_variable_shows_what_each_value_would_give(settings):
    model = AdditiveModel(ClinicalBranches(SCHEMA, HIDDEN), settings)
    term = next(term for term in model.explain(IMAGE, VALUES).terms if not term.known)
    given = [model.explain(IMAGE, {**VALUES, "hr": value}).logit for value in ("negative", "positive")]
    assert [1 / (1 + math.exp(-logit)) for logit in given] == pytest.approx([p.probability for p in term.possibilities])
    assert term.could_add == (min(p.log_odds for p in term.possibilities), max(p.log_odds for p in term.possibilities))


def test_typical_patient_has_no_term(settings):
    branches = ClinicalBranches(SCHEMA, LINEAR)
    vector = SCHEMA.encode(VALUES)
    typical = Typical(float(IMAGE.mean()), branches.typical_terms(np.stack([vector, vector])))
    evidence = AdditiveModel(branches, replace(settings, typical=typical)).explain(IMAGE, VALUES)
    assert [term.log_odds for term in evidence.bars if term.kind != "averaging"] == pytest.approx([0, 0, 0, 0])
    assert evidence.reference == "typical"


def test_shapley_shares_what_two_act_together():
    alone = np.diag([2.0, 3.0, 0.0])
    assert shapley(lambda x: x[:, 0] * x[:, 1], alone).tolist() == [3.0, 3.0, 0.0]


def test_many_variables_still_add_up():
    alone, weight = np.eye(14), np.arange(14.0)
    found = shapley(lambda x: np.maximum(x @ weight - 20, 0), alone)
    assert found.sum() == pytest.approx(weight.sum() - 20)


def test_known_comes_before_unknown_and_large_before_small(settings):
    terms = AdditiveModel(ClinicalBranches(SCHEMA, LINEAR), settings).explain(IMAGE, VALUES).terms
    assert terms[0].kind == "base"
    assert terms[-1].name == "hr"
    sizes = [abs(term.log_odds) for term in terms[1:-1]]
    assert sizes == sorted(sizes, reverse=True)


def test_possible_values_of_a_number_stay_inside_its_range():
    assert possible_values(Number("age", "Age", "years", 40, 100, 50, 10)) == [40, 66]  # rounded, as they are shown
