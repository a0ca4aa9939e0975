"""Sections that need no view: what a field of the page does to the session, and back."""

import re
import shutil
from types import SimpleNamespace

import pytest
from PCRPredictorLib.model.bundle import find_bundle

pytest.importorskip("trame_server")
pytest.importorskip("slicer_layer_dm")


def test_a_typed_value_reaches_the_session_and_stays_as_it_was_typed(server, work, session):
    from PCRPredictorView.sections.patient import PatientSection

    section = PatientSection(server, work, session)
    session.choose_model(find_bundle("phantom"))
    section.refresh()
    assert section.state.data.values["age"] == "52"
    section._enter({**section.state.data.values, "age": "61.", "hr": None})
    assert session.clinical.values == {"age": "61."}
    section.refresh()
    assert section.state.data.values["age"] == "61."


def test_a_model_of_ones_own_goes_before_a_bundled_one_of_that_name(server, work, session, tmp_path):
    from PCRPredictorView.sections.model import ModelSection

    own = shutil.copytree(find_bundle("phantom"), tmp_path / "ispy2")
    section = ModelSection(server, work, session, str(own))
    assert section.state.data.models[0] == section.state.data.model == str(own)
    assert session.model.bundle.card.name == "phantom"
    section._choose("ispy2")
    assert session.model.path == find_bundle("ispy2")


def test_the_operating_points_are_those_of_the_model(server, work, session):
    from PCRPredictorView.sections.result import ResultSection

    section = ResultSection(server, work, session)
    session.choose_model(find_bundle("phantom"))
    section.refresh()
    assert section.state.data.points == [point.name for point in session.model.points]
    section._choose("high specificity")
    assert session.model.point.name == "high specificity"
    assert section.words.data.probability == "No prediction yet."


def test_the_exams_section_shows_its_source(server, work, session):
    from PCRPredictorLib.exam import LeftAside, Provenance
    from PCRPredictorView.sections.exam import ExamSection

    section = ExamSection(server, work, session, [])
    section.refresh()
    assert section.state.data.notes == ""
    aside = (LeftAside("series 9", "has 4 of 10 slices"),)
    session._scene.provenance = lambda: Provenance("dicom", (0, 1371, 1737), first_post=1371, left_aside=aside)
    section.refresh()
    for text in ("1371 s after the pre-contrast one", "<li>series 9: has 4 of 10 slices</li>", "injection unknown"):
        assert text in section.state.data.notes


def test_what_of_a_cohort_is_not_in_the_list_is_said_below_it(server, work, session):
    from PCRPredictorLib.reading.sources import Sources
    from PCRPredictorView.sections.exam import ExamSection
    from trame.ui.html import DivLayout

    section = ExamSection(server, work, session, Sources([], ["1 of 30 rows of the table have no images: P7"]))
    assert section.state.data.left_out == ["1 of 30 rows of the table have no images: P7"]
    with DivLayout(server) as layout:
        section.build("busy")
    assert f'v-for="said in {section.state.name.left_out}"' in layout.html


def test_the_painted_tumour_grows_from_the_strokes_or_in_the_box_around_them(server, work, session, monkeypatch):
    from PCRPredictorView.sections.tumour import TumourSection
    from trame.ui.html import DivLayout

    calls = []
    monkeypatch.setattr(session.tumour, "grow_from_drawn", lambda grown, box: calls.append((grown, box)))
    section = TumourSection(server, work, session, SimpleNamespace(on_open=[]), None)
    with DivLayout(server) as layout:
        section.build("busy")
    for key in ("grow-drawn", "grow-box"):
        (button,) = re.findall(f'<VBtn[^>]*id="{key}"[^>]*>', layout.html)
        server.controller.trigger_fn(re.search(r"trigger__\d+", button).group())()
    assert calls == [(section._reset_tool, False), (section._reset_tool, True)]
