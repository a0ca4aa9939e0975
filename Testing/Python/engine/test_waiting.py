"""A sign of life in a file or a pipe."""

import io
import itertools
import time

import pytest
from PCRPredictorLib.commands.options import PlainConsole
from PCRPredictorLib.engine import waiting
from PCRPredictorLib.engine.waiting import lines_elsewhere
from PCRTrainingLib.progress import ProgressBar


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(waiting, "EVERY_S", 0.02)


def test_a_pipe_gets_a_line_now_and_then_and_none_after_the_end():
    out, numbers = PlainConsole(file=io.StringIO()), itertools.count(3)
    with lines_elsewhere(out, lambda: f"reading {next(numbers)}/12"):
        time.sleep(0.15)
    said = out.file.getvalue()
    assert said.startswith("reading 3/12\nreading 4/12\n")
    time.sleep(0.05)
    assert out.file.getvalue() == said


def test_a_line_that_says_nothing_new_is_printed_once_in_a_while(monkeypatch):
    monkeypatch.setattr(waiting, "SAME", 1000)
    out = PlainConsole(file=io.StringIO())
    with lines_elsewhere(out, lambda: "Training 0/12"):
        time.sleep(0.15)
    assert out.file.getvalue() == "Training 0/12\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_and_a_panel_get_none(monkeypatch, terminal):
    if not terminal:
        monkeypatch.setenv("BREASTPCR_CHILD", "1")
    out = PlainConsole(file=io.StringIO(), force_terminal=terminal)
    with lines_elsewhere(out, lambda: "reading"):
        time.sleep(0.1)
    assert out.file.getvalue() == ""


def test_progress_says_how_far_it_is_from_the_beginning_on():
    out = PlainConsole(file=io.StringIO(), width=200)
    with ProgressBar(out) as progress:
        time.sleep(0.1)
        progress.start("Training", 12, done=2)
        progress.advance("fold 1")
        time.sleep(0.1)
    said = out.file.getvalue()
    assert said.startswith("Loading libraries and looking for files\n")
    assert "\nTraining 3/12 fold 1\n" in said
