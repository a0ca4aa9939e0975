"""Traits of a phantom patient: clinical variables, tumour biology, and the probability of complete response.

    logit p = -1.0 + 1.1 w - 0.8 h + (HR-negative: 0.4, else -0.4) + (HER2-positive: 0.6, else -0.2)
            - 0.02 (age - 50) + intercept

with w (wash-out) and h (heterogeneity) standard normal. The best possible AUC, that of p itself, is about 0.81. With
the intercept 0 about a third of the patients respond; `response_intercept` gives that of any other rate.
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from scipy.optimize import brentq

from .shortcut import correlated_level

_HR_POSITIVE, _HER2_POSITIVE = 0.55, 0.22  # shares of the patients
_BACKGROUND = 0.036  # Ktrans of normal fibroglandular tissue, 1/min
_BACKGROUND_SPREAD = 0.015


@dataclass(frozen=True)
class Traits:
    """Traits of one patient, drawn before imaging.

    Args:
        washout: latent; high means that the tumour loses contrast between early and late phase.
        heterogeneity: latent; high means coarse texture, a bright rim and often a necrotic core.
        background: Ktrans of normal fibroglandular tissue, 1/min (background parenchymal enhancement).
        diameter: of the tumour, mm.
        side: +1 for the left breast, -1 for the right.
        age: years.
        hr: hormone receptors positive, 0 or 1.
        her2: HER2 positive, 0 or 1.
        menopause: "pre" or "post".
        probability: of pathological complete response.
        pcr: drawn with that probability, 0 or 1.
    """

    washout: float
    heterogeneity: float
    background: float
    diameter: float
    side: int
    age: float
    hr: int
    her2: int
    menopause: str
    probability: float
    pcr: int

    @property
    def subtype(self) -> str:
        """Subtype in the codes of MAMA-MIA."""
        if self.hr:
            return "luminal_b" if self.her2 else "luminal_a"
        return "her2_enriched" if self.her2 else "triple_negative"


def response_probability(
    washout: float, heterogeneity: float, hr: int, her2: int, age: float, intercept: float = 0.0
) -> float:
    """Return the probability of the label model in this module's heading."""
    logit = intercept + -1.0 + 1.1 * washout - 0.8 * heterogeneity - 0.02 * (age - 50)
    logit += (-0.4 if hr else 0.4) + (0.6 if her2 else -0.2)
    return 1 / (1 + math.exp(-logit))


@cache
def response_intercept(rate: float) -> float:
    """Return the intercept in log-odds at which a share `rate` of all patients responds; the patients stay the same.

    Their logit is normal within each receptor status: Gauss-Hermite quadrature, ages not clipped.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    spread = math.hypot(1.1, 0.8, 0.02 * 10)

    def excess(intercept: float) -> float:
        share = 0.0
        for hr, her2 in product((0, 1), repeat=2):
            middle = response_probability(0, 0, hr, her2, 50, intercept)
            logit = math.log(middle / (1 - middle)) + spread * nodes
            group = (_HR_POSITIVE if hr else 1 - _HR_POSITIVE) * (_HER2_POSITIVE if her2 else 1 - _HER2_POSITIVE)
            share += group * float(weights @ (1 / (1 + np.exp(-logit))) / weights.sum())
        return share - rate

    return float(brentq(excess, -20, 20))


def draw_traits(rng: np.random.Generator, shortcut: float, intercept: float = 0.0) -> Traits:
    """Return the traits of one patient.

    Args:
        shortcut: correlation of background enhancement with the label, in [-1, 1].
        intercept: of the label model, in log-odds.
    """
    washout, heterogeneity, noise, size = rng.standard_normal(4)
    age = round(float(np.clip(rng.normal(50, 10), 24, 80)), 1)
    hr, her2 = int(rng.random() < _HR_POSITIVE), int(rng.random() < _HER2_POSITIVE)
    menopause = "post" if rng.random() < 1 / (1 + math.exp(-(age - 51) / 2.5)) else "pre"
    probability = response_probability(washout, heterogeneity, hr, her2, age, intercept)
    pcr = int(rng.random() < probability)
    level = correlated_level(shortcut, pcr, noise)
    return Traits(
        washout=float(washout),
        heterogeneity=float(heterogeneity),
        background=max(_BACKGROUND + _BACKGROUND_SPREAD * float(level), 0.004),
        diameter=float(np.clip(24 * math.exp(0.45 * size), 8, 60)),
        side=1 if rng.random() < 0.5 else -1,
        age=age,
        hr=hr,
        her2=her2,
        menopause=menopause,
        probability=probability,
        pcr=pcr,
    )
