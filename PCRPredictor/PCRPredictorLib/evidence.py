"""Why this probability: the logit as a sum of terms, for reports, panels and the page; without torch.

The terms of an `Evidence` add up to the logit of the probability that is shown. `model/additive.py` computes them and
says how; `Prediction.evidence_map` divides the image's term among the voxels. `Interventions` say what the probability
would be without what the picture shows; `effects` makes them.

`arrange`, `logit_to_probability` and `Evidence` are ours; the sum over variables of a clinical branch with a hidden
layer is after Shapley, A value for n-person games, 1953.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, NamedTuple, Protocol, get_args

import numpy as np
from scipy.special import expit, logit

from .errors import Notice

FILL = "what is erased is replaced by the median of the tissue around it, with its fine grain"
TOLERANCE = 1e-4  # log-odds by which sums may differ
UNIT, MAP_UNIT = "log-odds", "log-odds per voxel"
Kind = Literal["base", "clinical", "measured", "estimated", "image", "averaging"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Reference = Literal["typical", "unknown"]


@dataclass(frozen=True)
class Possibility:
    """The answer if a variable that is unknown had this value.

    Args:
        value: with its unit, in words.
        log_odds: change of the logit against leaving the variable unknown.
        probability: of the patient with this value, in [0, 1].
    """

    value: str
    log_odds: float
    probability: float


@dataclass(frozen=True)
class Term:
    """One term of the sum.

    Args:
        name: "base", "image" or "averaging"; of a variable its key in tables and on the command line.
        label: shown to the user, in English; that of a variable comes from the model.
        kind: "base", "clinical" (asked for), "measured" (in the exam), "estimated" (from other values, as it could not
            be measured; then `known` is False and `value` says so), "image", or "averaging": the remainder of a
            model that averages the probabilities of its folds, not their logits.
        log_odds: positive towards response. 0 means as the reference, see `Evidence.reference`.
        points: change of the probability that this term alone makes, in points of 100 for the range [0, 1]: the
            probability minus the one without this term. Points do not add up exactly, log-odds do. Of the base it is 0.
        value: of a variable, in words with its unit; "" for the others.
        known: False for a variable that is unknown.
        could_add: for a variable that is unknown, the lowest and highest change of the logit that its value could
            make: over all values of a category, or from the 5th to the 95th percentile of the training patients.
        possibilities: for a variable that is unknown, the answer for each of these values.
    """

    name: str
    label: str
    kind: Kind
    log_odds: float
    points: float = 0.0
    value: str = ""
    known: bool = True
    could_add: tuple[float, float] | None = None
    possibilities: tuple[Possibility, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """The sum that gives the probability.

    Args:
        terms: the base first, then what is known, the largest first, then what is unknown, the widest range first.
        logit: of the probability that is shown, natural logarithm of the odds.
        reference: what a term of 0 means. "typical": as the training patients on average, whose logit is the base;
            a variable that is unknown then has a term, too, as not knowing it differs from their average. "unknown",
            for models without these averages: as if the variable were unknown, and an image logit of 0.
        exact: True if each term is read from the model; False if its clinical branch has a hidden layer, in which
            variables act together: then terms are their Shapley values against "unknown", which add up exactly, too.
        map_sum: sum of the evidence map over all voxels, in log-odds; it equals the image's term.
    """

    terms: tuple[Term, ...]
    logit: float
    reference: Reference
    exact: bool = True
    map_sum: float | None = None

    @property
    def base(self) -> Term:
        """The term that everybody has."""
        return next(term for term in self.terms if term.kind == "base")

    @property
    def image(self) -> Term:
        """The term of the image, which the evidence map divides among the voxels."""
        return next(term for term in self.terms if term.kind == "image")

    @property
    def has_image(self) -> bool:
        """Return True if the sum has a term of the image."""
        return any(term.kind == "image" for term in self.terms)

    @property
    def bars(self) -> tuple[Term, ...]:
        """The terms beside the base; a remainder that is too small to be shown is left out."""
        return tuple(t for t in self.terms if t.kind != "base" and (t.kind != "averaging" or abs(t.points) >= 0.05))

    @property
    def base_probability(self) -> float:
        """The probability of a patient whose terms are all 0."""
        return logit_to_probability(self.base.log_odds)

    @property
    def sum_error(self) -> float:
        """The difference between the sum of the terms and the logit, in log-odds."""
        return abs(math.fsum(term.log_odds for term in self.terms) - self.logit)

    @property
    def map_error(self) -> float:
        """The difference between the sum of the evidence map and the image's term, in log-odds; 0 without a map."""
        return 0.0 if self.map_sum is None else abs(self.map_sum - self.image.log_odds)

    def to_json(self) -> dict[str, object]:
        """Return plain values, for the block `evidence` of `prediction.json`."""
        return {
            "unit": UNIT,
            "logit": self.logit,
            "reference": self.reference,
            "base_probability": self.base_probability,
            "method": "exact" if self.exact else "Shapley values of the clinical variables against unknown",
            "terms": [_term_to_json(term) for term in self.terms],
            "sum_error": self.sum_error,
            "map": None if self.map_sum is None else {"unit": MAP_UNIT, "sum": self.map_sum},
        }


