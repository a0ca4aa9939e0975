"""The comparison of visits: one display scale, the baseline's outline, and what the picture says of them."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.follow.compare import compare, reference_signal, why_not_compared
from PCRPredictorLib.follow.picture import draw_comparison
from support.examples import SAGITTAL, tiny_exam
from support.follow.examples import SECRET_DATE, in_place, tiny_course, tiny_exams, without_tumour


def written(figure):
    return [text.get_text() for text in figure.texts]


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def outlines(axes):
    """Return the outlines in a panel: dashed True or False."""
    return [each.get_linestyle()[0][1] is not None for each in axes.collections if len(each.get_paths()[0].vertices)]


def test_an_exam_that_the_scanner_scaled_differently_looks_the_same():
    plain, scaled = ([tiny_exams(2)[0], tiny_exams(2, scale)[1]] for scale in (1.0, 7.5))
    one, other = (compare(tiny_course(2, exams), in_place(exams)) for exams in (plain, scaled))
    assert other.grey == pytest.approx(one.grey, rel=1e-5)
    assert other.panels[1].early == pytest.approx(one.panels[1].early, rel=1e-5)


def test_reference_is_of_tissue_and_not_of_air():
    exam = tiny_exam()
    dark = replace(exam, pre=np.where(np.arange(exam.pre.shape[2]) < 30, 0, exam.pre))
    assert reference_signal(dark) == pytest.approx(reference_signal(exam), rel=0.02)
    assert reference_signal(replace(exam, pre=np.zeros_like(exam.pre))) > 0


def test_voxels_that_are_no_number_do_not_spoil_the_scale():
    exams = tiny_exams(2)
    holes = np.arange(exams[1].early.size).reshape(exams[1].early.shape) % 997 == 0
    spoiled = replace(
        exams[1], early=np.where(holes, np.nan, exams[1].early), pre=np.where(holes, np.inf, exams[1].pre)
    )
    comparison = compare(tiny_course(2, [exams[0], spoiled]), in_place(exams))
    assert comparison.grey == pytest.approx(compare(tiny_course(2, exams), in_place(exams)).grey, rel=0.05)
    assert np.isfinite(comparison.panels[1].difference).all()


def test_scale_reaches_the_brightest_visit():
    exams = tiny_exams(2)
    comparison = compare(tiny_course(2, exams), in_place(exams))
    brightest = max(panel.difference[panel.mask].max() for panel in comparison.panels)
    assert comparison.difference[0] == 0
    assert comparison.difference[1] == pytest.approx(brightest, rel=0.2)


def test_outline_of_the_baseline_is_carried_to_the_other_visit():
    exams = tiny_exams(2)
    first, second = compare(tiny_course(2, exams), in_place(exams)).panels
    assert (second.baseline == first.mask).all()
    assert second.mask.sum() < second.baseline.sum()
    assert (second.index, second.zoom) == (first.index, first.zoom)


def test_outline_is_not_drawn_if_the_registration_does_not_hold():
    exams = tiny_exams(2)
    course = tiny_course(2, exams)
    assert not compare(course, in_place(exams, holds=False)).panels[1].baseline.any()
    figure = draw_comparison(compare(course, in_place(exams, holds=False, message="Off.")), course)
    assert any("T1: the registration does not hold" in text for text in written(figure))
    assert outlines(figure.axes[3]) == [False]


def test_a_tumour_that_is_gone_is_shown_where_the_baseline_was():
    exams = tiny_exams(2)
    exams[1] = without_tumour(exams[1])
    course = tiny_course(2, exams)
    figure = draw_comparison(compare(course, in_place(exams)), course)
    assert outlines(figure.axes[3]) == [True]
    assert [outlines(axes) for axes in figure.axes[:3]] == [[False]] * 3


def test_place_is_unknown_without_tumour_and_registration():
    exams = tiny_exams(2)
    exams[1] = without_tumour(exams[1])
    course = tiny_course(2, exams)
    comparison = compare(course, {})
    assert not comparison.panels[1].has_place
    assert "place of the tumour unknown" in titles(draw_comparison(comparison, course))[3]


def test_panels_are_of_one_size_for_all_visits():
    exams = [tiny_exam(), tiny_exam(size=(90, 60, 10))]
    panels = compare(tiny_course(2, exams), {}).panels
    assert panels[0].zoom.width == panels[1].zoom.width


@pytest.mark.parametrize("count", [2, 3, 4])
def test_every_visit_has_three_pictures(count):
    exams = tiny_exams(count)
    course = tiny_course(count, exams)
    figure = draw_comparison(compare(course, in_place(exams)), course)
    assert len(figure.axes) == 3 * count
    assert sum(title.startswith("T1, day 22") for title in titles(figure)) == 3
    assert not any(str(SECRET_DATE.year) in text for text in (*written(figure), *titles(figure)))
    assert all(axes.get_position().y0 >= 0 and axes.get_position().y1 <= 1 for axes in figure.axes)


def test_how_the_scale_is_chosen_is_written():
    exams = tiny_exams(2)
    course = tiny_course(2, exams)
    text = " ".join(written(draw_comparison(compare(course, in_place(exams)), course)))
    assert "divided by the median of its pre-contrast signal in tissue" in text


def test_slices_in_another_plane_are_named():
    exams = [tiny_exam(), tiny_exam(SAGITTAL)]
    course = tiny_course(2, exams)
    figure = draw_comparison(compare(course, {}), course)
    assert any("T1 has sagittal slices and T0 has axial ones" in text for text in written(figure))


def test_one_visit_with_images_is_not_compared():
    assert "takes images of two visits" in why_not_compared(tiny_course(2, tiny_exams(1)))
    exams = [without_tumour(exam) for exam in tiny_exams(2)]
    assert "T0 has no tumour mask" in why_not_compared(tiny_course(2, exams))
    assert compare(tiny_course(2), {}) is None
