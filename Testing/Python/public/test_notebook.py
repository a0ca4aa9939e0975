"""The tutorial as a notebook: its cells run one after the other, and it is kept without results.

They run in this process, as Jupyter is needed to show a notebook but not to run its code.
"""

import json
import subprocess

import matplotlib
import pytest
from PCRPredictorLib.command_line import run
from PCRTrainingLib import config
from PCRTrainingLib.command_line import app
from support.documentation import ROOT
from support.training_cohort import QUICK

NOTEBOOK = json.loads((ROOT / "Resources" / "Docs" / "tutorial.ipynb").read_text(encoding="utf-8"))
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_has_no_results():
    assert NOTEBOOK["nbformat"] == 4
    assert [cell["outputs"] for cell in CODE] == [[]] * len(CODE)
    assert {cell["execution_count"] for cell in CODE} == {None}


def call_here(words, **_options):
    """Run a command of a cell in this process: starting it takes longer than what it does."""
    assert run(app, words[3:]) == 0


@pytest.mark.slow
def test_its_cells_run(tmp_path, monkeypatch, capsys):
    one_epoch = QUICK.replace('"epochs": 2', '"epochs": 1')
    monkeypatch.setitem(config.PRESETS, "quick", config.parse_config(one_epoch, "quick"))
    monkeypatch.setattr(subprocess, "run", call_here)
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    names = {}
    for cell in CODE:
        exec("".join(cell["source"]), names)
    assert 0 <= names["prediction"].probability <= 1
    assert (tmp_path / "result" / "report.html").is_file()
    assert "step3" in capsys.readouterr().out
