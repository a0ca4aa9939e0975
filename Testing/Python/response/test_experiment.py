"""The tables of the documentation about response models, on simulated patients."""

import json

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.response.config import Candidate, ResponseConfig
from PCRTrainingLib.response.experiment import image_table, run_experiment
from PCRTrainingLib.visit_tables.patients import read_visit_tables
from support.response.visit_tables import simulate, write_csv

CONFIG = ResponseConfig(("longest_diameter_mm", "sphericity"), ("age",), (Candidate(),), folds=2, repeats=2)


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    return read_visit_tables([write_csv(simulate(130, 4), tmp_path_factory.mktemp("t") / "a.csv")])


def test_every_set_quantity_and_unknown_value_has_a_row(patients, tmp_path):
    run_experiment(patients, CONFIG, tmp_path, Progress())
    content = json.loads((tmp_path / "experiment.json").read_text(encoding="utf-8"))
    sets, quantities, missing, further = content["tables"]
    assert content["format"] == 1
    assert len(sets["rows"]) == 16
    assert quantities["rows"][0][0] == "T0: longest diameter"
    assert len(missing["rows"]) == 2 * (1 + 2 + 3 + 4)
    assert further["rows"] == []
    assert "### One value unknown" in (tmp_path / "experiment.md").read_text(encoding="utf-8")


def test_image_that_knows_the_label_adds_to_the_model_whatever_its_scale(patients, tmp_path):
    noise = np.random.default_rng(0).normal(size=len(patients))
    logits = [0.01 * (2 * label + each) for label, each in zip(patients.labels, noise, strict=True)]
    names = [course.patient_id for course in patients.courses]
    file = write_csv({"patient_id": names[:90], "image_logit": logits[:90]}, tmp_path / "image.csv")
    rows = image_table(patients, CONFIG, file, Progress()).rows
    assert "n = 90" in rows[0][0]
    assert float(rows[1][3].split()[0]) > 0.1


def test_file_without_logits_is_refused(patients, tmp_path):
    file = write_csv({"patient_id": [1]}, tmp_path / "image.csv")
    with pytest.raises(DataError, match="must be a CSV with patient_id and image_logit"):
        image_table(patients, CONFIG, file, Progress())
