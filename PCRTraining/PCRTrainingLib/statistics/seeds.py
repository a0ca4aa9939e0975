"""The mean of several seeds: one prediction, decided once, without the patient's own label.

The decision is that of the mean calibrated probability at a threshold fixed on such means of other patients. A majority
of the seeds' own decisions is not used: of two seeds, both would have to agree, and each has a threshold of its own. As
a mean of probabilities is too moderate, it is calibrated once more, also on other patients.

Arrays are (N,) of the patients.
"""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
from PCRPredictorLib.model.calibration import calibrate
from scipy.special import logit

from .operating import Outcome, Scores, fit_calibration, fit_points, held_out_parts

SEEDS = "seeds"
_CLIP = 1e-6  # probabilities of 0 and 1 have no logit


def mean_out_of_fold(found: Sequence[Outcome], label: np.ndarray) -> Outcome:
    """Return the mean of the seeds' out-of-fold outcomes.

    Calibration and threshold of each part come from the other parts. The parts are those of the seeds if these are the
    same for all, for example sites, or else stratified.

    Args:
        found: of each seed, with its parts; all of the same patients.
        label: (N,), 0 or 1.

    Raises:
        DataError: see `operating.held_out_parts`.
    """
    if len(found) == 1:
        return found[0]
    part = _common_part(found)
    if part is None:
        part = held_out_parts(label, np.zeros(len(label), int))
    probability, decision = np.zeros(len(label)), np.zeros(len(label), bool)
    for k in np.unique(part):
        here, others = part == k, part != k
        mean = _mean_calibrated(found, label, others)
        calibration, (balanced, *_) = fit_points(mean[others], label[others])
        probability[here] = calibrate(mean[here], calibration)
        decision[here] = probability[here] >= balanced.threshold
    return _mean(found, probability, decision, part, "balanced, of the mean prediction")


def mean_elsewhere(found: Sequence[Outcome], inside: Sequence[Outcome], label: np.ndarray) -> Outcome:
    """Return the mean of the seeds' outcomes on another cohort, at the balanced point of their mean out of fold.

    Args:
        found: of each seed, on the other cohort.
        inside: of each seed, out of fold.
        label: (N,) of the patients of `inside`, 0 or 1.
    """
    if len(found) == 1:
        return found[0]
    calibration, (balanced, *_) = fit_points(_mean_calibrated(inside, label, np.ones(len(label), bool)), label)
    mean = np.mean([outcome.probability for outcome in found], 0)
    probability = calibrate(logit(mean.clip(_CLIP, 1 - _CLIP)), calibration)
    outcome = _mean(found, probability, probability >= balanced.threshold, None, balanced.name)
    return replace(outcome, threshold=balanced.threshold)


def _common_part(found: Sequence[Outcome]) -> np.ndarray | None:
    first = found[0].part
    same = first is not None and all(o.part is not None and np.array_equal(o.part, first) for o in found)
    return first if same else None


def _mean_calibrated(found: Sequence[Outcome], label: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Return the logit of the mean over the seeds of probabilities, each calibrated on the patients `on`, (N,) bool."""
    each = [calibrate(outcome.logit, fit_calibration(outcome.logit[on], label[on])) for outcome in found]
    return logit(np.mean(each, 0).clip(_CLIP, 1 - _CLIP))


def _mean(
    found: Sequence[Outcome], probability: np.ndarray, decision: np.ndarray, part: np.ndarray | None, point: str
) -> Outcome:
    first, scores = found[0], [outcome.scores for outcome in found if outcome.scores is not None]
    return Outcome(
        first.name,
        np.mean([outcome.logit for outcome in found], 0),
        probability,
        decision,
        np.mean([outcome.order for outcome in found], 0),
        point,
        scores=_mean_scores(scores) if len(scores) == len(found) else None,
        map_name=first.map_name,
        part=part,
        draws=tuple(found),
        drawn=SEEDS,
    )


def _mean_scores(scores: Sequence[Scores]) -> Scores:
    return Scores(*(np.mean([getattr(each, field.name) for each in scores], 0) for field in fields(Scores)))
