"""Reports of an evaluation and of an experiment: HTML pages that load nothing from elsewhere, and Markdown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PCRPredictorLib.formatting import MISSING, describe_duration, format_value
from PCRPredictorLib.report.rendering import render
from PCRPredictorLib.shift.wording import describe_shift, shift_tables

from ..statistics.plots import calibration_plot, forest_plot, is_known, roc_plot, training_plot
from .headlines import auc_of, evaluation_headline, experiment_headline
from .layout import Figure, Section, Table, contents_of
from .map_report import effect_sections
from .maps import map_table, row_map_table
from .sites import site_sections
from .tables import (
    benefit_figure,
    benefit_table,
    calibration_table,
    comparison_table,
    frequency_table,
    intervals_over,
    point_table,
    site_figures,
)

TEMPLATES = Path(__file__).parent / "templates"
_INTERVALS = (
    "In brackets: 95 % intervals; those of shares of patients, such as sensitivity and specificity, are Wilson's."
)
_PURPOSE = "How well models predict pathological complete response (pCR) from breast DCE-MRI."
_READ_EXPERIMENT = (
    "Every value is of the prediction averaged over the seeds; beside its AUC are the lowest and the highest AUC of a "
    "single seed. Step 3 minus fair control is the effect of guidance. Operating points are never fixed on the "
    "patients that they are applied to. Out of fold, they are fixed on the other folds; with a single held-out part, "
    "on its other patients; elsewhere, on the training cohort. Gap closed: share of the way from the baseline's AUC to "
    "the best possible AUC."
)
_MEASURES = ("auc", "sensitivity", "specificity", "balanced_accuracy")
_RATES = (
    "sensitivity",
    "specificity",
    "sensitivity_at_baseline_specificity",
    "sensitivity_at_specificity_80",
)
_READ_MODELS = "Rates are at the operating point. The MAMA-MIA challenge score combines balanced accuracy and fairness."
_READ_STEPS = (
    f"{_READ_MODELS} Here each fold is decided by the threshold of the other folds, once: use it to compare the steps. "
    "The rates to report of the model that is handed on are under 'Operating points of the model'."
)
_COURSE = "Loss and share of the attention inside the tumour of the training patients, by epoch."
Interval = Mapping[str, Any]  # value, low, high


def render_evaluation(
    result: dict[str, Any],
    histories: Mapping[str, list[dict]] | None = None,
    template: str = "cohorts.html.j2",
    *,
    purpose: str = _PURPOSE,
    first: Sequence[Section] = (),
    more: Sequence[Section] = (),
    headline: str = "",
) -> str:
    """Return the HTML page of the result of `evaluation.evaluate`, and of the course of training.

    Args:
        result: None stands for an unknown value.
        histories: rows of every fold, see `training_plot`.
        template: that lays it out.
        purpose: a sentence under the title.
        first, more: sections before and after the cohorts.
        headline: instead of the AUC in every cohort.
    """
    sections = [*first, *(section for cohort in result["cohorts"] for section in _evaluated_cohort(cohort))]
    sections += [*more, *site_sections(result)]
    if histories:
        sections.append(Section("Training", figures=[Figure(training_plot(histories), "Training", _COURSE)]))
    rows = [[m["name"], m["version"], m["training_data"], m["checksum"][:16]] for m in result["models"]]
    sections.append(Section(tables=[Table("Models", ("Name", "Version", "Trained on", "SHA-256"), rows)]))
    return render(
        template,
        TEMPLATES,
        title="Evaluation of pCR prediction",
        purpose=f"{purpose} {_INTERVALS}",
        contents=contents_of(sections),
        headline=headline or " ".join(evaluation_headline(cohort) for cohort in result["cohorts"]),
        sections=sections,
        versions=result["versions"],
        config="",
    )


def evaluation_markdown(result: dict[str, Any]) -> str:
    """Return the text and tables of `render_evaluation` as Markdown."""
    return render_evaluation(result, template="cohorts.md.j2")


def render_experiment(result: dict[str, Any], template: str = "cohorts.html.j2") -> str:
    """Return the HTML page of the result of `table.tabulate` with its title, configuration and time.

    Args:
        result: None stands for an unknown value.
        template: that lays it out.
    """
    models = Table("The models", ("Model", "What it is"), [[row["name"], row["what"]] for row in result["rows"]])
    sections = [
        Section(text=_training(result), tables=[models]),
        *(replace(section, figures=site_figures(result["sites"])) for section in site_sections(result)),
        *(_experiment_cohort(result, cohort) for cohort in result["cohorts"]),
        Section("All cohorts", tables=[comparison_table(result["comparisons"])]),
    ]
    return render(
        template,
        TEMPLATES,
        title=result["title"],
        purpose=f"Models trained in different ways on the same patients and folds to predict pCR. {_INTERVALS}",
        headline=experiment_headline(result),
        sections=sections,
        contents=contents_of(sections),
        versions=result["versions"],
        config=json.dumps(result["config"], indent=2, ensure_ascii=False),
    )


def experiment_markdown(result: dict[str, Any]) -> str:
    """Return the text and tables of `render_experiment` as Markdown, for documentation."""
    return render_experiment(result, "cohorts.md.j2")


def _evaluated_cohort(cohort: dict[str, Any]) -> list[Section]:
    """Return tables, ROC and calibration of a cohort, then the subgroups of each model."""
    models, best = cohort["models"], cohort["best_possible_auc"]
    rocs = {m["name"]: (m["roc"]["false_positive_rate"], m["roc"]["sensitivity"], m["auc"]["value"]) for m in models}
    calibration = calibration_plot({model["name"]: model["calibration_curve"] for model in models})
    figures = [
        Figure(roc_plot(rocs), "ROC curves", "Sensitivity against false positive rate at every threshold."),
        Figure(calibration, "Calibration", "Observed against predicted share with pCR, with 95 % intervals."),
    ]
    figures += benefit_figure(models)
    if len(models) > 1:
        figures.append(_forest([(model["name"], model["auc"]) for model in models], (best or {}).get("value")))
    left_out = f" {cohort['left_out']} more were left out." if cohort["left_out"] else ""
    text = f"{_describe_patients(cohort, best)}{left_out} {intervals_over(models)} {cohort.get('note', '')}".rstrip()
    reasons = [[each["reason"], str(each["patients"])] for each in cohort.get("reasons_left_out", [])]
    points = cohort.get("operating_points", [])
    tables = [_model_table(models, _READ_STEPS if points else _READ_MODELS), comparison_table(cohort["comparisons"])]
    tables += [point_table(points), calibration_table(models), frequency_table(models)]
    tables += [benefit_table(models), map_table(models)]
    tables.append(Table("Patients left out", ("Reason", "Patients"), reasons))
    shifts = [_shift_section(shift) for shift in cohort.get("shift", [])]
    return [
        Section(_title_of(cohort), text, tables, figures),
        *effect_sections(models),
        *shifts,
        *(_subgroups(model) for model in models),
    ]


def _title_of(cohort: Mapping[str, Any]) -> str:
    """Return the heading of a cohort, which does not repeat the sentence above it."""
    return "In detail: out of fold" if cohort["name"] == "out of fold" else str(cohort["name"])


def _shift_section(shift: Mapping[str, Any]) -> Section:
    """Return how the cohort differs from the training patients of one model."""
    tables = [Table(table.title, table.head, table.rows, table.note) for table in shift_tables(shift)]
    title = f"Beside the training patients of {shift['model']}"
    return Section(title, " ".join(describe_shift(shift)), tables)


def _experiment_cohort(result: dict[str, Any], cohort: dict[str, Any]) -> Section:
    best = cohort["best_possible_auc"]
    title = "Out of fold" if cohort["name"] == cohort["role"] else f"{cohort['name']}, {cohort['role']}"
    forest = _forest([(row["name"], auc_of(row, cohort)) for row in result["rows"]], best)
    models = [{**(row["cohorts"].get(cohort["name"]) or {}), "name": row["name"]} for row in result["rows"]]
    named = {pair[key] for pair in result["comparisons"] for key in ("model", "other")}
    tables = [_cohort_table(result, cohort), calibration_table(models), frequency_table(models), benefit_table(models)]
    tables.append(row_map_table(models))
    curves = benefit_figure([model for model in models if model["name"] in named])
    text = f"{_describe_patients(cohort, best)} {intervals_over(models)}".rstrip()
    return Section(title, text, tables, [forest, *curves])


def _model_table(models: list[dict[str, Any]], note: str) -> Table:
    head = ("Model", "AUC", "Sensitivity", "Specificity", "Balanced accuracy", "Sensitivity at specificity 0.80")
    rates, rows = (*_MEASURES, "sensitivity_at_specificity_80"), []
    for model in models:
        point = model["operating_point"]
        row = [model["name"], *(format_value(model.get(rate)) for rate in rates)]
        row.append(format_value(model["challenge_score"]))
        rows.append([*row, point["name"], format_value(point["threshold"])])
    return Table("Performance", (*head, "Challenge score", "Operating point", "Threshold"), rows, note)


def _subgroups(model: dict[str, Any]) -> Section:
    """Return table and forest plot of one model's subgroups."""
    head = ("Variable", "Group", "Patients", "With pCR", "AUC", "Sensitivity", "Specificity")
    keys = ("group", "patients", "positives", "auc", "sensitivity", "specificity")
    rows = [
        [group["variable"].replace("_", " "), *(format_value(group[key]) for key in keys)]
        for group in model["subgroups"]
    ]
    named = [(f"{row[0]}: {row[1]}", group["auc"]) for row, group in zip(rows, model["subgroups"], strict=True)]
    figures = [_forest(named, model["auc"]["value"], "all patients")] if rows else []
    return Section(tables=[Table(f"Subgroups, {model['name']}", head, rows)], figures=figures)


