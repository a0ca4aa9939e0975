"""The section "Follow-up" of the page, without a browser."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PCRPredictorLib.session.course.analysis import Analysis
from PCRPredictorLib.session.course.comparison import Comparison
from PCRPredictorLib.session.course.follow_up import FollowUp
from PCRPredictorLib.session.course.study import Study
from PCRPredictorLib.session.session import Session
from PCRPredictorLib.writing import write_nifti
from support.examples import tiny_exam
from support.follow_up.response_model import write_tiny_response

pytest.importorskip("trame_server")


class Now:
    """A worker that does everything at once."""

    def start(self, function, done, failed):
        try:
            found = function()
        except Exception as error:
            failed(error)
        else:
            done(found)


@pytest.fixture
def section(server, work, tmp_path):
    from PCRPredictorView.sections.follow_up import FollowUpSection

    scene = SimpleNamespace(
        fingerprint=lambda: None,
        provenance=lambda: None,
        volumes_key=lambda: None,
        hide_prediction=lambda: None,
        open_exam=lambda _exam: None,
    )
    session = Session(scene, Now())
    views = SimpleNamespace(is_shown=False)
    analysis = Analysis(FollowUp(session, scene))
    models = {"tiny": write_tiny_response(tmp_path / "tiny")}
    section = FollowUpSection(server, work, analysis, Comparison(analysis, views), models)
    session.activity.on_change.append(section.refresh)
    section.problems = []
    session.activity.on_problem.append(section.problems.append)
    return section


def later():
    return replace(tiny_exam(), early=np.array(tiny_exam().early) + 7)


def add_both(section):
    for name, exam in (("T0", tiny_exam()), ("T1", later())):
        section._visits.add(name, Study(name, "", lambda exam=exam: exam), taken=lambda: None)


def test_visits_are_listed_measured_and_predicted(section):
    add_both(section)
    data = section.state.data
    assert [row["name"] for row in data.rows] == ["T0", "T1"]
    assert data.visit == "T2"
    section._analysis.predict()
    assert section.problems == []
    assert "Probability of pCR after T1" in data.text
    assert data.chart.startswith("data:image/png;base64,")
    assert data.points == ["balanced", "high sensitivity"]
    assert data.can_save


def test_the_question_which_study_is_which_visit_is_answered(section):
    section._visits.ask(lambda: [Study("day 0", "T0", tiny_exam), Study("day 22", "T2", later)])
    data = section.state.data
    assert (data.question, data.answers) == (["day 0", "day 22"], ["T0", "T2"])
    section._choose_answer(1, "T1")
    section._answer(True)
    assert list(section._visits.entries) == ["T0", "T1"]
    assert data.question == []


def test_an_upload_becomes_the_visit_that_was_chosen(section, tmp_path):
    folder = tmp_path / "upload"
    folder.mkdir()
    exam = tiny_exam()
    for name, array in (("pre", exam.pre), ("early", exam.early), ("late", exam.late), ("mask", exam.mask)):
        write_nifti(np.asarray(array), exam.geometry, folder / f"{name}.nii.gz")
    (folder / "visit.txt").write_text("T1")
    section.open_upload(folder)
    assert section.problems == []
    assert section._visits.entries["T1"].has_outline
    assert list(folder.glob("*.nii.gz")) == []  # nothing of the patient stays


def test_an_upload_that_is_no_exam_is_one_sentence_without_its_folder(section, tmp_path):
    folder = tmp_path / "upload"
    folder.mkdir()
    for name in ("pre", "early", "late"):
        (folder / f"{name}.nii.gz").write_bytes(b"no image")
    section.open_upload(folder)
    (problem,) = [sentence for sentence in section.problems if sentence]
    assert str(folder) not in problem


def test_the_part_of_the_page_has_what_the_panel_has(section, server):
    from trame.ui.html import DivLayout

    with DivLayout(server) as layout:
        section.build("busy")
    found = set(re.findall(r'id="([\w-]+)"', layout.html))
    wanted = "add-open visit files read leave model one-patient measure predict point side-by-side registered mip usual"
    assert {f"follow-{name}" for name in wanted.split()} <= found


@pytest.mark.parametrize("text", ["x", "-1", "²", "9" * 5000])
def test_day_that_is_none_is_one_sentence(text):
    from PCRPredictorView.sections.visit_list import VisitList

    problems = []
    activity = SimpleNamespace(report_problem=problems.append)
    visits = SimpleNamespace(session=SimpleNamespace(activity=activity), entries={"T1": None})
    VisitList(visits, None, None)._set_day("T1", text)
    assert problems == ["the day of a visit must be a number of days, such as 22"]
