import numpy as np
import pytest
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.model.kinetics import QUANTITIES, tumour_quantities, whole_volume
from support.examples import tiny_exam


def test_quantities_of_a_simulated_ball_are_measured():
    exam = tiny_exam()
    found = tumour_quantities(exam)
    assert tuple(found) == QUANTITIES
    volume = exam.mask.sum() * exam.geometry.voxel_volume / 1000
    assert np.log(volume) - 0.4 < found["log_volume"] < np.log(volume)  # its ends are not measured
    assert found["log_functional_volume"] == pytest.approx(np.log1p(np.exp(found["log_volume"])))  # +150 % everywhere
    assert found["wash_in"] == pytest.approx(1.5, abs=0.05)
    assert found["wash_out"] == pytest.approx(-50 / 500, abs=0.01)
    assert found["signal_enhancement_ratio"] == pytest.approx(300 / 250, abs=0.02)
    assert found["sphericity"] == pytest.approx(1, abs=0.15)


def test_bright_rim_is_seen():
    exam = tiny_exam(size=(48, 40, 16), spacing=(1.5, 1.5, 1.5))
    from scipy import ndimage

    rim = exam.mask.astype(bool) & ~ndimage.binary_erosion(exam.mask, iterations=2)
    bright = Exam(exam.pre, exam.early + 200 * rim.astype(np.int16), exam.late, exam.geometry, exam.mask)
    assert tumour_quantities(bright)["rim_minus_core"] > tumour_quantities(exam)["rim_minus_core"] + 0.3


@pytest.mark.parametrize("voxels", [1, 2])
def test_tiny_tumour_black_before_contrast_gives_finite_numbers(voxels):
    exam = tiny_exam()
    mask = np.zeros_like(exam.mask)
    mask[4, 10, 10 : 10 + voxels] = 1
    found = tumour_quantities(Exam(exam.pre * 0, exam.early, exam.late, exam.geometry, mask))
    assert all(np.isfinite(value) for value in found.values())


def test_quantities_do_not_depend_on_the_gain():
    exam = tiny_exam()
    twice = Exam(*(2.0 * phase for phase in exam.phases), exam.geometry, exam.mask)
    assert tumour_quantities(twice) == pytest.approx(tumour_quantities(exam))


def test_whole_volume_is_that_of_the_mask_and_a_slab_of_it_gives_nearly_the_same():
    k, j, i = np.indices((61, 80, 80))
    ball = ((k - 30) ** 2 + (j - 40) ** 2 + (i - 40) ** 2) <= 20**2
    whole, slab = phantom_of(ball, 1.0), phantom_of(ball[16:45:4], 4.0)  # 8 slices of the middle 70 %
    assert whole_volume(whole) == pytest.approx(ball.sum() / 1000)
    assert whole_volume(slab) == pytest.approx(whole_volume(whole), rel=0.03)
    assert np.exp(tumour_quantities(slab)["log_volume"]) < 0.97 * whole_volume(whole)


def phantom_of(mask, between):
    phase = np.ones(mask.shape, np.float32)
    return Exam(phase, phase, phase, Geometry(mask.shape[::-1], (1.0, 1.0, between)), mask)
