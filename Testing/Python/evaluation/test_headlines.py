"""The sentence that a report begins with."""

import pytest
from PCRTrainingLib.evaluation.headlines import compare_aucs, experiment_headline


def auc(value, low, high):
    return {"value": value, "low": low, "high": high}


def test_a_best_model_is_named_if_its_interval_is_above_all_others():
    models = [("a", auc(0.6, 0.55, 0.65)), ("b", auc(0.8, 0.75, 0.85)), ("c", auc(0.7, 0.66, 0.74))]
    assert compare_aucs(models) == "b has the highest AUC of 3 models, 0.80 (0.75 to 0.85)."


@pytest.mark.parametrize("high", [0.75, 0.9, None])
def test_no_winner_is_named_if_an_interval_reaches_the_best_one(high):
    found = compare_aucs([("a", auc(0.7, 0.65, high)), ("b", auc(0.8, 0.75, 0.85))])
    assert "highest" not in found
    assert "none is established as the best" in found


def test_an_unknown_auc_is_left_out():
    unknown = auc(None, None, None)
    assert compare_aucs([("a", unknown)]) == "no AUC can be given."
    assert compare_aucs([("a", unknown), ("b", auc(0.7, 0.6, 0.8))]) == "b has an AUC of 0.70 (0.60 to 0.80)."


def test_an_experiment_names_its_last_row_elsewhere():
    rows = [
        {"name": n, "cohorts": {"in": {"auc": auc(v, v, v)}, "out": {"auc": auc(0.6, 0.5, 0.7)}}}
        for n, v in (("base", 0.9), ("step 3", 0.7))
    ]
    found = experiment_headline({"cohorts": [{"name": "in"}, {"name": "out"}], "rows": rows})
    assert found.startswith("in: base has the highest AUC of 2 models")
    assert found.endswith("Elsewhere, step 3 has 0.60 (0.50 to 0.70) (out).")
