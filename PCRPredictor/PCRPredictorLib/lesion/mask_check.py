"""Whether a tumour mask is plausible: pieces, slices, border, skin, chest, side, and the enhancement under it.

Each finding is a number; `about_mask` turns those beyond a threshold into warnings, each with its own code. Enhancement
decides about the place of a mask: it found displaced masks better than the model's attention (AUC 0.93 against 0.91).
The thresholds were chosen on half of the real exams that `Testing/benchmarks/mask_check.py` reports the other half of.
Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..enhancement import relative_enhancement, signal_floor
from ..errors import Notice
from ..exam import Exam, bounding_box
from ..formatting import format_percent, format_volume
from .body import Body

_REACH_MM = 25.0  # how far a mask is moved in search of a better place
_VOXEL_MM = 1.5  # least edge of the voxels on which enhancement is compared
_SMOOTH_MM = 0.8
_DARK = 0.15  # of the brightest early tissue nearby: air or noise, even if it enhances
_FULL = 1.0  # enhancement beyond +100 % counts as this, so that a vessel outshines no tumour
_LEAST_ENHANCEMENT = 0.3
_SOME_ENHANCING = 0.1  # a mask of which less enhances holds no tumour
_SHELL_MM = 2.0  # thickness of the tissue around the mask that is compared with it
_AS_BRIGHT = 0.75  # of the mask's median enhancement
_MOST_VOXELS = 300_000  # that enhancement is compared on; more make the voxels larger
Box = tuple[slice, slice, slice]
_CONNECTED = np.ones((3, 3, 3))
_WHOLE_MM = 60.0  # an exam that extends less through its slices is a slab, cut out around a tumour
_STRAY_MM = 50.0

MOST_PIECES_SHARE = 0.5
LEAST_ENHANCING = 0.5
LEAST_FIT, LEAST_MOVE_MM = 0.93, 3.0
MOST_SHELL = 0.56
MOST_AT_BORDER = 0.005
MOST_SKIN, MOST_AIR, MOST_CHEST, MOST_OTHER_SIDE = 0.03, 0.1, 0.15, 0.02
MOSTLY = 0.5  # of a mask: then it holds no tumour of the breast, and no decision is given


@dataclass(frozen=True)
class MaskFindings:
    """What is known of a mask; shares are of its volume, in [0, 1].

    Args:
        pieces_ml: volumes of its pieces, largest first.
        apart_mm: distance from the largest piece to the piece that is furthest away.
        slices: number of slices with tumour.
        exam_slices: number of slices of the exam.
        at_border: share of the voxels at the end of the field; its slices count only in a whole exam.
        enhancing: share that enhances by 30 % or more.
        fit: mean enhancement under the mask, over that under the mask moved to the best place within 25 mm.
        move_mm: distance of that place.
        shell: share of the tissue within 2 mm around the mask that enhances like the mask.
        skin, air, chest, other_side: share in the skin, outside the body, behind the breasts, in the breast that holds
            less of it; 0 if that cannot be told.
    """

    pieces_ml: tuple[float, ...]
    apart_mm: float
    slices: int
    exam_slices: int
    at_border: float
    enhancing: float
    fit: float
    move_mm: float
    shell: float
    skin: float = 0.0
    air: float = 0.0
    chest: float = 0.0
    other_side: float = 0.0


def check_mask(exam: Exam, body: Body | None) -> list[Notice]:
    """Return a warning for each thing that is implausible about the mask.

    Args:
        exam: with a mask that is not empty.
        body: outline from `outline_body`, None if there is none.
    """
    return list(about_mask(examine_mask(exam, body)))


def examine_mask(exam: Exam, body: Body | None) -> MaskFindings:
    """Measure what `about_mask` judges.

    Args:
        exam: with a mask that is not empty.
        body: outline from `outline_body`, None if there is none.
    """
    mask = np.asarray(exam.mask) != 0
    box = bounding_box(mask)
    axis = exam.geometry.slice_axis
    sizes, apart = _pieces(mask[box], np.array(exam.geometry.spacing[::-1]))
    enhancing, fit, move = _enhancement(exam, mask, box)
    return MaskFindings(
        pieces_ml=tuple(float(size) * exam.geometry.voxel_volume / 1000 for size in sizes),
        apart_mm=apart,
        slices=int(mask[box].any(axis=tuple(a for a in range(3) if a != axis)).sum()),
        exam_slices=mask.shape[axis],
        at_border=_at_border(
            mask, axis, exam.geometry.spacing[::-1][axis] * mask.shape[axis] >= _WHOLE_MM and body is not None
        ),
        enhancing=enhancing,
        fit=fit,
        move_mm=move,
        shell=_shell(exam, mask, box),
        **_place(exam, mask[box], box, body),
    )


def _pieces(mask: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the voxels of each piece, largest first, and the largest distance of a piece from the largest one, mm."""
    labels, count = ndimage.label(mask, _CONNECTED)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    if count < 2:
        return sizes, 0.0
    largest = 1 + int(sizes.argmax())
    distance = ndimage.distance_transform_edt(labels != largest, sampling=spacing)
    nearest = ndimage.minimum(distance, labels, np.arange(1, count + 1))
    return np.sort(sizes)[::-1], float(np.max(nearest))


