"""Traits of a phantom patient: clinical variables, tumour biology, and the probability of complete response.

    logit p = -1.0 + 1.1 w - 0.8 h + (HR-negative: 0.4, else -0.4) + (HER2-positive: 0.6, else -0.2)
            - 0.02 (age - 50)

with w (wash-out) and h (heterogeneity) standard normal. The best possible AUC, that of p itself, is about 0.81, and
about a third of the patients respond.
"""

import math
from dataclasses import dataclass

import numpy as np

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


def response_probability(washout: float, heterogeneity: float, hr: int, her2: int, age: float) -> float:
    """Return the probability of the label model in this module's heading."""
    logit = -1.0 + 1.1 * washout - 0.8 * heterogeneity - 0.02 * (age - 50)
    logit += (-0.4 if hr else 0.4) + (0.6 if her2 else -0.2)
    return 1 / (1 + math.exp(-logit))


def draw_traits(rng: np.random.Generator, shortcut: float) -> Traits:
    """Return the traits of one patient.

    Args:
        shortcut: correlation of background enhancement with the label, in [-1, 1].
    """
    washout, heterogeneity, noise, size = rng.standard_normal(4)
    age = round(float(np.clip(rng.normal(50, 10), 24, 80)), 1)
    hr, her2 = int(rng.random() < 0.55), int(rng.random() < 0.22)
    menopause = "post" if rng.random() < 1 / (1 + math.exp(-(age - 51) / 2.5)) else "pre"
    probability = response_probability(washout, heterogeneity, hr, her2, age)
    pcr = int(rng.random() < probability)
    level = shortcut * (2 * pcr - 1) + math.sqrt(1 - shortcut**2) * noise
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
