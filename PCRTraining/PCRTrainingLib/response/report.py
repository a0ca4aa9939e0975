"""The page of a run or an evaluation of response models: what each visit is worth, then each visit in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PCRPredictorLib.errors import group_problems
from PCRPredictorLib.formatting import format_value
from PCRPredictorLib.response.settings import ResponseSettings

from ..evaluation.layout import Section, Table
from ..evaluation.report import render_evaluation
from ..visit_tables.patients import VisitPatients
from .measure import RECEPTORS

_PURPOSE = "Probability of pathological complete response (pCR) given the MRI visits so far."
_WORTH = (
    "AUC out of fold: the mean over the repeats of the cross-validation, with its interval over patients and repeats, "
    "and the lowest and highest repeat. Slope: 1 is right. Every row of a visit is of the same patients and folds."
)


_WORTH_ELSEWHERE = (
    "Each visit is of the patients who had it. Slope: 1 is right, under 1 the probabilities are too extreme. In the "
    "large: under 0, they are too high on average."
)


def render_run(summary: dict[str, Any], patients: VisitPatients, settings: ResponseSettings | None = None) -> str:
    """Return the HTML page.

    Args:
        summary: see `train.Results`.
        patients: of the tables.
        settings: of the model that was trained; None for an evaluation.
    """
    first = [Section("What each visit is worth", tables=[worth_table(summary["cohorts"]), receptor_table(summary)])]
    tables = [_notes(patients)]
    if settings is not None:
        tables = [_cost_table(settings), _chosen_table(summary), *tables]
    more, headline = [Section("Tables and choices", tables=tables)], _headline(summary["cohorts"])
    return render_evaluation(summary, purpose=_PURPOSE, first=first, more=more, headline=headline)


def render_evaluated(result: dict[str, Any], patients: VisitPatients, template: str = "cohorts.html.j2") -> str:
    """Return the page of an evaluation.

    Args:
        result: see `evaluate.describe_patients`.
        patients: of the tables.
        template: that lays it out.
    """
    reading = Table("How the patients were read", ("", "What"), [["", text] for text in result["reading"]])
    first = [Section("What each visit is worth", tables=[worth_table(result["cohorts"]), receptor_table(result)])]
    first.append(Section(tables=[_rules_table(result["cohorts"]), reading, _notes(patients)]))
    headline = _headline(result["cohorts"])
    return render_evaluation(result, None, template, purpose=_PURPOSE, first=first, headline=headline)


def _headline(visits: Sequence[Mapping[str, Any]]) -> str:
    """Return the AUC of the first model at every visit in a sentence."""
    shown = ", ".join(f"{visit['name']} {format_value(visit['models'][0]['auc'])}" for visit in visits)
    return f"AUC of the model: {shown}."


def _rules_table(visits: Sequence[Mapping[str, Any]]) -> Table:
    """Return rules that need no fit beside the first model, on the patients that have their values."""
    head = ("Visit", "Rule", "Patients", "With pCR", "AUC of the rule", "AUC of the model", "Model minus rule", "p")
    rows = []
    for visit in visits:
        for rule in visit["rules"]:
            cells = [visit["name"], rule["rule"], str(rule["patients"]), str(rule["positives"])]
            cells += [format_value(rule["auc"], 3), format_value(rule["model_auc"], 3)]
            rows.append([*cells, format_value(rule["difference"], 3, signed=True), format_value(rule["p"], 3)])
    return Table("Rules that need no model", head, rows, "The smaller the value, the likelier is pCR.")


def worth_table(visits: Sequence[Mapping[str, Any]]) -> Table:
    """Return AUC, calibration and difference to the model of every row of every visit."""
    repeated = any(len(model.get("auc_per_repeat") or []) > 1 for visit in visits for model in visit["models"])
    head = ["Known", "Row", "Patients", "With pCR", "AUC", *["Lowest and highest repeat"] * repeated]
    head += ["Slope", "In the large", "Brier", "AUC of the model minus this"]
    rows = []
    for visit in visits:
        for model in visit["models"]:
            aucs = model.get("auc_per_repeat") or []
            spread = [f"{min(aucs):.3f} to {max(aucs):.3f}"] if repeated else []
            calibration = model.get("calibration") or {}
            name = "the model" if model is visit["models"][0] else model["name"]
            cells = [visit["name"], name, str(visit["patients"]), str(visit["positives"])]
            cells += [format_value(model["auc"], 3), *spread, format_value(calibration.get("slope"))]
            rows.append([*cells, format_value(calibration.get("in_the_large")), format_value(model.get("brier"), 3)])
    return Table("Visits in a row", head, _with_differences(visits, rows), _WORTH if repeated else _WORTH_ELSEWHERE)


def _with_differences(visits: Sequence[Mapping[str, Any]], rows: Sequence[list[str]]) -> list[list[str]]:
    found = []
    for visit in visits:
        found.append("")
        by_name = {pair["other"]: pair["auc_difference"] for pair in visit["comparisons"]}
        found += [
            format_value(by_name[m["name"]], 3, signed=True) if m["name"] in by_name else ""
            for m in visit["models"][1:]
        ]
    return [[*row, text] for row, text in zip(rows, found, strict=True)]


def receptor_table(summary: Mapping[str, Any]) -> Table:
    """Return the AUC of the model in each receptor type at each visit."""
    visits = summary["cohorts"]
    groups: dict[str, dict[str, str]] = {}
    sizes: dict[str, tuple[str, str]] = {}
    for visit in visits:
        for group in visit["models"][0]["subgroups"]:
            if group["variable"] == RECEPTORS:
                groups.setdefault(group["group"], {})[visit["name"]] = format_value(group["auc"], 3)
                sizes.setdefault(group["group"], (str(group["patients"]), str(group["positives"])))
    rows = [[n, *sizes[n], *(found.get(v["name"], "") for v in visits)] for n, found in groups.items()]
    note = "Few patients make wide intervals; if one includes 0.5, it is not established that the model works there."
    return Table(
        "Receptor types, AUC of the model", ("Type", "Patients", "With pCR", *(v["name"] for v in visits)), rows, note
    )


def _cost_table(settings: ResponseSettings) -> Table:
    rows = [
        [" + ".join(cost.visits), ", ".join(cost.quantities), f"{cost.auc:.3f}", f"{cost.auc_of_all:.3f}"]
        for cost in settings.costs
    ]
    note = "AUC out of fold if nothing else is known beside clinical values; the rest is then estimated."
    return Table("What unknown quantities cost", ("Visits", "Known alone", "AUC", "AUC with all"), rows, note)


def _chosen_table(summary: Mapping[str, Any]) -> Table:
    rows = [[each["inputs"], f"{each['strength']:g}", str(each["times"])] for each in summary["chosen"]]
    tried = len(summary["config"]["candidates"])
    note = f"{tried} candidates were tried inside each outer fold; the strength is the inverse of the L2 penalty."
    return Table("Candidates that the inner folds chose", ("Inputs", "Strength", "Outer folds"), rows, note)


def _notes(patients: VisitPatients) -> Table:
    rows = [["warning", text] for text in patients.warnings] + [["read", text] for text in patients.notes]
    rows += [["doubtful", f"{len(g.patients)}: {g.reason}"] for g in group_problems(patients.doubtful)]
    rows += [["left out", f"{len(g.patients)}: {g.reason}"] for g in group_problems(patients.left_out)]
    return Table("What was read of the tables", ("", "What"), rows)
