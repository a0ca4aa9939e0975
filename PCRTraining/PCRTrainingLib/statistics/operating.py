"""Outcomes of models, and the calibration and operating points that are fixed on out-of-fold predictions.

Arrays are (N,) of the patients.

`cross_fitted`, `held_out_parts`, `parts_are_folds`, `fit_points` and `at_point` are ours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.calibration import Averaging, Calibration, average, calibrate
from PCRPredictorLib.prediction import OperatingPoint
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve
from sklearn.model_selection import StratifiedKFold

_PARTS = 5  # of patients that are held out together


@dataclass(frozen=True, eq=False)
class Scores:
    """The output of a network on N patients.

    Args:
        logit: mean over the flips, not calibrated.
        image_logit: the part of it that comes from the image.
        in_tumour: share of the map (attention, or Grad-CAM if the network has none) inside the tumour, in [0, 1].
        peak_in_tumour: 1 if the voxel of its peak is in the tumour (pointing game), else 0.
        dice: overlap with the tumour of as many voxels, those of the map's highest values, in [0, 1].
        common_in_tumour, common_peak_in_tumour, common_dice: as above, at the common resolution of `maps`, in [0, 1].
    """

    logit: np.ndarray
    image_logit: np.ndarray
    in_tumour: np.ndarray
    peak_in_tumour: np.ndarray
    dice: np.ndarray
    common_in_tumour: np.ndarray
    common_peak_in_tumour: np.ndarray
    common_dice: np.ndarray


@dataclass(frozen=True, eq=False)
class Outcome:
    """The prediction of one model for N patients, at an operating point that was fixed without their labels.

    Args:
        name: of the model.
        logit: not calibrated.
        probability: calibrated.
        decision: bool, at the operating point.
        order: by which patients are ranked: the probability, or sigmoid(logit) as `operating.cross_fitted` explains.
        point: name of the operating point.
        threshold: of the operating point; None if parts of the patients had their own.
        scores: of the networks; None for a model without images.
        map_name: "attention" or "Grad-CAM".
        random_in_tumour: share of the map inside the tumour with random weights, if no more is known of that map.
        random_map: in_tumour, dice and pointing_game of the map with random weights, in [0, 1]; None if unknown.
        part: (N,), patients with one threshold have one number; None if all have the same.
        draws: outcomes of single draws of the training of which this is the mean; empty if there is one only.
        drawn: what they are, "seeds" or "networks of the folds".
    """

    name: str
    logit: np.ndarray
    probability: np.ndarray
    decision: np.ndarray
    order: np.ndarray
    point: str = ""
    threshold: float | None = None
    scores: Scores | None = None
    map_name: str | None = None
    random_in_tumour: float | None = None
    random_map: Mapping[str, float] | None = None
    part: np.ndarray | None = None
    draws: tuple["Outcome", ...] = ()
    drawn: str = ""

    @property
    def in_tumour(self) -> np.ndarray:
        """Share of the map inside the tumour; nan for a model without images."""
        return np.full(len(self.logit), np.nan) if self.scores is None else self.scores.in_tumour


def fit_calibration(logit: np.ndarray, label: np.ndarray) -> Calibration:
    """Return the Platt scaling that makes probabilities of logits, see `calibrate`.

    Args:
        logit: (N,), out of fold.
        label: (N,), 0 or 1.

    Source: Platt, Advances in Large Margin Classifiers, 1999.
    """
    model = LogisticRegression(C=np.inf).fit(logit[:, None], label)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def choose_operating_points(
    probability: np.ndarray, label: np.ndarray, target: float = 0.9
) -> tuple[OperatingPoint, OperatingPoint, OperatingPoint]:
    """Return the points balanced (highest Youden index), high sensitivity and high specificity (at least `target`).

    Their rates are those of the patients who chose them, which flatters; see `promises` for the ones to state.

    Args:
        probability: (N,), out of fold, calibrated.
        label: (N,), 0 or 1.

    Source: Youden, Cancer 1950.
    """
    false_rate, sensitivity, threshold = roc_curve(label, probability, drop_intermediate=False)
    specificity = 1 - false_rate
    chosen = {
        "balanced": int(np.argmax(sensitivity + specificity)),
        "high sensitivity": int(np.argmax(sensitivity >= target)),
        "high specificity": int(np.flatnonzero(specificity >= target)[-1]),
    }
    balanced, sensitive, specific = (
        OperatingPoint(name, float(min(threshold[k], 1.0)), float(sensitivity[k]), float(specificity[k]))
        for name, k in chosen.items()
    )
    return balanced, sensitive, specific


def fit_points(logit: np.ndarray, label: np.ndarray) -> tuple[Calibration, tuple[OperatingPoint, ...]]:
    """Return calibration and operating points of the same patients, (N,) both; arguments as of `fit_calibration`."""
    calibration = fit_calibration(logit, label)
    return calibration, choose_operating_points(calibrate(logit, calibration), label)


def at_point(
    name: str,
    logits: Sequence[np.ndarray],
    calibration: Calibration,
    point: OperatingPoint,
    averaging: Averaging = "logit",
) -> Outcome:
    """Return the outcome of an ensemble: its calibrated average, decided at one point.

    Args:
        logits: (N,) of each member.
        averaging: of the members, see `calibration.average`.
    """
    probabilities = [calibrate(logit, calibration) for logit in logits]
    mean = average(np.stack(logits), calibration, averaging)
    rows = [(np.mean(logits, 0), mean), *zip(logits, probabilities, strict=True)]
    whole, *members = [Outcome(name, z, p, p >= point.threshold, p, point.name, point.threshold) for z, p in rows]
    return replace(whole, draws=tuple(members), drawn="networks of the folds") if len(members) > 1 else whole


def cross_fitted(name: str, logit: np.ndarray, label: np.ndarray, fold: np.ndarray) -> Outcome:
    """Return the out-of-fold outcome of a model: each part's calibration and balanced point are fixed on the others.

    Patients are ranked by the probability, or by the logit if the parts are not the folds: the order of one network
    needs no calibration, and a calibration per part would mix it up.

    Args:
        logit: (N,), out of fold.
        label: (N,), 0 or 1.
        fold: (N,), which fold each patient was held out in.

    Raises:
        DataError: see `held_out_parts`.
    """
    probability, decision = np.zeros(len(logit)), np.zeros(len(logit), bool)
    part = held_out_parts(label, fold)
    for k in np.unique(part):
        here, others = part == k, part != k
        calibration, (balanced, *_) = fit_points(logit[others], label[others])
        probability[here] = calibrate(logit[here], calibration)
        decision[here] = probability[here] >= balanced.threshold
    if parts_are_folds(label, fold):
        return Outcome(name, logit, probability, decision, probability, "balanced, by fold", part=part)
    words = "balanced, cross-fitted within the held-out part"
    return Outcome(name, logit, probability, decision, expit(logit), words, part=part)


def held_out_parts(label: np.ndarray, fold: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the parts, (N,). Each is calibrated on the others, and no label decides about its own patient.

    They are the folds. If patients were held out together, or the other folds lack a class, they are stratified parts.

    Args:
        label: (N,), 0 or 1.
        fold: (N,), which fold each patient was held out in.
        seed: of the stratified parts.

    Raises:
        DataError: if a class has fewer than two patients.
    """
    if parts_are_folds(label, fold):
        return fold
    fewest = int(min(label.sum(), (1 - label).sum()))
    if fewest < 2:
        raise DataError(
            f"two patients of each class or more must be held out, got {fewest} of one; hold out more patients"
        )
    splitter = StratifiedKFold(min(_PARTS, fewest), shuffle=True, random_state=seed)
    parts = np.zeros(len(label), int)
    for k, (_, here) in enumerate(splitter.split(label, label)):
        parts[here] = k
    return parts


def parts_are_folds(label: np.ndarray, fold: np.ndarray) -> bool:
    """Return True if both classes are present outside every fold; arrays are (N,)."""
    return all(len(set(label[fold != k].tolist())) == 2 for k in np.unique(fold))
