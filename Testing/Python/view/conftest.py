"""A trame server, and a session on it whose exam lies in memory."""

from types import SimpleNamespace

import pytest
from support.examples import tiny_exam


@pytest.fixture
def server():
    trame_server = pytest.importorskip("trame_server")
    return trame_server.Server(client_type="vue3")


@pytest.fixture
def work(server):
    """A page's worker; what it reports is in `work.problems`."""
    from PCRPredictorView.work import Work

    problems = []
    work = Work(server, problems.append)
    work.problems = problems
    return work


@pytest.fixture
def session(work):
    """A session with a tiny exam whose prediction, tumour and overlay do nothing."""
    from PCRPredictorLib.session.session import Session

    scene = SimpleNamespace(
        fingerprint=lambda: None,
        provenance=lambda: None,
        hide_prediction=lambda: None,
        apply_overlay=lambda _settings, _changed=(): None,
    )
    session = Session(scene, work)
    session.clinical.begin(tiny_exam().clinical)
    return session
