"""Hospitals alone, pooled and federated: AUC on patients of a hospital that none of them has, over three seeds.

    make federation-study [COHORT="ispy2 duke" SITES="manufacturer cohort"] [MORE="--epochs 5"]

Phantom: three simulated scanners, each with a shortcut of another kind, and a fourth scanner without one to test on.
Real: the sites of --cohorts by manufacturer (a cohort of one hospital is one site); each is left out in turn.
All rows have the same steps, epochs and number of updates: pooled training has a batch as many times larger as there
are sites, a federation averages after each epoch. A site alone and the pooled patients are federations of one. Results
are kept row by row: a run that was stopped goes on. The simulator of FLARE gives the same weights, see the tests.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.model.grid import GridSpec
from PCRPredictorLib.network import PCRNet
from PCRPredictorLib.phantom.cohort import write_cohort
from PCRPredictorLib.phantom.site import SITES, find_site
from PCRPredictorLib.writing import write_json
from PCRTrainingLib.cohort.build import open_or_build
from PCRTrainingLib.cohort.cache import GridCache
from PCRTrainingLib.cohort.joined import join_caches
from PCRTrainingLib.config import SplitConfig, TrainingConfig, stepwise
from PCRTrainingLib.federation.agreement import shared_schema
from PCRTrainingLib.federation.division import divide_cohort
from PCRTrainingLib.federation.folder import FederationFolder, Plan
from PCRTrainingLib.federation.rounds import Federation
from PCRTrainingLib.federation.settings import SiteSettings
from PCRTrainingLib.federation.site import Site, to_tensors
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.statistics.metrics import auc
from PCRTrainingLib.training.inference import score
from PCRTrainingLib.training.loop import network_arguments
from support.federated.direct import DirectHub

NOISY = replace(SITES["A"], name="D", gain=2.1, noise=1.6 * SITES["A"].noise)  # the fourth scanner
HOSPITALS = {"A": "background", "B": "noise", "C": "fat"}  # scanner to the kind of its shortcut
LEAST_GAIN = 0.02  # of pooling, for a share of it to mean something
ALL_ON = SplitConfig("holdout", share=0.01)  # too few to hold out: a site trains on all its patients


class Ready(Site):
    """A site whose patients are read already."""

    def __init__(self, name: str, cache: GridCache, folder: Path) -> None:
        super().__init__(SiteSettings(name, "", str(folder), name))
        self.__dict__["cache"] = cache


def train(out: Path, caches: Mapping[str, GridCache], config: TrainingConfig, **plan: float) -> Path:
    """Train a federation of some sites; it goes on where it was stopped."""
    folder = FederationFolder(out)
    folder.begin(Plan(config, tuple(caches), config.steps[0].epochs, least=len(caches), **plan))
    sites = {name: Ready(name, cache, out / "sites" / name) for name, cache in caches.items()}
    Federation(folder, DirectHub(sites), Progress()).run()
    return out


def measure(out: Path, cache: GridCache) -> float:
    """Return the AUC of a federation's network on a cache."""
    folder = FederationFolder(out)
    state, config = folder.read_state(), folder.read_plan().config
    schema = ClinicalSchema.from_json(state.schema)
    network = PCRNet(**network_arguments(config.steps[-1], config, schema))
    network.load_state_dict(to_tensors(folder.read_weights(state)))
    found = score(network.channels_last().eval(), cache, cache.encode(schema), np.arange(len(cache)), config.flips)
    return auc(found.logit, cache.labels)


def compare(
    out: Path,
    sites: Mapping[str, GridCache],
    tests: Mapping[str, GridCache],
    config: TrainingConfig,
    arguments: argparse.Namespace,
) -> None:
    """Train each row on sites that are not tested, and write its AUCs."""
    for test, cache in tests.items():
        inside = {name: each for name, each in sites.items() if name != test}
        rows: dict[str, tuple[Mapping[str, GridCache], TrainingConfig, dict[str, float]]] = {
            f"alone {name}": ({name: each}, config, {}) for name, each in inside.items()
        }
        pooled = join_caches(out, list(inside.values())) if len(inside) > 1 else next(iter(inside.values()))
        rows["pooled"] = ({"pooled": pooled}, replace(config, batch_size=config.batch_size * len(inside)), {})
        rows["federated"] = (inside, config, {})
        for mu in arguments.prox:
            rows[f"federated, proximal {mu:g}"] = (inside, config, {"proximal": mu})
        for noise in arguments.noise:
            rows[f"federated, noise {noise:g}"] = (inside, config, {"clip": arguments.clip, "noise": noise})
        for row, (caches, settings, plan) in rows.items():
            run(out, row, test, cache, caches, settings, plan)


def run(
    out: Path,
    row: str,
    test: str,
    cache: GridCache,
    caches: Mapping[str, GridCache],
    config: TrainingConfig,
    plan: Mapping[str, float],
) -> None:
    """Train and measure one row, unless it is there."""
    file = out / "results" / f"{test}, {row}, seed {config.seed}.json"
    if file.is_file():
        return
    started = time.perf_counter()
    shared = row if row.startswith("alone") else f"{row} without {test}"
    path = train(out / "runs" / f"{shared}, seed {config.seed}", caches, config, **plan)
    file.parent.mkdir(parents=True, exist_ok=True)
    patients = sum(map(len, caches.values()))
    found = {"test": test, "row": row, "seed": config.seed, "patients": patients, "tested": len(cache)}
    write_json({**found, "auc": measure(path, cache), "seconds": time.perf_counter() - started}, file)
    print(f"{file.stem}: {json.loads(file.read_text(encoding='utf-8'))['auc']:.3f}", flush=True)
    (out / "table.md").write_text(table(out), encoding="utf-8")


