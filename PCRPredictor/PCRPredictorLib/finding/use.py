"""An exam with a tumour that was found, or grown from a click, instead of one that somebody outlined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import DataError, Notice
from ..exam import Exam
from .find import Candidate, find_tumours
from .grow import grow_tumour


def with_found_tumour(exam: Exam) -> tuple[Exam, tuple[Candidate, ...]]:
    """Return an exam with its most suspicious place as the tumour, marked as not reviewed, and all candidates.

    Raises:
        DataError: if nothing in the exam enhances like a tumour.
    """
    candidates = find_tumours(*exam.phases, exam.geometry)
    if not candidates:
        raise DataError(
            "no tumour was found: nothing in the exam enhances like one; check the order of the phases, or give --mask"
        )
    first = candidates[0]
    notice = Notice(
        "tumour_unreviewed",
        f"The tumour was found automatically ({', '.join(first.reasons)}) and was not reviewed; check its outline.",
    )
    return _with_mask(exam, first.mask, notice), candidates


def with_clicked_tumour(
    exam: Exam, position: Sequence[float] | np.ndarray, force: bool = False, *, box: bool = False
) -> Exam:
    """Return an exam with the tumour that grows from a click or in a box.

    Args:
        exam: without a tumour; one that it has is replaced.
        position: of the click, or of two corners of the box, (2, 3), LPS mm.
        force: use what has grown even if it does not look like a mass.
        box: True if `position` holds two corners of a box.

    Raises:
        DataError: if nothing enhances there or, unless forced, if the click does not stand on a mass.
    """
    grown = grow_tumour(exam.pre, exam.early, exam.geometry, position, box=box, force=force)
    if grown.question:
        statement = grown.question.split("?")[0].rsplit(". ", 1)[0]
        remedy = "give a box around the lesion" if box else "click on the lesion"
        raise DataError(f"{statement} ({grown.message}); {remedy}, or add --click-anyway to use it")
    how = f"{'in a box' if box else 'from a click'} ({grown.message})"
    notice = Notice("tumour_unreviewed", f"The tumour was grown {how} and its outline was not reviewed; check it.")
    return _with_mask(exam, grown.mask, notice)


def _with_mask(exam: Exam, mask: np.ndarray, notice: Notice) -> Exam:
    provenance = replace(exam.provenance, notices=(*exam.provenance.notices, notice))
    return replace(exam, mask=mask, lesions=(), provenance=provenance)
