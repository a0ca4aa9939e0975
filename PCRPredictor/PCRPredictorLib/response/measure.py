"""What is measured at a visit, by the trial's definitions in `lesion.functional` and `lesion.background`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, Notice
from ..exam import Exam
from ..formatting import count, format_percent
from ..lesion.background import Background, measure_background
from ..lesion.body import Body, Side, outline_body
from ..lesion.functional import (
    face_sphericity,
    functional_voxels,
    highest_ser,
    longest_of_largest_piece,
    share_of_largest_piece,
)
from .course import VisitValues

_SOME = 0.1  # of a tumour, that counts as lying in a breast
_MOST_POINTS = 2000
_MOST_IN_ONE = 0.9  # share of a tumour in its largest piece, below which the others matter
_EARLY = (90.0, 240.0)  # s after injection; the trial's early phase is that nearest to 150 s


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured at a visit.

    Args:
        values: each None if it could not be measured; a notice says why.
        functional: (k, j, i) bool, voxels of the functional tumour volume; none if the tumour is gone.
        notices: warnings about what was guessed or could not be measured.
    """

    values: VisitValues
    functional: np.ndarray
    notices: tuple[Notice, ...] = ()


def measure_visit(exam: Exam, within: np.ndarray | None = None, side: Side | None = None) -> Measured:
    """Measure the tumour and the background of an exam.

    A mask without a voxel means that the tumour is gone: its volume and diameter are 0, its shape and kinetics unknown.
    Several tumours are measured together: volumes are added, the diameter is that of the largest piece.

    Args:
        exam: with the tumour's mask of this visit, or without a mask if `within` is given.
        within: (k, j, i), where a tumour without a mask is looked for: the outline of an earlier visit, carried over
            by `registration.rigid.carry_mask` and widened.
        side: of the tumour's breast, from an earlier visit; needed for the background if the tumour is gone.

    Raises:
        DataError: if the exam has no mask and `within` is not given.
    """
    outline = _outline(exam)
    region = within if outline is None else outline
    if region is None:
        raise DataError("a tumour mask or the outline of an earlier visit is needed, got none; give the visit's mask")
    functional = functional_voxels(exam, region, outlined=outline is not None)
    tumour = functional if outline is None else outline
    shown = bool(functional.any())
    background = _measure_background(exam, tumour, side)
    values = VisitValues(
        functional_volume_ml=int(functional.sum()) * exam.geometry.voxel_volume / 1000,
        longest_diameter_mm=longest_of_largest_piece(tumour, exam.geometry),
        sphericity=face_sphericity(functional, exam.geometry.spacing[::-1]),
        background_enhancement_percent=background.percent,
        highest_ser=highest_ser(exam, functional),
        gone=not tumour.any(),
    )
    notices = [*_notices(exam, outline, tumour, shown), *_about_background(background)]
    return Measured(values, functional, tuple(notices))


def _outline(exam: Exam) -> np.ndarray | None:
    """Return the tumours of an exam in one mask, bool; None if it has no mask."""
    return None if exam.mask is None else np.asarray(exam.labelled_mask() != 0)


def _measure_background(exam: Exam, tumour: np.ndarray, side: Side | None) -> Background:
    """Return the background of the breast that has no tumour."""
    body = outline_body(exam)
    if body is None or body.cleft is None:
        return measure_background(exam, body, None)
    sides = _sides_of(tumour, exam, body)
    if len(sides) > 1:
        return Background(reason="there are tumours in both breasts")
    return measure_background(exam, body, next(iter(sides), side))


def _sides_of(tumour: np.ndarray, exam: Exam, body: Body) -> set[Side]:
    """Return the sides on which at least a tenth of a tumour lies; none if it is gone."""
    voxels = np.argwhere(tumour)[:: 1 + int(tumour.sum()) // _MOST_POINTS, ::-1]
    if not len(voxels) or body.cleft is None:
        return set()
    left = float((exam.geometry.to_physical(voxels)[:, 0] > body.cleft[0]).mean())
    shares: dict[Side, float] = {"left": left, "right": 1 - left}
    return {side for side, share in shares.items() if share >= _SOME}


def _about_background(background: Background) -> Iterator[Notice]:
    if background.percent is None:
        yield Notice(
            "background_unknown", f"The background enhancement of the other breast is unknown: {background.reason}."
        )


def _notices(exam: Exam, outline: np.ndarray | None, tumour: np.ndarray, shown: bool) -> Iterator[Notice]:
    """Yield what the reader of the measurements must know."""
    if outline is None:
        yield Notice(
            "measured_in_earlier_outline",
            "The tumour was not outlined at this visit. It was measured inside the widened outline of the earlier "
            "visit, which may hold vessels and glands that enhance; check it.",
        )
    if outline is None and not tumour.any():
        yield Notice(
            "nothing_enhances",
            "Nothing inside the outline of the earlier visit enhances by 70 %: the tumour counts as gone; check it.",
        )
    if outline is not None and tumour.any() and not shown:
        yield Notice(
            "no_functional_volume",
            "No part of the outlined tumour, of a few voxels or more, enhances by 70 %: its functional volume is 0.",
        )
    if len(exam.lesions) > 1:
        yield Notice(
            "several_tumours",
            f"The mask has {count(len(exam.lesions), 'tumour')}: their volumes were added, the diameter is that of the "
            "largest piece.",
        )
    pieces, share = share_of_largest_piece(tumour)
    if len(exam.lesions) <= 1 and share < _MOST_IN_ONE:
        yield Notice(
            "tumour_in_pieces",
            f"The tumour is in {pieces} pieces, the largest of which is {format_percent(share)} of it: the "
            "diameter is that of this piece, not from one end of the tumour to the other.",
        )
    if _reaches_the_end(tumour, exam.geometry.slice_axis):
        yield Notice(
            "tumour_at_the_end",
            "The tumour reaches the first or last slice: the part outside was not measured.",
        )
    early = exam.provenance.after_injection[1]
    if early is not None and not _EARLY[0] <= early <= _EARLY[1]:
        yield Notice(
            "early_phase_time",
            f"The early phase was acquired {early:.0f} s after the injection, that of the trial at about 150 s: "
            "functional volumes differ.",
        )


def _reaches_the_end(mask: np.ndarray, axis: int) -> bool:
    return bool(mask.take(0, axis).any() or mask.take(-1, axis).any())
