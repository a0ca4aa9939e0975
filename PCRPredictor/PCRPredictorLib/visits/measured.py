"""One visit measured: its own tumour, none as it is gone, or what enhances inside the baseline's outline."""

from __future__ import annotations

from dataclasses import replace

from ..errors import DataError, Notice, within_memory
from ..exam import Exam
from ..lesion.body import Side
from ..registration.rigid import carry_mask, register
from ..response.measure import Measured, measure_visit

MARGIN_MM = 10.0  # by which the baseline's outline is widened, as the breast lies anew


def measure_exam(exam: Exam, side: Side | None = None, inside: Exam | None = None) -> Measured:
    """Return what is measured at a visit.

    Args:
        exam: with the tumour's mask, which is empty if it is gone; without a mask if `inside` is given.
        side: of the tumour's breast, from an earlier visit.
        inside: the baseline exam with its mask: what enhances inside its outline is measured.

    Raises:
        DataError: if the exam cannot be measured, or the baseline cannot be brought over.
    """
    with within_memory():
        if inside is None:
            return measure_visit(exam, None, side)
        found = register(inside, exam)
        if not found.holds:
            raise DataError(
                f"the baseline's outline cannot be brought over to this visit ({found.message.rstrip('.')}); segment "
                "its tumour instead, or say that it is gone"
            )
        within = carry_mask(found, inside.mask, exam, MARGIN_MM)  # type: ignore[arg-type]
        measured = measure_visit(replace(exam, mask=None, lesions=()), within, side)
        text = f"Measured inside the baseline's outline, widened by {MARGIN_MM:.0f} mm. {found.message}"
        return replace(measured, notices=(*measured.notices, Notice("inside_baseline", text)))
