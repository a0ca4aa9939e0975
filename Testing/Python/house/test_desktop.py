"""The scripts that use both modules in a real Slicer, run in the harness; they must notice printed errors."""

import logging
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer

DESKTOP = Path(__file__).parents[2] / "desktop"


@pytest.fixture
def run(training_panel, monkeypatch, capsys):
    """Return a function that runs the script beside the open modules and returns its exit code and output."""

    def run(script="open_modules.py"):
        codes = []
        monkeypatch.setattr(slicer.util, "exit", codes.append)
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        runpy.run_path(str(DESKTOP / script))
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


@pytest.mark.slow
def test_exam_is_predicted_saved_and_reopened(run):
    assert run("predict_and_reopen.py") == ([0], "predicted and reopened\n")


def test_message_that_is_only_logged_fails(run, monkeypatch):
    monkeypatch.setattr(slicer.util, "selectModule", lambda name: logging.error("as a dialog in testing mode"))
    monkeypatch.setattr("PCRPredictorPanel.sample.load_sample", lambda: slicer.mrmlScene.Clear(False))
    assert run("predict_and_reopen.py") == ([1], "")
