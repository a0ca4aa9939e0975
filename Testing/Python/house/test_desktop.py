"""The script that opens both modules in a real Slicer, run in the harness: it must see what Slicer only prints."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer

SCRIPT = Path(__file__).parents[2] / "desktop" / "open_modules.py"


@pytest.fixture
def run(training_panel, monkeypatch, capsys):
    """Runs the script beside the modules that are open; gives the exit code and what it wrote."""

    def run():
        codes = []
        monkeypatch.setattr(slicer.util, "exit", codes.append)
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        runpy.run_path(str(SCRIPT))
        return codes, capsys.readouterr().out

    monkeypatch.setattr(slicer.util, "selectModule", lambda name: None)
    return run


def test_modules_that_open_are_a_success(run):
    assert run() == ([0], "both modules opened\n")


def test_error_that_slicer_only_prints_is_a_failure(run, monkeypatch):
    error = RuntimeError("in a slot")
    monkeypatch.setattr(slicer.util, "selectModule", lambda name: sys.excepthook(RuntimeError, error, None))
    assert run() == ([1], "")


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        ("PCRPredictorWidget", "session", SimpleNamespace(model=SimpleNamespace(bundle=None))),
        ("PCRTrainingWidget", "settings", SimpleNamespace(content=dict)),
    ],
)
def test_set_up_that_ended_early_is_a_failure(run, monkeypatch, owner, name, value):
    with monkeypatch.context() as patch:
        patch.setattr(getattr(slicer.modules, owner), name, value)
        assert run() == ([1], "")


def test_sample_that_is_not_offered_is_a_failure(run, monkeypatch):
    monkeypatch.setattr(slicer.modules, "sampleDataSources", {})
    assert run() == ([1], "")
