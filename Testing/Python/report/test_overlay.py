from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.text import Text
from PCRPredictorLib.errors import Notice
from PCRPredictorLib.prediction import RESEARCH_USE_ONLY, OperatingPoint
from PCRPredictorLib.report.overlay import render_overlay, save_overlay, standing_out
from support.examples import AXIAL, BLOCKING, CORONAL, EXAMPLE_NOTICE, SAGITTAL, tiny_exam, tiny_prediction


def written(exam, prediction):
    """Return all text of the picture."""
    return "\n".join(text.get_text() for text in render_overlay(exam, prediction).findobj(Text))


def test_numbers_and_decision_are_on_the_picture():
    exam = tiny_exam()
    text = written(exam, tiny_prediction(exam))
    for words in (
        "62 %",
        "3 folds agree within 54 % to 67 %",
        "Above threshold",
        "sensitivity 71 %, specificity 66 %",
        "50 %",
    ):
        assert words in text
    assert "Research use only" in text


def test_model_auc_and_base_rate_are_on_the_picture():
    exam = tiny_exam()
    text = written(exam, tiny_prediction(exam))
    assert "Model tiny 1.0.0: AUC 0.73 (0.67 to 0.79) out of fold" in text
    assert "patients like those it was trained on: 32 %" in text


def test_no_decision_is_on_the_picture_if_a_warning_forbids_it():
    exam = tiny_exam()
    text = written(exam, tiny_prediction(exam, notices=[EXAMPLE_NOTICE, BLOCKING]))
    assert f"No decision: {BLOCKING.message}" in text
    assert "Withheld" in text
    assert "Above threshold" not in text


def test_patient_is_not_named():
    exam = tiny_exam()
    assert "SECRET" not in written(exam, tiny_prediction(exam))


def test_neither_warnings_nor_the_disclaimer_are_cut():
    exam, words = tiny_exam(), " ".join(f"word{n}" for n in range(60))
    notices = [Notice("n", f"{n} $x$ {words} end-{n}.") for n in range(4)]
    figure = render_overlay(exam, tiny_prediction(exam, notices=notices))
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    shown = " ".join(" ".join(text.get_text() for text in texts).split())
    assert all(f"Warning: {notice.message}" in shown for notice in notices)
    assert RESEARCH_USE_ONLY in shown
    boxes = [text.get_window_extent() for text in figure.texts]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)


def test_exam_without_warnings_is_called_so():
    assert "No warnings" in written(tiny_exam(), tiny_prediction(tiny_exam(), notices=[]))


def test_unknown_rates_are_reported_as_unknown():
    exam = tiny_exam()
    prediction = replace(tiny_prediction(exam), operating_point=OperatingPoint("balanced", 0.5))
    assert "sensitivity and specificity unknown" in written(exam, prediction)


@pytest.mark.parametrize(("direction", "letters"), [(AXIAL, "RLAP"), (SAGITTAL, "APSI"), (CORONAL, "RLSI")])
def test_panels_have_letters_at_their_edges(direction, letters):
    exam = tiny_exam(direction)
    panels = [axes for axes in render_overlay(exam, tiny_prediction(exam)).axes if axes.images]
    assert {"".join(text.get_text() for text in axes.texts[:4]) for axes in panels} == {letters}


def test_anisotropic_pixels_are_shown_at_their_true_proportions():
    exam = tiny_exam(spacing=(1.0, 2.0, 5.0))
    axes = next(axes for axes in render_overlay(exam, tiny_prediction(exam)).axes if axes.images)
    left, right, bottom, top = axes.images[0].get_extent()
    assert axes.get_aspect() == 1
    assert (right - left, bottom - top) == (48, 80)


def test_attention_is_coloured_at_the_tumour_and_the_phases_are_grey(tmp_path):
    exam = tiny_exam()
    save_overlay(exam, tiny_prediction(exam), tmp_path / "overlay.png")
    pixels = imread(tmp_path / "overlay.png")[..., :3]
    colour = np.ptp(pixels, axis=-1) > 0.25
    assert pixels.shape[1] == 1600
    assert 0.02 < colour[290:740, 1080:1580].mean() < 0.5
    assert colour[800:1030, 20:800].mean() == 0


def test_single_slice_is_drawn_once():
    exam = tiny_exam(size=(48, 40, 1))
    mask = np.zeros(exam.geometry.shape, np.uint8)
    mask[0, 10:20, 20:30] = 1
    exam = replace(exam, mask=mask)
    assert written(exam, tiny_prediction(exam)).count("Evidence, slice 1/1") == 1


def test_evidence_has_its_sum_its_scale_and_what_its_colours_mean():
    exam = tiny_exam()
    text = written(exam, tiny_prediction(exam))
    for words in ("Evidence, sum +0.44 log-odds", "per ml", "Blue: towards response, orange", "Early enhancement"):
        assert words in text


def test_result_without_evidence_shows_attention_through_the_tumour():
    exam = tiny_exam()
    text = written(exam, replace(tiny_prediction(exam), evidence=None, evidence_map=None))
    assert "Evidence" not in text
    assert "Attention, slice" in text


def test_tumour_at_the_edge_and_no_attention_are_drawn(tmp_path):
    exam = tiny_exam()
    mask = np.zeros(exam.geometry.shape, np.uint8)
    mask[-1, -4:, -4:] = 1
    exam = replace(exam, mask=mask)
    prediction = replace(tiny_prediction(exam), attention=np.zeros(mask.shape, np.float32))
    save_overlay(exam, prediction, tmp_path / "overlay.png")
    assert "Early phase, slice 10/10" in written(exam, prediction)


def test_a_flat_map_is_shown_weaker_than_its_peak():
    flat, sharp = np.full((4, 8, 8), 0.9), np.full((4, 8, 8), 0.01)
    flat[0, 0, 0] = sharp[2, 4, 4] = 1
    assert standing_out(flat) < 0.3
    assert standing_out(sharp) == 1
    assert standing_out(np.zeros((2, 2, 2))) == 1
