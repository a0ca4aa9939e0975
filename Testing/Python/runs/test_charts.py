"""Charts and rows of a run, as points and texts."""

from PCRTrainingLib.charts import model_row, result_charts, training_charts
from PCRTrainingLib.run_folder import RunFolder
from PCRTrainingLib.run_state import read_curves, read_models


def test_curves_are_by_epoch_and_only_what_was_measured(trained):
    loss, attention = training_charts(RunFolder(trained))
    assert (loss.key, list(loss.curves), list(attention.curves)) == (
        "Loss",
        ["step1", "step2", "step3"],
        ["step2", "step3"],
    )
    assert loss.curves["step2"] == [
        (k + 1.0, v) for k, v in enumerate(read_curves(RunFolder(trained))["step2"]["loss"])
    ]


def test_results_have_a_roc_a_calibration_and_a_decision_curve_per_model(trained):
    models = read_models(RunFolder(trained))
    charts = result_charts([*models, {"name": "without curves"}])
    for chart in charts:
        assert list(chart.curves) == [f"{m['name']}, {m['cohort']}" for m in models]
    roc, _, benefit = charts
    assert benefit.curves[next(iter(roc.curves))][0][0] == 0.05
    assert roc.curves[next(iter(roc.curves))][-1] == (1, 1)


def test_row_of_a_model_has_its_attention():
    model = {"name": "a", "auc": {"value": 0.7, "low": 0.6, "high": 0.8}, "attention": {"in_tumour": 0.5}}
    row = model_row(model)
    assert (row["auc"], row["attention_in_tumour"]) == ("0.70 (0.60 to 0.80)", "0.50")
    assert model_row({"name": "b", "attention": None})["attention_in_tumour"] == "–"


def test_results_of_an_older_run_have_no_decision_curve():
    model = {"name": "a", "cohort": "b", "roc": {"false_positive_rate": [0, 1], "sensitivity": [0, 1]}}
    roc, _, benefit = result_charts([model | {"calibration_curve": []}])
    assert (list(roc.curves), benefit.curves) == (["a, b"], {})
