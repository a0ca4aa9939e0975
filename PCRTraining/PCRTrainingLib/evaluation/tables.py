"""Tables and figures of what `performance` and `comparison` measured, for models of an evaluation or an experiment.

A model is the plain values of `describe_performance` with its name. What an older result lacks has no row.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from PCRPredictorLib.formatting import MISSING, count, format_value

from ..statistics.plots import decision_plot, forest_plot, is_known
from .layout import Figure, Table

Model = Mapping[str, Any]
_BESIDE = ("fair control", "clinical + volume")  # rows whose differences have a picture
_SHOWN = (0.1, 0.2, 0.3, 0.4, 0.5)  # thresholds of the table; the picture has all
_CALIBRATION = ("slope", "intercept", "in_the_large", "integrated_index")


def comparison_table(pairs: Sequence[Mapping[str, Any]]) -> Table:
    """Return the comparisons of `comparison.adjust`; those of an experiment name their cohort."""
    by_cohort = any("cohort" in pair for pair in pairs)
    head = ["Patients"] * by_cohort + ["Model", "Compared with", "AUC difference", "p", "p adjusted"]
    head += ["Sensitivity, model", "Sensitivity, other", "Difference", "p", "p adjusted", "At specificity"]
    rows = []
    for pair in pairs:
        cells = [pair.get("cohort", "")] * by_cohort + [pair["model"], pair["other"]]
        cells += [format_value(pair["auc_difference"], 3, signed=True), _p(pair["p"]), _p(pair.get("p_adjusted"))]
        cells += [format_value(pair.get("sensitivity")), format_value(pair.get("other_sensitivity"))]
        cells += [format_value(pair["sensitivity_difference"], 3, signed=True)]
        cells += [_p(pair.get("sensitivity_p")), _p(pair.get("sensitivity_p_adjusted"))]
        rows.append([*cells, format_value(pair.get("matched_specificity"))])
    number = count(len(pairs), "comparison")
    note = (
        f"p is adjusted for {number} (Holm). Both models are read in the same way: sensitivity at the specificity of "
        "each of the two, averaged: for the comparison alone, unlike the rates at an operating point. If "
        "an interval includes 0, a difference is not established."
    )
    return Table("Comparisons on the same patients", head, rows, note)


def calibration_table(models: Sequence[Model]) -> Table:
    """Return slope, intercept, calibration in the large and the integrated index of every model."""
    head = ("Model", "Slope", "Intercept", "In the large", "Integrated index", "Brier score")
    rows = [
        [
            model["name"],
            *(format_value(model["calibration"][key], 3 if key == "integrated_index" else 2) for key in _CALIBRATION),
            format_value(model.get("brier"), 3),
        ]
        for model in models
        if model.get("calibration")
    ]
    note = (
        "Slope: 1 is right; under 1 the probabilities are too extreme. In the large: 0 is right; under 0 they are too "
        "high on average (log-odds). Integrated index: mean distance from the calibrated probability."
    )
    return Table("Calibration", head, rows, note)


def frequency_table(models: Sequence[Model]) -> Table:
    """Return of 100 patients above and below the threshold how many have pCR, here and where others respond."""
    found = [model for model in models if model.get("frequencies")]
    prevalences = [each["prevalence"] for each in found[0]["predictive_values"]] if found else []
    head = ["Model", "Threshold", "Patients", "With pCR, of 100"]
    head += [f"If {100 * prevalence:.0f} % respond" for prevalence in prevalences]
    rows = []
    for model in found:
        for side, key in (("above", "ppv"), ("below", "npv")):
            part = model["frequencies"][side]
            cells = [model["name"], side, str(part["patients"]), _of_100(part["with_pcr"])]
            values = (each[key] for each in model["predictive_values"])
            rows.append([*cells, *(_of_100(value, inverse=key == "npv") for value in values)])
    note = "The columns to the right hold where another share of the patients has pCR, with the same rates."
    return Table("Of 100 patients above or below the threshold", head, rows, note)


def benefit_table(models: Sequence[Model]) -> Table:
    """Return the net benefit of every model at some thresholds, and that of deciding for everybody."""
    found = [model for model in models if model.get("decision_curve")]
    rows = []
    if found:
        curve = _shown(found[0])
        rows.append(["everybody counted as pCR", *(format_value(point["everybody"], 3) for point in curve)])
    for model in found:
        rows.append([model["name"], *(format_value(point["net_benefit"], 3) for point in _shown(model))])
    note = "Correct decisions for pCR per patient, less weighted wrong ones. Counting nobody as pCR is worth 0."
    return Table("Net benefit", ["Model", *(f"Threshold {100 * value:.0f} %" for value in _SHOWN)], rows, note)


def benefit_figure(models: Sequence[Model]) -> list[Figure]:
    """Return the decision curves of the models; nothing without one."""
    curves = {model["name"]: model["decision_curve"] for model in models if model.get("decision_curve")}
    if not curves:
        return []
    caption = "Net benefit by the threshold of the decision; grey: everybody counted as pCR, or nobody (0)."
    return [Figure(decision_plot(curves), "Decision curve", caption)]


def point_table(points: Sequence[Mapping[str, Any]]) -> Table:
    """Return the operating points of a bundle with the rates that they promise."""
    head = ("Operating point", "Threshold", "Sensitivity", "Specificity", "PPV", "NPV", "Above it")
    rows = [
        [
            point["name"],
            format_value(point["threshold"]),
            *(_rate(point, key) for key in ("sensitivity", "specificity", "ppv", "npv")),
            _percent(point["share_above"]),
        ]
        for point in points
    ]
    note = (
        "The thresholds of the model that is handed on. The rates are of patients whose labels did not choose the "
        "threshold, averaged over ten divisions of the patients: report these. Under 'Performance' a fold is decided "
        "by the other folds, once, so that its rates differ a little. PPV and NPV hold where as many patients have "
        "pCR as here."
    )
    return Table("Operating points of the model", head, rows, note)


def site_figures(sites: Mapping[str, Any]) -> list[Figure]:
    """Return the AUC of the last row at each site that was left out, and its differences to the rows compared with."""
    last, sizes = sites["rows"][-1], zip(sites["names"], sites["positives"], sites["patients"], strict=True)
    names = [f"{name} ({positives} of {patients})" for name, positives, patients in sizes]
    figures = [_site_forest(names, last["auc"], last, f"AUC of {last['name']}")]
    for pair in sites["comparisons"]:
        if pair["model"] == last["name"] and pair["other"] in _BESIDE:
            title = f"AUC of {pair['model']} minus {pair['other']}"
            figures.append(_site_forest(names, pair["difference"], pair, title, 0.0))
    return figures


def _site_forest(
    names: Sequence[str],
    values: Sequence[Mapping[str, Any]],
    pooled: Mapping[str, Any],
    title: str,
    reference: float | None = None,
) -> Figure:
    named = [
        *zip(names, values, strict=True),
        ("macro mean", pooled["macro"]),
        ("random effects", pooled["random_effects"]),
    ]
    rows = [(name, found["value"], found["low"], found["high"]) for name, found in named]
    caption = f"{title}, with 95 % intervals; in brackets patients with pCR of all."
    return Figure(forest_plot(rows, reference, title), f"Forest plot of the sites: {title}", caption)


def intervals_over(models: Sequence[Model]) -> str:
    """Return what the intervals contain, and what they lack."""
    kinds = {str(model["interval_over"]) for model in models if model.get("interval_over")}
    if not kinds:
        return ""
    words = f"Intervals are over {' or '.join(sorted(kinds))}."
    lacking = " With one seed they lack the variability over seeds and folds." if "patients" in kinds else ""
    return words + lacking


def _shown(model: Model) -> list[Mapping[str, Any]]:
    return [point for point in model["decision_curve"] if point["threshold"] in _SHOWN]


def _rate(point: Mapping[str, Any], key: str) -> str:
    low, high = point[f"{key}_interval"] or (None, None)
    return format_value({"value": point[key], "low": low, "high": high})


def _of_100(value: Mapping[str, Any], *, inverse: bool = False) -> str:
    """Return a share as a number of 100, with its interval; of an NPV, the number with pCR."""
    names = ("value", "high", "low") if inverse else ("value", "low", "high")
    found = [value[name] for name in names]
    if not is_known(found[0]):
        return MISSING
    number, low, high = ((1 - x if inverse else x) if is_known(x) else None for x in found)
    text = f"{100 * (number or 0.0):.0f}"
    return text if low is None or high is None else f"{text} ({100 * max(low, 0):.0f} to {100 * min(high, 1):.0f})"


def _percent(value: float | None) -> str:
    return f"{100 * value:.0f} %" if is_known(value) else MISSING


def _p(value: Any) -> str:  # noqa: ANN401
    return "< 0.001" if is_known(value) and value < 0.001 else format_value(value, 3)
