from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam, Geometry, Lesion, Provenance
from support.examples import tiny_exam

GEOMETRY = Geometry((4, 3, 2), (1.0, 2.0, 5.0), (10.0, 0.0, 0.0))
EXAM = Exam(*np.zeros((3, *GEOMETRY.shape)), GEOMETRY)


def test_centre_is_the_centroid_of_the_tumour():
    mask = np.zeros(GEOMETRY.shape, np.uint8)
    mask[1, 0:2, 3] = 1
    assert replace(EXAM, mask=mask).centre == pytest.approx([13, 1, 5])


def test_centre_without_a_tumour_lies_between_the_outer_voxel_centres():
    assert not EXAM.has_tumour
    assert EXAM.centre == pytest.approx([11.5, 2, 2.5])
    assert replace(EXAM, mask=np.zeros(GEOMETRY.shape)).centre == pytest.approx(EXAM.centre)


def test_values_that_are_given_replace_those_of_the_source_whatever_their_case():
    exam = replace(tiny_exam(), clinical={"Age": 52, "hr": "1"}, provenance=Provenance(unusable=("age",)))
    given = exam.with_clinical({"age": 60})
    assert given.clinical == {"hr": "1", "age": 60}
    assert given.provenance.unusable == ()


def test_a_value_that_differs_from_the_sources_is_reported():
    exam = replace(tiny_exam(), clinical={"Age": 55, "hr": "1", "her2": "Positive", "grade": ""})
    given = exam.with_clinical({"age": "30", "hr": "positive", "her2": "negative", "grade": 2})
    assert [notice.message for notice in given.provenance.notices] == [
        "age is 30 as given; the exam's source has 55, not used.",
        "her2 is negative as given; the exam's source has Positive, not used.",
    ]
    assert exam.with_clinical({"age": "55.0", "her2": "positive "}).provenance.notices == ()


def test_of_several_lesions_the_largest_is_the_mask_and_empty_ones_are_left_out():
    masks = [np.zeros(GEOMETRY.shape, np.uint8) for _ in range(3)]
    masks[0][0, 0, 0] = 1
    masks[1][0, 0, 1:4] = 1
    exam = EXAM.with_lesions([Lesion(f"label {n + 1}", mask, n + 1) for n, mask in enumerate(masks)])
    assert [lesion.name for lesion in exam.lesions] == ["label 2", "label 1"]
    assert exam.mask is masks[1]


def test_a_single_lesion_is_the_mask_alone():
    mask = np.ones(GEOMETRY.shape, np.uint8)
    assert EXAM.with_lesions([Lesion("a", mask)]).mask is mask
    assert EXAM.with_lesions([Lesion("a", mask)]).lesions == ()
    assert not EXAM.with_lesions([]).has_tumour


def test_lesion_of_a_different_shape_is_refused():
    with pytest.raises(DataError, match="the a array must have shape"):
        replace(EXAM, lesions=(Lesion("a", np.zeros((1, 2, 3))),))
