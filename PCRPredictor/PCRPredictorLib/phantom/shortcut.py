"""Shortcuts: ways in which a site's images tell of the label without the tumour.

A patient's level is standard normal. It correlates with the label by the site's `shortcut`; with 0 it varies as much
and says nothing. What it changes is the site's `shortcut_kind`:

    background  enhancement of the background: biology, see `traits`
    noise       noise of the scanner: a different coil, more averages
    shading     how quickly the coil's sensitivity falls off behind the nipple: images are not corrected for it
    fat         signal of fat: the frequency of the suppression is off

The last three belong to the scan. They do not change the patient, and act on the tumour as on all tissues: noise and
shading as the coil has it, fat only by what fat a voxel holds.
"""

import math
from dataclasses import replace

import numpy as np

from .site import Site

_NOISE, _FALLOFF, _FAT = 0.5, 0.8, 0.6  # change of the logarithm per standard deviation
_MEDIAN_FALLOFF = 1 / 80  # 1/mm


def correlated_level(strength: float, pcr: int, noise: float) -> float:
    """Return a level that correlates with the label.

    Args:
        strength: correlation, in [-1, 1].
        pcr: 0 or 1.
        noise: standard normal.
    """
    return strength * (2 * pcr - 1) + math.sqrt(1 - strength**2) * noise


def settings_of_scan(site: Site, pcr: int, rng: np.random.Generator) -> Site:
    """Return the site with the settings of one patient's scan.

    Args:
        pcr: of the patient, 0 or 1.
        rng: of this scan alone; it is not used by the kind "background".
    """
    if site.shortcut_kind == "background":
        return site
    level = correlated_level(site.shortcut, pcr, float(rng.standard_normal()))
    if site.shortcut_kind == "noise":
        return replace(site, noise=site.noise * math.exp(_NOISE * level))
    if site.shortcut_kind == "shading":
        return replace(site, falloff=_MEDIAN_FALLOFF * math.exp(_FALLOFF * level))
    return replace(site, fat=site.fat * math.exp(_FAT * level))
