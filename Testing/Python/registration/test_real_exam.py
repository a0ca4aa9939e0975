"""A real exam and its simulated second visit: brought together, told from another breast, measured."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.finding.use import with_clicked_tumour
from PCRPredictorLib.registration.images import as_image
from PCRPredictorLib.registration.rigid import carry_mask, register
from PCRPredictorLib.response.measure import measure_visit
from support.dicom.second_visit import Treatment, warp

MASS = (-93.4, -107.6, -41.4)  # LPS mm


@pytest.fixture(scope="module")
def visits(real_exam):
    first = with_clicked_tumour(read_dicom_exam(real_exam), MASS)
    treatment = Treatment(tuple(first.centre.tolist()), 14.2, shrink=0.6)
    moved = [warp(as_image(array, first.geometry), treatment) for array in (*first.phases, first.mask != 0)]
    pre, early, late, mask = (sitk.GetArrayFromImage(image) for image in moved)
    second = replace(first, pre=pre, early=early, late=late, mask=(mask >= 0.5).astype(np.uint8))
    return first, second, treatment.motion


@pytest.mark.slow
def test_a_real_exam_is_brought_onto_its_second_visit(visits):
    first, second, motion = visits
    found = register(first, second)
    assert found.holds
    assert np.linalg.norm((found.matrix - motion) @ np.append(first.centre, 1)) < 1.5  # mm
    mirrored = replace(second, pre=second.pre[:, :, ::-1], early=second.early[:, :, ::-1])
    assert not register(first, mirrored).holds


@pytest.mark.slow
def test_the_volume_is_found_in_the_earlier_outline(visits):
    first, second, _ = visits
    outlined = measure_visit(second).values.functional_volume_ml
    within = carry_mask(register(first, second), first.mask, second, 5.0)
    found = measure_visit(replace(second, mask=None), within).values.functional_volume_ml
    assert found == pytest.approx(outlined, rel=0.2)
    assert outlined < 0.3 * measure_visit(first).values.functional_volume_ml
