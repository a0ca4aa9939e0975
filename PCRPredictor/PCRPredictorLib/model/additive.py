"""The calibrated logit of a patient as a sum of terms; arrays and numbers, without torch.

Of one fold, the logit is the image's plus the clinical branch's, and calibration is linear: slope x logit + offset. The
mean of the folds' calibrated logits is therefore

    base + sum over variables + image

- variable: slope x mean over folds of what its value adds to the clinical branch, less what it adds in the training
  patients on average. If the branch has a hidden layer, what a value adds is its Shapley value against "unknown".
- image: slope x (mean over folds of the image logit, less that of the training patients on average).
- base: all that is the same for everybody: offset, the branch's own constant, and these averages.
- averaging: for models that average the probabilities of their folds, the logit of that mean less the mean of the
  logits. It is small unless the folds disagree; models that average logits do not have it.

Bundles before 2.0 do not hold the averages of the training patients. Their terms are relative to "unknown", and that of
the image to an image logit of 0.

Source: ours; Shapley, A value for n-person games, 1953, and Castro et al., Comput Oper Res 36:1726, 2009, for more than
12 variables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np

from ..clinical import Category, ClinicalSchema, Number, Value
from ..evidence import Evidence, Possibility, Term, arrange, logit_to_probability
from .calibration import average, average_logit
from .card import InferenceSettings, Typical

Layers = Sequence[tuple[np.ndarray, np.ndarray]]  # weight (outputs, inputs) and bias (outputs,), with ReLU between
Evaluate = Callable[[np.ndarray], np.ndarray]
_ENUMERATED = 12  # known variables of which all subsets are tried
_ORDERS = 500  # random orders of more variables
_AVERAGED = 300  # patients that give an average, or up to twice as many
NORMAL_95 = 1.645


@dataclass(frozen=True, eq=False)
class ClinicalBranches:
    """The clinical branches of an ensemble, to be evaluated at once.

    Args:
        schema: of their input.
        folds: layers of each fold; none if the model has no clinical branch.
    """

    schema: ClinicalSchema
    folds: tuple[Layers, ...]

    @property
    def is_linear(self) -> bool:
        """Return True if variables do not act together."""
        return all(len(layers) <= 1 for layers in self.folds)

    def logits(self, vectors: np.ndarray) -> np.ndarray:
        """Return the clinical part of the logit, (F, N), of inputs (N, width)."""
        return np.stack([_evaluate(layers, np.asarray(vectors, float)) for layers in self.folds])

    def terms(self, vector: np.ndarray) -> dict[str, float]:
        """Return what the value of each variable adds to the mean logit of the folds, against "unknown".

        Args:
            vector: (width,), of `ClinicalSchema.encode`.
        """
        alone = self._alone(vector)
        if self.is_linear:
            added = self.logits(alone).mean(0) - self._unknown()
        else:
            added = shapley(lambda vectors: self.logits(vectors).mean(0), alone)
        return dict(zip((v.name for v in self.schema.variables), added.tolist(), strict=True))

    def constant(self) -> float:
        """Return the mean logit of the folds if every variable is unknown."""
        return float(self._unknown()[0])

    def typical_terms(self, vectors: np.ndarray) -> dict[str, float]:
        """Return the mean of `terms` over patients, (N, width); of many, over every n-th."""
        some = vectors[:: max(len(vectors) // _AVERAGED, 1)]
        each = [self.terms(vector) for vector in some]
        return {v.name: float(np.mean([terms[v.name] for terms in each])) for v in self.schema.variables}

    def _unknown(self) -> np.ndarray:
        return self.logits(np.zeros((1, self.schema.width))).mean(0)

    def _alone(self, vector: np.ndarray) -> np.ndarray:
        """Return the inputs of each variable alone, (variables, width): the others are unknown."""
        widths = [variable.width for variable in self.schema.variables]
        owner = np.repeat(np.arange(len(widths)), widths)
        return np.where(owner == np.arange(len(widths))[:, None], vector, 0.0)


def shapley(evaluate: Evaluate, alone: np.ndarray) -> np.ndarray:
    """Return the Shapley value of each of V variables, (V,), whose sum is the change against all unknown.

    All subsets of up to 12 variables that differ from "unknown" are tried; of more, 500 random orders and their
    reverses, always the same.

    Args:
        evaluate: the branch, for any number of inputs.
        alone: (V, N), the N inputs of each variable with the others unknown.

    Source: Shapley 1953; Castro et al. 2009.
    """
    players = np.flatnonzero(alone.any(1))
    values = np.zeros(len(alone))
    if len(players) > _ENUMERATED:
        values[players] = _sampled(evaluate, alone[players])
    elif len(players):
        values[players] = _enumerated(evaluate, alone[players])
    return values


def _enumerated(evaluate: Evaluate, alone: np.ndarray) -> np.ndarray:
    count = len(alone)
    subsets = np.arange(2**count)
    member = (subsets[:, None] >> np.arange(count)) & 1
    worth, size = evaluate(member @ alone), member.sum(1)
    weight = np.array([factorial(k) * factorial(count - k - 1) / factorial(count) for k in range(count)])
    found = np.zeros(count)
    for player in range(count):
        without = subsets[member[:, player] == 0]
        found[player] = weight[size[without]] @ (worth[without | 1 << player] - worth[without])
    return found


def _sampled(evaluate: Evaluate, alone: np.ndarray) -> np.ndarray:
    rng, found = np.random.default_rng(0), np.zeros(len(alone))
    for _ in range(_ORDERS):
        drawn = rng.permutation(len(alone))
        for order in (drawn, drawn[::-1]):
            inputs = np.concatenate([np.zeros((1, alone.shape[1])), np.cumsum(alone[order], 0)])
            found[order] += np.diff(evaluate(inputs))
    return found / (2 * _ORDERS)


def _evaluate(layers: Layers, vectors: np.ndarray) -> np.ndarray:
    """Return the output, (N,), of a branch for inputs (N, width); 0 if it has no layers."""
    if not layers:
        return np.zeros(len(vectors))
    for weight, bias in layers[:-1]:
        vectors = np.maximum(vectors @ weight.T + bias, 0)
    weight, bias = layers[-1]
    return (vectors @ weight.T + bias)[:, 0]


@dataclass(frozen=True, eq=False)
class AdditiveModel:
    """All of a model but its convolutions: what makes a probability of image logits and values of variables."""

    branches: ClinicalBranches
    settings: InferenceSettings

    def logits(self, image_logits: np.ndarray, values: Mapping[str, Value]) -> np.ndarray:
        """Return the logit of each fold, (F,), not calibrated.

        Args:
            image_logits: (F,), of the image alone.
            values: of all variables, also those that are measured in the exam.
        """
        return image_logits + self.branches.logits(self.branches.schema.encode(values)[None])[:, 0]

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return the probabilities, (N,), of logits (F, N) of the folds."""
        return average(logits, self.settings.calibration, self.settings.averaging)

    def explain(self, image_logits: np.ndarray, values: Mapping[str, Value]) -> Evidence:
        """Return the sum that gives the probability, without its map.

        Args:
            image_logits: (F,), of the image alone.
            values: of all variables, also those that are measured in the exam.
        """
        slope, offset = self.settings.calibration
        logit = self._logit(image_logits, values)
        typical = self.settings.typical or Typical(0.0, {})
        added = self.branches.terms(self.branches.schema.encode(values))
        usual = {name: typical.variables.get(name, 0.0) for name in added}
        base = offset + slope * (self.branches.constant() + sum(usual.values()) + typical.image)
        image = slope * (float(np.mean(image_logits)) - typical.image)
        variables = [
            self._variable(variable, slope * (added[variable.name] - usual[variable.name]), image_logits, values)
            for variable in self.branches.schema.variables
        ]
        rest = logit - self._mean_logit(image_logits, values)
        others = [*variables, Term("image", "Image", "image", image)]
        if self.settings.averaging == "probability":
            others.append(Term("averaging", "Averaging of the folds", "averaging", rest))
        reference = "unknown" if self.settings.typical is None else "typical"
        return Evidence(arrange(base, others, logit), logit, reference, self.branches.is_linear)  # type: ignore[arg-type]

    def _variable(
        self, variable: Number | Category, log_odds: float, image_logits: np.ndarray, values: Mapping[str, Value]
    ) -> Term:
        """Return the term of a variable; if its value is unknown, with what each possible value would change."""
        value = values.get(variable.name)
        kind = "measured" if variable.measured else "clinical"
        if value is not None:
            return Term(variable.name, variable.label, kind, log_odds, value=variable.describe(value))  # type: ignore[arg-type]
        now, possible = self._logit(image_logits, values), []
        for each in possible_values(variable):
            logit = self._logit(image_logits, {**values, variable.name: each})
            possible.append(Possibility(variable.describe(each), logit - now, logit_to_probability(logit)))
        changes = [each.log_odds for each in possible]
        return Term(
            variable.name,
            variable.label,
            kind,  # type: ignore[arg-type]
            log_odds,
            value=variable.describe(None),
            known=False,
            could_add=(min(changes), max(changes)),
            possibilities=tuple(possible),
        )

    def _logit(self, image_logits: np.ndarray, values: Mapping[str, Value]) -> float:
        logits = self.logits(image_logits, values)[:, None]
        return float(average_logit(logits, self.settings.calibration, self.settings.averaging)[0])

    def _mean_logit(self, image_logits: np.ndarray, values: Mapping[str, Value]) -> float:
        return float(average_logit(self.logits(image_logits, values)[:, None], self.settings.calibration, "logit")[0])


def possible_values(variable: Number | Category) -> list[Value]:
    """Return the values that an unknown variable is likely to have: all, or the 5th and 95th percentile of a number.

    The percentiles are those of a normal distribution with the mean and spread of the training patients.
    """
    if isinstance(variable, Category):
        return list(variable.codings)
    away = NORMAL_95 * variable.sd
    ends = (variable.clip(variable.mean + each) for each in (-away, away))
    return [end if variable.is_log else variable.round(end) for end in ends]