def _describe_patients(cohort: dict[str, Any], best: Interval | float | None) -> str:
    """Return the size of a cohort and the best AUC that any model could reach there."""
    limit = format_value(best)
    words = f"{cohort['patients']} patients, {cohort['positives']} with pCR."
    return words if limit == MISSING else f"{words} Best possible AUC {limit}."


def _training(result: dict[str, Any]) -> str:
    training, seeds = result["training"], result["seeds"]
    return (
        f"Trained on {training['name']}: {training['patients']} patients, {training['positives']} with pCR, "
        f"{training['left_out']} left out. Folds: {training['folds']}. Seeds: {', '.join(map(str, seeds))}. "
        f"Took {describe_duration(result['seconds'])}."
    )


def _cohort_table(result: dict[str, Any], cohort: dict[str, Any]) -> Table:
    """Return the results of every row on one cohort, in the given order."""
    head = ["Model", "AUC", "Over seeds", "Sensitivity", "Specificity", "Sensitivity at baseline's specificity"]
    head += ["at specificity 0.80", "Gap closed"]
    rows = []
    for row in result["rows"]:
        found = row["cohorts"].get(cohort["name"]) or {}
        seeds = [value for value in found.get("auc_per_seed") or [] if is_known(value)]
        spread = f"{format_value(min(seeds))} to {format_value(max(seeds))}" if len(seeds) > 1 else MISSING
        cells = [row["name"], format_value(found.get("auc")), spread]
        cells += [format_value(found.get(key)) for key in _RATES]
        cells.append(format_value(found.get("gap_closed")))
        rows.append(cells)
    return Table("Results", head, rows, _READ_EXPERIMENT if cohort is result["cohorts"][0] else "")


def _forest(
    rows: Sequence[tuple[str, Interval | None]],
    reference: float | None,
    what: str = "the best possible AUC of this cohort",
) -> Figure:
    """Return AUCs with intervals, and a dashed line at `reference`, which is `what`."""
    values = [(n, auc["value"], auc["low"], auc["high"]) if auc else (n, None, None, None) for n, auc in rows]
    caption = "AUC with its 95 % interval." + (f" Dashed: {what}." if is_known(reference) else "")
    return Figure(forest_plot(values, reference, "AUC"), "Forest plot of the AUC", caption)
