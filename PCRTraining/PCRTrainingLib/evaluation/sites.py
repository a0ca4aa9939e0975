"""The results of an experiment at each site that was left out, and over the sites."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PCRPredictorLib.formatting import MISSING, format_value

from ..statistics.metrics import Estimate, Interval, auc
from ..statistics.operating import Outcome
from ..statistics.sites import (
    auc_random_effects,
    estimate_auc,
    estimate_difference,
    mean_over_sites,
    random_effects,
)
from .layout import Section, Table

_READ = (
    "Each site was predicted by networks that have not seen it; the AUC is that of the prediction averaged over the "
    "seeds, and its variance that over patients and over seeds. Macro mean: plain mean of these sites. Random effects: "
    "mean of the sites that these are a sample of. New site: range in which 95 % of new sites are expected. Spread: "
    "standard deviation between sites of the AUC's logit, or of the difference."
)

_READ_PAIRS = "Intervals as above. The differences of all rows to the baselines are in experiment.json."


def describe_sites(
    outcomes: Mapping[str, Sequence[Outcome]], label: np.ndarray, site: np.ndarray, pairs: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Describe every row at each site, and over the sites.

    Args:
        outcomes: of each row, one per seed, of the same N patients.
        label: (N,) 0 or 1.
        site: (N,) text; each was left out whole.
        pairs: rows to compare, first minus second.

    Returns:
        "names", "patients" and "positives" of the sites; "rows" with "auc", "auc_per_seed" (by site, by seed), "macro",
        "macro_per_seed" and "random_effects"; and "comparisons" with "difference", "macro" and "random_effects".
    """
    names = list(dict.fromkeys(sorted(site.tolist())))
    where = [np.flatnonzero(site == name) for name in names]
    counts = [(int(label[index].sum()), int((1 - label[index]).sum())) for index in where]
    orders = {row: [outcome.order for outcome in found] for row, found in outcomes.items()}
    return {
        "names": names,
        "patients": [len(index) for index in where],
        "positives": [positives for positives, _ in counts],
        "rows": [_describe_row(row, orders[row], label, where, counts) for row in outcomes],
        "comparisons": [
            _compare(one, other, orders, label, where) for one, other in pairs if one in orders and other in orders
        ],
    }


def _describe_row(
    name: str,
    orders: Sequence[np.ndarray],
    label: np.ndarray,
    where: Sequence[np.ndarray],
    counts: Sequence[tuple[int, int]],
) -> dict[str, Any]:
    found = [estimate_auc([order[index] for order in orders], label[index]) for index in where]
    per_seed = [[auc(order[index], label[index]) for order in orders] for index in where]
    return {
        "name": name,
        "auc": [_within(each).to_json() for each in found],
        "auc_per_seed": per_seed,
        "macro": mean_over_sites(found).to_json(),
        "macro_per_seed": np.mean(per_seed, 0).tolist(),
        "random_effects": auc_random_effects(found, counts).to_json(),
    }


def _within(estimate: Estimate) -> Interval:
    """Return an AUC with its interval, cut to [0, 1]."""
    found = estimate.interval
    return Interval(found.value, max(found.low, 0.0), min(found.high, 1.0))


def _compare(
    one: str,
    other: str,
    orders: Mapping[str, Sequence[np.ndarray]],
    label: np.ndarray,
    where: Sequence[np.ndarray],
) -> dict[str, Any]:
    found = [
        estimate_difference([o[index] for o in orders[one]], [o[index] for o in orders[other]], label[index])
        for index in where
    ]
    return {
        "model": one,
        "other": other,
        "difference": [each.interval.to_json() for each in found],
        "macro": mean_over_sites(found).to_json(),
        "random_effects": random_effects(found).to_json(),
    }


def site_sections(result: Mapping[str, Any]) -> list[Section]:
    """Return the part of a run's or experiment's page about the sites; nothing if none was left out."""
    sites = result.get("sites")
    if not sites:
        return []
    sizes = zip(sites["names"], sites["patients"], sites["positives"], strict=True)
    text = "Sites: " + "; ".join(f"{name}, {patients} patients, {pcr} with pCR" for name, patients, pcr in sizes) + "."
    head = [*sites["names"], "Macro mean", "Macro over seeds", "Random effects", "New site", "Spread"]
    rows = [
        [row["name"], *map(format_value, row["auc"]), *_summary(row, _range(row["macro_per_seed"]))]
        for row in sites["rows"]
    ]
    pairs = [
        [
            pair["model"],
            pair["other"],
            *(format_value(each, 3, signed=True) for each in pair["difference"]),
            *_summary(pair, None, 3, signed=True),
        ]
        for pair in sites["comparisons"]
        if pair["model"] == sites["rows"][-1]["name"]
    ]
    pair_head = ["Model", "Compared with", *(name for name in head if name != "Macro over seeds")]
    tables = [
        Table("AUC at the site that was left out", ["Model", *head], rows, _READ),
        Table("Differences of the AUC at the site that was left out", pair_head, pairs, _READ_PAIRS),
    ]
    return [Section("Sites left out", text, tables)]


def _summary(found: Mapping[str, Any], seeds: str | None, digits: int = 2, *, signed: bool = False) -> list[str]:
    pooled = found["random_effects"]
    low, high = (format_value(bound, digits, signed=signed) for bound in pooled["new_site"])
    new_site = MISSING if MISSING in (low, high) else f"{low} to {high}"
    macro, mean = (format_value(each, digits, signed=signed) for each in (found["macro"], pooled))
    return [macro, *([] if seeds is None else [seeds]), mean, new_site, format_value(pooled["spread"])]


def _range(values: Sequence[float]) -> str:
    if len(values) < 2:
        return MISSING
    return f"{format_value(min(values))} to {format_value(max(values))}"
