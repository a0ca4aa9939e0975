"""Relative enhancement, the rise of the signal after contrast as a share of the signal before: (later - pre) / pre.

Everything that measures or shows enhancement takes it from here: the model's quantities, the summary of a prediction,
the functional volume and the one-click tumour.

Source: Hylton et al., Radiology 2012 (functional tumour volume at 70 % early enhancement); the floor is ours.
"""

import numpy as np

FUNCTIONAL_ENHANCEMENT = 0.7
_LEAST = 1e-6
_ENOUGH = 1 << 18  # voxels that give the median of a tumour
_LOOKED_AT = 64  # voxels along an axis
_BEYOND_NOISE = 3.5  # standard deviations; of noise alone, 0.5 % of voxels exceed 2.6
_BRIGHTER = 1.6
_BLOCK = 1 << 16  # voxels that fit into the processor's cache


def signal_floor(pre: np.ndarray, early: np.ndarray) -> float:
    """Return the least pre-contrast signal that is divided by, so that voxels which are black before stay finite.

    It is a tenth of the median pre-contrast signal, and at least a thousandth of the highest early signal.

    Args:
        pre, early: both phases in the tissue that is measured, any shape, perhaps empty.
    """
    return max(0.1 * float(np.median(pre)), 1e-3 * float(early.max()), _LEAST) if pre.size else _LEAST


def functional_share(pre: np.ndarray, early: np.ndarray, enhancement: float = FUNCTIONAL_ENHANCEMENT) -> float:
    """Return the share of a tumour's voxels that enhance early by at least `enhancement`, in [0, 1]; 0 without voxels.

    It is fast enough to follow a brush: the voxels are counted block by block, and of a large tumour a part of the
    voxels gives the floor.

    Args:
        pre, early: the tumour's voxels, one-dimensional.
    """
    if not pre.size:
        return 0.0
    some = slice(None, None, max(1, pre.size // _ENOUGH))
    floor, found = signal_floor(pre[some], early[some]), 0
    for start in range(0, pre.size, _BLOCK):
        part = slice(start, start + _BLOCK)
        found += int(np.count_nonzero(relative_enhancement(pre[part], early[part], floor) >= enhancement))
    return found / pre.size


def relative_enhancement(pre: np.ndarray, later: np.ndarray, floor: float) -> np.ndarray:
    """Return (later - pre) / max(pre, floor), 1 for +100 %.

    Args:
        pre, later: phases, or numbers taken from them, (k, j, i) or any shape that both have.
        floor: from `signal_floor` of the tissue around.

    Returns:
        The same shape, float32 or, from wider types, float64.
    """
    kind = np.result_type(pre, later, np.float32)
    before, after = np.asarray(pre, kind), np.asarray(later, kind)
    return (after - before) / np.maximum(before, np.asarray(floor, kind))


def enhancement_map(
    pre: np.ndarray, early: np.ndarray, region: tuple[slice, slice, slice] = (slice(None),) * 3
) -> np.ndarray:
    """Return the map of early enhancement that attention is compared with: float32 (k, j, i), never below 0.

    It knows nothing of a model. What darkens counts as 0, as attention has no sign. Fat and air are divided by half of
    the bright tissue (90th percentile) before contrast, so that their noise is no enhancement.

    Args:
        pre, early: phases (k, j, i).
        region: voxels that are mapped, and whose median gives the floor; the map is 0 outside.
    """
    found = np.zeros(pre.shape, np.float32)
    before, after = pre[region], early[region]
    np.maximum(
        relative_enhancement(before, after, signal_floor(before, after)), 0, out=found[region], casting="same_kind"
    )
    return found


def seems_enhanced(first: np.ndarray, second: np.ndarray) -> bool:
    """Return True if a phase that should be pre-contrast seems to show contrast already, judged by the one after it.

    Vessels, heart and glands brighten after contrast, and hardly anything darkens. From one phase after contrast to
    the next, about as much darkens. The 0.5 % of voxels that brighten most are compared with those that darken most,
    if these changes exceed the noise. In 281 exams of I-SPY2 and Duke this was true of 56 % from early to late, and of
    none from the pre-contrast to the early phase.

    Args:
        first, second: phases (k, j, i); every n-th voxel along each axis is looked at.
    """
    some = tuple(slice(None, None, max(1, size // _LOOKED_AT)) for size in first.shape)
    change = second[some].astype(np.float32) - first[some]
    down, low, high, up = np.percentile(change, (0.5, 15.9, 84.1, 99.5))
    noise = (high - low) / 2  # a standard deviation
    return bool(max(up, -down) > _BEYOND_NOISE * noise and up < _BRIGHTER * -down)
