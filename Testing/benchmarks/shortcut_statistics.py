"""One number of the background per kind of the phantom's shortcuts: how well it alone tells the label."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter


def background_statistic(kind: str, image: np.ndarray, mask: np.ndarray) -> float:
    """Return a number of an image on the model grid that grows with the shortcut's level.

    Args:
        kind: of the shortcut.
        image: (3, slices, rows, columns), see `normalisation.CHANNELS`.
        mask: (slices, rows, columns), fraction of tumour.
    """
    pre, wash_in, _ = image
    outside = (maximum_filter(mask, (1, 5, 5)) == 0) & (pre > 0)
    if kind == "background":
        gland = outside & (pre > np.percentile(pre[outside], 60))
        return float(np.median(wash_in[gland] / pre[gland]))
    if kind == "noise":  # neighbours in a row hold nearly the same tissue: their second difference is mostly noise
        return float(np.median(np.abs(np.diff(wash_in, n=2, axis=2))[outside[:, :, 1:-1]]))
    if kind == "shading":
        row = np.broadcast_to(np.arange(pre.shape[1])[None, :, None], pre.shape)[outside]  # to posterior
        return float(-np.polyfit(row, np.log(pre[outside]), 1)[0])
    return float(np.percentile(pre[outside], 10) / np.percentile(pre[outside], 95))
