"""The sentence that a report begins with. It names a best model only if no other one's interval reaches its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from PCRPredictorLib.formatting import format_value

from ..statistics.plots import is_known

_UNDECIDED = "The intervals overlap: none is established as the best."
Named = tuple[str, Mapping[str, Any]]  # name of a model, and its AUC with its interval


def evaluation_headline(cohort: Mapping[str, Any]) -> str:
    """Return the AUC of the models of one cohort in a sentence."""
    counts = f"{cohort['name']} ({cohort['patients']} patients, {cohort['positives']} with pCR):"
    models = [(model["name"], model["auc"]) for model in cohort["models"]]
    return f"{counts} {compare_aucs(models)}"


def experiment_headline(result: Mapping[str, Any]) -> str:
    """Return the AUC of the rows in the first cohort, and that of the last row in the others."""
    cohorts, rows = result["cohorts"], result["rows"]
    if not cohorts or not rows:
        return "No AUC can be given."
    first, *others = cohorts
    found = f"{first['name']}: {compare_aucs([(row['name'], auc_of(row, first)) for row in rows])}"
    last, *_ = reversed(rows)
    if not others or not is_known(auc_of(last, first)["value"]):
        return found
    elsewhere = ", ".join(f"{format_value(auc_of(last, cohort))} ({cohort['name']})" for cohort in others)
    return f"{found} Elsewhere, {last['name']} has {elsewhere}."


def compare_aucs(models: Sequence[Named]) -> str:
    """Return which model has the highest AUC, or the range of all if that is not established."""
    known = [(name, auc) for name, auc in models if is_known(auc.get("value"))]
    if not known:
        return "no AUC can be given."
    if len(known) == 1:
        return f"{known[0][0]} has an AUC of {format_value(known[0][1])}."
    lowest, *_, best = sorted(known, key=lambda each: float(each[1]["value"]))
    if is_established(best, known):
        return f"{best[0]} has the highest AUC of {len(known)} models, {format_value(best[1])}."
    ends = [f"{format_value(auc)} ({name})" for name, auc in (lowest, best)]
    return f"AUC of {len(known)} models from {' to '.join(ends)}. {_UNDECIDED}"


def is_established(best: Named, models: Sequence[Named]) -> bool:
    """Return True if the interval of the best model lies above those of all others."""
    low = best[1].get("low")
    highs = [auc.get("high") for name, auc in models if name != best[0]]
    return is_known(low) and all(is_known(high) and float(high) < float(low) for high in highs)


def auc_of(row: Mapping[str, Any], cohort: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the AUC of an experiment's row on a cohort, with its interval; unknown if it has none."""
    return row["cohorts"].get(cohort["name"], {}).get("auc") or dict.fromkeys(("value", "low", "high"))
