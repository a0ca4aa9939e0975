"""Noise on what a site sends: the update is clipped, Gaussian noise is added, and the price is counted.

Sources: Gaussian mechanism, Dwork and Roth, 2014; zero-concentrated differential privacy and its composition, Bun and
Steinke, TCC 2016. What it guarantees, and what not, stands in Resources/Docs/federation.md.
"""

import math
import secrets

import torch
from torch import Tensor

from ..training.loop import Weights

DELTA = 1e-5  # of the guarantee that is stated
_SMALLEST_VARIANCE = 1e-3  # of a batch norm: noise must not make it negative


def release(before: Weights, after: Weights, clip: float, noise: float, seed: int | None = None) -> dict[str, Tensor]:
    """Return the weights that a site may send: its update, clipped to a norm, with noise on every number.

    Args:
        before, after: floating-point tensors of the same names; other tensors are sent as they were before.
        clip: largest norm of the update over all tensors.
        noise: standard deviation of the noise, as a multiple of `clip`.
        seed: for tests alone; None for a draw that nobody can repeat.
    """
    generator = torch.Generator().manual_seed(secrets.randbits(63) if seed is None else seed)
    factor = min(1.0, clip / max(update_norm(before, after), 1e-12))
    sent = {}
    for name, start in before.items():
        sent[name] = start
        if start.is_floating_point():
            drawn = torch.randn(start.shape, generator=generator) * noise * clip
            value = start + factor * (after[name] - start) + drawn
            sent[name] = value.clamp(min=_SMALLEST_VARIANCE) if name.endswith("running_var") else value
    return sent


def update_norm(before: Weights, after: Weights) -> float:
    """Return the Euclidean norm of an update over all floating-point tensors."""
    parts = [
        (after[name] - start).double().square().sum() for name, start in before.items() if start.is_floating_point()
    ]
    return float(torch.stack(parts).sum().sqrt())


def epsilon(releases: int, noise: float, delta: float = DELTA) -> float:
    """Return the epsilon of a site's patients, for all that it sends in `releases` rounds.

    Any change of a site's data moves a clipped update by at most 2 clip, so one round costs rho = 2 / noise^2; rounds
    add up, and epsilon = rho + 2 sqrt(rho ln(1/delta)). Counts, sums and metrics have no noise and are not counted.

    Args:
        noise: multiple of the clipping norm.
    """
    if not noise:
        return math.inf
    rho = releases * 2 / noise**2
    return rho + 2 * math.sqrt(rho * math.log(1 / delta))
