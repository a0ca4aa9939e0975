from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.lesion.exam_check import check_exam
from support.examples import tiny_exam

EXAM = tiny_exam()


def with_voxel(value):
    array = EXAM.late.astype(np.float32)
    array[0, 0, 0] = value
    return array


def test_good_exam_passes():
    check_exam(EXAM)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": None}, "a tumour mask is needed"),
        ({"mask": np.zeros_like(EXAM.mask)}, "must not be empty"),
        ({"late": with_voxel(np.nan)}, "late phase has voxels that are not finite"),
        ({"late": with_voxel(np.inf)}, "late phase has voxels that are not finite"),
        ({"early": np.full_like(EXAM.early, 7)}, r"early phase is constant \(7 everywhere\)"),
        ({"pre": EXAM.early, "early": EXAM.pre}, "look swapped"),
        ({"pre": EXAM.late, "late": EXAM.pre}, "look swapped"),
    ],
)
def test_exam_that_cannot_be_predicted_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        check_exam(replace(EXAM, **change))


def test_array_of_a_different_shape_is_refused():
    with pytest.raises(DataError, match=r"late array must have shape \(10, 40, 48\)"):
        replace(EXAM, late=EXAM.late[1:])
