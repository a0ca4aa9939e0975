"""What is measured at a visit: with a mask, without one, with a tumour that is gone."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Provenance
from PCRPredictorLib.response.course import VisitValues
from PCRPredictorLib.response.measure import measure_visit
from support.examples import tiny_exam, two_lesions

EXAM = tiny_exam()
NOTHING = np.zeros_like(EXAM.mask)


def codes(found):
    """Return the codes of all notices but one: that the other breast is not in the tiny exam."""
    assert "background_unknown" in [notice.code for notice in found.notices]
    return [notice.code for notice in found.notices if notice.code != "background_unknown"]


def test_an_outlined_tumour_is_measured():
    found = measure_visit(EXAM)
    assert found.values.functional_volume_ml == pytest.approx(4 / 3 * np.pi * 0.9**3, rel=0.05)  # a ball of 9 mm
    assert found.values.longest_diameter_mm == pytest.approx(18, abs=1.5)
    assert found.values.highest_ser == pytest.approx(300 / 250, rel=0.05)
    assert not found.values.gone and codes(found) == []


def test_a_tumour_that_is_gone_measures_0():
    assert measure_visit(replace(EXAM, mask=NOTHING)).values == VisitValues(0.0, 0.0, gone=True)


def test_a_tumour_without_a_mask_is_found_in_the_earlier_outline():
    wide = np.ones_like(EXAM.mask)
    found = measure_visit(replace(EXAM, mask=None), within=wide)
    assert found.values.functional_volume_ml == pytest.approx(4 / 3 * np.pi * 0.9**3, rel=0.05)
    assert codes(found) == ["measured_in_earlier_outline"]


def test_nothing_that_enhances_in_the_earlier_outline_is_a_tumour_that_is_gone():
    corner = NOTHING.copy()
    corner[1:3, :5, :5] = 1
    found = measure_visit(replace(EXAM, mask=None), within=corner)
    assert (found.values.functional_volume_ml, found.values.gone) == (0.0, True)
    assert codes(found) == ["measured_in_earlier_outline", "nothing_enhances"]


def test_without_a_mask_the_earlier_outline_is_needed():
    with pytest.raises(DataError, match="give the visit's mask"):
        measure_visit(replace(EXAM, mask=None))


def test_an_outlined_tumour_that_does_not_enhance_keeps_its_diameter():
    found = measure_visit(replace(EXAM, early=EXAM.pre, late=EXAM.pre))
    assert (found.values.functional_volume_ml, found.values.gone) == (0.0, False)
    assert found.values.longest_diameter_mm > 15
    assert codes(found) == ["no_functional_volume"]


def test_several_tumours_are_measured_together():
    found = measure_visit(two_lesions(EXAM))
    assert found.values.functional_volume_ml == measure_visit(EXAM).values.functional_volume_ml
    assert codes(found) == ["several_tumours"]


def test_a_tumour_in_pieces_is_reported():
    cut = EXAM.mask.copy()
    where = np.argwhere(cut)
    cut[:, where[:, 1].min() + 2] = 0
    found = measure_visit(replace(EXAM, mask=cut))
    assert codes(found) == ["tumour_in_pieces"]
    assert "is in 2 pieces, the largest of which is" in found.notices[-1].message + found.notices[0].message


def test_a_tumour_that_is_cut_off_and_an_early_phase_at_another_time_are_reported():
    cut = EXAM.mask.copy()
    cut[0] = cut[5]
    late = replace(EXAM, mask=cut, provenance=Provenance("dicom", (0.0, 400.0, 500.0), injection=60.0))
    assert codes(measure_visit(late)) == ["tumour_in_pieces", "tumour_at_the_end", "early_phase_time"]