@dataclass(frozen=True, eq=False)
class Basis:
    """All that the network and the exam gave to a prediction: with it, other clinical values need neither.

    Args:
        image_logits: (F,), of the image alone, of each fold, not calibrated.
        quantities: measured in the exam, by name, in the unit of their variable.
        variant_logits: (F, N), image logits with each of N variants of the mask.
        variant_quantities: measured with each of these.
        notices: that do not depend on clinical values.
        first_notices: the same, of those that come before all others.
    """

    image_logits: np.ndarray
    quantities: Mapping[str, float]
    variant_logits: np.ndarray
    variant_quantities: tuple[Mapping[str, float], ...]
    notices: tuple[Notice, ...] = ()
    first_notices: tuple[Notice, ...] = ()


class Shown(Protocol):
    """A `Prediction`, as far as `Interventions` need it."""

    @property
    def probability(self) -> float:
        """That is shown, in [0, 1]."""

    @property
    def fold_probabilities(self) -> tuple[float, ...]:
        """(F,)."""


class Spread(NamedTuple):
    """Mean, lowest and highest of several changes."""

    mean: float
    lowest: float
    highest: float


class InPoints(NamedTuple):
    """Changes of a probability in percentage points, see `Interventions`; None without room for a patch."""

    erased: float
    patch: Spread | None
    background: Spread | None


@dataclass(frozen=True)
class Interventions:
    """What changes of the picture do to a prediction; clinical and measured values stay as they are.

    Each is the change of the calibrated log-odds of every fold, so that it also holds for other clinical values.

    Args:
        erased: (F,), with the tumour replaced by tissue as it is around it.
        patches: (n, F), with an equally large patch replaced elsewhere in the window, at n random places; empty if the
            window has less tissue outside the tumour.
        backgrounds: (m, F), with the tumour in m different backgrounds.
        background_source: where these are from, in words.
        averaging: of the folds, their probabilities or their log-odds.
    """

    erased: tuple[float, ...]
    patches: tuple[tuple[float, ...], ...]
    backgrounds: tuple[tuple[float, ...], ...]
    background_source: str
    averaging: Literal["probability", "logit"] = "probability"

    def in_points(self, prediction: Shown) -> InPoints:
        """Return the changes of the probability of a prediction, with the same folds, in percentage points."""
        patches, backgrounds = (
            [self._change(prediction, by) for by in each] for each in (self.patches, self.backgrounds)
        )
        return InPoints(self._change(prediction, self.erased), _spread(patches), _spread(backgrounds))

    def to_json(self, prediction: Shown) -> dict[str, object]:
        """Return plain values for the block `interventions` of `prediction.json`, changes in percentage points."""
        found = self.in_points(prediction)
        patch, background = (spread._asdict() if spread else None for spread in (found.patch, found.background))
        return {
            "unit": "percentage points",
            "tumour_erased": found.erased,
            "patch_erased": patch and {**patch, "places": len(self.patches)},
            "background_swapped": background
            and {**background, "backgrounds": len(self.backgrounds), "source": self.background_source},
            "method": f"{FILL}; clinical and measured values stay as they are",
        }

    def _change(self, prediction: Shown, by: tuple[float, ...]) -> float:
        if self.averaging == "logit":
            before, change = prediction.probability, float(np.mean(by))
            return 100 * float(expit(logit(before) + change) - before)
        folds = np.asarray(prediction.fold_probabilities)
        return 100 * float((expit(logit(folds) + np.asarray(by)) - folds).mean())


def _spread(values: list[float]) -> Spread | None:
    return Spread(float(np.mean(values)), min(values), max(values)) if values else None


def _term_to_json(term: Term) -> Mapping[str, object]:
    content = asdict(term)
    content["could_add"] = term.could_add and {"low": term.could_add[0], "high": term.could_add[1]}
    return content


def arrange(base: float, others: Sequence[Term], logit: float) -> tuple[Term, ...]:
    """Return all terms of a sum with their points, in the order in which they are shown.

    Args:
        base: log-odds of the base.
        others: the other terms.
        logit: the sum.
    """
    shown = logit_to_probability(logit)
    with_points = (replace(t, points=100 * (shown - logit_to_probability(logit - t.log_odds))) for t in others)
    return Term("base", "Base", "base", base), *sorted(with_points, key=_rank)


def _rank(term: Term) -> tuple[bool, float]:
    """Return the place of a term: what is known first, and then by size."""
    low, high = term.could_add or (0.0, 0.0)
    return not term.known, -(abs(term.log_odds) if term.known else high - low)


def logit_to_probability(logit: float) -> float:
    """Return 1 / (1 + exp(-logit)), without overflow."""
    return 1 / (1 + math.exp(-logit)) if logit >= 0 else math.exp(logit) / (1 + math.exp(logit))


def describe_map_unit() -> str:
    """Return unit and sign of an evidence map, for the header of its file."""
    return f"{MAP_UNIT}, + towards response; sum: the image's term"
