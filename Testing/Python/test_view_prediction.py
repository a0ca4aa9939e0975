"""Which model, and which of its operating points, a result on the page is of."""

import asyncio
from types import SimpleNamespace

import pytest
from examples import tiny_exam
from PCRPredictorLib.bundle import find_bundle, load_bundle
from PCRPredictorLib.predictor import Predictor

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


def test_a_result_is_not_shown_as_that_of_a_model_chosen_meanwhile(prediction):
    async def go():
        shown = []

        def predict(_exam, _bundle):
            section._choose("ispy2")
            return prediction, None

        section, work = section_that(predict, shown)
        await section.predict()
        assert section.result is None
        assert shown == []
        assert work.state.data.problem == "the model was changed meanwhile; predict again"

    asyncio.run(go())


def test_what_is_written_is_at_the_operating_point_that_was_chosen(prediction):
    async def go():
        section, _work = section_that(lambda _exam, _bundle: (prediction, None), [])
        await section.predict()
        for point in section.state.data.points:
            section._show_decision(point)
            assert section.result.prediction.operating_point.name == point

    asyncio.run(go())
