"""Patients and folds that an estimate counts."""

from dataclasses import replace

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.cohort import find_patients
from PCRTrainingLib.config import PRESETS, SplitConfig
from PCRTrainingLib.training.estimate import count_folds


def count(cohort, **split):
    return count_folds(replace(PRESETS["full"], split=SplitConfig(**split)), {"one": find_patients(cohort)})


def test_folds_are_those_of_the_split(training_cohort, tmp_path):
    (tmp_path / "list.csv").write_text("patient_id,fold\n" + "".join(f"P{k},{k // 2 % 3}\n" for k in range(16)))
    assert count(training_cohort, kind="given", file=str(tmp_path / "list.csv")) == (16, 3)
    assert count(training_cohort, kind="holdout") == (16, 1)
    assert count(training_cohort, kind="groups", folds=0) == (16, 2)  # sites
    with pytest.raises(DataError, match="folds must be at most the 8 patients"):
        count(training_cohort, folds=9)


def test_sites_of_two_cohorts_are_folds(training_cohort, tmp_path):
    cohorts = {name: find_patients(training_cohort) for name in ("one", "two")}
    config = replace(PRESETS["full"], split=SplitConfig("sites"))
    assert count_folds(config, cohorts) == (32, 2)
    assert count_folds(replace(config, sites=("site", "cohort")), cohorts) == (32, 3)
