"""Several cohorts in one run, with one site left out at a time."""

import csv
import json
import shutil
from dataclasses import replace

import pytest
from PCRPredictorLib.command_line import run
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import load_bundle
from PCRPredictorLib.model.training_marks import known_patients
from PCRTrainingLib.command_line import app
from PCRTrainingLib.config import parse_config
from PCRTrainingLib.runs.experiment import run_experiment
from PCRTrainingLib.runs.train import train
from support.federated.sites import Spoken
from support.training_cohort import QUICK, quiet_job, write_cohort

SETTINGS = {"grid": {"size": 16, "slices": 4}, "sites": ["site", "cohort"], "split": {"kind": "sites"}}


@pytest.fixture(scope="module")
def config():
    content = json.loads(QUICK) | SETTINGS
    for step in content["steps"]:
        step["epochs"] = 1
    content["steps"][2] |= {"image_rate": 0, "clinical_rate": 0, "image_share": 0.1}
    return parse_config(json.dumps(content), "quick")


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sites")
    return [write_cohort(folder / "north", 8), write_cohort(folder / "south", 4, prefix="Q", seed=90)]


@pytest.fixture(scope="module")
def trained_sites(cohorts, config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    (folder / "more.csv").write_text("patient_id,pcr,age,hr,site\nP0,0,40,0,A\nR1,1,50,1,A\nR2,0,45,0,B\n")
    train(quiet_job(cohorts, folder / "out", clinical_rows=[folder / "more.csv"]), config)
    return folder / "out"


def folds(out):
    with (out / "splits.csv").open(newline="") as file:
        return {row["patient_id"]: row["fold"] for row in csv.DictReader(file)}


def test_each_site_is_a_fold(trained_sites):
    assert list(folds(trained_sites).values()) == ["0", "0", "1", "1", "0", "0", "1", "1", "2", "2", "2", "2"]
    assert set(json.loads((trained_sites / "run.json").read_text())["cohorts"]) == {"north", "south"}


def test_model_of_a_site_has_not_seen_its_patients_or_rows(trained_sites):
    bundle = load_bundle(trained_sites / "bundles" / "north-A")
    assert "The site north: A was left out." in bundle.card.training_data
    assert next(iter(bundle.card.metrics)) == "the site left out, north: A (4 patients)"
    assert known_patients(("P0", "P1", "P2", "Q0", "r1", "r2"), bundle.training_hashes[1]) == {"P2", "Q0", "r2"}
    assert sorted(path.name for path in (trained_sites / "bundles").iterdir()) == ["north-A", "north-B", "south"]


def test_model_of_a_site_is_measured_against_random_weights_and_enhancement(trained_sites):
    bundle = load_bundle(trained_sites / "bundles" / "south")
    first = next(iter(bundle.card.metrics.values()))
    assert {"attention_in_tumour", "early_enhancement_in_tumour"} <= set(first)
    assert "do not rely on its maps. Calibrated on sites other than south" in bundle.card.known_limits


def test_model_of_a_site_whose_attention_is_at_chance_is_not_made(
    trained_sites, cohorts, config, tmp_path, monkeypatch
):
    out = shutil.copytree(trained_sites, tmp_path / "run")
    shutil.rmtree(out / "bundles")
    monkeypatch.setattr("PCRTrainingLib.runs.train.refusal", lambda *_: "")  # all sites together are well above it
    progress = Spoken()
    assert train(quiet_job(cohorts, out, resume=True, keep_anyway=False, progress=progress), config) == ""
    refused = [line for line in progress.lines if "no bundle is made without south: its attention is at chance" in line]
    assert "--resume --keep-anyway" in refused[0]
    assert not (out / "bundles" / "south").exists()


def test_report_has_each_step_at_each_site(trained_sites):
    sites = json.loads((trained_sites / "summary.json").read_text())["sites"]
    assert (sites["names"], len(sites["rows"])) == (["north: A", "north: B", "south"], 3)
    assert "AUC at the site that was left out" in (trained_sites / "report.html").read_text()


def test_model_of_a_site_predicts(trained_sites, cohorts, tmp_path):
    model = str(trained_sites / "bundles" / "south")
    assert run(app, ["predict", "--cohort", str(cohorts[1]), "--model", model, "--out", str(tmp_path / "p")]) == 0


def test_step_without_rates_composes_what_it_starts_from(trained_sites):
    step = trained_sites / "fold_0" / "step3"
    assert (step / "history.csv").read_text().count("\n") == 1
    assert (step / "weights.safetensors").is_file()


def test_run_is_not_resumed_with_other_cohorts(trained_sites, cohorts, config):
    with pytest.raises(DataError, match="was begun with north, south, got south, north; give the same cohorts"):
        train(quiet_job(cohorts[::-1], trained_sites, resume=True), config)


@pytest.mark.slow
def test_experiment_has_every_row_at_every_site_and_a_model_for_each(cohorts, config, tmp_path):
    out = tmp_path / "out"
    run_experiment(quiet_job(cohorts, out), config, [0, 1], [], ["step 2, no swap", "step 3, no swap"])
    result = json.loads((out / "experiment.json").read_text())
    sites = result["sites"]
    assert (sites["names"], sites["patients"]) == (["north: A", "north: B", "south"], [4, 4, 4])
    assert "step 2, no swap" not in [row["name"] for row in sites["rows"]]
    assert {len(row["auc"]) for row in sites["rows"]} == {3}
    assert ("step 3", "clinical") in [(pair["model"], pair["other"]) for pair in sites["comparisons"]]
    assert "Sites left out" in (out / "report.html").read_text()
    assert len(load_bundle(out / "bundles" / "south").folds) == 2  # one per seed


def test_row_that_others_need_cannot_be_left_out(cohorts, config, tmp_path):
    with pytest.raises(DataError, match="the row 'step 3' cannot be left out of an experiment; choose among"):
        run_experiment(quiet_job(cohorts, tmp_path / "out"), config, [0], [], ["step 3"])


def test_one_cohort_leaves_out_its_sites(cohorts, config, tmp_path):
    alone = replace(config, sites=(), steps=config.steps[:1])
    train(quiet_job(cohorts[0], tmp_path / "out"), alone)
    assert set(folds(tmp_path / "out").values()) == {"0", "1"}