def _at_border(mask: np.ndarray, slice_axis: int, whole: bool) -> float:
    axes = [axis for axis in range(3) if whole or axis != slice_axis]
    ends = sum(int(np.count_nonzero(mask.take(at, axis))) for axis in axes for at in (0, -1))
    return ends / int(np.count_nonzero(mask))


def _around(box: Box, margin_mm: float, exam: Exam) -> Box:
    """Return the box with a margin, inside the field."""
    k, j, i = (
        slice(max(int(axis.start - margin_mm / s) - 1, 0), min(int(axis.stop + margin_mm / s) + 2, n))
        for axis, s, n in zip(box, exam.geometry.spacing[::-1], exam.geometry.shape, strict=True)
    )
    return k, j, i


def _enhancement(exam: Exam, mask: np.ndarray, box: Box) -> tuple[float, float, float]:
    """Return the share that enhances, fit, and the distance of the best place in mm."""
    spacing, near = np.array(exam.geometry.spacing[::-1]), _around(box, _REACH_MM, exam)
    edge = max(_VOXEL_MM, (np.prod([b.stop - b.start for b in near] * spacing) / _MOST_VOXELS) ** (1 / 3))
    steps = tuple(min(max(1, round(edge / s)), b.stop - b.start) for s, b in zip(spacing, near, strict=True))
    pre, early, share = (_mean_blocks(array[near], steps) for array in (exam.pre, exam.early, mask))
    spacing = spacing * steps
    enhancement = ndimage.gaussian_filter(_map(pre, early), _SMOOTH_MM / spacing, truncate=2)
    inside = enhancement[share >= min(0.5, float(share.max()))]
    fit, move = _best_place(share, enhancement.clip(0, _FULL), spacing)
    return float((inside >= _LEAST_ENHANCEMENT).mean()), fit, move


def _shell(exam: Exam, mask: np.ndarray, box: Box) -> float:
    """Return the share of the voxels within 2 mm of the mask that enhance like it."""
    near = _around(box, 2 * _SHELL_MM, exam)
    inside = mask[near]
    enhancement = _map(exam.pre[near], exam.early[near])
    distance = ndimage.distance_transform_edt(~inside, sampling=exam.geometry.spacing[::-1])
    shell = enhancement[~inside & (distance <= max(_SHELL_MM, 1.01 * min(exam.geometry.spacing)))]
    like = max(_AS_BRIGHT * float(np.median(enhancement[inside])), _LEAST_ENHANCEMENT)
    return float((shell >= like).mean()) if shell.size else 0.0


def _map(pre: np.ndarray, early: np.ndarray) -> np.ndarray:
    """Return relative enhancement, at most 3 (+300 %), none where it is dark."""
    bright = early >= _DARK * float(np.percentile(early, 99.5))
    enhancement = relative_enhancement(pre, early, signal_floor(pre[bright], early[bright]))
    return np.where(bright, enhancement, np.minimum(enhancement, 0)).clip(None, 3)


