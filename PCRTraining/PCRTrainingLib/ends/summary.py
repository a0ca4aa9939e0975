"""The short table that a command ends with: a row per model and cohort, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PCRPredictorLib.formatting import MISSING, format_value

from ..evaluation.layout import Table
from ..run_files import read_kept_rows, refusing_damage
from ..run_folder import RunFolder, read_json
from ..run_state import read_models
from .selection_page import NESTED, candidate_table

_HEAD = ("Patients", "Model", "AUC", "Sensitivity", "Specificity", "Attention in tumour")


def summarise(run: RunFolder) -> list[Table]:
    """Return the results of a finished run, selection, experiment or evaluation in a few rows.

    Raises:
        DataError: if there are no results yet.
    """
    if run.selection.is_file():
        content, candidates, where = read_json(run.selection), read_kept_rows(run.candidates), "out of fold"
        unknown = [MISSING] * (len(_HEAD) - 3)
        with refusing_damage(run.selection):
            nested = content["nested"]
            others = [[where, each["model"], format_value(each["auc"]), *unknown] for each in nested["against"]]
            rows = [_row({**nested, "cohort": where, "name": NESTED}), *others]
            return [candidate_table(candidates), Table("", _HEAD, rows)]
    return [Table("", _HEAD, [_row(model) for model in read_models(run)])]


def _row(model: Mapping[str, Any]) -> list[str]:
    """Return the cells of one model on one cohort."""
    rates = (format_value(model.get(key)) for key in ("auc", "sensitivity", "specificity"))
    return [str(model["cohort"]), str(model["name"]), *rates, _attention(model)]


def _attention(model: Mapping[str, Any]) -> str:
    """Return the share of the attention inside the tumour; of a model without attention, a dash."""
    found = model.get("attention") or {}
    if found and found.get("map") != "attention":
        return MISSING
    share = found.get("in_tumour", model.get("attention_in_tumour"))
    return format_value(share["value"] if isinstance(share, Mapping) else share)
