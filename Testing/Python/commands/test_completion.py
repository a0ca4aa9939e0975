"""The shell completes commands and options; `pcr --install-completion` writes what bash needs."""

import pytest
from PCRTrainingLib.command_line import app, run


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pcr tr", ["train"]),
        ("pcr train --res", ["--resume"]),
        ("pcr bundle ver", ["verify"]),
        ("pcr train cohort --out / --keep", ["--keep-anyway"]),
    ],
)
def test_bash_completes(words, expected, monkeypatch, capsys):
    monkeypatch.setenv("_PCR_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    monkeypatch.setattr("sys.argv", ["pcr"])
    assert run(app, []) == 0
    assert capsys.readouterr().out.split() == expected


def test_the_script_of_a_shell_is_shown(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["pcr"])
    monkeypatch.setattr("typer.completion._get_shell_name", lambda: "bash")  # that of `make` is sh
    assert run(app, ["--show-completion"]) == 0
    assert "complete -o default -F _pcr_completion pcr" in capsys.readouterr().out
