"""`pcr bundle` with response models, and what commands for images say to them."""

import zipfile

import pytest
from PCRPredictorLib.bundles.folder import find_bundle, verify_bundle
from PCRPredictorLib.command_line import run
from PCRPredictorLib.model.bundle import load_bundle
from PCRPredictorLib.response.bundle import load_response
from PCRTrainingLib.command_line import app
from support.follow_up.response_model import write_tiny_response


@pytest.fixture
def tiny(tmp_path):
    return write_tiny_response(tmp_path / "tiny")


def test_info_shows_quantities_visits_operating_points_and_metrics(tiny, capsys):
    assert run(app, ["bundle", "info", str(tiny)]) == 0
    out = capsys.readouterr().out
    for text in (
        "tiny response",
        "sphericity: Sphericity",
        "clinical values alone: 3 fits",
        "T0 + T1: 3 fits",
        "balanced",
    ):
        assert text in out
    assert "auc 0.700 (0.650 to 0.750)" in out
    assert "phases" not in out


def test_a_row_is_a_line_if_it_is_piped(capsys):
    assert run(app, ["bundle", "info", "ispy2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    card = load_bundle(find_bundle("ispy2")).card
    assert any(line.endswith(f"  {card.training_data}") for line in lines)
    assert not any(line.endswith(" ") for line in lines)


def test_a_response_model_is_verified_and_handed_on(tiny, tmp_path, capsys):
    assert run(app, ["bundle", "verify", str(tiny)]) == 0
    assert "intact, 10 formulas" in capsys.readouterr().out
    assert run(app, ["bundle", "export", str(tiny), str(tmp_path / "a.zip")]) == 0
    zipfile.ZipFile(tmp_path / "a.zip").extractall(tmp_path)
    assert verify_bundle(tmp_path / "a") == load_response(tiny).checksum


@pytest.mark.parametrize("words", ["info --model phantom", "verify --model=phantom", "export a.zip --model phantom"])
def test_the_model_may_be_an_option_as_in_other_commands(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(app, ["bundle", *words.split()]) == 0
    shown = capsys.readouterr().out
    assert "phantom" in shown if "export" not in words else zipfile.is_zipfile("a.zip")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("export phantom", "the archive must end in .zip, got phantom"),
        ("export a.zip phantom", "the archive must end in .zip, got phantom"),
        ("info phantom --model ispy2", "phantom belongs to no option"),
        ("info --model", "must be given once"),
        ("info --model a --model b", "must be given once"),
    ],
)
def test_wrong_words_after_the_model_are_refused(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(app, ["bundle", *words.split()]) == 2
    assert said in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert not [*tmp_path.iterdir()]


def test_a_damaged_response_model_is_one_sentence(tiny, capsys):
    (tiny / "configs" / "inference.json").write_text("{}")
    for command in ("info", "verify"):
        assert run(app, ["bundle", command, str(tiny)]) == 1
        err = capsys.readouterr().err
        assert "inference.json was changed; the bundle is damaged" in err
        assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "--phases", "a", "b", "c", "--mask", "m", "--out", "out"],
        ["demo", "--out", "out"],
        ["train", "cohort", "--out", "out", "--from"],
        ["bundle", "recalibrate"],
    ],
    ids=lambda words: words[0],
)
def test_commands_for_images_name_the_right_command(tiny, tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    words = [*words, str(tiny)] if words[-1] == "--from" else [*words, "--model", str(tiny)]
    words = ["bundle", "recalibrate", str(tiny), "cohort", "--out", "out"] if words[0] == "bundle" else words
    assert run(app, words) == 1
    assert f"{tiny} is a response model, which reads several visits; use it with pcr follow" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
