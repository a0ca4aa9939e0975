"""What `pcr doctor` says of this machine."""

import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.machine import checks


@pytest.fixture(autouse=True)
def without_torch(monkeypatch):
    monkeypatch.setattr(checks, "_gpu", lambda: checks.Check("GPU", "ok", "none"))


def lacking(monkeypatch, name):
    known = checks.version

    def version(package):
        if package == name:
            raise PackageNotFoundError(package)
        return known(package)

    monkeypatch.setattr(checks, "version", version)


def test_a_whole_machine_is_ok_and_shows_no_folder_of_the_user(capsys):
    assert run(app, ["doctor"]) == 0
    said = capsys.readouterr().out
    assert "Everything that is needed is there." in said
    assert f"{Path.home()}/" not in said


def test_a_missing_package_is_wrong_with_the_line_that_installs_it(monkeypatch, capsys):
    lacking(monkeypatch, "pydicom")
    assert run(app, ["doctor", "--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    (wrong,) = [check for check in content["checks"] if check["state"] == "wrong"]
    assert (content["format"], content["wrong"], wrong["name"]) == (1, 1, "pydicom")
    assert "install" in wrong["advice"]


def test_a_missing_part_is_not_wrong_and_has_its_line(monkeypatch, capsys):
    lacking(monkeypatch, "highdicom")
    assert run(app, ["doctor"]) == 0
    said = capsys.readouterr().out
    assert "without highdicom" in said


@pytest.mark.parametrize(
    ("file", "state"), [("", "missing"), ("gone.json", "wrong"), ("bad.json", "wrong"), ("pacs.json", "ok")]
)
def test_a_pacs_is_named_by_its_variable_alone(file, state, tmp_path, monkeypatch):
    (tmp_path / "pacs.json").write_text('{"url": "https://secret.example/dicom-web"}')
    (tmp_path / "bad.json").write_text('{"url": "https://secret.example", "tokens": "secret"}')
    monkeypatch.setenv(checks.VARIABLE, str(tmp_path / file) if file else "")
    found = checks._pacs()
    assert found.state == state
    assert str(tmp_path) not in found.found + found.advice
    assert "secret" not in found.found + found.advice


def test_little_memory_is_wrong(monkeypatch):
    monkeypatch.setattr(checks, "total_memory", lambda: 1 << 30)
    assert checks._memory().state == "wrong"


def test_folders_are_shown_if_asked_for(capsys):
    assert run(app, ["doctor", "--paths"]) == 0
    assert "Python in" in capsys.readouterr().out
