"""Uptake of contrast agent by tissue, and the signal of a spoiled gradient echo.

Times are in minutes after injection, rates in 1/min, concentrations in mM, T1 and repetition time in s.

Arterial input: the biexponential of Weinmann et al. 1984 (Physiol Chem Phys Med NMR 16:167) with the numbers of
Tofts & Kermode 1991 (Magn Reson Med 17:357). Uptake: the extended Tofts model (Tofts et al. 1999, J Magn Reson
Imaging 10:223), solved analytically for that input. Tissue T1 at 1.5 T: Rakow-Penner et al. 2006 (J Magn Reson Imaging
23:87) for the breast, Stanisz et al. 2005 (Magn Reson Med 54:507) for muscle, blood and liver, at about 37 degrees C.
"""

from dataclasses import dataclass

import numpy as np

DOSE = 0.1  # mmol/kg
_AMPLITUDES = (3.99, 4.78)  # kg/l
_DECAYS = (0.144, 0.0111)  # 1/min
RELAXIVITY = 4.3  # 1/(mM s), gadolinium chelate at 1.5 T


@dataclass(frozen=True)
class Tissue:
    """Physical constants of a tissue.

    Args:
        density: signal per voxel before relaxation, relative to fibroglandular tissue; fat is mostly suppressed.
        t1: s, before contrast.
        ktrans: transfer constant, 1/min.
        ve: volume share of the extravascular extracellular space.
        vp: volume share of plasma.
    """

    density: float
    t1: float
    ktrans: float = 0.0
    ve: float = 0.3
    vp: float = 0.0


@dataclass(frozen=True)
class Sequence:
    """A spoiled gradient echo: repetition time in s and flip angle in degrees."""

    repetition_time: float = 0.005
    flip_angle: float = 12.0


FIBROGLANDULAR = Tissue(1.0, 1.27, 0.05, 0.40, 0.01)
FAT = Tissue(0.085, 0.30, 0.004, 0.10)
SKIN = Tissue(0.62, 0.95, 0.05, 0.35, 0.01)
NIPPLE = Tissue(0.95, 1.05, 0.14, 0.40, 0.02)
MUSCLE = Tissue(0.70, 1.01, 0.035, 0.12, 0.01)
MARROW = Tissue(0.16, 0.55, 0.02, 0.10, 0.02)
LUNG = Tissue(0.10, 1.20, 0.02, 0.20, 0.10)
MYOCARDIUM = Tissue(0.85, 1.03, 0.45, 0.25, 0.06)
BLOOD = Tissue(0.80, 1.44, vp=0.55)
LIVER = Tissue(0.75, 0.58, 0.35, 0.20, 0.05)
NECROSIS = Tissue(0.90, 1.90, 0.012, 0.40)


def plasma_concentration(time: float) -> float:
    """Return mM of agent in plasma, `time` minutes after injection; 0 before it."""
    if time <= 0:
        return 0.0
    return DOSE * sum(a * float(np.exp(-m * time)) for a, m in zip(_AMPLITUDES, _DECAYS, strict=True))


def interstitial_concentration(time: float, kep: float) -> float:
    """Return mM per unit of Ktrans that has leaked into tissue: the arterial input convolved with exp(-kep t)."""
    if time <= 0:
        return 0.0
    washed = np.exp(-kep * time)
    return DOSE * sum(
        a * float((np.exp(-m * time) - washed) / (kep - m)) for a, m in zip(_AMPLITUDES, _DECAYS, strict=True)
    )


def tissue_concentration(tissue: Tissue, time: float) -> float:
    """Return mM of agent in a tissue: extended Tofts model."""
    leaked = tissue.ktrans * interstitial_concentration(time, tissue.ktrans / tissue.ve) if tissue.ktrans else 0.0
    return tissue.vp * plasma_concentration(time) + leaked


def spoiled_gradient_signal(t1: float, concentration: np.ndarray | float, sequence: Sequence) -> np.ndarray:
    """Return the signal per unit of density: sin(a) (1 - E) / (1 - cos(a) E) with E = exp(-TR (1 / T1 + r1 C)).

    It has the same shape as the concentration.

    Args:
        t1: s, before contrast.
        concentration: mM, any shape.
        sequence: of the scanner.
    """
    angle = np.float32(np.deg2rad(sequence.flip_angle))
    relaxed = np.asarray(RELAXIVITY * np.asarray(concentration))
    relaxed += 1 / t1
    relaxed *= np.float32(-sequence.repetition_time)
    np.exp(relaxed, out=relaxed)
    signal = np.asarray(1 - relaxed)
    signal *= np.sin(angle)
    relaxed *= np.cos(angle)
    np.subtract(1, relaxed, out=relaxed)
    signal /= relaxed
    return signal


def relative_signal(tissue: Tissue, time: float, sequence: Sequence, uptake: np.ndarray | float = 1.0) -> np.ndarray:
    """Return the signal of a tissue in units of unenhanced fibroglandular signal, of the same shape as `uptake`.

    Args:
        time: minutes after injection, 0 or less before contrast.
        uptake: local factor on the concentration of contrast agent, any shape.
    """
    unit = FIBROGLANDULAR.density * spoiled_gradient_signal(FIBROGLANDULAR.t1, 0.0, sequence)
    concentration = tissue_concentration(tissue, time) * uptake if time > 0 else 0.0
    return tissue.density * spoiled_gradient_signal(tissue.t1, concentration, sequence) / unit


def tumour_tissue(kep: float, early_concentration: float) -> Tissue:
    """Return a tumour with the rate constant kep (1/min; high washes out, low keeps filling) and mM after 2 min."""
    ktrans = early_concentration / (interstitial_concentration(2.0, kep) + 0.05 / kep * plasma_concentration(2.0))
    ve = ktrans / kep
    return Tissue(0.95, 1.20, ktrans, ve, 0.05 * ve)
