"""Damaged runs, configurations and folders in the training panel: a sentence each, and the panel still works."""

import os
import shutil

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
from support.hostile.runs import KINDS


@pytest.fixture
def ready(training_panel, training_cohort, quick_config, tmp_path):
    """The panel with a tiny cohort, settings and a run folder."""
    training_panel.ui.cohortPath.currentPath = str(training_cohort)
    training_panel.ui.configPath.currentPath = str(quick_config)
    selector = training_panel.ui.presetSelector
    selector.setCurrentIndex(selector.findData("file"))
    training_panel.ui.runPath.currentPath = str(tmp_path / "run 1")
    return training_panel


READ = ("config", "summary", "splits", "history")  # what the panel reads of a run


def one_line(panel):
    """Return whether every message and label is one line; the messages are taken."""
    texts = [*panel.messages, panel.ui.runLabel.text, panel.ui.cohortLabel.text, panel.ui.startReasonLabel.text]
    panel.messages.clear()
    return not any("\n" in text or "Traceback" in text for text in texts)


def test_damaged_run_is_shown_or_one_sentence(ready, trained, tmp_path):
    for number, name in enumerate(name for name in KINDS if any(part in name for part in READ)):
        run = shutil.copytree(trained, tmp_path / f"damaged {number}")
        KINDS[name](run)
        ready.ui.runPath.currentPath = str(run)
        ready.update()
        ready.run.show_charts()
        ready.results.show_charts()
        assert one_line(ready), name
    ready.ui.runPath.currentPath = str(trained)
    ready.update()
    assert ready.results._models and ready.messages == []


CONFIGS = {
    "200,000 brackets": b"[" * 200_000,
    "NaN": b'{"rate": NaN}',
    "a million folds": b'{"split": {"kind": "folds", "folds": 1000000000}}',
    "a number of 5,000 digits": b'{"seed": ' + b"9" * 5000 + b"}",
    "markup": b'{"<img src=x>\\u001b[2J": 1}',
    "a list": b"[]",
    "no text": b"\xff\xfe{",
    "nothing": b"",
}


def test_hostile_configuration_is_one_sentence_and_starts_nothing(ready, tmp_path):
    for number, (name, content) in enumerate(CONFIGS.items()):
        file = tmp_path / f"{number}.json"
        file.write_bytes(content)
        ready.ui.configPath.currentPath = str(file)
        ready.update()
        assert not ready.ui.startButton.enabled, name
        assert one_line(ready) and 0 < len(ready.ui.startReasonLabel.text) < 1000, name


PLACES = {
    "a file": lambda path: path.write_text("x"),
    "a pipe": os.mkfifo,
    "a link in a circle": lambda path: path.symlink_to(path.name),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a folder that may not be read": lambda path: path.mkdir(0o000),
    "nothing": lambda _path: None,
}


def test_place_that_is_no_folder_is_taken_without_an_error(ready, tmp_path):
    for number, (name, put) in enumerate(PLACES.items()):
        place = tmp_path / f"[red]<b>\u202e {number}"
        put(place)
        for field in (ready.ui.runPath, ready.ui.cohortPath, ready.ui.externalPath, ready.ui.configPath):
            field.currentPath = str(place)
            ready.update()
            ready.run.show_charts()
            assert one_line(ready), name
        if place.is_dir():
            place.chmod(0o700)
