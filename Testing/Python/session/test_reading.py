"""The reading room: curves at the cursor and of the lesion, in a session without a widget."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.exam import Dynamic
from PCRPredictorLib.session.reading import describe_position
from support.examples import tiny_exam, two_lesions


def four_phases():
    exam = tiny_exam()
    return replace(exam, dynamic=Dynamic(lambda wanted: [exam.early for _ in wanted], (0, 1, 3), 4, (0, 120, 260, 400)))


@pytest.fixture
def desk(new_desk):
    return new_desk(four_phases())


def test_the_lesion_is_measured_when_an_exam_is_opened(desk):
    reading = desk.session.reading
    assert reading.kinetics.lesion.kinetics.wash_in_percent == pytest.approx(150, abs=2)
    assert len(reading.kinetics.lesion.signal) == 4
    assert any("washout" in line for line in reading.words.kinetics)


def test_the_cursor_has_a_curve_values_and_position(desk):
    reading, exam = desk.session.reading, desk.table.exam
    assert reading.words.cursor == reading.words.curve == ""
    reading.move_to(tuple(exam.centre))
    assert reading.curve.voxels == 9
    assert reading.words.cursor.startswith(describe_position(tuple(exam.centre)) + ": pre 187, early 487, late 437")
    assert "wash-in +" in reading.words.curve
    assert [line.label for line in reading.lines()] == ["Lesion", "Most enhancing", "Cursor"]
    reading.move_to((1e4, 0, 0))
    assert reading.curve is None
    assert "Cursor" not in reading.chart()


def test_positions_name_the_sides_of_the_patient():
    assert describe_position((45.2, -12.34, 33)) == "L 45.2 A 12.3 S 33.0 mm"
    assert describe_position((-1, 2, -3)) == "R 1.0 P 2.0 I 3.0 mm"


def test_a_changed_lesion_is_said_to_be_stale_until_it_is_measured_again(desk):
    reading = desk.session.reading
    assert reading.words.stale == ""
    desk.paint()
    assert "measure it again" in reading.words.stale
    reading.measure_again()
    desk.queue.run()
    assert reading.words.stale == ""
    assert reading.kinetics.map.voxels == np.count_nonzero(tiny_exam().mask) + 1


def test_another_exam_drops_curves_and_phases(desk):
    reading = desk.session.reading
    desk.session.open(lambda: replace(tiny_exam(), mask=None))
    desk.queue.run()
    assert reading.kinetics is None
    assert len(reading.phases.arrays) == 3


def test_the_lesion_that_is_shown_is_measured(new_desk):
    from PCRPredictorLib.prediction import LesionPrediction

    exam = two_lesions()
    desk = new_desk(exam)
    first = desk.session.reading.kinetics.map.voxels
    result = desk.predict()
    lesions = tuple(LesionPrediction(lesion.name, result.prediction, lesion.label) for lesion in exam.lesions)
    desk.session.result = replace(result, prediction=replace(result.prediction, lesions=lesions))
    desk.session.show_lesion(1)
    desk.queue.run()
    assert desk.session.reading.kinetics.map.voxels == np.count_nonzero(exam.lesions[1].mask) != first


def test_the_report_of_a_result_has_all_phases(desk):
    assert desk.predict().exam.dynamic.count == 4


def test_a_phase_that_is_missing_is_named(new_desk):
    from PCRPredictorLib.errors import DataError

    exam = tiny_exam()
    lost = Dynamic(lambda wanted: [DataError("file 2 is damaged")] * len(wanted), (0, 1, 3), 4)
    desk = new_desk(replace(exam, dynamic=lost))
    assert "file 2 is damaged" in desk.session.reading.words.notices


def test_the_kinetic_map_is_shown_without_a_prediction_and_taken_away_again(desk):
    desk.session.set_overlay(replace(desk.session.overlay, kind="curve_type"))
    overlay = desk.table.map
    assert overlay.names == ("I (persistent)", "II (plateau)", "III (washout)", "too close to call")
    assert set(np.unique(overlay.values)) <= {0, 1, 2, 3, 4}
    desk.session.set_overlay(replace(desk.session.overlay, kind="ser"))
    assert desk.table.map.values.max() == pytest.approx(1.2, abs=0.2)
    desk.session.set_overlay(replace(desk.session.overlay, kind="attention"))
    assert desk.table.map is None


def test_a_kinetic_map_follows_a_new_exam_as_soon_as_it_is_measured(desk):
    desk.session.set_overlay(replace(desk.session.overlay, kind="curve_type"))
    first = desk.table.map
    desk.session.open(four_phases)
    desk.queue.run()
    assert desk.table.map is not None
    assert desk.table.map is not first