def _mean_blocks(array: np.ndarray, steps: tuple[int, ...]) -> np.ndarray:
    """Return the means over blocks of voxels, float32; what is left over at the ends is not used."""
    whole = array[tuple(slice(n // s * s) for n, s in zip(array.shape, steps, strict=True))]
    parts = [n for size, step in zip(whole.shape, steps, strict=True) for n in (size // step, step)]
    return whole.reshape(parts).mean((1, 3, 5), dtype=np.float32)


def _best_place(mask: np.ndarray, enhancement: np.ndarray, spacing: np.ndarray) -> tuple[float, float]:
    """Return the enhancement under the mask relative to that at the best place within reach, and its distance in mm."""
    reach = [min(int(_REACH_MM / s), n - 1) for s, n in zip(spacing, mask.shape, strict=True)]
    shape = [n + r for n, r in zip(mask.shape, reach, strict=True)]
    axes = (0, 1, 2)
    product = np.conj(np.fft.rfftn(mask, shape, axes)) * np.fft.rfftn(enhancement, shape, axes)
    moves = np.ix_(*(np.arange(-r, r + 1) for r in reach))
    found = np.fft.irfftn(product, shape, axes)[moves]
    distance = np.sqrt(sum((steps * s) ** 2 for steps, s in zip(moves, spacing, strict=True)))
    found[distance > _REACH_MM] = 0
    best = int(found.argmax())
    here = float(found[tuple(reach)])
    return (here / float(found.flat[best]) if found.flat[best] > 0 else 1.0), float(distance.flat[best])


def _place(exam: Exam, mask: np.ndarray, box: Box, body: Body | None) -> dict[str, float]:
    """Return the shares of the mask that are where no tumour of a breast is."""
    if body is None:
        return {}
    voxels = np.argwhere(mask)[:: 1 + int(mask.sum()) // 5000] + [axis.start for axis in box]
    points = exam.geometry.to_physical(voxels[:, ::-1])
    found = {"skin": float(body.in_skin(points).mean()), "air": float(1 - body.contains(points).mean())}
    if body.cleft is not None:
        left = float((points[:, 0] > body.cleft[0]).mean())
        found |= {"chest": float(body.in_chest(points).mean()), "other_side": min(left, 1 - left)}
    return found


def about_mask(found: MaskFindings) -> Iterable[Notice]:
    """Yield a warning for each finding that is beyond its threshold."""
    yield from _about_shape(found)
    yield from _about_place(found)
    displaced = found.fit < LEAST_FIT and found.move_mm >= LEAST_MOVE_MM
    yield from _about_size(found, displaced)
    if displaced:
        yield Notice(
            "mask_displaced",
            f"The tumour mask may be displaced: moved by {found.move_mm:.0f} mm, it would lie on tissue that enhances "
            f"more; where it is, the enhancement is {format_percent(found.fit)} of that. Move it onto the lesion, or "
            "check that it belongs to this exam.",
        )


def _about_size(found: MaskFindings, displaced: bool) -> Iterable[Notice]:
    """Yield at most one warning; only a mask in the right place can be too large or too small."""
    share = f"{format_percent(found.enhancing)} of it enhances by {format_percent(_LEAST_ENHANCEMENT)} or more"
    if found.enhancing < LEAST_ENHANCING and not displaced and found.enhancing >= _SOME_ENHANCING:
        yield Notice(
            "mask_too_large", f"The tumour mask is larger than the enhancing tissue there: {share}; check the outline."
        )
    elif found.enhancing < LEAST_ENHANCING:
        message = f"Most of the tumour mask does not enhance: {share}; check its position."
        yield Notice("mask_not_enhancing", message, blocks_decision=True)
    elif found.shell > MOST_SHELL and not displaced:
        yield Notice(
            "mask_too_small",
            "The tumour mask is smaller than the enhancing tissue there: "
            f"{format_percent(found.shell)} of what lies within 2 mm around it enhances like it; check the outline.",
        )


def _about_shape(found: MaskFindings) -> Iterable[Notice]:
    total, pieces = sum(found.pieces_ml), found.pieces_ml
    if pieces[0] < MOST_PIECES_SHARE * total or found.apart_mm > _STRAY_MM:
        sizes = ", ".join(format_volume(ml) for ml in pieces[:3]) + (", ..." if len(pieces) > 3 else "")
        yield Notice(
            "mask_pieces",
            f"The tumour mask has {len(pieces)} separate pieces ({sizes}), up to {found.apart_mm:.0f} mm from the "
            "largest; remove what is not tumour.",
        )
    if found.slices == 1 < found.exam_slices:
        yield Notice(
            "mask_single_slice",
            f"The tumour mask has a single slice of {found.exam_slices}. That moves the probability by 0.19 on "
            "average; outline the tumour in all of its slices.",
        )
    if found.at_border > MOST_AT_BORDER:
        yield Notice(
            "mask_at_border",
            f"The tumour mask touches the end of the field ({100 * found.at_border:.1f} % of it lies there); part of "
            "the tumour may be outside.",
        )


def _about_place(found: MaskFindings) -> Iterable[Notice]:
    if found.air > MOST_AIR:
        message = f"{format_percent(found.air)} of the tumour mask lies outside the body; check its position."
        yield Notice("mask_in_air", message, blocks_decision=True)
    if found.skin > MOST_SKIN:
        yield Notice(
            "mask_in_skin",
            f"{format_percent(found.skin)} of the tumour mask lies in the skin; take the skin out if it is not tumour.",
            blocks_decision=found.skin > MOSTLY,
        )
    if found.chest > MOST_CHEST:
        yield Notice(
            "mask_in_chest",
            f"{format_percent(found.chest)} of the tumour mask lies behind the breast, in the chest (heart, "
            "vessels); check it.",
            blocks_decision=found.chest > MOSTLY,
        )
    if found.other_side > MOST_OTHER_SIDE:
        yield Notice(
            "mask_both_sides",
            f"The tumour mask lies in both breasts ({format_percent(found.other_side)} in the second); give each "
            "tumour a label of its own.",
        )
