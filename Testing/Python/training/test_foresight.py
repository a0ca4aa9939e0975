"""What is refused, and counted, before an image is read."""

import shutil
from dataclasses import replace

import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.config import PRESETS, SplitConfig
from PCRTrainingLib.training.foresight import foresee
from support.federated.sites import Spoken
from support.training_cohort import read_table, write_table


def count(cohort, **split):
    data = foresee({"one": cohort}, replace(PRESETS["full"], split=SplitConfig(**split)))
    return len(data.cache), len(data.fold_numbers)


@pytest.fixture
def cohort_with(training_cohort, tmp_path):
    """A copy of the cohort without images, whose table is changed."""

    def make(change):
        cohort = shutil.copytree(training_cohort, tmp_path / "copy")
        for image in cohort.glob("*/*/*.nii.gz"):
            image.write_bytes(b"")
        write_table(cohort, [change(k, row) for k, row in enumerate(read_table(cohort))])
        return cohort

    return make


def test_folds_are_those_of_the_split(training_cohort, tmp_path):
    (tmp_path / "list.csv").write_text("patient_id,fold\n" + "".join(f"P{k},{k // 2 % 3}\n" for k in range(16)))
    assert count(training_cohort, kind="given", file=str(tmp_path / "list.csv")) == (16, 3)
    assert count(training_cohort, kind="holdout") == (16, 1)
    assert count(training_cohort, kind="groups", folds=0) == (16, 2)  # sites
    with pytest.raises(DataError, match=r"at most the 8 patients .* set split.folds to 8 or less"):
        count(training_cohort, folds=9)


def test_sites_of_two_cohorts_are_folds(training_cohort):
    cohorts = dict.fromkeys(("one", "two"), training_cohort)
    config = replace(PRESETS["full"], split=SplitConfig("sites"))
    assert len(foresee(cohorts, config).fold_numbers) == 2
    assert len(foresee(cohorts, replace(config, sites=("site", "cohort"))).fold_numbers) == 3


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ((1,), "folds need two patients of each class or more, got 1 with pCR and 15 without; add patients"),
        ((1, 1), r"at most the 2 patients of the smaller class, got 3; .*\"folds\": 2"),
        ((), "must have patients with and without pCR, got 0 with pCR and 16 without"),
    ],
)
def test_too_few_patients_of_a_class_are_refused_without_an_image(cohort_with, labels, message):
    cohort = cohort_with(lambda k, row: {**row, "pcr": int(k < len(labels))})
    with pytest.raises(DataError, match=message):
        count(cohort, folds=3)


def test_patients_whose_row_cannot_be_used_do_not_count_and_are_named(cohort_with):
    cohort, spoken = cohort_with(lambda k, row: {**row, "age": 400} if k else row), Spoken()
    with pytest.raises(DataError, match="must have patients with and without pCR, got 0 with pCR and 1 without"):
        foresee({"one": cohort}, PRESETS["full"], spoken)
    assert spoken.lines[0] == "15 of 16 patients left out"
    assert "age must be a number from 18 to 100" in spoken.lines[1]


def test_a_patient_without_images_need_not_be_listed(training_cohort, tmp_path):
    (tmp_path / "list.csv").write_text("patient_id,fold\n" + "".join(f"P{k},{k // 2 % 3}\n" for k in range(15)))
    assert count(training_cohort, kind="given", file=str(tmp_path / "list.csv")) == (15, 3)
