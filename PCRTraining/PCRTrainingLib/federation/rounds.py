"""The server's side: describe, then rounds of each step, then bundles. How tasks travel is the hub's affair.

Source: FedAvg, McMahan et al., AISTATS 2017.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from PCRPredictorLib import __version__
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import count
from PCRPredictorLib.network import PCRNet

from ..chance import limits, refusal
from ..config import TrainingConfig, config_to_json
from ..progress import Progress
from ..training.loop import network_arguments
from .agreement import agreed_schema, shared_schema, variable_names
from .folder import FederationFolder, Plan, State
from .local_bundle import described_from, write_global_bundle
from .messages import AGREED, MEASURED, Answer, Arrays, Kind, Task, describe_problem
from .site import to_tensors

_AGAIN = "repeat the call with --keep-anyway"
_NO_ANSWER = "it did not answer in time; it takes part again when it is back"


class Hub(Protocol):
    """Carries tasks to the sites and answers back."""

    def ask(self, task: Task, weights: Arrays) -> Mapping[str, Answer]:
        """Return the answers of the sites that gave one, by name."""

    def average(self, answers: Mapping[str, Answer], shares: Mapping[str, float]) -> Arrays:
        """Return the mean of the weights of some answers."""

    def paused(self) -> bool:
        """Return True if a site that was away is back, so that the hub must be opened anew to reach it."""


@dataclass(frozen=True)
class Round:
    """One exchange of weights.

    Args:
        kind: "start" of a step, or "train".
        step: name.
        number: of the step, from 0.
    """

    kind: Kind
    step: str
    number: int = 0


def rounds_of(config: TrainingConfig, rounds: int) -> list[Round]:
    """Return all rounds; a step that trains nothing only starts."""
    found: list[Round] = []
    for step in config.steps:
        found.append(Round("start", step.name))
        found += [Round("train", step.name, number) for number in range(rounds if config.epochs_of(step) else 0)]
    return found


class Federation:
    """A federation at its server, from the state in its folder to the bundle."""

    def __init__(self, folder: FederationFolder, hub: Hub, progress: Progress) -> None:
        self._folder, self._hub, self._progress = folder, hub, progress
        self._plan = folder.read_plan()
        self._config = config_of(self._plan)
        self._state = folder.read_state()

    def run(self) -> bool:
        """Go on until the end; return False if it was paused for a site that is back.

        Raises:
            DataError: if fewer sites than the plan's `least` can take part.
        """
        if self._folder.is_done():
            return True
        self._describe()
        rounds = rounds_of(self._config, self._plan.rounds)
        self._progress.start("Rounds", len(rounds))
        self._progress.advance("", self._state.done)
        for each in rounds[self._state.done :]:
            if self._hub.paused():
                return False
            self._run_round(each)
            self._progress.advance(f"{each.step}, round {each.number + 1}" if each.kind == "train" else each.step)
        self._finish()
        return True

    def _task(self, kind: Kind, step: str = "", number: int = 0) -> Task:
        plan = self._plan
        return Task(
            kind,
            config_to_json(self._config),
            self._state.schema,
            __version__,
            step,
            number,
            plan.rounds,
            plan.proximal,
            plan.clip,
            plan.noise,
            {"sites": self._state.counts, "noise": plan.noise} if kind == "finish" else {},
        )

    def _describe(self) -> None:
        """Ask all sites what they have; agree on the scaling of the variables, once.

        A site that cannot take part is reported, and asked again: what is wrong there may be mended meanwhile.
        """
        task = self._task("describe")
        good = self._accept(task, self._hub.ask(task, {}), {})
        if self._state.schema is None:
            self._require(good)
            schema = agreed_schema(shared_schema(self._config), [answer.sums for answer in good.values()])
            self._keep(replace(self._state, schema=schema.to_json()))
        self._progress.say("sites: " + ", ".join(f"{name} {each.counts['patients']}" for name, each in good.items()))

    def _run_round(self, each: Round) -> None:
        """Average one round.

        Raises:
            DataError: if too few sites took part; the round is not counted.
        """
        task, weights = self._task(each.kind, each.step, each.number), self._folder.read_weights(self._state)
        expected = expected_weights(self._config, each.step, ClinicalSchema.from_json(self._state.schema))
        good = self._accept(task, self._hub.ask(task, weights), expected)
        self._require(good)
        shares = {name: self._share(answer) for name, answer in good.items()}
        self._log(task, good, shares)
        averaged = self._hub.average(good, shares)
        cast = {name: np.array(averaged[name], like.dtype).reshape(like.shape) for name, like in expected.items()}
        counts = {**self._state.counts, **{name: dict(answer.counts) for name, answer in good.items()}}
        self._state = self._folder.keep(replace(self._state, counts=counts), cast)

    def _share(self, answer: Answer) -> float:
        """Return the weight of a site: the same for each, or its patients, as pooled training would weigh them."""
        return 1.0 if self._config.balance == "site" else float(answer.counts["trained"])

    def _finish(self) -> None:
        task, weights = self._task("finish"), self._folder.read_weights(self._state)
        good = self._accept(task, self._hub.ask(task, weights), {})
        auc = {
            name: answer.metrics["held_out_auc"] for name, answer in good.items() if "held_out_auc" in answer.metrics
        }
        described = described_from(pooled_attention(good))
        refused = refusal(described, f"{self._folder.path}: no bundle is made of this federation", _AGAIN)
        refused = "" if self._plan.keep_anyway else refused
        if not refused:
            facts = {**task.facts, "auc": auc, "limits": limits("", described)}
            name, schema = self._folder.path.resolve().name, ClinicalSchema.from_json(self._state.schema)
            write_global_bundle(self._folder.bundle, name, self._config, schema, to_tensors(weights), facts)
        self._keep(replace(self._state, auc=auc, finished=True, refused=refused))

    def _keep(self, state: State) -> None:
        self._state = state
        self._folder.write_state(state)

    def _accept(self, task: Task, answers: Mapping[str, Answer], expected: Arrays) -> dict[str, Answer]:
        """Return the answers that can be used, in the order of the plan; name each site that is left out, and why."""
        reasons = {}
        for name in self._plan.sites:
            answer = answers.get(name)
            reasons[name] = _NO_ANSWER if answer is None else self._refuse(task, answer, expected)
        left_out = {name: reason for name, reason in reasons.items() if reason}
        for name, reason in left_out.items():
            self._progress.say(f"{name} left out of {task.title}: {reason}")
        rows = [row_of(task, name, "no", reason) for name, reason in left_out.items()]
        self._state = replace(self._state, rows=[*self._state.rows, *rows])
        return {name: answers[name] for name, reason in reasons.items() if not reason}

    def _refuse(self, task: Task, answer: Answer, expected: Arrays) -> str:
        """Return why an answer cannot be used; empty if it can."""
        if answer.position != task.position:
            return "its answer is to a different round"
        if answer.problem:
            return describe_problem(answer.problem, answer.about, variable_names(self._config))
        if task.kind in ("start", "train"):
            return refuse_weights(answer.weights, expected) or refuse_counts(answer.counts)
        return refuse_counts(answer.counts)

    def _require(self, good: Mapping[str, Answer]) -> None:
        if len(good) < self._plan.least:
            self._keep(self._state)
            raise DataError(
                f"{count(self._plan.least, 'site')} must take part in a round, got {len(good)} "
                f"({', '.join(good) or 'none'}); see {self._folder.rounds.name} for what the others lack, then go on"
            )

    def _log(self, task: Task, good: Mapping[str, Answer], shares: Mapping[str, float]) -> None:
        total = sum(shares.values())
        rows = [
            {**row_of(task, name, "yes"), "patients": answer.counts["trained"], "share": round(shares[name] / total, 4)}
            | {key: round(value, 5) for key, value in answer.metrics.items()}
            for name, answer in good.items()
        ]
        self._state = replace(self._state, rows=[*self._state.rows, *rows])


def pooled_attention(answers: Mapping[str, Answer]) -> dict[str, float]:
    """Return the shares of maps inside tumours over the held-out patients of all sites; empty if none was measured."""
    measured = [each for each in answers.values() if "held_out_attention" in each.metrics]
    held_out = [each.counts["patients"] - each.counts["trained"] for each in measured]
    if not sum(held_out):
        return {}
    shares = {name: [each.metrics.get(f"held_out_{name}", 0.0) for each in measured] for name in MEASURED[1:]}
    return {name: float(np.average(values, weights=held_out)) for name, values in shares.items()}


def config_of(plan: Plan) -> TrainingConfig:
    """Return the configuration that all sites follow; with noise no step starts from a fit, which would have none."""
    if plan.clip is None:
        return plan.config
    return replace(plan.config, steps=tuple(replace(step, clinical_fit=False) for step in plan.config.steps))


def agreed_of(plan: Plan) -> dict[str, object]:
    """Return what the kits of a federation fix, see `Task.agreed`."""
    return {**{name: getattr(plan, name) for name in AGREED}, "config": config_to_json(config_of(plan))}


def row_of(task: Task, site: str, took_part: str, reason: str = "") -> dict[str, object]:
    """Return a row of `rounds.csv`."""
    number: object = task.round + 1 if task.kind == "train" else task.kind
    return {"step": task.step, "round": number, "site": site, "took_part": took_part, "reason": reason}


def expected_weights(config: TrainingConfig, name: str, schema: ClinicalSchema) -> dict[str, np.ndarray]:
    """Return arrays of the same shapes and types as the network of a step has; their values mean nothing.

    Args:
        name: of the step.
    """
    step = next(step for step in config.steps if step.name == name)
    with torch.device("meta"):
        tensors = PCRNet(**network_arguments(step, config, schema)).state_dict()
    types = {True: np.float32, False: np.int64}
    return {key: np.broadcast_to(np.zeros((), types[t.is_floating_point()]), t.shape) for key, t in tensors.items()}


def refuse_weights(weights: Arrays, expected: Arrays) -> str:
    """Return why the weights of a site cannot be averaged; empty if they can.

    Args:
        expected: from `expected_weights`.
    """
    if not weights:
        return "it sent no weights"
    if weights.keys() != expected.keys():
        return "it sent the weights of a different network"
    for name, array in weights.items():
        if not isinstance(array, np.ndarray) or array.dtype != expected[name].dtype:
            return "it sent something other than weights"
        if array.shape != expected[name].shape:
            return "it sent the weights of a different network"
        if not np.isfinite(array).all():
            return "it sent values that are not finite (NaN)"
    return ""


def refuse_counts(counts: Mapping[str, int]) -> str:
    """Return why the counts of a site cannot be used; empty if they can."""
    complete = all(counts.get(name, 0) > 0 for name in ("patients", "positives", "trained", "trained_positives"))
    return "" if complete and counts["trained"] <= counts["patients"] else "its counts of patients make no sense"


def left_out_sites(rows: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Yield a sentence for each site and reason that it was left out of rounds, for the end of a run."""
    found: dict[tuple[object, object], int] = {}
    for row in rows:
        if row["took_part"] == "no":
            found[row["site"], row["reason"]] = found.get((row["site"], row["reason"]), 0) + 1
    for (site, reason), number in found.items():
        yield f"{site} was left out of {count(number, 'exchange')}: {reason}"
