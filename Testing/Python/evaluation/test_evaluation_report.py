import base64
import re
from functools import cache
from types import SimpleNamespace

import pytest
from PCRPredictorLib.errors import Problem
from PCRPredictorLib.prediction import RESEARCH_USE_ONLY
from PCRTrainingLib.evaluation.description import count_reasons
from PCRTrainingLib.evaluation.report import experiment_markdown, render_evaluation, render_experiment
from PCRTrainingLib.statistics.plots import (
    calibration_plot,
    decision_plot,
    forest_plot,
    roc_plot,
    training_plot,
)
from support.examples import MEASURED, MODEL, PAIR, interval

ODD = '<b>odd</b> & "strange" | $x_'


EVALUATION = {
    "kind": "evaluation",
    "cohorts": [
        {
            "name": "elsewhere",
            "patients": 212,
            "positives": 67,
            "left_out": 4,
            "best_possible_auc": interval(0.81, 0.76, 0.86),
            "models": [MODEL, MODEL | {"name": "clinical", "auc": interval(0.65, 0.58, 0.72), "attention": None}],
            "comparisons": [PAIR],
        }
    ],
    "models": [{"name": "stepwise", "version": "1.2.0", "training_data": "four collections", "checksum": "abc123"}],
    "versions": {"torch": "2.7.0"},
}
FOUND = {
    **MEASURED,
    "interval_over": "patients and seeds",
    "auc": interval(0.73, 0.66, 0.80),
    "auc_per_seed": [0.715, 0.701, 0.742],
    "sensitivity": interval(0.61, 0.49, 0.73),
    "specificity": interval(0.68, 0.59, 0.77),
    "sensitivity_at_baseline_specificity": interval(0.63, 0.51, 0.75),
    "brier": interval(0.177, 0.16, 0.19),
    "attention_in_tumour": interval(0.52, 0.5, 0.54),
    "pointing_game": interval(0.91, 0.88, 0.94),
    "attention_map": "attention",
    "enhancement": {"own": {"in_tumour": 0.29}},
    "gap_closed": 0.37,
}
NOTHING = dict.fromkeys(FOUND) | {"auc": interval(None), "auc_per_seed": [None]}
EXPERIMENT = {
    "kind": "experiment",
    "title": "Baselines against steps",
    "seeds": [0, 1, 2],
    "training": {"name": "phantom", "patients": 600, "positives": 181, "left_out": 3, "folds": 5},
    "cohorts": [
        {"name": "out of fold", "role": "out of fold", "patients": 597, "positives": 180, "best_possible_auc": 0.82},
        {"name": "elsewhere", "role": "external", "patients": 212, "positives": 67, "best_possible_auc": None},
    ],
    "rows": [
        {"name": "clinical", "what": "no image", "cohorts": {"out of fold": NOTHING}},
        {"name": "step 3", "what": "the whole", "cohorts": {"out of fold": FOUND, "elsewhere": FOUND}},
    ],
    "comparisons": [
        {
            "cohort": "elsewhere",
            **PAIR,
            "model": "step 3",
            "p": 0.0002,
        }
    ],
    "config": {"learning_rate": 0.0003},
    "seconds": 5400.0,
    "versions": {"torch": "2.7.0"},
}


def evaluation(model=None, **changes):
    """Return the page of one cohort with these changes and, if given, with one changed model."""
    cohort = EVALUATION["cohorts"][0] | changes
    if model is not None:
        cohort |= {"models": [MODEL | model], "comparisons": []}
    return render_evaluation(EVALUATION | {"cohorts": [cohort]})


@cache
def shown(render):
    """Return the example, rendered."""
    return render(EVALUATION if render is render_evaluation else EXPERIMENT)


def pictures(page):
    return [base64.b64decode(data).decode() for data in re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)]


def odd(value):
    """Return the same content with odd text everywhere."""
    if isinstance(value, dict):
        return {key: odd(item) for key, item in value.items()}
    if isinstance(value, list):
        return [odd(item) for item in value]
    return ODD if isinstance(value, str) else value


