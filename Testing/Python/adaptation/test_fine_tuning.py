import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import load_bundle
from PCRTrainingLib.adaptation.fine_tuning import FINE_TUNED, fine_tuned_config
from PCRTrainingLib.command_line import app, run
from PCRTrainingLib.config import PRESETS, SplitConfig, Step, config_to_json, parse_config
from PCRTrainingLib.run_folder import RunFolder
from PCRTrainingLib.runs.train import train
from safetensors.numpy import load_file
from support.training_cohort import quiet_job, read_table, write_cohort, write_table

FULL = PRESETS["full"]


@pytest.fixture(scope="module")
def start(trained):
    return load_bundle(trained / "bundle")


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohorts") / "clinic", 12, prefix="L", seed=70)


@pytest.fixture(scope="module")
def small(start):
    """One epoch, three folds; the bundle has two."""
    config = fine_tuned_config(replace(FULL, split=SplitConfig(folds=3), batch_size=4), start)
    return replace(config, steps=(replace(config.steps[0], epochs=1),))


@pytest.fixture(scope="module")
def tuned(start, small, local, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "tuned"
    train(quiet_job(local, out), small, start=start)
    return RunFolder(out)


def test_grid_network_variables_and_flips_are_the_bundles_at_a_tenth_of_the_rate(start):
    config = fine_tuned_config(FULL, start)
    (step,) = config.steps
    assert (config.widths, config.grid, config.flips) == ((4, 6, 8), start.settings.grid, start.settings.flips)
    assert config.clinical == start.schema.variables
    assert (step.name, step.attention, step.clinical, step.clinical_fit) == (FINE_TUNED, True, True, False)
    assert step.learning_rate == pytest.approx(0.1 * FULL.steps[-1].learning_rate)
    assert parse_config(json.dumps(config_to_json(config)), "it") == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"widths": (8, 8, 8)}, r"widths must be that of the bundle to start from it, \(4, 6, 8\), got \(8, 8, 8\)"),
        ({"grid": replace(FULL.grid, size=32)}, "grid must be that of the bundle"),
        ({"clinical_width": 3}, "clinical_width must be that of the bundle"),
        ({"network": "resnet"}, "network must be that of the bundle"),
        ({"steps": (Step("mine", 2),)}, "'mine' starts from the bundle and must have attention true and clinical true"),
        ({"steps": (Step("mine", 2, attention=True, clinical=True, clinical_fit=True),)}, "set clinical_fit to false"),
    ],
)
def test_different_grid_network_or_form_is_refused(start, change, message):
    with pytest.raises(DataError, match=message):
        fine_tuned_config(replace(FULL, **change), start)


def test_own_steps_of_the_bundles_form_are_kept(start):
    steps = (Step("mine", 2, attention=True, clinical=True), Step("more", 1, after="mine", attention=True))
    assert fine_tuned_config(replace(FULL, steps=steps), start).steps == steps


def test_fold_k_starts_from_the_bundles_fold_k_in_turn(tuned, start):
    for k in range(3):
        before = load_file(start.folds[k % 2])
        after = load_file(tuned.step(k, FINE_TUNED).weights)
        other = load_file(start.folds[(k + 1) % 2])
        distance = {id(weights): sum(np.abs(after[n] - weights[n]).sum() for n in after) for weights in (before, other)}
        assert 0 < distance[id(before)] < 0.3 * distance[id(other)]


def test_new_bundle_says_so_and_refuses_patients_of_both_trainings(tuned, start, training_cohort, local, tmp_path):
    bundle = load_bundle(tuned.bundle)
    assert "Fine-tuned from my run 1.0.0 (2 folds; fold k from its fold k, in turn)" in bundle.card.description
    assert "12 patients of clinic" in bundle.card.training_data
    assert "16 patients of hospital one" in bundle.card.training_data
    assert bundle.schema == start.schema
    for cohort in (training_cohort, local):
        words = ["evaluate", str(cohort), "--model", str(tuned.bundle), "--out", str(tmp_path / "e")]
        assert run(app, words) == 1


def test_resumed_run_needs_the_bundle_no_more(tuned, local, small, tmp_path):
    copy = RunFolder(shutil.copytree(tuned.path, tmp_path / "copy"))
    shutil.rmtree(copy.step(1, FINE_TUNED).path)
    shutil.rmtree(copy.bundle)
    train(quiet_job(local, copy.path, resume=True), small)
    again, before = (load_file(folder.step(1, FINE_TUNED).weights) for folder in (copy, tuned))
    assert all(np.allclose(again[name], before[name], atol=1e-5) for name in before)
    assert "Fine-tuned from" in load_bundle(copy.bundle).card.description


def test_patients_that_the_bundle_was_trained_on_are_refused(start, small, training_cohort, tmp_path):
    with pytest.raises(DataError, match="shares 16 patients with the training"):
        train(quiet_job(training_cohort, tmp_path / "run"), small, start=start)
    assert not (tmp_path / "run" / "splits.csv").exists()


def test_variable_that_the_cohort_lacks_stays_and_is_reported(start, small, local, tmp_path, capsys):
    from PCRTrainingLib.adaptation.fine_tuning import check_start

    cohort = shutil.copytree(local, tmp_path / "c")
    write_table(cohort, [{name: v for name, v in row.items() if name != "age"} for row in read_table(cohort)])
    said = []

    class Said(type(quiet_job(cohort, tmp_path).progress)):
        def say(self, message):
            said.append(message)

    from PCRTrainingLib.cohort.build import open_or_build

    cache = open_or_build(cohort, tmp_path / "grids", start.settings.grid, start.schema)
    check_start(start, cache, [cohort], Said())
    assert any("no patient has a value of age" in line for line in said)


def test_clinical_rows_go_with_a_new_fit_only(trained, local, tmp_path, capsys):
    words = ["train", str(local), "--out", str(tmp_path / "r"), "--from", str(trained), "--clinical-rows", "rows.csv"]
    assert run(app, words) == 2
    assert "with --from it is the bundle's" in " ".join(capsys.readouterr().err.replace("│", " ").split())
