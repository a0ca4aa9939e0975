"""The messages between server and sites. Everything that leaves a hospital is a field of `Answer`.

An answer carries no identifier, no date, no value of a single patient, no file name and no free text: a problem is one
of `PROBLEMS`, and its details stay in the site's own log.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.json_text import parse_json

Arrays = Mapping[str, np.ndarray]
Kind = Literal["describe", "start", "train", "finish"]
PROBLEMS = {
    "variables": "its table has no value of {about}; complete the table there, or leave them out of the configuration",
    "configuration": "it agreed to other settings (configuration, rounds, noise); give it the kit of this federation",
    "version": "it has a different version of BreastPCR; install the server's",
    "data": "its cohort cannot be used; its own log says why",
    "few": "it has too few patients of a class to train on",
    "diverged": "its training gave values that are not finite",
    "failed": "its training ended with an error; its own log says why",
}
COUNTS = ("patients", "positives", "trained", "trained_positives", "left_out")
MEASURED = ("auc", "attention", "random", "enhancement")  # of the patients held out: AUC, and shares of maps in tumours
METRICS = ("loss", "attention_in_tumour", "seconds", *(f"held_out_{each}" for each in MEASURED), "update_norm")
AGREED = ("config", "rounds", "proximal", "clip", "noise")  # of a task: what a kit fixes
TASK, ANSWER, NOTHING = "breastpcr_task", "breastpcr_answer", "nothing"  # keys of FLARE's messages
LEAST_FOR_SUMS = 5  # patients with a value; sums of fewer would come close to a single patient's value
_LONGEST = 100_000  # characters of an answer without its weights
_MOST, _LARGEST = 10**9, 1e30  # patients; a number, whose square is finite


@dataclass(frozen=True)
class Task:
    """What the server asks of every site.

    Args:
        kind: "describe" the cohort in counts, build the "start" of a step, "train" a round, or "finish" with a bundle.
        config: of the run, as JSON.
        schema: clinical variables with the agreed scaling, as JSON; None before it is agreed.
        version: of BreastPCR on the server.
        step: name.
        round: of the step, from 0.
        rounds: of each step.
        proximal: weight of the proximal term (FedProx); 0 for plain averaging.
        clip: largest norm of an update; None for no limit.
        noise: standard deviation of the noise on an update, as a multiple of `clip`.
        facts: of all sites together, for the cards of the local bundles.
    """

    kind: Kind
    config: Mapping[str, Any]
    schema: Any = None
    version: str = ""
    step: str = ""
    round: int = 0
    rounds: int = 1
    proximal: float = 0.0
    clip: float | None = None
    noise: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def position(self) -> str:
        """Return what the task is, to tell late answers from those that were asked for."""
        return " ".join([self.kind, *filter(None, [self.step]), *([str(self.round)] if self.kind == "train" else [])])

    @property
    def title(self) -> str:
        """Return what the task is, for people."""
        names = {"describe": "the description", "start": f"the start of {self.step}", "finish": "the end"}
        return names.get(self.kind, f"round {self.round + 1} of {self.step}")

    @property
    def agreed(self) -> dict[str, object]:
        """Return what a site has agreed to by its kit."""
        return {name: getattr(self, name) for name in AGREED}

    @property
    def fingerprint(self) -> str:
        """Return what the site's state depends on, in 16 digits: another federation must not go on from it."""
        content = [self.config, self.schema, self.rounds, self.proximal, self.clip, self.noise]
        return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=8).hexdigest()

    def to_text(self) -> str:
        """Return the task as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> "Task":
        """Return the task of a JSON text."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Answer:
    """All that leaves a site.

    Args:
        position: of the task that is answered.
        problem: a key of `PROBLEMS`; empty if there is none.
        about: names of variables of the shared configuration.
        counts: of patients, see `COUNTS`.
        sums: of each number: patients with a value, sum, and sum of squares; none of fewer than `LEAST_FOR_SUMS`.
        metrics: see `METRICS`.
        weights: of the network; they travel beside the text.
    """

    position: str
    problem: str = ""
    about: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    sums: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    weights: Arrays = field(default_factory=dict)

    def to_text(self) -> str:
        """Return everything but the weights as JSON."""
        return json.dumps({name: value for name, value in asdict(self).items() if name != "weights"})

    @classmethod
    def from_text(cls, text: str, weights: Arrays) -> "Answer":
        """Return the answer of a JSON text that a site sent; nothing in it is trusted.

        Raises:
            DataError: if it holds anything that an answer may not.
        """
        try:
            if len(text) > _LONGEST:
                raise ValueError
            found: Any = parse_json(text)
            if set(found) - {each.name for each in fields(cls)} or found["problem"] not in ("", *PROBLEMS):
                raise ValueError
            return cls(
                str(found["position"]),
                found["problem"],
                tuple(map(str, found["about"])),
                {name: _whole(found["counts"][name]) for name in COUNTS if name in found["counts"]},
                {str(name): _three(values) for name, values in found["sums"].items()},
                {name: _number(found["metrics"][name]) for name in METRICS if name in found["metrics"]},
                weights,
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            raise DataError("the site's answer must hold counts, sums, metrics and weights alone") from None


def describe_problem(problem: str, about: tuple[str, ...], known: frozenset[str]) -> str:
    """Return the sentence about a problem; only names that the configuration has are repeated."""
    names = ", ".join(name for name in about if name in known) or "a variable of the configuration"
    return PROBLEMS[problem].format(about=names)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise ValueError
    return value


def _number(value: Any) -> float:  # noqa: ANN401
    if not abs(number := float(value)) <= _LARGEST:  # NaN, too
        raise ValueError
    return number


def _three(values: object) -> tuple[float, float, float]:
    number, total, squares = (_number(value) for value in values)  # type: ignore[attr-defined]
    if number < LEAST_FOR_SUMS:
        raise ValueError
    return number, total, squares
