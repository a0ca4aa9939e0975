"""Progress in a terminal, and in what is none, such as a log."""

import io

import pytest
from PCRTrainingLib import progress
from PCRTrainingLib.progress import ProgressBar
from rich.console import Console


@pytest.fixture
def log():
    """A console that writes into a file."""
    return Console(file=io.StringIO(), width=200)


def test_a_log_hears_now_and_then_how_far_a_stage_is(log, monkeypatch):
    monkeypatch.setattr(progress, "_LINE_S", 0.0)
    with ProgressBar(log) as bar:
        bar.start("Training", 4)
        bar.advance("fold 0")
        assert "Training: 1 of 4, 0:00:00, left " in log.file.getvalue()


def test_lines_of_a_log_are_rare(log):
    with ProgressBar(log) as bar:
        bar.start("Training", 4)
        bar.advance("fold 0")
        assert "1 of 4" not in log.file.getvalue()


def test_a_finished_bar_says_what_it_took_and_nothing_is_left(log):
    with ProgressBar(log) as bar:
        bar.start("Training", 1)
        bar.advance()
    assert "took 0:00:00" in log.file.getvalue()
    assert "left" not in log.file.getvalue()
