"""What recalibration on a few local patients gains on the others of the same hospital, over random draws.

    python Testing/benchmarks/recalibration.py ../shared/cohorts/duke --model ispy2

A model reads the cohort once. Of its patients, 30, 45 or 60 are drawn at random, the model is recalibrated on them as
`pcr bundle recalibrate` does, and both are measured on the rest. Printed: mean over the draws, and their 2.5th to
97.5th percentile. The rests of two draws share patients, so this is the spread over draws, not a confidence interval.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PCRPredictorLib.model.bundle import Bundle, find_bundle, load_bundle
from PCRTrainingLib.adaptation.recalibrate import calibrated_log_odds
from PCRTrainingLib.cohort.build import open_or_build
from PCRTrainingLib.cohort.shared import refuse_shared
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.statistics.adaptation import LEAST_OF_A_CLASS, possible_forms
from PCRTrainingLib.statistics.adapted_points import PROMISED, adapt_points
from PCRTrainingLib.statistics.calibration import calibration_in_the_large, calibration_slope
from PCRTrainingLib.statistics.metrics import auc, rates
from PCRTrainingLib.statistics.recalibration import choose_form, fit_change, log_loss, recalibrated

DECIMALS = {"log loss": 3, "Brier score": 3}


def main(
    cohort: Annotated[Path, typer.Argument(help="Folder of a cohort that the model was not trained on.")],
    model: Annotated[str, typer.Option(help="Bundle folder or bundled model.")] = "ispy2",
    sizes: Annotated[str, typer.Option(help="Numbers of local patients, divided by commas.")] = "30,45,60",
    draws: Annotated[int, typer.Option(help="Random draws of each number.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
) -> None:
    """Print a table in Markdown."""
    bundle = load_bundle(find_bundle(model))
    log_odds, label = _read(bundle, cohort)
    print(f"{bundle.card.name} {bundle.card.version} on {len(label)} patients, {label.sum()} with pCR; seed {seed}\n")
    print("| local patients | forms chosen | measured on the rest | as it is | recalibrated | difference | draws |")
    print("|---|---|---|---|---|---|---|")
    for size in map(int, sizes.split(",")):
        found = [_draw(bundle, log_odds, label, size, np.random.default_rng([seed, size, k])) for k in range(draws)]
        forms = [form for form, *_ in found]
        chosen = ", ".join(f"{form} {forms.count(form)}" for form in dict.fromkeys(sorted(forms)))
        for name in found[0][1]:
            print(f"| {size} | {chosen} | {name} | {_row(name, found)} |")


def _read(bundle: Bundle, cohort: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return log-odds, (F, N), and labels, (N,)."""
    with tempfile.TemporaryDirectory() as folder:
        cache = open_or_build(cohort, Path(folder) / "cache", bundle.settings.grid, bundle.schema)
        refuse_shared(cache, cohort, *bundle.training_hashes)
        return calibrated_log_odds(bundle, cache, "cpu", Progress()), cache.labels


Measured = Mapping[str, float]


def _draw(
    bundle: Bundle, log_odds: np.ndarray, label: np.ndarray, size: int, generator: np.random.Generator
) -> tuple[str, Measured, Measured]:
    """Return the form chosen on a random draw, and what the model measures on the rest before and after."""
    fewest = 0
    while fewest < LEAST_OF_A_CLASS:
        order = generator.permutation(len(label))
        local, rest = order[:size], order[size:]
        fewest = int(min(*np.bincount(label[local], minlength=2), *np.bincount(label[rest], minlength=2)))
    points = bundle.settings.operating_points
    form = choose_form(log_odds[:, local], label[local], possible_forms(label[local])[0])
    change = fit_change(form, log_odds[:, local], label[local])
    new = adapt_points(points, recalibrated(log_odds[:, local], change), label[local], PROMISED)
    before = _measure(recalibrated(log_odds[:, rest]), label[rest], {p.name: p.threshold for p in points})
    after = _measure(recalibrated(log_odds[:, rest], change), label[rest], {p.name: p.threshold for p in new})
    return form, before, after


def _measure(probability: np.ndarray, label: np.ndarray, thresholds: Mapping[str, float]) -> dict[str, float]:
    slope, intercept = (
        estimate(probability, label).value for estimate in (calibration_slope, calibration_in_the_large)
    )
    found = {
        "log loss": float(log_loss(probability, label).mean()),
        "Brier score": float(((probability - label) ** 2).mean()),
        "calibration slope": slope,
        "calibration intercept": intercept,
        "AUC": auc(probability, label),
    }
    for name, threshold in thresholds.items():
        decided = rates(probability >= threshold, label)
        found |= {f"sensitivity, {name}": decided.sensitivity, f"specificity, {name}": decided.specificity}
    return found


def _row(name: str, found: list[tuple[str, Measured, Measured]]) -> str:
    before, after = (np.array([each[k][name] for each in found]) for k in (1, 2))
    decimals = DECIMALS.get(name, 2)
    cells = [_spread(values, decimals) for values in (before, after, after - before)]
    return " | ".join([*cells, _better(name, before, after)])


def _spread(values: np.ndarray, decimals: int) -> str:
    low, high = np.percentile(values, [2.5, 97.5])
    return f"{values.mean():.{decimals}f} ({low:.{decimals}f} to {high:.{decimals}f})".replace("-", "−")


def _better(name: str, before: np.ndarray, after: np.ndarray) -> str:
    """Return in how many draws a score improved and worsened; rates are a trade and have no better."""
    distance = {"log loss": lambda v: v, "Brier score": lambda v: v, "calibration slope": lambda v: abs(v - 1)}
    distance["calibration intercept"] = abs
    if name not in distance:
        return "–"
    gain = distance[name](before) - distance[name](after)
    return f"{int((gain > 0).sum())} better, {int((gain < 0).sum())} worse"


if __name__ == "__main__":
    typer.run(main)
