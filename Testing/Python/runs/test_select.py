"""Nested cross-validation: no choice sees the patients that it is tested on."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.cohort.splits import EXCLUDED
from PCRTrainingLib.config import SplitConfig, read_config
from PCRTrainingLib.evaluation.baselines import BASELINES
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.runs.preparation import open_cohort
from PCRTrainingLib.runs.select import Candidate, choose, select
from PCRTrainingLib.training.folds import Prepared
from support.training_cohort import quiet_job, read_table, write_table


@pytest.fixture(scope="module")
def selected(training_cohort, quick_config, tmp_path_factory):
    config = read_config(quick_config)
    other = replace(config, steps=(replace(config.steps[0], epochs=1), *config.steps[1:]))
    out = tmp_path_factory.mktemp("selection") / "out"
    late = replace(config, steps=(*config.steps[:2], replace(config.steps[2], image_share=0.1)))
    configs = {"one": config, "other": other, "late": late}
    select(quiet_job(training_cohort, out), configs, inner=2, least_attention=0.01)
    return out


@pytest.mark.slow
def test_every_configuration_is_compared_in_every_fold_and_one_is_chosen(selected):
    with (selected / "candidates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["outer_fold"], row["configuration"]) for row in rows] == [
        (k, name) for k in "01" for name in ("one", "other", "late")
    ]
    assert [sum(int(row["chosen"]) for row in rows if row["outer_fold"] == k) for k in "01"] == [1, 1]
    content = json.loads((selected / "selection.json").read_text())
    assert content["format"] == 1
    assert content["final"] in ("one", "other", "late")
    assert 0 <= content["nested"]["auc"]["value"] <= 1
    others = [baseline.name for baseline in BASELINES]
    assert [row["model"] for row in content["nested"]["against"]] == [*others, "fair control"]


@pytest.mark.slow
def test_resumed_selection_keeps_its_configurations_and_options(selected, training_cohort, quick_config, tmp_path):
    out = shutil.copytree(selected, tmp_path / "copy")
    config = replace(read_config(quick_config), widths=(4, 4, 4))
    select(quiet_job(training_cohort, out, resume=True), {"new": config}, inner=3)
    assert (out / "candidates.csv").read_bytes() == (selected / "candidates.csv").read_bytes()
    before, now = (json.loads((path / "selection.json").read_text()) for path in (selected, out))
    assert (now["nested"], now["configurations"]) == (before["nested"], before["configurations"])
    assert not list(out.glob("outer_*/new"))


@pytest.mark.parametrize(
    "split", [SplitConfig("holdout", share=0.4), SplitConfig("groups", folds=0, column="hospital")]
)
def test_selection_works_with_every_kind_of_split(training_cohort, quick_config, tmp_path, split):
    cohort = shutil.copytree(training_cohort, tmp_path / "cohort")
    write_table(cohort, [row | {"hospital": "XYZ"[k // 2 % 3]} for k, row in enumerate(read_table(cohort))])
    config = read_config(quick_config)
    config = replace(config, split=split, steps=(replace(config.steps[0], epochs=1),))
    select(quiet_job(cohort, tmp_path / "out"), {"one": config}, inner=2)
    content = json.loads((tmp_path / "out" / "selection.json").read_text())
    assert 0 <= content["nested"]["auc"]["value"] <= 1
    if split.kind == "groups":
        inside = {}
        for path in (tmp_path / "out" / "outer_0" / "one").glob("fold_*/step1/predictions.csv"):
            with path.open() as file:
                inside[path.parts[-3]] = {int(row["patient_id"][1:]) // 2 % 3 for row in csv.DictReader(file)}
        assert sorted(map(len, inside.values())) == [1, 1]  # no hospital is on both sides


@pytest.mark.slow
def test_inner_folds_contain_no_patient_of_the_outer_fold(selected):
    with (selected / "splits.csv").open() as file:
        outer = {row["patient_id"]: row["fold"] for row in csv.DictReader(file)}
    for k in "01":
        inside = set()
        for path in (selected / f"outer_{k}").glob("one/fold_*/step3/predictions.csv"):
            with path.open() as file:
                inside |= {row["patient_id"] for row in csv.DictReader(file)}
        assert inside == {name for name, fold in outer.items() if fold != k}


@pytest.mark.slow
def test_excluded_patients_are_neither_trained_on_nor_held_out(selected, training_cohort, quick_config):
    config = read_config(quick_config)
    cache, schema = open_cohort(training_cohort, selected / "cache", config, Progress())
    folds = np.array([0, 1] * 6 + [EXCLUDED] * 4)
    data = Prepared(cache, schema, folds)
    assert data.fold_numbers == [0, 1]
    fold = data.fold(0, config)
    assert set(fold.train) == set(np.flatnonzero(folds == 1))
    assert set(fold.held_out) == set(np.flatnonzero(folds == 0))


@pytest.mark.slow
def test_steps_that_configurations_share_are_trained_once(selected):
    content = {
        (name, step): (selected / "outer_0" / name / "fold_0" / step / "history.csv").read_bytes()
        for name in ("one", "other", "late")
        for step in ("step1", "step2", "step3")
    }
    for step in ("step1", "step2"):
        assert content["late", step] == content["one", step]  # seconds and all
        assert content["other", step] != content["one", step]
    assert content["late", "step3"] != content["one", "step3"]


def test_configuration_with_little_attention_in_the_tumour_is_not_chosen():
    candidates = [Candidate(0, "blind", 0.9, 0.1), Candidate(0, "good", 0.7, 0.7), Candidate(0, "fair", 0.6, 0.8)]
    assert choose(candidates, 0.6) == "good"
    assert choose(candidates, 0.95) == "fair"


def test_among_equally_little_attention_the_auc_decides():
    candidates = [Candidate(0, "first", 0.67, 0.583), Candidate(0, "better", 0.68, 0.583), Candidate(0, "x", 0.9, 0.5)]
    assert choose(candidates, 0.6) == "better"


def test_configurations_with_different_splits_are_refused(training_cohort, quick_config, tmp_path):
    config = read_config(quick_config)
    configs = {"one": config, "two": replace(config, seed=5)}
    with pytest.raises(DataError, match="same grid, split and seed"):
        select(quiet_job(training_cohort, tmp_path / "out"), configs)
