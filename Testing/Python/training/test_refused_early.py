"""What a table alone decides is refused before an image is read, by every command, and nothing is left behind."""

import shutil

import pytest
from PCRPredictorLib.command_line import run
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRTrainingLib.adaptation.recalibrate import recalibrate
from PCRTrainingLib.command_line import app
from PCRTrainingLib.config import PRESETS
from PCRTrainingLib.federation.folder import FederationFolder, Plan
from PCRTrainingLib.federation.simulate import simulated_sites
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.runs.experiment import run_experiment
from support.training_cohort import QUICK, quiet_job, read_table, write_table


@pytest.fixture
def cohort(training_cohort, tmp_path):
    """A cohort with one patient with pCR, whose images are empty files."""
    copy = shutil.copytree(training_cohort, tmp_path / "cohort")
    for image in copy.glob("images/*/*.nii.gz"):
        image.write_bytes(b"")
    write_table(copy, [{**row, "pcr": int(k == 3)} for k, row in enumerate(read_table(copy))])
    return copy


@pytest.mark.parametrize("command", ["train", "select", "experiment", "estimate"])
def test_a_class_of_one_patient_is_refused(cohort, tmp_path, capsys, command):
    (tmp_path / "own.json").write_text(QUICK)
    words = ["--configs" if command == "select" else "--config", str(tmp_path / "own.json")]
    words += [] if command == "estimate" else ["--out", str(tmp_path / "out")]
    assert run(app, [command, str(cohort), *words]) == 1
    assert "two patients of each class or more, got 1 with pCR and 15 without" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_clinical_rows_that_cannot_be_read_are_refused(training_cohort, tmp_path, capsys):
    (tmp_path / "own.json").write_text(QUICK)
    (tmp_path / "more.csv").write_text("patient_id,age\nX1,50\n")
    words = ["--config", str(tmp_path / "own.json"), "--out", str(tmp_path / "out")]
    assert run(app, ["train", str(training_cohort), *words, "--clinical-rows", str(tmp_path / "more.csv")]) == 1
    assert "no row has a label in the column pcr" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_evaluation_looks_at_all_cohorts_first(cohort, training_cohort, tmp_path, capsys):
    write_table(cohort, [{**row, "pcr": 0} for row in read_table(cohort)])
    words = ["evaluate", str(training_cohort), str(cohort), "--model", "phantom", "--out", str(tmp_path / "out")]
    assert run(app, words) == 1
    captured = capsys.readouterr()
    assert "must have patients with and without pCR to evaluate on, got 0 with pCR and 16 without" in captured.err
    assert "Reading" not in captured.out


def test_an_external_cohort_is_looked_at_before_the_training_one_is_read(cohort, training_cohort, tmp_path):
    write_table(cohort, [{**row, "pcr": 0} for row in read_table(cohort)])
    with pytest.raises(DataError, match="cohort: must have patients with and without pCR to evaluate on"):
        run_experiment(quiet_job(training_cohort, tmp_path / "out"), PRESETS["full"], [0], [cohort])
    assert not (tmp_path / "out").exists()


def test_too_few_patients_to_recalibrate_on_are_refused(cohort, tmp_path):
    bundle = load_bundle(find_bundle("phantom"))
    with pytest.raises(DataError, match=r"must have .* labelled patients or more to recalibrate on"):
        recalibrate(bundle, cohort, tmp_path / "out", None, "", "cpu", Progress())


def test_a_federation_needs_sites_with_both_classes(cohort, training_cohort, tmp_path):
    plan = Plan(PRESETS["quick"], (), 1)
    with pytest.raises(DataError, match="2 sites or more, got hospital one; a site has 2 patients with pCR"):
        simulated_sites(FederationFolder(tmp_path / "out"), [training_cohort, cohort], [], plan, "cpu", Progress())
    assert not (tmp_path / "out").exists()
