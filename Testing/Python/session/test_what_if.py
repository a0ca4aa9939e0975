"""What the answer would be with other clinical values."""

import time
from dataclasses import replace

import pytest
from PCRPredictorLib.model.bundle import find_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.session.model_choice import ModelRunner
from support.examples import tiny_exam, two_lesions

AT_ONCE_S = 0.05


@pytest.fixture
def predicted(new_desk):
    """A desk with a result of the model "ispy2"."""

    def make(exam):
        desk = new_desk(exam)
        desk.session.runner = ModelRunner()
        desk.session._what_if._runner = desk.session.runner
        desk.session.choose_model(find_bundle("ispy2"))
        desk.predict()
        return desk

    return make


@pytest.mark.parametrize("make_exam", [tiny_exam, two_lesions])
def test_hypothesis_is_what_a_prediction_with_these_values_gives(predicted, make_exam):
    desk, values = predicted(make_exam()), {"age": 61, "her2": "positive"}
    before = desk.session.result
    desk.session.enter(values)
    shown = desk.session.shown.prediction
    exam = replace(before.exam, clinical=values)
    expected = Predictor(desk.session.model.bundle).predict(exam)
    assert desk.session.result is before
    assert shown.probability == pytest.approx(expected.probability, abs=1e-5)
    assert shown.mask_interval == pytest.approx(expected.mask_interval, abs=1e-5)
    assert [notice.code for notice in shown.notices] == [notice.code for notice in expected.notices]
    for mine, theirs in zip(shown.lesions, expected.lesions, strict=True):
        assert mine.prediction.probability == pytest.approx(theirs.prediction.probability, abs=1e-5)


def test_hypothetical_result_says_so_until_it_is_predicted(predicted):
    desk = predicted(tiny_exam())
    desk.session.enter({"age": 52, "her2": "positive"})
    assert "Hypothetical, if HER2 were positive:" in desk.session.words.probability
    assert desk.session.status.startswith("Hypothetical until you predict with these values")
    assert not desk.session.is_stale
    desk.predict()
    assert "Hypothetical" not in desk.session.words.probability + desk.session.status
    assert desk.session.shown is desk.session.result


def test_values_set_back_are_the_result_again(predicted):
    desk = predicted(tiny_exam())
    desk.session.enter({})
    assert "if Age were unknown" in desk.session.words.probability
    desk.session.enter({"age": "52.0"})
    assert desk.session.hypothesis is None
    assert desk.session.shown is desk.session.result


def test_a_changed_tumour_or_an_unreadable_value_is_stale_instead(predicted):
    desk = predicted(tiny_exam())
    desk.session.enter({"age": "500"})
    assert desk.session.hypothesis is None
    assert desk.session.is_stale
    desk.session.enter({"age": "60"})
    assert not desk.session.is_stale
    desk.paint()
    assert desk.session.hypothesis is None
    assert desk.session.is_stale


def test_files_hold_the_real_result(predicted, tmp_path):
    desk, written = predicted(tiny_exam()), []
    desk.session.enter({"age": 70})
    desk.session.save(tmp_path / "out", lambda _exam, prediction, *_args, **_options: written.append(prediction))
    desk.queue.run()
    assert written == [desk.session.result.prediction]


def test_operating_point_of_a_hypothesis_can_be_chosen(predicted):
    desk = predicted(tiny_exam())
    desk.session.enter({"age": 70})
    desk.session.choose_point("high specificity")
    assert desk.session.shown.prediction.operating_point.name == "high specificity"
    assert "Hypothetical" in desk.session.words.probability


def test_answer_comes_at_once(predicted):
    desk, durations = predicted(tiny_exam()), []
    for age in range(40, 60):
        begun = time.thread_time()  # of the processor: other work must not count
        desk.session.enter({"age": age, "hr": "negative"})
        assert desk.session.words.probability
        durations.append(time.thread_time() - begun)
    assert sorted(durations)[len(durations) // 2] < AT_ONCE_S
