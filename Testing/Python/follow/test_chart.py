"""The chart of volume, diameter and probability over the visits."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.follow.chart import draw_chart, save_chart
from PCRPredictorLib.response.bands import Bands
from PIL import Image
from support.follow.examples import BANDS, SECRET_DATE, tiny_course, tiny_prediction


def chart(visits=2, bands=BANDS, **options):
    course = tiny_course(visits, **options)
    return draw_chart(course, tiny_prediction(course), bands)


def lines(axes, colour="black"):
    """Return the patient's lines as (dashes, x, y), without the points."""
    found = [line for line in axes.lines if line.get_color() == colour and line.get_marker() != "o"]
    return [(line.get_linestyle(), list(line.get_xdata()), list(line.get_ydata())) for line in found]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_volume_diameter_and_probability_lie_below_each_other():
    volume, diameter, probability = chart().axes
    assert texts(volume) == ["12.4 ml", "3.1 ml"]
    assert texts(diameter) == ["34 mm", "20 mm"]
    assert texts(probability) == ["31 %", "46 %"]


def test_a_tumour_that_is_gone_is_on_the_scale():
    volume = chart(4).axes[0]
    low, high = volume.transData.transform([(0, 0), (0, 12.4)])[:, 1]
    assert volume.bbox.y0 <= low < high < volume.bbox.y1
    assert texts(volume)[-1] == "0 ml"


def test_visits_that_were_not_reached_are_blank_but_have_bands():
    volume = chart(1).axes[0]
    assert lines(volume) == []
    widest = max(path.vertices[:, 0].max() for each in volume.collections for path in each.get_paths())
    assert widest == 3


def test_a_line_over_a_visit_that_is_missing_is_dotted():
    assert [dashes for dashes, *_ in lines(chart(4, skip=("T1",)).axes[0])] == [":", "-"]


def test_bands_differ_without_colours():
    assert [each.get_hatch() for each in chart().axes[0].collections] == [None, "", None, "////"]
    dashes = [line.get_linestyle() for line in chart().axes[0].lines if line.get_color() != "black"]
    assert len(set(dashes)) == 2


def test_base_rate_and_thresholds_are_drawn():
    probability = chart(2).axes[2]
    heights = {float(line.get_ydata()[0]) for line in probability.lines}
    assert {0.36, 0.38} <= heights


@pytest.mark.parametrize("bands", [None, Bands()])
def test_without_bands_the_patient_stands_alone(bands):
    assert not chart(bands=bands).axes[0].collections


def test_without_a_prediction_there_are_measurements_alone():
    assert len(draw_chart(tiny_course(2), None, None).axes) == 2


def test_days_stand_below_the_visits_and_no_date():
    labels = [label.get_text() for label in chart(2).axes[-1].get_xticklabels()]
    assert labels[1].endswith("day 22")
    assert labels[3].endswith("before surgery")


def test_files_are_a_picture_and_an_svg_with_a_text(tmp_path):
    course = tiny_course(2)
    save_chart(course, tiny_prediction(course), BANDS, tmp_path, "course")
    assert np.asarray(Image.open(tmp_path / "course.png")).std() > 10
    svg = (tmp_path / "course.svg").read_text()
    title = ElementTree.fromstring(svg)[0]
    assert title.tag.endswith("title")
    assert "T1 3.1 ml" in title.text
    assert str(SECRET_DATE.year) not in title.text
    assert "<text" not in svg  # no font is needed


def test_labels_of_the_probability_stand_above_ranges_and_thresholds():
    probability = chart().axes[2]
    assert {text.xy[1] for text in probability.texts} == {1.07}


def test_what_is_unknown_is_a_range_of_its_own():
    course = tiny_course(2)
    found = tiny_prediction(course)
    wide = replace(found, visits=tuple(replace(each, missing_interval=(0.05, 0.9)) for each in found.visits))
    figure = draw_chart(course, wide, BANDS)
    assert [0.05, 0.9] in [list(line.get_ydata()) for line in figure.axes[2].lines]
    assert "range by what is unknown" in [text.get_text() for text in figure.legends[0].get_texts()]
