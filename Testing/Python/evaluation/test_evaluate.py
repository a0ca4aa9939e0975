import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import Bundle, find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from PCRTrainingLib.cohort.build import open_or_build
from PCRTrainingLib.command_line import app, run
from PCRTrainingLib.evaluation.evaluate import cohort_names, run_bundle, write_evaluation
from PCRTrainingLib.progress import Progress
from support.training_cohort import read_table, write_cohort, write_table


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohorts") / "hospital two", 12, prefix="Q", seed=50)


@pytest.fixture(scope="module")
def evaluated(trained, elsewhere, tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluations") / "e"
    bundles = [load_bundle(trained / "bundle"), load_bundle(find_bundle("phantom"))]
    write_evaluation([elsewhere], bundles, out, "cpu", Progress())
    return out


def test_every_metric_has_its_interval(evaluated):
    (cohort,) = json.loads((evaluated / "evaluation.json").read_text())["cohorts"]
    assert (cohort["name"], cohort["patients"], cohort["positives"]) == ("hospital two", 12, 6)
    for model in cohort["models"]:
        for name in ("auc", "sensitivity", "specificity", "balanced_accuracy", "brier", "challenge_score"):
            low, high = model[name]["low"], model[name]["high"]
            assert low is None or low <= model[name]["value"] <= high
        attention = model["attention"]
        for beside in (attention, attention["common"], attention["enhancement"], attention["enhancement"]["common"]):
            assert all(0 < beside[name]["value"] <= 1 for name in ("in_tumour", "dice", "pointing_game"))


def test_evaluation_leaves_three_files_and_no_images(evaluated):
    names = ["evaluation.json", "predictions.csv", "report.html", "report.md"]
    assert sorted(path.name for path in evaluated.iterdir()) == names
    assert "hospital two" in (evaluated / "report.html").read_text()


def test_evaluation_shows_the_cohort_beside_the_training_patients_of_each_model(evaluated):
    (cohort,) = json.loads((evaluated / "evaluation.json").read_text())["cohorts"]
    assert [shift["model"] for shift in cohort["shift"]] == [model["name"] for model in cohort["models"]]
    for shift in cohort["shift"]:
        assert (shift["patients"], shift["labelled"], shift["prevalence"]["value"]) == (12, 12, 0.5)
        found = {variable["name"]: variable["here"] for variable in shift["variables"]}
        assert found["plane"]["shares"] == {"axial": 1}
        assert found["slice_spacing"]["percentiles"]["50"] == 4
    new = cohort["shift"][0]
    assert (new["training"]["patients"], new["training"]["prevalence"], new["training"]["missing"]) == (16, 0.5, "")
    assert all(variable["difference"] is not None for variable in new["variables"] if variable["name"] != "her2")
    for name in ("report.html", "report.md"):
        text = (evaluated / name).read_text()
        assert "Beside the training patients of phantom" in text
        assert "are at or above the threshold of" in text
    assert "Q3" not in text  # of the Markdown; base64 of a picture may hold it


def test_what_maps_do_is_measured_on_request(bundle, elsewhere, evaluated, tmp_path):
    asked = {"--model": bundle.path, "--out": tmp_path / "e"}
    words = ["evaluate", str(elsewhere), "--maps", *(str(word) for pair in asked.items() for word in pair)]
    assert run(app, words) == 0
    (cohort,) = json.loads((tmp_path / "e" / "evaluation.json").read_text())["cohorts"]
    effects = cohort["models"][0]["effects"]
    assert list(effects["curves"]) == ["attention", "early enhancement", "random order"]
    assert "What the maps do" in (tmp_path / "e" / "report.html").read_text()
    assert "What the maps do" not in (evaluated / "report.html").read_text()


def test_evaluation_agrees_with_predict(trained, elsewhere, evaluated, tmp_path):
    """The AUC of `pcr evaluate` is that of the probabilities of `pcr predict`."""
    import csv

    from PCRTrainingLib.statistics.metrics import auc

    assert (
        run(
            app,
            ["predict", "--cohort", str(elsewhere), "--model", str(trained / "bundle"), "--out", str(tmp_path / "p")],
        )
        == 0
    )
    with (tmp_path / "p" / "predictions.csv").open(newline="") as file:
        predicted = {row["patient_id"]: float(row["probability"]) for row in csv.DictReader(file)}
    labels = {row["patient_id"]: int(row["pcr"]) for row in read_table(elsewhere)}
    expected = auc(np.array([predicted[name] for name in labels]), np.array(list(labels.values())))
    (cohort,) = json.loads((evaluated / "evaluation.json").read_text())["cohorts"]
    assert cohort["models"][0]["auc"]["value"] == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("averaging", ["logit", "probability"])
def test_probability_of_an_evaluation_is_that_of_the_predictor(bundle, elsewhere, tmp_path, averaging):
    bundle = replace(bundle, settings=replace(bundle.settings, averaging=averaging))
    cache = open_or_build(elsewhere, tmp_path, bundle.settings.grid, bundle.schema, Progress())
    first = read_patient(find_patients(elsewhere)[0])
    expected = Predictor(bundle).predict(first).probability
    assert run_bundle(bundle, cache).probability[0] == pytest.approx(expected, abs=2e-3)  # cached with half precision


def test_bundle_compared_with_itself_is_exactly_0(bundle, elsewhere, tmp_path):
    write_evaluation([elsewhere], [bundle, bundle], tmp_path / "e", "cpu", Progress())
    (cohort,) = json.loads((tmp_path / "e" / "evaluation.json").read_text())["cohorts"]
    (pair,) = cohort["comparisons"]
    zero = {"value": 0.0, "low": 0.0, "high": 0.0}
    assert (pair["auc_difference"], pair["sensitivity_difference"]) == (zero, zero)
    assert (pair["p"], pair["p_adjusted"], pair["sensitivity_p"]) == (1.0, 1.0, 1.0)
    assert {model["interval_over"] for model in cohort["models"]} == {"patients and networks of the folds"}


def renamed(cohort, copy, names):
    """Return a copy of a cohort in which some patients have other names."""
    shutil.copytree(cohort, copy)
    for folder in (copy / "images", copy / "segmentations" / "expert"):
        for path in sorted(folder.rglob("*"), reverse=True):
            for old, new in names.items():
                if path.name.split("_")[0].split(".")[0].lower() == old.lower():
                    path.rename(path.with_name(path.name.replace(old, new).replace(old.lower(), new.lower())))
                    break
    write_table(copy, [{**r, "patient_id": names.get(r["patient_id"], r["patient_id"])} for r in read_table(copy)])
    return copy


def test_training_patients_are_refused_by_their_images_after_renaming(trained, training_cohort, tmp_path):
    names = {row["patient_id"]: f"A{row['patient_id']}" for row in read_table(training_cohort)}
    cohort = renamed(training_cohort, tmp_path / "renamed", names)
    message = (
        r"shares 16 patients with the training cohort \(.*; found by the images\); take them out .*--leave-out-known"
    )
    with pytest.raises(DataError, match=message) as refused:
        write_evaluation([cohort], [load_bundle(trained / "bundle")], tmp_path / "e", "cpu", Progress())
    assert "rename those" not in str(refused.value)
    assert not (tmp_path / "e").exists()


def test_training_patients_are_refused_by_identifier_before_an_image_is_read(trained, elsewhere, tmp_path, monkeypatch):
    cohort = renamed(elsewhere, tmp_path / "changed", {"Q3": "P3"})
    monkeypatch.setattr("PCRTrainingLib.evaluation.evaluate.open_or_build", None)
    message = (
        r"shares 1 patient with the training cohort \(P3; found by the identifier\); take them .*, or rename those"
    )
    with pytest.raises(DataError, match=message):
        write_evaluation([cohort], [load_bundle(trained / "bundle")], tmp_path / "e", "cpu", Progress())


def test_patients_that_the_model_knows_are_left_out_on_request(trained, training_cohort, elsewhere, tmp_path):
    cohort = renamed(elsewhere, tmp_path / "changed", {"Q3": "P3"})
    shutil.copytree(training_cohort / "images" / "P1", cohort / "images" / "Q99")
    for file in (cohort / "images" / "Q99").iterdir():
        file.rename(file.with_name(file.name.replace("p1", "q99")))
    mask = "segmentations/expert"
    shutil.copy(training_cohort / mask / "p1.nii.gz", cohort / mask / "q99.nii.gz")
    write_table(cohort, [*read_table(cohort), {**read_table(training_cohort)[1], "patient_id": "Q99"}])
    bundle = load_bundle(trained / "bundle")
    write_evaluation([cohort], [bundle], tmp_path / "e", "cpu", Progress(), leave_out_known=True)
    (found,) = json.loads((tmp_path / "e" / "evaluation.json").read_text())["cohorts"]
    assert (found["patients"], found["left_out"]) == (11, 2)
    text = (tmp_path / "e" / "report.md").read_text()
    assert "was trained on these images; left out as asked" in text and "of this identifier; left out as asked" in text


def test_order_of_the_models_changes_nothing(bundle, elsewhere, tmp_path):
    cohort = shutil.copytree(elsewhere, tmp_path / "c")
    write_table(
        cohort, [row | {"age": row["age"] if k else "old", "er": "1"} for k, row in enumerate(read_table(cohort))]
    )
    hr = next(variable for variable in bundle.schema.variables if variable.name == "hr")
    other = replace(
        bundle,
        card=replace(bundle.card, name="other"),
        schema=ClinicalSchema((hr, replace(hr, name="er"))),
        settings=replace(bundle.settings, grid=replace(bundle.settings.grid, middle=0.3)),
    )
    found = []
    for k, models in enumerate(([bundle, other], [other, bundle])):
        write_evaluation([cohort], models, tmp_path / str(k), "cpu", Progress())
        (result,) = json.loads((tmp_path / str(k) / "evaluation.json").read_text())["cohorts"]
        found.append((result["patients"], {model["name"]: model for model in result["models"]}))
    assert found[0] == found[1]
    assert found[0][0] == 11
    assert len({model["brier"]["value"] for model in found[0][1].values()}) == 2


def test_bundle_contains_no_identifier_and_an_old_one_still_loads(trained, tmp_path):
    path = shutil.copytree(trained / "bundle", tmp_path / "old") / "configs" / "training_images.json"
    content = json.loads(path.read_text())
    assert len(content["patients"]) == 16
    assert not any(f'"{name}{k}"' in path.read_text() for name in "Pp" for k in range(16))
    path.write_text(json.dumps({"fingerprints": content["fingerprints"]}))
    old = Bundle(tmp_path / "old", None, None, None, "")
    assert (len(old.training_hashes[0]), old.training_hashes[1]) == (16, [])


def test_cohort_of_one_class_is_refused(trained, elsewhere, tmp_path):
    cohort = shutil.copytree(elsewhere, tmp_path / "one")
    write_table(cohort, [{**row, "pcr": "0"} for row in read_table(cohort)])
    with pytest.raises(DataError, match="must have patients with and without pCR to evaluate on, got 0 with"):
        write_evaluation([cohort], [load_bundle(trained / "bundle")], tmp_path / "e", "cpu", Progress())


def test_cohorts_of_one_name_are_numbered(tmp_path):
    assert cohort_names([tmp_path / "a" / "x", tmp_path / "b" / "x", tmp_path / "y"]) == ["x 1", "x 2", "y"]
