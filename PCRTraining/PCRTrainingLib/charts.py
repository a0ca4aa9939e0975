"""Charts and rows of a run, as points and texts for whatever draws them. No torch and no widgets here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PCRPredictorLib.formatting import format_value
from PCRPredictorLib.report.wording import Translate

from .run_folder import RunFolder
from .run_state import latest_run, read_curves

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Chart:
    """One chart.

    Args:
        key: a name that does not change with the language.
        title, x, y: of the chart and its axes.
        curves: points of each curve by its name.
    """

    key: str
    title: str
    x: str
    y: str
    curves: Mapping[str, Points]


def training_charts(run: RunFolder, translate: Translate = str) -> list[Chart]:
    """Return loss, validation AUC and attention in the tumour by epoch, a curve per step; those that were measured.

    Raises:
        DataError: if the run's configuration cannot be read.
    """
    _ = translate
    titles = {
        "loss": ("Loss", _("Loss"), _("Loss (lower is better)")),
        "validation_auc": ("Validation", _("AUC of the validation patients"), _("AUC (0.5 is chance)")),
        "attention_in_tumour": ("Attention", _("Attention inside the tumour"), _("Share of all attention (0 to 1)")),
    }
    measured = read_curves(latest_run(run))
    charts = []
    for quantity, (key, title, unit) in titles.items():
        curves = {step: _by_epoch(values[quantity]) for step, values in measured.items()}
        curves = {step: points for step, points in curves.items() if points}
        if curves:
            charts.append(Chart(key, title, _("Epoch"), unit, curves))
    return charts


def result_charts(models: Sequence[Mapping[str, Any]], translate: Translate = str) -> list[Chart]:
    """Return ROC, calibration and decision curves of the models of `read_models` that have them."""
    _ = translate
    roc, calibration, benefit = {}, {}, {}
    for model in models:
        if "roc" in model:
            name, line = f"{model['name']}, {model['cohort']}", model["roc"]
            roc[name] = list(zip(line["false_positive_rate"], line["sensitivity"], strict=True))
            calibration[name] = [(part["predicted"], part["observed"]) for part in model["calibration_curve"]]
            if curve := model.get("decision_curve"):
                benefit[name] = [(point["threshold"], point["net_benefit"]["value"]) for point in curve]
    return [
        Chart("ROC", _("ROC"), _("1 - specificity (0 to 1)"), _("Sensitivity (0 to 1)"), roc),
        Chart("Calibration", _("Calibration"), _("Predicted probability of pCR"), _("Share with pCR"), calibration),
        Chart("Benefit", _("Decision curve"), _("Threshold probability"), _("Net benefit per patient"), benefit),
    ]


def model_row(model: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts of a table's row about a model of `read_models`, by the names of its values."""
    attention = (model.get("attention") or {}).get("in_tumour", model.get("attention_in_tumour"))
    return {name: format_value(value) for name, value in {**model, "attention_in_tumour": attention}.items()}


def _by_epoch(values: Sequence[float | None]) -> Points:
    return [(float(epoch + 1), value) for epoch, value in enumerate(values) if value is not None]
