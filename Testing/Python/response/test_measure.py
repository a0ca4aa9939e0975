"""What is measured at a visit: with a mask, without one, with a tumour that is gone."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.response.measure import measure_visit
from support.examples import tiny_exam


def test_a_tumour_that_is_gone_measures_0():
    found = measure_visit(replace(tiny_exam(), mask=np.zeros((10, 40, 48), np.uint8)))
    assert (found.values.functional_volume_ml, found.values.longest_diameter_mm, found.values.gone) == (0, 0, True)
    assert (found.values.sphericity, found.values.highest_ser) == (None, None)


def test_without_a_mask_the_earlier_outline_is_needed():
    with pytest.raises(DataError, match="give the visit's mask"):
        measure_visit(replace(tiny_exam(), mask=None))
