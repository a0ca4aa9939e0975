"""The run folder: who may write into it."""

import shutil

import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.command_line import app, run
from PCRTrainingLib.run_folder import RunFolder


def pcr(*words, capsys):
    code = run(app, [str(word) for word in words])
    return code, capsys.readouterr().err


def test_folder_is_locked_against_a_second_run(tmp_path):
    with (
        RunFolder(tmp_path).locked(),
        pytest.raises(DataError, match="another run is writing here"),
        RunFolder(tmp_path).locked(),
    ):
        pass


def test_folder_with_a_run_or_with_other_files_is_refused(trained, training_cohort, tmp_path, capsys):
    code, error = pcr("train", training_cohort, "--out", trained, capsys=capsys)
    assert code == 1
    assert "holds a run already; resume it with --resume" in error
    (tmp_path / "thesis.txt").write_text("mine")
    code, error = pcr("train", training_cohort, "--out", tmp_path, capsys=capsys)
    assert code == 1
    assert "must be a new or empty folder, got thesis.txt in it" in error


def test_run_of_a_different_command_is_not_resumed(trained, training_cohort, quick_config, tmp_path, capsys):
    out = shutil.copytree(trained, tmp_path / "copy")
    for command, options in (("experiment", ("--seeds", 1)), ("select", ("--configs", quick_config))):
        code, error = pcr(command, training_cohort, *options, "--out", out, "--resume", capsys=capsys)
        assert code == 1
        assert f"holds a run of pcr train, got pcr {command}; resume it with pcr train" in error
    assert not list(out.glob("seed_*")) + list(out.glob("outer_*"))