@pytest.mark.parametrize(
    "words",
    [
        "to 0.71 (0.64 to 0.78) (stepwise). The intervals overlap",
        "212 patients, 67 with pCR. Best possible AUC 0.81 (0.76 to 0.86). 4 more were left out.",
        *("0.62 (0.51 to 0.73)", "0.69 (0.59 to 0.79)", "0.66 (0.58 to 0.74)", "0.182 (0.161 to 0.203)"),
        *("0.57 (0.47 to 0.67)", "balanced", ">0.31<", "0.48 (0.35 to 0.61)"),
        *("+0.056 (−0.012 to +0.124)", ">0.034<", ">0.65<", ">0.72<", ">0.60<", "+0.118 (+0.021 to +0.215)"),
        *(">0.102<", ">0.017<", ">0.051<", "p is adjusted for 1 comparison (Holm)"),
        *("0.87 (0.41 to 1.33)", "−0.05 (−0.36 to 0.27)", "0.034 (0.011 to 0.088)"),
        *(">91<", ">46 (36 to 57)<", ">121<", ">21 (14 to 28)<", "If 10 % respond", ">22 (10 to 30)<", ">5 (1 to 8)<"),
        *("Net benefit", "Threshold 30 %", "everybody counted as pCR", "Decision curve"),
        "Intervals are over patients. With one seed they lack the variability over seeds and folds.",
        *("breast density", "dense", ">43<", ">12<", "0.75 (0.55 to 0.95)", ">0.84<"),
        *("Grad-CAM", "0.41 (0.33 to 0.49)", "0.88 (0.80 to 0.96)", ">0.07<"),
        *("0.37 (0.31 to 0.43)", "no model", "early enhancement", "0.29 (0.28 to 0.30)", "0.85 (0.83 to 0.87)"),
        *("1.2.0", "four collections", "abc123", "torch 2.7.0", RESEARCH_USE_ONLY),
    ],
)
def test_evaluation_shows(words):
    assert words in shown(render_evaluation)


EXPERIMENT_WORDS = [
    "out of fold: step 3 has an AUC of 0.73 (0.66 to 0.80). Elsewhere, step 3 has",
    "Trained on phantom: 600 patients, 181 with pCR, 3 left out. Folds: 5. Seeds: 0, 1, 2. Took 1.5 hours.",
    *("597 patients, 180 with pCR. Best possible AUC 0.82.", "212 patients, 67 with pCR.", "elsewhere, external"),
    *(
        "the whole",
        "no image",
        "0.73 (0.66 to 0.80)",
        "0.70 to 0.74",
        "attention",
        "0.52 (0.50 to 0.54)",
        "early enhancement",
        "0.29",
    ),
    *("0.61 (0.49 to 0.73)", "0.68", "0.63 (0.51 to 0.75)", "0.177", "0.91 (0.88 to 0.94)", "0.37"),
    *("+0.056 (−0.012 to +0.124)", "0.87 (0.41 to 1.33)", "46 (36 to 57)", "Step 3 minus fair control"),
    "Intervals are over patients and seeds.",
    RESEARCH_USE_ONLY,
]


@pytest.mark.parametrize("words", EXPERIMENT_WORDS)
@pytest.mark.parametrize("render", [render_experiment, experiment_markdown])
def test_experiment_shows(render, words):
    assert words in shown(render)


def test_experiment_keeps_the_order_of_its_rows():
    table = shown(render_experiment).split(">Results</h3>")[1]
    assert table.index(">clinical<") < table.index(">step 3<")


def test_experiment_shows_its_configuration():
    assert "&#34;learning_rate&#34;: 0.0003" in shown(render_experiment)


def test_small_p_is_not_zero():
    assert "&lt; 0.001" in shown(render_experiment)
    assert "| < 0.001 |" in shown(experiment_markdown)


def test_missing_values_are_dashes():
    assert "| clinical | – | – | – | – | – | – | – |" in shown(experiment_markdown)
    assert ">0.84</td><td class=short>–</td>" in shown(render_evaluation)
    assert not re.search(r"\b(None|nan)\b", shown(render_experiment) + shown(experiment_markdown))


@pytest.mark.parametrize(("render", "content"), [(render_evaluation, EVALUATION), (render_experiment, EXPERIMENT)])
def test_text_is_escaped(render, content):
    page = render(odd(content))
    assert "<b>" not in page
    assert "&lt;b&gt;odd&lt;/b&gt; &amp;" in page


def test_special_characters_do_not_break_markdown_tables():
    rows = [line for line in experiment_markdown(odd(EXPERIMENT)).splitlines() if line.startswith("|")]
    assert r"&lt;b>odd&lt;/b> & \"strange\" \| $x_".replace(r"\"", '"') in rows[2]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3, 9, 13}


@pytest.mark.parametrize("render", [render_evaluation, render_experiment])
def test_page_loads_nothing_and_runs_no_script(render):
    page = shown(render)
    assert "default-src 'none'" in page
    assert not any(word in page for word in ("<script", "http://", "https://", "@import", "url("))
    assert not re.search(r'href="(?!#)', page)  # the contents lead to places of the page
    assert page.count("src=") == len(pictures(page)) > 0


def test_unknown_p_of_a_comparison_is_a_dash():
    page = evaluation(comparisons=[PAIR | {"p": None, "auc_difference": interval(0.056)}])
    assert ">+0.056</td><td class=short>–</td>" in page


def test_headline_of_one_class_reports_no_auc():
    nothing = {"auc": interval(None), "roc": {"false_positive_rate": [], "sensitivity": []}, "calibration_curve": []}
    assert "elsewhere (212 patients, 67 with pCR): no AUC can be given." in evaluation(nothing)


