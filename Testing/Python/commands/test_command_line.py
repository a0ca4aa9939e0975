"""The command as a whole, and its small subcommands."""

import io
import json
import re
import shlex
import subprocess
import sys
import warnings

import pytest
from PCRPredictorLib.command_line import app, run
from PCRTrainingLib import command_line as _training_commands  # noqa: F401  adds demo and phantom
from support.examples import OUTPUTS


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict"],
        ["predict", "--out", "x"],
        ["nonsense"],
        ["predict", "--out", "x", "--nonsense"],
        ["predict", "--out", "x", "--phases", "a", "--pick", "1"],
    ],
)
def test_wrong_call_exits_with_2(arguments, capsys):
    assert run(app, arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_version_is_shown(capsys):
    assert run(app, ["--version"]) == 0
    assert re.fullmatch(r"pcr \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_phantom_refuses_an_unknown_site(tmp_path, capsys):
    assert run(app, ["phantom", str(tmp_path / "x"), "--patients", "2", "--site", "Q"]) == 1
    assert "site must be one of A, B, C" in capsys.readouterr().err


def test_phantom_writes_a_patient_under_treatment(tmp_path):
    out = tmp_path / "followed"
    assert run(app, ["phantom", str(out), "--visits", "2", "--shrinkage", "pieces"]) == 0
    assert sorted(path.name for path in (out / "images" / "PHANTOM_A_0001").iterdir()) == ["T0", "T1"]
    assert (out / "visits_truth.csv").is_file()


@pytest.mark.slow
def test_demo_writes_the_exam_and_every_file_of_its_prediction(tmp_path, capsys):
    assert run(app, ["demo", "--out", str(tmp_path / "demo")]) == 0
    assert {path.name for path in (tmp_path / "demo").iterdir()} >= {*OUTPUTS, "exam"}
    content = json.loads((tmp_path / "demo" / "prediction.json").read_text())
    assert content["model"]["name"] == "phantom"
    assert content["attention"]["in_tumour"] > 0.5
    told = capsys.readouterr().out
    last = told.rstrip().rsplit("\n", 1)[-1]
    assert last.startswith(f"Report: {tmp_path / 'demo' / 'report.html'}, to be opened in a browser")
    assert "pcr view" in last
    by_hand = next(line for line in told.splitlines() if line.startswith("The same by hand: pcr "))
    (tmp_path / "demo" / "prediction.json").write_text("{}")
    assert run(app, shlex.split(by_hand)[5:]) == 0
    assert json.loads((tmp_path / "demo" / "prediction.json").read_text())["probability"] == content["probability"]


def test_letters_that_a_terminal_lacks_do_not_end_a_command(bundle, tmp_path, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert run(app, ["bundle", "export", str(tmp_path / "胸.zip"), "--model", str(bundle.path)]) == 0
    terminal.flush()
    assert rb"\u80f8.zip" in terminal.buffer.getvalue()


def test_bundle_commands_look_at_check_and_hand_on(bundle, tmp_path, capsys):
    assert run(app, ["bundle", "list"]) == 0
    assert re.search(r"^ispy2 \d.*^phantom \d", capsys.readouterr().out, re.MULTILINE | re.DOTALL)
    assert run(app, ["bundle", "info", str(bundle.path)]) == 0
    assert "Random weights" in capsys.readouterr().out
    assert run(app, ["bundle", "verify", str(bundle.path)]) == 0
    assert "intact, 2 folds" in capsys.readouterr().out
    assert run(app, ["bundle", "export", str(tmp_path / "a.zip"), "--model", str(bundle.path)]) == 0
    assert (tmp_path / "a.zip").is_file()


def test_metrics_of_a_model_are_shown_with_their_intervals(capsys):
    assert run(app, ["bundle", "info", "phantom"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert re.search(r"external site: patients \d+,.* auc 0\.\d{3} \(0\.\d{3} to", shown)


@pytest.mark.parametrize("name", ["ispy2", "phantom"])
def test_bundled_model_is_intact(name, capsys):
    assert run(app, ["bundle", "verify", name]) == 0
    assert f"{name}: intact" in capsys.readouterr().out


def test_what_pydicom_says_about_unusual_values_is_not_written_to_the_terminal():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert run(app, ["--version"]) == 0
        warnings.warn_explicit("Invalid value for VR UI", UserWarning, "valuerep.py", 1, module="pydicom.valuerep")
        warnings.warn_explicit("ours", UserWarning, "exam.py", 1, module="PCRPredictorLib.exam")
    assert [str(warning.message) for warning in seen] == ["ours"]


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
@pytest.mark.parametrize(
    ("words", "megabytes", "code"), [(["bundle", "list"], 600, 1), (["--version"], 600, 0), (["bundle", "list"], -1, 0)]
)
def test_too_few_addresses_are_refused_before_a_library_ends_the_process(words, megabytes, code, monkeypatch, capsys):
    import resource

    limit = megabytes * 10**6 if megabytes > 0 else resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (limit, limit))
    assert run(app, words) == code
    assert ("raise the limit (ulimit -v)" in capsys.readouterr().err) == bool(code)


def test_library_that_cannot_be_mapped_is_a_limit_of_the_machine(capsys):
    def load(*_words, **_options):
        raise OSError("libgomp.so.1: failed to map segment from shared object")

    assert run(load, ["train"]) == 1
    assert "raise the limit (ulimit -v)" in capsys.readouterr().err


def test_warnings_of_libraries_are_not_shown_by_the_program_or_its_processes():
    code = "import subprocess, sys, warnings; import PCRPredictorLib.command_line as c; c.silence_libraries(); "
    code += "warnings.warn('a'); subprocess.run([sys.executable, '-c', 'import warnings; warnings.warn(\"b\")'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_link_in_a_circle_is_one_sentence(tmp_path, capsys):
    (tmp_path / "circle").symlink_to("circle")
    words = ["predict", "--cohort", str(tmp_path / "circle"), "--out", str(tmp_path / "circle" / "out")]
    assert run(app, words) in (1, 2)
    assert "circle" in capsys.readouterr().err
