"""The scripts that use both modules in a real Slicer, run in the harness; they must notice printed errors."""

import logging
import runpy
import subprocess
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
        log, _, rest = capsys.readouterr().out.partition("\n")
        assert log.startswith("log file: ")
        return codes, rest

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


SLICER = """#!/bin/bash
echo "log file: {log}"
echo "{printed}"
cat > "{log}" <<END
[CRITICAL][Qt] 27.11.2026 12:00:00 [] (unknown:0) - before the script
[INFO][Python] 27.11.2026 12:00:00 [Python] (x.py:1) - BreastPCR: the test begins
[WARNING][Qt] 27.11.2026 12:00:00 [] (unknown:0) - a warning
[CRITICAL][Stream] 27.11.2026 12:00:00 [] (unknown:0) - what a driver writes
{logged}
END
exit {code}
"""
GOOD = "both modules opened"


@pytest.mark.parametrize(
    ("printed", "logged", "code", "good"),
    [
        (GOOD, "", 0, True),
        (GOOD, "", 1, False),
        ("nothing", "", 0, False),
        (GOOD + "\nTraceback (most recent call last):", "", 0, False),
        (GOOD, "[ERROR][VTK] 27.11.2026 12:00:00 [vtkMRMLScene (0x1)] (x.cxx:1) - no such node", 0, False),
        (GOOD, "[CRITICAL][Qt] 27.11.2026 12:00:00 [] (unknown:0) - QWidget must be constructed", 0, False),
        (GOOD, "[ERROR][Python] 27.11.2026 12:00:00 [Python] (x.py:1) - failed", 0, False),
    ],
)
def test_whatever_slicer_prints_or_logs_as_an_error_fails(tmp_path, printed, logged, code, good):
    log = tmp_path / "Slicer.log"
    for name, text in (
        ("Slicer", SLICER.format(log=log, printed=printed, logged=logged, code=code)),
        ("xvfb-run", '#!/bin/bash\nshift\nexec "$@"\n'),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    command = ["bash", str(DESKTOP / "open_modules.sh"), str(tmp_path)]
    done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True)
    assert (done.returncode == 0) == good, done.stdout + done.stderr