@pytest.mark.parametrize(
    ("model", "title"), [({"subgroups": []}, "Subgroups"), ({"attention": None}, "Where the models looked")]
)
def test_empty_section_is_left_out(model, title):
    assert title in evaluation({})
    assert title not in evaluation(model)


def test_evaluation_needs_no_best_auc_threshold_or_challenge_score():
    page = evaluation(
        {"operating_point": {"name": "each its own", "threshold": None}, "challenge_score": None},
        best_possible_auc=None,
    )
    assert "Best possible" not in page
    assert "each its own" in page


def test_forest_plot_marks_the_best_possible_auc():
    assert "Dashed: the best possible AUC" in shown(render_experiment)
    rows = [("one", 0.7, 0.6, 0.8), ("two", None, None, None), ("three", 0.6, None, None)]
    assert forest_plot(rows, 0.9, "AUC").count("<path") > forest_plot(rows, None, "AUC").count("<path")


def test_training_plot_accepts_missing_values_and_steps_of_different_length():
    keys = ("step", "epoch", "loss", "validation_loss", "validation_auc", "attention_in_tumour")
    first = [
        dict(zip(keys, row, strict=True)) for row in [("one", 1, 0.7, None, None, None), ("one", 2, 0.6, 0.7, 0.6, 0.2)]
    ]
    second = [*first, dict(zip(keys, ("two", 1, 0.5, 0.6, float("nan"), 0.3), strict=True))]
    assert training_plot({"fold 0": first, "fold 1": second}).startswith("<svg")


@pytest.mark.parametrize(
    "svg", [roc_plot({}), calibration_plot({}), decision_plot({}), forest_plot([], None, "AUC"), training_plot({})]
)
def test_plot_of_nothing_is_an_empty_plot(svg):
    assert svg.startswith("<svg")


def test_plots_show_names_with_special_characters():
    points = MODEL["calibration_curve"]
    assert "<svg" in roc_plot({"$x_": ([0, 1], [0, 1], 0.5)}) + calibration_plot({"_$\\frac": points})
    assert roc_plot({"_hidden": ([0, 1], [0, 1], 0.5)}) != roc_plot({})


def test_same_content_gives_the_same_page():
    assert render_evaluation(EVALUATION) == shown(render_evaluation)


def test_reasons_why_patients_were_left_out_are_counted_without_naming_them():
    problems = (
        Problem("P1", "add m/p1.nii"),
        Problem("P2", "add m/p2.nii"),
        Problem("P3", "has the same images as P9"),
    )
    reasons = count_reasons(SimpleNamespace(ids=["P9"], quarantine=problems))
    assert reasons == [
        {"reason": "add m/<patient>.nii", "patients": 2},
        {"reason": "has the same images as <patient>", "patients": 1},
    ]
    page = evaluation(reasons_left_out=reasons)
    assert "add m/&lt;patient&gt;.nii" in page
    assert "Patients left out" not in evaluation()


def test_operating_points_of_the_model_are_shown_with_what_they_promise():
    rates = {"sensitivity": 0.81, "specificity": 0.59, "ppv": 0.49, "npv": 0.87}
    intervals = {f"{name}_interval": (value - 0.1, value + 0.1) for name, value in rates.items()}
    point = {"name": "balanced", "threshold": 0.262, **rates, **intervals, "share_above": 0.537, "patients": 198}
    page = evaluation(operating_points=[point], note="No fair control was trained.")
    words = ("0.81 (0.71 to 0.91)", "0.49 (0.39 to 0.59)", ">0.26<", ">54 %<", "did not choose", "No fair control")
    assert all(word in page for word in words)
    assert "Operating points of the model" not in evaluation()


def test_result_without_the_newer_measures_is_shown_without_their_tables():
    old = {key: value for key, value in MODEL.items() if key not in MEASURED}
    page = render_evaluation(
        EVALUATION | {"cohorts": [EVALUATION["cohorts"][0] | {"models": [old], "comparisons": []}]}
    )
    assert "Performance" in page
    assert not any(title in page for title in ("Net benefit", "Of 100 patients", "<h3>Calibration"))


def test_sites_left_out_have_a_forest_plot_and_one_of_the_difference_to_the_fair_control():
    values = [interval(0.7, 0.6, 0.8), interval(0.6, 0.5, 0.7)]
    pooled = {"macro": values[0], "random_effects": values[1] | {"new_site": [0.4, 0.8], "spread": 0.1}}
    row = {"name": "step 3", "auc": values, "macro_per_seed": [0.65], **pooled}
    pair = {"model": "step 3", "other": "fair control", "difference": values, **pooled}
    sites = {"names": ["GE", "Duke"], "patients": [70, 83], "positives": [20, 19], "rows": [row], "comparisons": [pair]}
    page = render_experiment(EXPERIMENT | {"sites": sites})
    assert page.count("Forest plot of the sites") == 2
    assert "AUC of step 3 minus fair control, with 95 % intervals" in page
