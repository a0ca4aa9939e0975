import csv
import json
import shutil

import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.config import PRESETS, read_config
from PCRTrainingLib.evaluation.baselines import BASELINES
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.runs.experiment import experiment_config, open_all_cohorts, run_experiment
from PCRTrainingLib.runs.table import ROWS
from PCRTrainingLib.training.sharing import open_training
from support.training_cohort import quiet_job, read_table, write_cohort, write_table


def go(cohort, externals, out, config, **options):
    with open_training(workers=2) as engine:
        run_experiment(quiet_job(cohort, out, engine=engine, **options), config, [0, 1], externals)


@pytest.fixture(scope="module")
def config(quick_config):
    return read_config(quick_config)


@pytest.fixture(scope="module")
def experiment(training_cohort, config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiments")
    external = write_cohort(folder / "elsewhere", 10, prefix="Q", seed=50)
    go(training_cohort, [external], folder / "out", config)
    return folder / "out"


@pytest.mark.slow
def test_table_has_every_row_on_every_cohort_with_every_seed(experiment):
    result = json.loads((experiment / "experiment.json").read_text())
    assert result["format"] == 1
    assert [cohort["name"] for cohort in result["cohorts"]] == ["out of fold", "elsewhere"]
    assert len(result["rows"]) == len(BASELINES) + len(ROWS)
    for row in result["rows"]:
        for found in row["cohorts"].values():
            assert len(found["auc_per_seed"]) == 2
            auc = found["auc"]
            assert auc["low"] is None or auc["low"] <= auc["value"] <= auc["high"]  # None if all resamples agree


@pytest.mark.slow
def test_predictions_of_every_patient_are_kept(experiment):
    with (experiment / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == (len(BASELINES) + len(ROWS)) * 2 * (16 + 10)


@pytest.mark.slow
def test_page_and_markdown_name_every_row(experiment):
    for name in ("report.html", "report.md"):
        text = (experiment / name).read_text()
        assert all(row.name in text for row in ROWS)


@pytest.mark.slow
def test_finished_experiment_is_written_again_without_training(experiment, training_cohort, config, tmp_path):
    out = shutil.copytree(experiment, tmp_path / "copy")
    made = (out / "seed_0" / "fold_0" / "step3" / "weights.safetensors").stat().st_mtime_ns
    before = json.loads((out / "experiment.json").read_text())["rows"]
    go(training_cohort, [experiment.parent / "elsewhere"], out, config, resume=True)
    assert (out / "seed_0" / "fold_0" / "step3" / "weights.safetensors").stat().st_mtime_ns == made
    assert json.loads((out / "experiment.json").read_text())["rows"] == before


@pytest.mark.slow
def test_resumed_experiment_keeps_its_configuration_and_seeds(experiment, training_cohort, tmp_path):
    out = shutil.copytree(experiment, tmp_path / "copy")
    external = [experiment.parent / "elsewhere"]
    run_experiment(quiet_job(training_cohort, out, resume=True), PRESETS["full"], [7], external)
    before, now = (json.loads((path / "experiment.json").read_text()) for path in (experiment, out))
    assert (now["seeds"], now["config"], now["rows"]) == ([0, 1], before["config"], before["rows"])
    assert sorted(path.name for path in out.glob("seed_*")) == ["seed_0", "seed_1"]


def test_external_cohort_that_shares_patients_is_refused_by_name(training_cohort, config, tmp_path):
    external = shutil.copytree(training_cohort, tmp_path / "external")
    with pytest.raises(DataError, match=r"shares 16 patients with the training cohort \(P0, P1, "):
        go(training_cohort, [external], tmp_path / "out", config)


def test_variable_that_only_an_external_cohort_lacks_is_not_reported(training_cohort, config, tmp_path):
    external, messages = write_cohort(tmp_path / "elsewhere", 4, prefix="Q", seed=50), []
    write_table(external, [{k: v for k, v in row.items() if k != "hr"} for row in read_table(external)])
    progress = Progress()
    progress.say = messages.append
    open_all_cohorts(quiet_job(training_cohort, tmp_path / "out", progress=progress), {"elsewhere": external}, config)
    assert messages == ["no patient has a value of her2; trained without"]


def test_single_stage_rows_train_as_long_as_the_steps_that_they_are_compared_with():
    epochs = {step.name: step.epochs for step in experiment_config(PRESETS["full"]).steps}
    assert epochs["single_image"] == epochs["step1"] + epochs["step2"]
    assert epochs["single_multimodal"] == epochs["step1"] + epochs["step2"] + epochs["step3"]


def test_ablation_differs_from_the_curriculum_only_in_the_swap():
    steps = {step.name: step for step in experiment_config(PRESETS["full"]).steps}
    assert (steps["step2"].swap, steps["step2_noswap"].swap) == (True, False)
    assert steps["step3_noswap"].after == "step2_noswap"
    assert steps["step3_noswap"].guidance == steps["step3"].guidance
