"""The same weight for every site in training: in the batches, and in the loss.

A site's share of the patients that an epoch shows is 1 / (number of sites), but no patient is shown, or counted, more
than `MOST` times as often as without balance: what a small site cannot fill goes to the others in equal parts. Within a
site, both classes have the same weight in the loss, and a share of patients with pCR that differs between sites
changes no site's weight.

Source: ours; sampling by group as the reference of group shifts does, Sagawa et al., ICLR 2020.
"""

import numpy as np
import torch
from torch import Tensor

MOST = 3.0  # times that a patient of a small site counts at most


def site_shares(counts: np.ndarray, most: float = MOST) -> np.ndarray:
    """Return the share of each site, (S,), sum 1: equal, but at most `most` times its share of the patients.

    Args:
        counts: (S,) patients of each site, above 0.
    """
    limit = most * counts / counts.sum()
    shares = np.zeros(len(counts))
    for k, site in enumerate(np.argsort(limit, kind="stable")):
        shares[site] = min(limit[site], (1 - shares.sum()) / (len(counts) - k))
    return shares


def draw_epoch(sites: np.ndarray, generator: torch.Generator) -> Tensor:
    """Return the order in which an epoch shows patients, (n,) positions: each site has its share of every batch.

    A small site's patients are shown again, each as often as the others up to one time; of a large site, a part that
    differs from epoch to epoch is shown.

    Args:
        sites: (n,) code of each patient's site. One site gives each patient once, in random order.
    """
    codes, counts = np.unique(sites, return_counts=True)
    if len(codes) == 1:
        return torch.randperm(len(sites), generator=generator)
    wanted = _whole_numbers(site_shares(counts) * len(sites))
    chosen, places = [], []
    for code, number in zip(codes, wanted, strict=True):
        own = torch.from_numpy(np.flatnonzero(sites == code))
        rounds = -(-number // len(own))
        chosen.append(torch.cat([own[torch.randperm(len(own), generator=generator)] for _ in range(rounds)])[:number])
        places.append((torch.arange(number) + torch.rand(number, generator=generator)) / number)
    return torch.cat(chosen)[torch.cat(places).argsort(stable=True)]


def _whole_numbers(shares: np.ndarray) -> np.ndarray:
    """Return whole numbers near the shares, with the same sum, each at least 1."""
    ends = np.rint(np.cumsum(shares)).astype(int)
    return np.maximum(np.diff(ends, prepend=0), 1)


def class_weights(labels: Tensor, sites: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return the weight of pCR over no pCR, and the weight beside it, of each patient, (n,) both.

    In every site, both classes then have the same total weight, and patients have the same mean weight. With one
    site, or in one with a single class, they are negatives per positive of all patients, and 1.

    Args:
        labels: (n,) 0 or 1, float.
        sites: (n,) code of each patient's site.
    """
    positives = labels.mean()
    of_class, beside = torch.full_like(labels, float((1 - positives) / positives)), torch.ones_like(labels)
    for code in np.unique(sites):
        own = torch.from_numpy(sites == code)
        share = labels[own].mean()
        if 0 < share < 1:
            of_class[own], beside[own] = (1 - share) / share, (1 - positives) / (1 - share)
    return of_class, beside


def row_weights(sites: np.ndarray) -> Tensor:
    """Return the weight of each row, (n,) with mean 1, that gives every site its share of a fit in full batches."""
    _, codes, counts = np.unique(sites, return_inverse=True, return_counts=True)
    return torch.from_numpy((site_shares(counts) / (counts / counts.sum()))[codes].astype(np.float32))
