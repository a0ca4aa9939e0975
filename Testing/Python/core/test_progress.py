"""Progress bars."""

import io

from PCRTrainingLib.progress import ProgressBar
from rich.console import Console


def test_a_finished_bar_says_what_it_took_and_nothing_is_left():
    log = Console(file=io.StringIO(), width=200)
    with ProgressBar(log) as bar:
        bar.start("Training", 1)
        bar.advance()
    assert "took 0:00:00" in log.file.getvalue()
    assert "left" not in log.file.getvalue()