def table(out: Path) -> str:
    """Return the mean of each row over its seeds, and how far a federation is on the way from alone to pooled."""
    results = [json.loads(file.read_text(encoding="utf-8")) for file in sorted((out / "results").glob("*.json"))]
    lines = ["| Tested on | Trained | AUC, mean of the seeds (lowest to highest) |", "|---|---|---|"]
    for test in sorted({found["test"] for found in results}):
        here = [found for found in results if found["test"] == test]
        groups: dict[str, dict[int, list[float]]] = {}
        for found in here:
            for name in [found["row"], *(["alone, mean of the sites"] if found["row"].startswith("alone ") else [])]:
                groups.setdefault(name, {}).setdefault(found["seed"], []).append(found["auc"])
        means = {name: [float(np.mean(values)) for values in seeds.values()] for name, seeds in groups.items()}
        title = f"{test}, {here[0]['tested']} patients"
        for name in sorted(means, key=order):
            values = means[name]
            spread = f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"
            lines.append(f"| {title} | {name} | {spread}, n = {len(values)} |")
            title = ""
        lines += [f"| | *share of the way from alone to pooled* | {share(means)} |"]
    return "\n".join(lines) + "\n"


def order(name: str) -> tuple[bool, str]:
    """Return the place of a row: those alone first."""
    return not name.startswith("alone"), "p" * name.startswith("federated") + name


def share(means: Mapping[str, Sequence[float]]) -> str:
    """Return how far the federated mean is from alone, 0, to pooled, 1."""
    names = ("alone, mean of the sites", "pooled", "federated")
    if not all(name in means for name in names):
        return "–"
    alone, pooled, federated = (float(np.mean(means[name])) for name in names)
    gain = f"gain of pooling {pooled - alone:+.3f}, of the federation {federated - alone:+.3f}"
    return f"{(federated - alone) / (pooled - alone):.2f} ({gain})" if pooled - alone > LEAST_GAIN else f"– ({gain})"


def phantom(
    out: Path, config: TrainingConfig, arguments: argparse.Namespace
) -> tuple[dict[str, GridCache], dict[str, GridCache]]:
    """Return three simulated hospitals and a fourth to test on."""
    found = {}
    for k, (name, kind) in enumerate(HOSPITALS.items()):
        site = find_site(name, arguments.shortcut, kind)
        found[name] = simulated(out / "hospitals" / name, name, site, arguments.patients, 11 + k, config)
    return found, {"D": simulated(out / "hospitals" / "D", "D", NOISY, arguments.external, 14, config)}


def simulated(folder: Path, name: str, site: object, patients: int, seed: int, config: TrainingConfig) -> GridCache:
    """Return a simulated hospital, made once."""
    if not (folder / "images").exists():
        write_cohort(folder / "images", patients, site, seed)  # type: ignore[arg-type]
    return open_or_build(folder / "images", folder / "grids", config.grid, shared_schema(config), Progress(), name)


def real(out: Path, config: TrainingConfig, cohorts: Sequence[Path], columns: Sequence[str]) -> dict[str, GridCache]:
    """Return the sites of real cohorts."""
    found = {}
    for cohort, column in zip(cohorts, columns, strict=True):
        caches = divide_cohort(cohort, cohort.name, column, out / "cache", config, Progress())
        for name, folder in caches.items():
            from PCRTrainingLib.cohort.cache import read_cache

            site = name if len(caches) > 1 else cohort.name
            found[site] = read_cache(folder, site)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("build/federation-study"))
    parser.add_argument("--cohorts", type=Path, nargs="*", default=[])
    parser.add_argument(
        "--sites", nargs="*", default=[], help="a column for each cohort; cohort for one that is a site"
    )
    parser.add_argument("--patients", type=int, default=100, help="of each simulated hospital")
    parser.add_argument("--external", type=int, default=250, help="of the fourth")
    parser.add_argument("--shortcut", type=float, default=0.6)
    parser.add_argument("--epochs", type=int, default=8, help="of each step, and rounds")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--prox", type=float, nargs="*", default=[])
    parser.add_argument("--noise", type=float, nargs="*", default=[])
    parser.add_argument("--clip", type=float, default=1.0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = TrainingConfig(
        stepwise(arguments.epochs),
        split=ALL_ON,
        grid=GridSpec(size=32),
        widths=(8, 16, 32),
        batch_size=8,
        balance="none",
        clinical=("age", "hr", "her2"),
    )
    if arguments.cohorts:
        sites = real(arguments.out, config, arguments.cohorts, arguments.sites)
        tests = sites
    else:
        sites, tests = phantom(arguments.out, config, arguments)
    for seed in range(arguments.seeds):
        compare(arguments.out, sites, tests, replace(config, seed=seed), arguments)
    print(table(arguments.out))


if __name__ == "__main__":
    main()
