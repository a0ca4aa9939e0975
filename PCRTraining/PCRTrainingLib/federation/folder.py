"""The folder of a federation at its server: what was agreed, where it stands, and who took part in which round."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.writing import whole_file, write_whole_csv, write_whole_json
from safetensors.numpy import load_file, save

from ..config import TrainingConfig, config_to_json, parse_config
from ..run_files import read_content, refusing_damage
from .messages import METRICS, Arrays

_WEIGHTS = re.compile(r"weights-\d+\.safetensors")
COLUMNS = ("step", "round", "site", "took_part", "reason", "patients", "share", *METRICS)


@dataclass(frozen=True)
class Plan:
    """What the server decides before the first round.

    Args:
        config: of the run, with its own seed.
        sites: names of all that were given a kit.
        rounds: of each step.
        least: sites that a round needs; with fewer it is repeated when more are there.
        proximal: weight of the proximal term (FedProx); 0 for plain averaging (FedAvg).
        clip: largest norm of an update; None for no limit.
        noise: standard deviation of the noise on updates, as a multiple of `clip`.
        grace: seconds that a round waits for the others once `least` sites have answered.
        host: under which the sites reach the server; empty in a simulation. Their certificates are for this name.
        port: of the server.
        keep_anyway: make the bundle also if the attention is at chance; may be decided later.
    """

    config: TrainingConfig
    sites: tuple[str, ...]
    rounds: int
    least: int = 2
    proximal: float = 0.0
    clip: float | None = None
    noise: float = 0.0
    grace: float = 1800.0
    host: str = ""
    port: int = 0
    keep_anyway: bool = False

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {**{k: v for k, v in vars(self).items() if k != "config"}, "config": config_to_json(self.config)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Plan:
        """Return the plan of `plan.json`."""
        config = parse_config(json.dumps(content["config"]), "plan.json")
        return cls(**{**content, "config": config, "sites": tuple(content["sites"])})


@dataclass(frozen=True)
class State:
    """How far a federation is.

    Args:
        done: rounds that are averaged, of all steps.
        schema: agreed clinical variables, as JSON; None before.
        weights: file of the newest weights; None before the first round.
        counts: of each site that has trained.
        auc: at each site, on the patients that it held out.
        rows: one per site and round, see `COLUMNS`.
        finished: the bundles are written, or refused.
        refused: why there is no bundle of all sites, a sentence; "" if there is one.
    """

    done: int = 0
    schema: Any = None
    weights: str | None = None
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    auc: Mapping[str, float] = field(default_factory=dict)
    rows: Sequence[Mapping[str, object]] = ()
    finished: bool = False
    refused: str = ""


@dataclass(frozen=True)
class FederationFolder:
    """Paths of a federation at the server."""

    path: Path

    @property
    def plan(self) -> Path:
        """What was decided."""
        return self.path / "plan.json"

    @property
    def state(self) -> Path:
        """How far it is."""
        return self.path / "state.json"

    @property
    def rounds(self) -> Path:
        """A row for each site and round, for people."""
        return self.path / "rounds.csv"

    @property
    def bundle(self) -> Path:
        """Of the global network."""
        return self.path / "bundle"

    @property
    def regroup(self) -> Path:
        """There while a site that was away is back and the next job should include it."""
        return self.path / "regroup"

    @property
    def caches(self) -> Path:
        """Of the cohorts that a simulation divides into sites."""
        return self.path / "cache"

    @property
    def away(self) -> Path:
        """Sites that the running job has lost, and since when."""
        return self.path / "away.json"

    @property
    def log(self) -> Path:
        """What the server said."""
        return self.path / "log.txt"

    def site(self, name: str) -> Path:
        """Return the folder of a site of a simulation."""
        return self.path / "sites" / name

    def begin(self, plan: Plan) -> Plan:
        """Write the plan of a new federation, or that of the one in the folder, if it is the same.

        Raises:
            DataError: if the folder holds something else, or a plan that differs.
        """
        if self.plan.is_file():
            before = replace(self.read_plan(), keep_anyway=plan.keep_anyway)
            if json.dumps(before.to_json()) != json.dumps(plan.to_json()):
                raise DataError(
                    f"{self.path}: holds a federation with other sites or settings; repeat the call that began it to "
                    "go on with it, or choose a new folder"
                )
        else:
            self.check_new()
            self.path.mkdir(parents=True, exist_ok=True)
        write_whole_json(plan.to_json(), self.plan)
        return plan

    def check_new(self) -> None:
        """Refuse a folder with anything but a federation, or the caches of one that is about to begin.

        Raises:
            DataError: naming the first file.
        """
        others = [each.name for each in self.path.iterdir() if each != self.caches] if self.path.is_dir() else []
        if others and not self.plan.is_file():
            raise DataError(
                f"{self.path}: must be a new or empty folder, got {others[0]} in it; choose a different one"
            )

    def read_plan(self) -> Plan:
        """Return the plan.

        Raises:
            DataError: if it cannot be read.
        """
        try:
            with refusing_damage(self.plan):
                return Plan.from_json(read_content(self.plan))
        except (DataError, FileNotFoundError):
            raise DataError(f"{self.path}: must hold the plan.json of a federation; choose its folder") from None

    def read_state(self) -> State:
        """Return how far the federation is.

        Raises:
            DataError: if the file is damaged.
        """
        if not self.state.is_file():
            return State()
        with refusing_damage(self.state):
            state = State(**read_content(self.state))
            if state.weights is not None and not _WEIGHTS.fullmatch(state.weights):
                raise ValueError("weights must name a file of this folder")
            if not all(isinstance(each, Mapping) for each in (state.counts, state.auc, *state.rows)):
                raise ValueError("counts, auc and rows must be objects")
            return replace(state, done=int(state.done), finished=state.finished is True, refused=str(state.refused))

    def write_state(self, state: State) -> None:
        """Write how far it is, and the rows for people."""
        write_whole_json(asdict(state), self.state)
        write_whole_csv(COLUMNS, ([row.get(name, "") for name in COLUMNS] for row in state.rows), self.rounds)

    def is_done(self) -> bool:
        """Return True if nothing is left to do: not if a bundle was refused that is wanted now.

        Raises:
            DataError: if plan or state cannot be read.
        """
        state = self.read_state()
        return state.finished and not (state.refused and self.read_plan().keep_anyway)

    def read_weights(self, state: State) -> Arrays:
        """Return the newest weights; empty before the first round.

        Raises:
            DataError: if they are damaged.
        """
        if state.weights is None:
            return {}
        with refusing_damage(self.path / state.weights):
            return load_file(self.path / state.weights)

    def keep(self, state: State, weights: Arrays) -> State:
        """Write weights, then the state that names them; the older ones go.

        Returns:
            The state one round on.
        """
        before, name = state.weights, f"weights-{state.done + 1}.safetensors"
        with whole_file(self.path / name) as part:
            part.write_bytes(save({key: np.array(array, order="C") for key, array in weights.items()}))
        state = replace(state, done=state.done + 1, weights=name)
        self.write_state(state)
        if before and before != name:
            (self.path / before).unlink(missing_ok=True)
        return state
