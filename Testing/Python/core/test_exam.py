from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.exam import Exam, Geometry, Provenance
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
