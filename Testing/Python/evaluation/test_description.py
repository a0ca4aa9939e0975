"""Subgroups in the results of an evaluation."""

import numpy as np
from PCRTrainingLib.evaluation.description import measure_model
from PCRTrainingLib.statistics.operating import Outcome

RNG = np.random.default_rng(0)
LABEL = (np.arange(80) % 2).astype(int)
GOOD = 1 / (1 + np.exp(-(2.0 * LABEL - 1 + RNG.normal(size=80))))


def outcome(name, probability):
    return Outcome(name, probability, probability, probability >= 0.5, probability)


def test_ages_ascend_among_the_subgroups():
    bins = np.resize(["over 70", "up to 40", "41 to 50"], len(LABEL))
    found = measure_model(outcome("m", GOOD), LABEL, {"age": bins})["subgroups"]
    assert [group["group"] for group in found] == ["up to 40", "41 to 50", "over 70"]


def test_subgroups_are_counted_and_small_ones_have_no_auc():
    groups = {"site": np.array(["A"] * 40 + ["B"] * 36 + ["C"] * 3 + [""])}
    found = measure_model(outcome("m", GOOD), LABEL, groups)["subgroups"]
    assert [(g["group"], g["patients"]) for g in found] == [("A", 40), ("B", 36), ("C", 3)]
    assert found[2]["auc"] is None
    assert found[0]["auc"]["value"] > 0.8
