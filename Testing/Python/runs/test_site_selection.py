"""Configurations chosen by sites that are left out: no network that is measured has seen the site."""

import csv
import json
from dataclasses import replace

import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.config import parse_config
from PCRTrainingLib.runs.select import Candidate, _final, select
from support.training_cohort import QUICK, quiet_job, write_cohort

SETTINGS = {"grid": {"size": 16, "slices": 4}, "sites": ["site", "cohort"], "split": {"kind": "sites"}}


def config(share, clinical=("age", "hr")):
    """A configuration whose last step composes, with a share of the image."""
    content = json.loads(QUICK) | SETTINGS | {"clinical": list(clinical), "clinical_width": 0}
    for step in content["steps"]:
        step["epochs"] = 1
    content["steps"][2] |= {"image_rate": 0, "clinical_rate": 0, "image_share": share}
    return parse_config(json.dumps(content), "quick")


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sites")
    return [write_cohort(folder / "north", 8), write_cohort(folder / "south", 4, prefix="Q", seed=90)]


@pytest.fixture(scope="module")
def selected(cohorts, tmp_path_factory):
    out = tmp_path_factory.mktemp("selection") / "out"
    configs = {"none": config(0), "some": config(0.1), "more": config(0, ("age", "hr", "sphericity"))}
    select(quiet_job(cohorts, out), configs, least_attention=0)
    return out


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_each_pair_of_sites_is_left_out_once_and_predicted_by_one_network(selected):
    pairs = {path.name for path in selected.glob("without_*")}
    assert pairs == {"without_0_1", "without_0_2", "without_1_2"}
    splits = {row["patient_id"]: row["fold"] for row in read(selected / "splits.csv")}
    for path in selected.glob("without_*/none/fold_0/step3/predictions.csv"):
        held_out = {splits[row["patient_id"]] for row in read(path)}
        assert held_out == set(path.parts[-5].removeprefix("without_").split("_"))


@pytest.mark.slow
def test_every_try_is_counted_and_the_choice_is_measured_at_each_site(selected):
    content = json.loads((selected / "selection.json").read_text())
    assert content["tries"] == {"configurations": 3, "comparisons": 9}
    assert content["sites"] == {"0": "north: A", "1": "north: B", "2": "south"}
    assert content["final"] in ("none", "some", "more")
    sites = content["nested"]["sites"]
    assert sites["names"] == ["north: A", "north: B", "south"]
    assert {pair["other"] for pair in sites["comparisons"]} >= {"clinical", "clinical + volume", "fair control"}
    assert all({"macro", "random_effects"} <= pair.keys() for pair in sites["comparisons"])
    assert [row["site"] for row in read(selected / "candidates.csv")][::3] == ["north: A", "north: B", "south"]


@pytest.mark.slow
def test_steps_of_the_image_are_trained_once_for_all_clinical_variables(selected):
    weights = [selected / "without_0_1" / name / "fold_0" for name in ("none", "some", "more")]
    assert len({(path / "step2" / "weights.safetensors").read_bytes() for path in weights}) == 1
    assert len({(path / "step3" / "weights.safetensors").read_bytes() for path in weights}) == 3


def test_final_choice_is_the_best_over_all_outer_sites():
    found = [Candidate(k, name, auc, 0.9) for k, a in enumerate((0.6, 0.7)) for name, auc in (("a", a), ("b", 0.66))]
    assert _final(found, 0.6) == "b"


def test_two_sites_are_too_few_to_choose_by(cohorts, tmp_path):
    two = replace(config(0.1), sites=())
    with pytest.raises(DataError, match="needs three sites or more, got 2; give more cohorts"):
        select(quiet_job(cohorts, tmp_path / "out"), {"one": two})
