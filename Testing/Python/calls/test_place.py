"""Folders that no call writes to."""

from pathlib import Path

import pytest
from PCRPredictorLib.calls.place import check_out, describe_replaced
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.errors import CallError

OTHER = "must be a folder of its own"


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("/", OTHER),
        ("~", OTHER),
        (".", "got the current one"),
        ("link", "got link, a link to cohort"),
        ("cohort", OTHER),
    ],
)
def test_root_home_link_and_the_folder_of_an_input_are_refused(tmp_path, monkeypatch, out, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cohort").mkdir()
    (tmp_path / "link").symlink_to("cohort")
    with pytest.raises(CallError, match=message):
        check_out({"out": Path(out).expanduser(), "cohort": tmp_path / "cohort"})


@pytest.mark.parametrize("out", [".", "..", "cohort", "cohort/../cohort"])
def test_folder_that_holds_an_input_is_refused_unless_it_holds_results(tmp_path, out):
    tmp_path = tmp_path / "work"  # ".." is written to
    (tmp_path / "cohort").mkdir(parents=True)
    (tmp_path / "cohort" / "pre.nii.gz").touch()
    values = {"out": tmp_path / out, "phases": [tmp_path / "cohort" / "pre.nii.gz"], "mask": None, "seed": 3}
    with pytest.raises(CallError, match=r"which holds the input .*pre\.nii\.gz; name a new one"):
        check_out(values)
    (values["out"] / "prediction.json").touch()
    check_out(values)
    check_out({**values, "out": tmp_path / "results"})


@pytest.mark.parametrize("inside", ["run", "images/run", "not/yet/there", "images/../run"])
def test_folder_inside_one_that_is_read_is_refused(inside, tmp_path):
    (tmp_path / "cohort" / "images").mkdir(parents=True)
    values = {"out": tmp_path / "cohort" / inside, "cohorts": [tmp_path / "cohort"]}
    with pytest.raises(CallError, match=r"must lie outside of what is read, got .* inside .*; name a new .*cohort-"):
        check_out(values)
    check_out({**values, "resume": True})
    check_out({"out": tmp_path / "kit" / "site", "kit": tmp_path})
    check_out({"out": tmp_path / "cohort" / "run", "table": tmp_path / "visits.csv"})


def test_results_inside_their_cohort_are_a_wrong_call(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cohort" / "images").mkdir(parents=True)
    assert run(app, ["predict", "--cohort", "cohort", "--out", "cohort/results"]) == 2
    assert "--out must lie" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "cohort").iterdir()] == ["images"]


@pytest.mark.parametrize("words", [["--out", ""], ["--out", "/"], ["--out="]])
def test_command_without_a_folder_for_its_results_is_a_wrong_call(words, tmp_path, capsys):
    assert run(app, ["predict", "--cohort", str(tmp_path), *words]) == 2
    assert "--out must" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_current_folder_by_its_path_and_a_bundle_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CallError, match="got the current one"):
        check_out({"out": tmp_path})
    check_out({"out": tmp_path, "resume": True})
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "checksums.json").touch()
    with pytest.raises(CallError, match="must be no model bundle"):
        check_out({"out": tmp_path / "bundle", "model": str(tmp_path / "bundle")})


def test_folder_of_a_visit_is_an_input_and_the_name_of_a_model_is_none(tmp_path):
    (tmp_path / "before").mkdir()
    values = {"out": tmp_path / "before", "model": str(tmp_path / "before")}
    check_out(values)
    with pytest.raises(CallError, match="which holds the input"):
        check_out({**values, "visit": [f"T0\0{tmp_path / 'before'}"]})


@pytest.mark.parametrize(
    ("command", "mark"), [("predict", "prediction.json"), ("follow", "follow.json"), ("evaluate", "evaluation.json")]
)
def test_results_of_the_same_kind_are_replaced_with_a_word(command, mark, tmp_path):
    assert describe_replaced(command, {"out": tmp_path}) == ""
    (tmp_path / mark).touch()
    assert describe_replaced(command, {"out": tmp_path}).endswith("will be replaced")


def test_predictions_of_a_table_are_replaced_with_a_word_too(tmp_path):
    (tmp_path / "predictions.csv").touch()
    found = describe_replaced("follow", {"out": tmp_path, "table": [Path("t.csv")]})
    assert "predictions of a table of" in found
    with pytest.raises(CallError, match="holds predictions of a table already"):
        describe_replaced("evaluate", {"out": tmp_path})


@pytest.mark.parametrize(
    ("command", "mark", "kind"),
    [
        ("predict", "follow.json", "a follow-up"),
        ("predict", "kind.json", "a run"),
        ("predict", "predictions.jsonl", "predictions of a cohort"),
        ("evaluate", "kind.json", "a run"),
        ("follow", "prediction.json", "the prediction of an exam"),
        ("train", "prediction.json", "the prediction of an exam"),
        ("demo", "cohort.json", "a cohort"),
        ("phantom", "clinical_and_imaging_info.csv", "a cohort"),
        ("predict", "watch.jsonl", "a watch of a PACS"),
        ("train", "watch.jsonl", "a watch of a PACS"),
        ("watch", "kind.json", "a run"),
        ("watch", "cohort.json", "a cohort"),
        ("watch", "predictions.jsonl", "predictions of a cohort"),
        ("watch", "predictions.csv", "predictions of a table"),
    ],
)
def test_results_are_not_mixed_with_those_of_another_kind(command, mark, kind, tmp_path):
    (tmp_path / mark).touch()
    with pytest.raises(CallError, match=f"which holds {kind} already; name a new one"):
        describe_replaced(command, {"out": tmp_path})


@pytest.mark.parametrize("mark", ["kind.json", "cohort.json", "plan.json", "watch.jsonl"])
def test_predictions_of_a_cohort_are_not_mixed_with_what_that_command_does_not_look_at(mark, tmp_path):
    (tmp_path / mark).touch()
    with pytest.raises(CallError, match="name a new one"):
        describe_replaced("predict", {"out": tmp_path, "cohort": Path("c")})


@pytest.mark.parametrize(
    ("command", "mark"), [("train", "kind.json"), ("predict", "predictions.jsonl"), ("watch", "watch.jsonl")]
)
def test_a_run_that_may_be_resumed_is_left_to_its_command(command, mark, tmp_path):
    (tmp_path / mark).touch()
    assert describe_replaced(command, {"out": tmp_path, "cohort": Path("c") if command == "predict" else None}) == ""
