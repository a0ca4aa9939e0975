"""Rigid registration: what is carried from one exam to another."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.registration.rigid import carry_mask, register
from support.examples import tiny_exam


def moved(exam, offset):
    """Return the exam with its lattice at another place: as if the patient had moved by that, mm."""
    return replace(exam, geometry=replace(exam.geometry, origin=tuple(np.add(exam.geometry.origin, offset))))


def test_a_mask_is_carried_to_where_the_exam_moved():
    exam = tiny_exam()
    follow_up = moved(exam, (12.0, -7.0, 5.0))
    assert np.array_equal(carry_mask(register(exam, follow_up), exam.mask, follow_up), exam.mask)


def test_a_carried_mask_is_widened_by_the_margin():
    exam = tiny_exam(size=(60, 60, 30), spacing=(1.5, 1.5, 1.5))
    radius = [
        (3 / (4 * np.pi) * carry_mask(register(exam, exam), exam.mask, exam, margin).sum() * 1.5**3) ** (1 / 3)
        for margin in (0.0, 6.0)
    ]
    assert radius[1] - radius[0] == pytest.approx(6.0, abs=0.6)
