from dataclasses import replace

import numpy as np
import pytest
from examples import AXIAL, CORONAL, SAGITTAL, tiny_exam, tiny_prediction
from matplotlib.image import imread
from matplotlib.text import Text
from PCRPredictorLib.overlay import direction_letters, draw_overlay, save_overlay


def texts(figure):
    return [t.get_text() for t in figure.findobj(Text)]


def edge_letters(figure):
    """Letters at the left, right, top and bottom of the first picture."""
    placed = {t.get_position(): t.get_text() for t in figure.axes[0].texts}
    return "".join(placed[position] for position in ((0.03, 0.5), (0.97, 0.5), (0.5, 0.96), (0.5, 0.04)))


@pytest.mark.parametrize(("direction", "letters"), [(AXIAL, "RLAP"), (SAGITTAL, "APSI"), (CORONAL, "RLSI")])
def test_slices_are_shown_as_a_viewer_shows_them(direction, letters):
    exam = tiny_exam(direction)
    assert edge_letters(draw_overlay(exam, tiny_prediction(exam))) == letters


def test_mirrored_storage_is_shown_the_same_way():
    exam = tiny_exam(AXIAL * [-1, -1, 1])
    assert edge_letters(draw_overlay(exam, tiny_prediction(exam))) == "RLAP"


def test_oblique_direction_gets_a_second_letter_beyond_twenty_degrees():
    assert direction_letters(np.array([np.cos(0.3), np.sin(0.3), 0])) == "L"
    assert direction_letters(np.array([np.cos(0.5), -np.sin(0.5), 0])) == "LA"


def test_numbers_are_on_the_picture_and_the_patient_is_not():
    exam = tiny_exam()
    written = " ".join(texts(draw_overlay(exam, tiny_prediction(exam))))
    assert "62%" in written
    assert "Research use only" in written
    assert "SECRET" not in written


def test_attention_is_coloured_and_the_rest_is_grey(tmp_path):
    exam = tiny_exam()
    save_overlay(exam, tiny_prediction(exam), tmp_path / "overlay.png")
    pixels = imread(tmp_path / "overlay.png")[..., :3]
    bottom = pixels[550:930, 30:1500]
    colour = np.ptp(bottom, axis=-1)
    assert pixels.shape[1] == 1600
    assert 0.02 < (colour > 0.2).mean() < 0.4


def test_single_slice_exam_is_drawn():
    exam = tiny_exam(size=(48, 40, 1))
    mask = np.zeros(exam.geometry.shape, np.uint8)
    mask[0, 10:20, 20:30] = 1
    exam = replace(exam, mask=mask)
    assert "Attention, slice 1" in texts(draw_overlay(exam, tiny_prediction(exam)))
