"""`pcr train`, `pcr evaluate`, `pcr check` and `pcr init` on tables with visits, from end to end."""

import json

import pytest
from PCRPredictorLib.command_line import run
from PCRPredictorLib.response.bundle import load_response
from PCRPredictorLib.response.course import Course, Visit, VisitValues
from PCRTrainingLib.command_line import app
from support.response.visit_tables import only, other_trial, simulate, write_csv

CONFIG = {"folds": 3, "repeats": 1, "candidates": [{"inputs": "changes", "strength": 0.1}]}


def _pcr(capsys, *words):
    code = run(app, [str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out + err


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    cells = simulate(100, 2)
    visits = write_csv(only(cells, [n for n in cells if n.endswith(("_T0", "_T1", "_id"))]), folder / "visits.csv")
    clinical = write_csv(only(cells, ["patient_id", "age", "hr", "her2", "pcr"]), folder / "clinical.csv")
    config = folder / "config.json"
    config.write_text(json.dumps(CONFIG), encoding="utf-8")
    assert run(app, ["train", str(visits), str(clinical), "--out", str(folder / "run"), "--config", str(config)]) == 0
    return folder


def test_run_explains_itself(run_folder):
    run = run_folder / "run"
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    names = [visit["name"] for visit in summary["cohorts"]]
    assert names == ["T0", "T0 + T1"]
    models = [model["name"] for model in summary["cohorts"][1]["models"]]
    assert models[1:3] == ["clinical values alone", "change of functional tumour volume alone"]
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "What each visit is worth" in page
    assert "S001" not in page


def test_bundle_of_a_run_predicts(run_folder):
    model = load_response(run_folder / "run" / "bundle")
    visits = {"T0": Visit("T0", VisitValues(longest_diameter_mm=40)), "T1": Visit("T1", VisitValues(gone=True))}
    found = model.predict(Course(visits, {"hr": "negative"}))
    assert [each.visit for each in found.visits] == ["T0", "T1"]
    assert found.visits[1].probability > found.visits[0].probability
    assert model.settings.base_rate == pytest.approx(0.29, abs=0.2)
    assert model.bands.of("longest_diameter_mm", True)["T0"].patients > 10


def test_folder_of_a_run_is_not_overwritten(run_folder, capsys):
    code, said = _pcr(
        capsys, "train", run_folder / "visits.csv", run_folder / "clinical.csv", "--out", run_folder / "run"
    )
    assert (code, "holds a run already; choose a different folder" in said) == (1, True)


def test_evaluation_refuses_patients_of_the_training(run_folder, capsys, tmp_path):
    words = ["evaluate", run_folder / "visits.csv", run_folder / "clinical.csv", "--out", tmp_path / "out"]
    code, said = _pcr(capsys, *words, "--model", run_folder / "run" / "bundle")
    assert code == 1
    assert "shares 100 patients with the training" in said
    assert not (tmp_path / "out").exists()


def test_another_trials_workbook_is_evaluated_after_each_visit(run_folder, capsys, tmp_path):
    table = other_trial(tmp_path / "trial.xlsx", visits=2)
    words = ["evaluate", table, "--model", run_folder / "run" / "bundle", "--out", tmp_path / "out"]
    code, said = _pcr(capsys, *words)
    assert code == 0
    assert "estimated in 78 of 78 patients, as it is not known: sphericity at T0, T1" in " ".join(said.split())
    result = json.loads((tmp_path / "out" / "evaluation.json").read_text(encoding="utf-8"))
    assert [visit["name"] for visit in result["cohorts"]] == ["after T0", "after T1"]
    rules = [rule["rule"] for rule in result["cohorts"][1]["rules"]]
    assert rules == ["change of longest diameter", "longest diameter at the visit"]
    assert "1001" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_options_of_images_are_refused_with_tables(run_folder, capsys, tmp_path):
    code, said = _pcr(capsys, "train", run_folder / "visits.csv", "--out", tmp_path / "o", "--pretrain", 2)
    assert (code, "--pretrain is for folders of cohorts" in said) == (2, True)
    (tmp_path / "cohort").mkdir()
    code, said = _pcr(capsys, "train", run_folder / "visits.csv", tmp_path / "cohort", "--out", tmp_path / "o")
    assert (code, "give tables alone or folders alone" in said) == (1, True)


def test_check_counts_and_warns(run_folder, capsys):
    code, said = _pcr(capsys, "check", run_folder / "visits.csv")
    assert code == 1
    assert "warning: no column for pcr" in said
    code, said = _pcr(capsys, "check", run_folder / "visits.csv", run_folder / "clinical.csv")
    assert code == 0
    assert "100 patients with a visit, 100 of them with a label" in said


def test_estimate_of_tables_is_in_minutes(run_folder, capsys):
    words = ["estimate", run_folder / "visits.csv", run_folder / "clinical.csv", "--config", run_folder / "config.json"]
    code, said = _pcr(capsys, *words)
    assert (code, "min of training" in said) == (0, True)


def test_init_writes_a_mapping_that_answers_what_was_asked(capsys, tmp_path):
    cells = simulate(40)
    named = {f"size_week{w}": cells[f"longest_diameter_mm_T{k}"] for k, w in enumerate((0, 3, 12, 24))}
    small = {name: [round(value / 10, 2) for value in values] for name, values in named.items()}
    table = write_csv({**only(cells, ["patient_id", "pcr"]), **small}, tmp_path / "a.csv")
    code, said = _pcr(capsys, "init", table)
    assert (code, "--unit mm or --unit cm" in said) == (0, True)
    mapping = tmp_path / "a.json"
    mapping.write_text(mapping.read_text(encoding="utf-8").replace("mm or cm", "cm"), encoding="utf-8")
    code, said = _pcr(capsys, "check", table, "--mapping", mapping)
    assert "longest_diameter_mm in cm: size_week0 at T0" in said
