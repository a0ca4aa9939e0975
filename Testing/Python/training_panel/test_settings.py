"""The settings of a run in the panel."""

import json
import re

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
from support.panel_help import TRAINING_MODULE


def test_every_widget_that_the_code_names_is_in_the_panel():
    folder = TRAINING_MODULE.parent
    files = [TRAINING_MODULE, *(folder / "PCRTrainingPanel").glob("*.py")]
    used = set(re.findall(r"\bui\.(\w+)", "\n".join(file.read_text() for file in files))) - {"connect"}
    assert used <= set(re.findall(r'name="(\w+)"', (folder / "Resources/UI/PCRTraining.ui").read_text()))


@pytest.mark.parametrize("field", ["cohortPath", "runPath"])
def test_cleared_folder_starts_nothing(ready, field):
    assert ready.ui.startButton.enabled
    getattr(ready.ui, field).currentPath = ""
    assert not ready.ui.startButton.enabled
    assert "Choose" in ready.ui.startButton.toolTip
    ready.run.start()
    assert not ready.run.running
    assert ready.ui.checkButton.enabled == ready.ui.estimateButton.enabled == (field == "runPath")


def test_settings_come_from_the_dataclasses(ready):
    from PCRTrainingLib.config import read_config
    from PCRTrainingLib.guidance import GUIDANCE

    fields = ready.settings._fields
    assert fields["*.guidance"].count == len(GUIDANCE) + 1
    assert fields["dropout"].maximum == 1
    fields["*.epochs"].setValue(3)
    fields["*.guidance"].setCurrentIndex(fields["*.guidance"].findData("gradia"))
    fields["split.folds"].setValue(4)
    config = read_config(ready.run._write_config())
    assert [step.epochs for step in config.steps] == [3, 3, 3]
    assert [step.guidance for step in config.steps] == [None, "gradia", "gradia"]
    assert config.split.folds == 4
    assert config.widths == (4, 6, 8)


@pytest.mark.parametrize(
    ("content", "text"), [(None, "no such configuration"), (b"{", "must be JSON"), (b"\xff", "must be UTF-8")]
)
def test_configuration_that_cannot_be_read_is_not_trained(ready, tmp_path, content, text):
    path = tmp_path / "broken.json"
    if content is not None:
        path.write_bytes(content)
    ready.ui.configPath.currentPath = str(path)
    assert text in ready.ui.configLabel.text
    assert text in ready.ui.startButton.toolTip
    assert not (ready.ui.startButton.enabled or ready.ui.estimateButton.enabled)
    ready.run.start()
    ready.run.estimate()
    assert not (ready.run.running or ready.run._estimator.running)
    ready.ui.presetSelector.setCurrentIndex(0)
    assert ready.ui.configLabel.text == ""
    assert ready.ui.startButton.enabled


def test_nothing_is_trained_before_a_file_is_chosen(ready):
    ready.ui.configPath.currentPath = ""
    assert "Choose the file" in ready.ui.startButton.toolTip
    assert not ready.ui.startButton.enabled


def test_resumed_run_keeps_its_own_settings(ready, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(ready.run._child, "start", lambda arguments, _module: started.append(arguments))
    ready.ui.configPath.currentPath = ""
    ready.ui.rowsPath.currentPath = str(tmp_path / "rows.csv")
    ready.run.start(resume=True)
    (arguments,) = started
    assert arguments[0] == "train"
    assert arguments[2:] == ["--out", str(tmp_path / "run 1"), "--device", "cpu", "--resume"]


def test_a_model_with_attention_at_chance_is_made_if_the_user_wants_it(ready, monkeypatch):
    started = []
    monkeypatch.setattr(ready.run._child, "start", lambda arguments, _module: started.append(arguments))
    ready.ui.keepAnywayCheck.click()
    ready.run.start()
    ready.run.start(resume=True)
    assert ["--keep-anyway" in arguments for arguments in started] == [True, True]


def test_unchanged_settings_keep_their_exact_values(ready, tmp_path):
    path = tmp_path / "exact.json"
    exact = json.loads(path.with_name("small.json").read_text()) | {"seed": 12345, "dropout": 0.12345678}
    path.write_text(json.dumps(exact))
    ready.ui.configPath.currentPath = str(path)
    fields, content = ready.settings._fields, ready.settings.content()
    assert (content["seed"], content["dropout"]) == (12345, 0.12345678)
    assert (fields["seed"].value, fields["dropout"].value) == (12345, 0.123457)
    fields["dropout"].setValue(0.125)
    assert ready.settings.content()["dropout"] == 0.125


def test_estimate_shows_time_and_memory(ready, slicer_session):
    ready.ui.estimateButton.click()
    slicer_session.wait(lambda: not ready.run._estimator.running, 60)
    first, second, third, *_ = ready.ui.estimateLabel.text.splitlines()
    assert re.fullmatch(r"about 1 min of training, [12]\.\d GB of memory", first)
    assert second.startswith("each step has at least ")
    assert third.startswith("of 24 patients, ")
