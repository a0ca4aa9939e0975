"""Self-supervised training before step 1, on patients with and without a label."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from PCRTrainingLib.config import read_config
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.runs.preparation import prepare
from PCRTrainingLib.training.pretraining import choose_windows, hide_blocks, pretrain
from safetensors.torch import load_file
from support.training_cohort import quiet_job, read_table, write_table


@pytest.fixture(scope="module")
def cohort(training_cohort, tmp_path_factory):
    """Sixteen patients, four of whom have no label."""
    folder = shutil.copytree(training_cohort, tmp_path_factory.mktemp("cohorts") / "some unlabelled")
    rows = read_table(folder)
    for row in rows[:4]:
        row["pcr"] = ""
    write_table(folder, rows)
    return folder


@pytest.fixture(scope="module")
def config(quick_config):
    config = read_config(quick_config)
    return replace(config, steps=config.steps[:1], pretraining=2)


@pytest.fixture(scope="module")
def run(cohort, config, tmp_path_factory):
    said, progress = [], Progress()
    progress.say = said.append
    run = prepare(quiet_job(cohort, tmp_path_factory.mktemp("runs") / "run", progress=progress), config)
    assert "self-supervised training: 4 patients without a label beside those of each fold's training" in said
    return run


def windows_of(run):
    data = run.data
    return choose_windows(data.cache, data.fold(0, run.config).train, data.unlabelled, data.sites)


def test_windows_are_of_training_patients_and_of_those_without_a_label(run):
    fold = run.data.fold(0, run.config)
    windows = windows_of(run)
    image, mask = windows.read(np.array([len(windows) - 1, 0, 1]))
    assert len(windows) == len(fold.train) + 4
    assert (image.shape, mask.shape) == ((3, 3, 8, 64, 64), (3, 1, 8, 64, 64))


def test_step_1_starts_from_what_the_pretraining_left(run, config):
    still = replace(run, config=replace(config, steps=(replace(config.steps[0], epochs=1, learning_rate=1e-9),)))
    still.train_fold(0, "cpu", Progress())
    folder = run.folder.fold(0)
    assert folder.pretraining.read_text().splitlines()[0] == "epoch,loss"
    weights, after = load_file(folder.pretrained), still.network(config.steps[0], 0).state_dict()
    assert {name.split(".")[0] for name in weights} == {"stem", "trunk"}
    learned = [name for name in weights if name.endswith("weight")]
    assert all(torch.allclose(after[name], weights[name], atol=1e-6) for name in learned)
    before = folder.pretrained.stat().st_mtime_ns
    still.train_fold(0, "cpu", Progress())  # a run that is resumed does not pretrain again
    assert folder.pretrained.stat().st_mtime_ns == before


def test_hidden_parts_are_learned(run, config):
    longer = replace(config, pretraining=12, widths=(8, 8, 8))
    _, losses = pretrain(longer, windows_of(run), 0, {}, "cpu", Progress())
    assert losses[-1] < 0.8 * losses[0]


def test_most_of_a_window_is_hidden_in_whole_blocks():
    hidden = hide_blocks(torch.zeros(20, 3, 8, 64, 64), torch.Generator().manual_seed(0))
    assert hidden.mean() == pytest.approx(0.6, abs=0.05)
    blocks = hidden.unfold(2, 2, 2).unfold(3, 8, 8).unfold(4, 8, 8).flatten(-3)
    assert (blocks.amin(-1) == blocks.amax(-1)).all()
