"""What a decision is worth: net benefit, and predictive values where more or fewer patients respond.

Arrays are (N,) of the patients.
"""

import numpy as np

from .metrics import Rates

BENEFIT_THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 13))  # 0.05 to 0.60
PREVALENCES = (0.1, 0.2, 0.3, 0.5)


def benefits(probability: np.ndarray, label: np.ndarray, threshold: float) -> np.ndarray:
    """Return what each patient adds to the net benefit, (N,); their mean is the net benefit.

    A patient above the threshold with pCR adds 1, one without takes threshold / (1 - threshold): whoever decides at
    this threshold weighs the two like that. Nobody above it has a net benefit of 0.

    Source: Vickers and Elkin, Medical Decision Making 2006.
    """
    above = probability >= threshold
    return above * np.where(label == 1, 1.0, -threshold / (1 - threshold))


def predictive_values(rates: Rates, prevalence: float) -> tuple[float, float]:
    """Return PPV and NPV where this share of the patients has pCR; nan if nobody is above, or below, the threshold.

    Source: Altman and Bland, BMJ 1994.
    """
    hits, misses = rates.sensitivity * prevalence, (1 - rates.sensitivity) * prevalence
    alarms, rest = (1 - rates.specificity) * (1 - prevalence), rates.specificity * (1 - prevalence)
    above, below = hits + alarms, misses + rest
    return hits / above if above > 0 else np.nan, rest / below if below > 0 else np.nan
