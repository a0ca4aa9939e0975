"""What a recalibration gained, in plain values with intervals, and in sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PCRPredictorLib.formatting import format_value
from PCRPredictorLib.model.bundle import Bundle
from PCRPredictorLib.prediction import OperatingPoint
from PCRPredictorLib.shift.wording import percent

from ..statistics import metrics
from ..statistics.adaptation import Adaptation
from ..statistics.adapted_points import PROMISED, describe_kept
from ..statistics.calibration import calibration_in_the_large, calibration_slope
from ..statistics.recalibration import NONE, OFFSET, log_loss

FORMAT = 1
_LINE = {"calibration_slope": calibration_slope, "calibration_intercept": calibration_in_the_large}
Statistic = Callable[[np.ndarray], float]


def measure_adaptation(bundle: Bundle, cohort: str, found: Adaptation, label: np.ndarray, how: str) -> dict[str, Any]:
    """Return what was done and what it gains on patients that it did not see, with 95 % intervals; no identifiers.

    Args:
        bundle: as it was.
        cohort: name of the cohort.
        label: (N,), 0 or 1.
        how: operating points were chosen, see `adapted_points.adapt_points`.
    """
    slope, offset = found.change
    old = bundle.settings.operating_points
    before = {point.name: (found.fitted.before >= point.threshold) * 1.0 for point in old}
    return {
        "format": FORMAT,
        "base": {"name": bundle.card.name, "version": bundle.card.version, "checksum": bundle.checksum},
        "cohort": cohort,
        "patients": len(label),
        "positives": int(label.sum()),
        "form": found.form,
        "slope": slope,
        "offset": offset,
        "forms_cross_fitted": found.fitted.forms,
        "limited": found.limited,
        **_gains(found, label),
        "points": {
            "how": how,
            "kept": [describe_kept(point) for point in old] if how == PROMISED else [],
            "before": [_rates(point, before[point.name], label) for point in old],
            "after": [_rates(point, found.above[point.name], label) for point in found.points],
        },
    }


def _gains(found: Adaptation, label: np.ndarray) -> dict[str, Any]:
    """Return log loss, Brier score and calibration line before and after, and the gains; positive is better."""
    before, after = found.fitted.before, found.fitted.after
    losses = {
        "log_loss": (log_loss(before, label), log_loss(after, label).mean(0)),
        "brier": ((before - label) ** 2, ((after - label) ** 2).mean(0)),
    }
    content: dict[str, Any] = {}
    for name, (old, new) in losses.items():
        gain = _interval(_mean(old - new), label)
        content[name] = {"before": float(old.mean()), "after": float(new.mean()), "gain": gain}
    for name, estimate in _LINE.items():
        lines = {"before": before, "after": after.mean(0)}
        content[name] = {key: estimate(p, label).interval.to_json() for key, p in lines.items()}
    return content


def _mean(values: np.ndarray) -> Statistic:
    return lambda index: float(values[index].mean())


def _interval(statistic: Statistic, label: np.ndarray) -> dict[str, float | None]:
    return metrics.bootstrap(statistic, label).to_json()


def _rates(point: OperatingPoint, above: np.ndarray, label: np.ndarray) -> dict[str, Any]:
    positive = label == 1
    return {
        "name": point.name,
        "threshold": point.threshold,
        "above": float(above.mean()),
        "sensitivity": metrics.wilson(float(above[positive].mean()), int(positive.sum())).to_json(),
        "specificity": metrics.wilson(float(1 - above[~positive].mean()), int((~positive).sum())).to_json(),
    }


def is_gain_shown(measured: Mapping[str, Any]) -> bool:
    """Return True if the interval of the gain in log loss is above 0."""
    low = measured["log_loss"]["gain"]["low"]
    return low is not None and low > 0


def describe_change(measured: Mapping[str, Any]) -> str:
    """Return what was done to the log-odds."""
    if measured["form"] == NONE:
        return "nothing was changed in its probabilities, as no change was better than none"
    offset = f"offset {format_value(measured['offset'], 2, signed=True)}"
    if measured["form"] == OFFSET:
        return f"its log-odds have an {offset}"
    return f"its log-odds are multiplied by {measured['slope']:.2f} and have an {offset}"


def describe_adaptation(measured: Mapping[str, Any]) -> list[str]:
    """Return what was done and what it gained, in sentences."""
    base, loss, brier = measured["base"], measured["log_loss"], measured["brier"]
    forms = ", ".join(f"{name} {number}" for name, number in measured["forms_cross_fitted"].items())
    gain = f"Log loss {loss['before']:.3f}, then {loss['after']:.3f}: gain {format_value(loss['gain'], 3, signed=True)}"
    shown = "." if is_gain_shown(measured) else ". A gain is not shown: its interval holds 0 or less."
    return [
        f"{base['name']} {base['version']} on {measured['patients']} patients of {measured['cohort']}, "
        f"{measured['positives']} with pCR: {describe_change(measured)}.",
        *([measured["limited"]] if measured["limited"] else []),
        "Cross-fitted, that is, each patient by the others (chosen: " + forms + f"): {gain}{shown}",
        f"Brier score {brier['before']:.3f}, then {brier['after']:.3f}: gain "
        f"{format_value(brier['gain'], 3, signed=True)}. {_describe_line(measured)}",
        *_describe_points(measured["points"]),
    ]


def _describe_line(measured: Mapping[str, Any]) -> str:
    slope, intercept = measured["calibration_slope"], measured["calibration_intercept"]
    return (
        f"Calibration slope {format_value(slope['before'])}, then {format_value(slope['after'])}; intercept "
        f"{format_value(intercept['before'], 2, signed=True)}, then {format_value(intercept['after'], 2, signed=True)}."
    )


def _describe_points(points: Mapping[str, Any]) -> list[str]:
    kept = f"each keeps what it promised ({'; '.join(points['kept'])})" if points["kept"] else "chosen anew"
    lines = [f"Operating points: {kept}. Rates here, as they were and, cross-fitted, as they are now:"]
    before = {point["name"]: point for point in points["before"]}
    for point in points["after"]:
        old = before.get(point["name"])
        was = f"{old['threshold']:.3f} with {_describe_rates(old)}; now " if old else ""
        lines.append(f"{point['name']}: threshold {was}{point['threshold']:.3f} with {_describe_rates(point)}")
    return lines


def _describe_rates(point: Mapping[str, Any]) -> str:
    return f"sensitivity {percent(point['sensitivity'])}, specificity {percent(point['specificity'])}"
