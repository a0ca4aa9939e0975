"""What a page opens and predicts, and which model and operating point its result is of."""

import contextlib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from support.examples import tiny_exam

trame_server = pytest.importorskip("trame_server")
pytest.importorskip("slicer_layer_dm")


@pytest.fixture(scope="module")
def prediction():
    return Predictor(load_bundle(find_bundle("phantom"))).predict(tiny_exam())


def section_that(predicts, shown):
    """A section whose scene holds an exam, and which is predicted by a function."""
    from PCRPredictorView.prediction_section import PredictionSection
    from PCRPredictorView.work import Work

    scene = SimpleNamespace(
        has_tumour=True,
        is_stale=False,
        read=lambda _values: tiny_exam(),
        show_prediction=lambda *_shown: None,
        predictor=SimpleNamespace(predict=predicts),
    )
    server = trame_server.Server(client_type="vue3")
    work = Work(server)
    return PredictionSection(server, work, scene, "phantom", shown.append), work


async def test_a_result_is_not_shown_as_that_of_a_model_chosen_meanwhile(prediction):
    shown = []

    def predict(_exam, _bundle):
        section._choose("ispy2")
        return prediction, None

    section, work = section_that(predict, shown)
    await section.predict()
    assert section.result is None
    assert shown == []
    assert work.state.data.problem == "the model was changed meanwhile; predict again"


async def test_what_is_written_is_at_the_operating_point_that_was_chosen(prediction):
    section, _work = section_that(lambda _exam, _bundle: (prediction, None), [])
    await section.predict()
    for point in section.state.data.points:
        section._show_decision(point)
        assert section.result.prediction.operating_point.name == point


def exams_that(read):
    """A list of one exam, which is read by a function."""
    from PCRPredictorView.exam_section import ExamSection
    from PCRPredictorView.work import Work

    server = trame_server.Server(client_type="vue3")
    entry = SimpleNamespace(name="an exam", read=read)
    opened = []
    section = ExamSection(server, Work(server), [entry], opened.append, lambda: lambda _exam: None)
    return section, opened


@pytest.mark.parametrize("error", [MemoryError, ValueError])
async def test_predicting_the_list_stops_where_something_goes_wrong(error):
    def read():
        raise error

    section, _opened = exams_that(read)
    with contextlib.suppress(ValueError):  # which is said where it was asked for
        await section.predict_all()
    assert not section.state.data.predicting_all
    assert ("memory" in section.state.data.rows[0]["problem"]) == (error is MemoryError)


@pytest.mark.parametrize("number", [-1, 1, "0", None])
async def test_only_an_exam_of_the_list_is_opened(number):
    section, opened = exams_that(tiny_exam)
    await section.open(number)
    assert opened == []
    await section.open(0)
    assert len(opened) == 1


@pytest.mark.parametrize(
    ("value", "sentence"), [(0, "the pre phase is constant (0 everywhere)"), (np.nan, "not finite numbers")]
)
async def test_phases_that_show_nothing_are_said_when_they_are_opened(value, sentence):
    exam = replace(tiny_exam(), mask=None)
    section, opened = exams_that(lambda: replace(exam, pre=np.full(exam.pre.shape, value, np.float32)))
    await section.open(0)
    assert len(opened) == 1
    assert sentence in section._work.state.data.problem


async def test_an_exam_of_the_list_without_a_tumour_is_to_be_segmented_on_the_page():
    section, _opened = exams_that(lambda: replace(tiny_exam(), mask=None))
    await section.predict_all()
    assert section.state.data.rows[0]["problem"] == "open this exam and segment the tumour first"


async def test_what_is_no_message_ends_nothing():
    from PCRPredictorView.serving.process import _pass_to_trame

    class Connection:
        async def send(self, _is_binary, _message):
            raise ValueError("no message")

    await _pass_to_trame(Connection(), b"\0")
