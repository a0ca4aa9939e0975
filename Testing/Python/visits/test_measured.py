"""One visit measured."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.response.course import Visit, VisitValues
from PCRPredictorLib.visits import measured
from PCRPredictorLib.visits.measured import measure_exam, measure_in_course
from support.examples import two_lesions
from support.follow_up.visits import in_place, small_exam


def test_an_empty_mask_is_a_tumour_that_is_gone():
    exam = small_exam()
    values = measure_exam(replace(exam, mask=np.zeros_like(exam.mask))).values
    assert (values.gone, values.functional_volume_ml, values.longest_diameter_mm) == (True, 0, 0)


def test_a_visit_without_a_mask_is_measured_inside_the_outline_of_the_baseline(monkeypatch):
    monkeypatch.setattr(measured, "register", in_place)
    found = measure_exam(replace(small_exam(1), mask=None), inside=small_exam(0))
    assert found.values.functional_volume_ml == pytest.approx(
        measure_exam(small_exam(0)).values.functional_volume_ml, rel=0.1
    )
    assert found.notices[-1].code == "inside_baseline"


def test_the_outlines_of_all_tumours_of_the_baseline_are_brought_over(monkeypatch):
    monkeypatch.setattr(measured, "register", in_place)
    monkeypatch.setattr(measured, "MARGIN_MM", 0.0)
    exam = small_exam()
    found = measure_exam(replace(exam, mask=None), inside=two_lesions(exam))
    assert found.values.functional_volume_ml == pytest.approx(measure_exam(exam).values.functional_volume_ml, rel=0.1)


def test_an_outline_that_cannot_be_brought_over_is_refused(monkeypatch):
    exam = small_exam()
    monkeypatch.setattr(measured, "register", partial(in_place, holds=False))
    with pytest.raises(DataError, match=r"cannot be brought over to this visit \(The exams do not match\)"):
        measure_exam(replace(exam, mask=None), inside=exam)


def gone_at_t1(still):
    """Return a visit whose tumour is said to be gone, and the first visit; `still` is what enhances there yet."""
    exam = small_exam(1)
    first = measure_in_course(Visit("T0", VisitValues(), small_exam(0)), "drawn", None)
    early = exam.early if still else np.where(small_exam(0).mask != 0, exam.pre, exam.early)
    return Visit("T1", VisitValues(), replace(exam, early=early, mask=np.zeros_like(exam.mask))), first


@pytest.mark.parametrize(("still", "codes"), [(True, ["gone_but_enhances"]), (False, [])])
def test_a_tumour_that_is_said_to_be_gone_but_enhances_is_a_warning(monkeypatch, still, codes):
    monkeypatch.setattr(measured, "register", in_place)
    monkeypatch.setattr(measured, "MARGIN_MM", 0.0)
    monkeypatch.setattr(measured, "_LEFT_ML", 0.0)
    visit, first = gone_at_t1(still)
    found = measure_in_course(visit, "gone", first)
    assert found.values.gone
    assert [notice.code for notice in found.notices if notice.code.startswith("gone")] == codes


def test_a_tumour_that_is_said_to_be_gone_in_an_exam_that_does_not_fit_is_not_checked(monkeypatch):
    monkeypatch.setattr(measured, "register", partial(in_place, holds=False))
    visit, first = gone_at_t1(True)
    found = measure_in_course(visit, "gone", first)
    assert "gone_unchecked" in [notice.code for notice in found.notices]
