"""The report of a selection: what was chosen, and how the choice does on patients that it has not seen."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from PCRPredictorLib.formatting import count, describe_duration, format_value
from PCRPredictorLib.report.rendering import render

from ..evaluation.layout import Section, Table
from ..evaluation.report import TEMPLATES
from ..evaluation.tables import benefit_figure, benefit_table, calibration_table, comparison_table, frequency_table

NESTED = "nested choice"
_PURPOSE = (
    "Configurations compared by nested cross-validation: in every outer fold one is chosen on the other patients and "
    "tested on those of the fold. In brackets: 95 % intervals."
)
_READ_CANDIDATES = (
    "Means over the outer folds, with the lowest and the highest. A configuration with less attention inside the "
    "tumour than the limit is not chosen, unless all have less."
)


def render_selection(
    result: Mapping[str, Any], candidates: Sequence[Mapping[str, Any]], cohorts: str, least_attention: float
) -> str:
    """Return the HTML page of a selection.

    Args:
        result: of `selection.json`.
        candidates: rows of `candidates.csv`: "outer_fold", "configuration", "inner_auc", "inner_attention_in_tumour"
            and "chosen".
        cohorts: their names.
        least_attention: share inside the tumour below which a configuration is not chosen.
    """
    nested = {**result["nested"], "name": NESTED}
    tables = [_performance(nested), comparison_table([_pair(each) for each in nested["against"]])]
    tables += [calibration_table([nested]), frequency_table([nested]), benefit_table([nested])]
    limit = f"Least attention inside the tumour: {least_attention:.2f}."
    return render(
        "cohorts.html.j2",
        TEMPLATES,
        title="Choice among configurations",
        purpose=_PURPOSE,
        headline=selection_headline(result),
        sections=[
            Section(cohorts, f"{limit} Took {describe_duration(result['seconds'])}.", [candidate_table(candidates)]),
            Section("The choice on patients that it has not seen", tables=tables, figures=benefit_figure([nested])),
        ],
        versions=result["versions"],
        config=json.dumps(result["configurations"], indent=2, ensure_ascii=False),
    )


def selection_headline(result: Mapping[str, Any]) -> str:
    """Return what was chosen, how often, and the AUC of the choice."""
    chosen, final = list(result["chosen"].values()), result["final"]
    tries = count(result["tries"]["configurations"], "configuration")
    return (
        f"{final} was chosen among {tries}, in {chosen.count(final)} of {count(len(chosen), 'outer fold')}. "
        f"AUC of the choice, on patients that it has not seen: {format_value(result['nested']['auc'])}."
    )


def candidate_table(candidates: Sequence[Mapping[str, Any]]) -> Table:
    """Return the configurations with their inner AUC and attention, and how often each was chosen."""
    rows = []
    for name in dict.fromkeys(row["configuration"] for row in candidates):
        own = [row for row in candidates if row["configuration"] == name]
        numbers = [_spread([float(row[key]) for row in own]) for key in ("inner_auc", "inner_attention_in_tumour")]
        rows.append([name, *numbers, f"{sum(int(row['chosen']) for row in own)} of {len(own)}"])
    head = ("Configuration", "Inner AUC", "Attention in tumour", "Chosen")
    return Table("Configurations", head, rows, _READ_CANDIDATES)


def _performance(nested: Mapping[str, Any]) -> Table:
    """Return the performance of the choice, then the AUC of what it is compared with."""
    keys = ("auc", "sensitivity", "specificity", "balanced_accuracy")
    rows = [[NESTED, *(format_value(nested[key]) for key in keys), format_value(nested["attention_in_tumour"])]]
    rows += [[each["model"], format_value(each["auc"]), *[""] * len(keys)] for each in nested["against"]]
    head = ("Model", "AUC", "Sensitivity", "Specificity", "Balanced accuracy", "Attention in tumour")
    return Table("Performance", head, rows)


def _pair(against: Mapping[str, Any]) -> dict[str, Any]:
    """Return a comparison as `comparison_table` reads it."""
    return {**against, "model": NESTED, "other": against["model"]}


def _spread(values: Sequence[float]) -> str:
    mean = format_value(sum(values) / len(values))
    return f"{mean} ({format_value(min(values))} to {format_value(max(values))})"
