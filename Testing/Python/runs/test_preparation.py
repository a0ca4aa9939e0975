"""Clinical rows: a run keeps them, also when it is resumed and their table is gone."""

import csv
import math
import shutil
from dataclasses import replace

import pytest
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import load_bundle
from PCRTrainingLib.config import read_config
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.runs.clinical_rows import keep_clinical_rows
from PCRTrainingLib.runs.preparation import prepare
from PCRTrainingLib.runs.train import train
from support.training_cohort import assert_same_predictions, quiet_job


def write_rows(path):
    """Twelve more patients, two without a label and two with an invalid age."""
    table = [{"patient_id": f"R{k}", "pcr": k % 2, "age": 30 + 4 * k, "hr": k % 2} for k in range(12)]
    for k in (0, 1):
        table[k]["pcr"], table[k + 2]["age"] = "", "old"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    return path


@pytest.mark.slow
def test_resumed_run_keeps_its_clinical_rows(training_cohort, quick_config, tmp_path):
    table, config, messages = write_rows(tmp_path / "more.csv"), read_config(quick_config), []
    progress = Progress()
    progress.say = messages.append
    train(quiet_job(training_cohort, tmp_path / "whole", progress=progress, clinical_rows=[table]), config)
    out = shutil.copytree(tmp_path / "whole", tmp_path / "stopped")
    shutil.rmtree(out / "fold_1")
    table.unlink()
    train(quiet_job(training_cohort, out, resume=True), config)
    assert_same_predictions(out, tmp_path / "whole")
    weights = "fold_1/step3/weights.safetensors"
    assert (out / weights).read_bytes() == (tmp_path / "whole" / weights).read_bytes()
    assert len(load_bundle(out / "bundle").training_hashes[1]) == 16 + 8
    assert "8 of 12 rows of more.csv used; left out:" in messages
    assert "  2 patients: has no pcr (r0, r1)" in messages


def test_label_of_another_coding_in_clinical_rows_is_refused(tmp_path):
    table = tmp_path / "more.csv"
    table.write_text("patient_id,pcr,age\na,1,50\nb,2,50\n")
    with pytest.raises(DataError, match=r"2 patients: pcr must be coded with 0 and 1, .* this column has 2.*\(a, b\)"):
        keep_clinical_rows([str(table)], tmp_path / "kept.csv", [ClinicalSchema(())], Progress())


def test_run_that_ended_before_its_folds_were_drawn_keeps_its_clinical_rows(training_cohort, quick_config, tmp_path):
    table, config = write_rows(tmp_path / "more.csv"), read_config(quick_config)
    config, out = replace(config, steps=config.steps[:1]), tmp_path / "run"

    class Ended(Progress):
        def start(self, stage, total, done=0):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(quiet_job(training_cohort, out, progress=Ended(), clinical_rows=[table]), config)
    train(quiet_job(training_cohort, out, resume=True), config)
    assert len(load_bundle(out / "bundle").training_hashes[1]) == 16 + 8


def test_run_is_scaled_to_its_patients_with_and_without_images(training_cohort, quick_config, tmp_path):
    config = read_config(quick_config)
    config = replace(config, steps=config.steps[:1], clinical=("age", "log_whole_volume"))
    table, said, progress = tmp_path / "more.csv", [], Progress()
    volumes = [("P0", 1.2), ("P1", 1.25), ("P2", 1.2), *((f"R{k}", 10 + k) for k in range(30))]
    table.write_text("patient_id,pcr,Tumour_volume_ml\n" + "".join(f"{name},1,{ml}\n" for name, ml in volumes))
    progress.say = said.append
    run = prepare(quiet_job(training_cohort, tmp_path / "run", progress=progress), config, [str(table)])
    age, volume = run.data.schema.variables
    assert (age.mean, volume.high) == (47.5, pytest.approx(math.log(39), abs=0.02))
    assert volume.agreement["patients"] == 3
    assert any(text.startswith("warning: Tumour volume in the table and measured in the exam") for text in said)
    assert all(row.vector[3] == 1 for row in run.data.image_free_rows)
    again = prepare(quiet_job(training_cohort, tmp_path / "run"), config)
    assert again.data.schema == run.data.schema
