"""The script that opens both modules in a real Slicer, run in the harness; it must notice printed errors."""

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
    """Return a function that runs the script beside the open modules and returns its exit code and output."""

    def run():
        codes = []
        monkeypatch.setattr(slicer.util, "exit", codes.append)
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        runpy.run_path(str(SCRIPT))
        return codes, capsys.readouterr().out

    monkeypatch.setattr(slicer.util, "selectModule", lambda name: None)
    return run


def test_modules_that_open_succeed(run):
    assert run() == ([0], "both modules opened\n")


def test_error_that_slicer_only_prints_fails(run, monkeypatch):
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
def test_set_up_that_ends_early_fails(run, monkeypatch, owner, name, value):
    with monkeypatch.context() as patch:
        patch.setattr(getattr(slicer.modules, owner), name, value)
        assert run() == ([1], "")


def test_missing_sample_fails(run, monkeypatch):
    monkeypatch.setattr(slicer.modules, "sampleDataSources", {})
    assert run() == ([1], "")
