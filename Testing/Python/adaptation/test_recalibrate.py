import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.bundles.folder import verify_bundle
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import RECALIBRATION, find_bundle, load_bundle
from PCRPredictorLib.prediction import OperatingPoint
from PCRPredictorLib.shift.reference import points_fixed_on
from PCRTrainingLib.adaptation.recalibrate import calibrated_log_odds, check_numbers
from PCRTrainingLib.adaptation.recalibration_report import describe_adaptation, measure_adaptation
from PCRTrainingLib.cohort.build import open_or_build
from PCRTrainingLib.command_line import app, run
from PCRTrainingLib.evaluation.evaluate import run_bundle
from PCRTrainingLib.progress import Progress
from PCRTrainingLib.statistics.adaptation import adapt, possible_forms
from PCRTrainingLib.statistics.recalibration import FORMS
from PCRTrainingLib.statistics.recalibration import recalibrated as recalibrate_all
from scipy.special import expit
from support.training_cohort import read_table, write_cohort, write_table

POINTS = (OperatingPoint("balanced", 0.3, 0.8, 0.6), OperatingPoint("high specificity", 0.6, 0.3, 0.9))


def words(out, cohort, model="phantom", *more):
    return ["bundle", "recalibrate", str(model), str(cohort), "--out", str(out), *more]


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohorts") / "clinic", 32, prefix="L", seed=70)


@pytest.fixture(scope="module")
def recalibrated(local, tmp_path_factory):
    out = tmp_path_factory.mktemp("bundles") / "new"
    assert run(app, words(out, local)) == 0
    return out


def test_new_bundle_says_what_was_done_on_whom_and_leaves_the_old_one(recalibrated, local, capsys):
    old, new = load_bundle(find_bundle("phantom")), load_bundle(recalibrated)
    assert (new.card.name, new.card.version) == ("phantom-clinic", "1.0.0")
    assert (
        f"{old.card.name} {old.card.version}, recalibrated on 32 patients of clinic, 16 with pCR"
        in new.card.description
    )
    assert "clinic, cross-fitted" in new.card.metrics
    content = json.loads((recalibrated / RECALIBRATION).read_text())
    assert (content["base"]["checksum"], content["patients"]) == (verify_bundle(find_bundle("phantom")), 32)
    assert (new.settings.base_rate, new.operating_point().patients) == (0.5, 32)
    assert points_fixed_on(new) == "the 32 patients that it was recalibrated on"
    text = "".join(path.read_text() for path in recalibrated.rglob("*.[jm]*") if path.suffix in (".json", ".md"))
    assert not any(f'{name}{k}"' in text for name in "Ll" for k in range(32))


def test_probabilities_are_those_that_the_change_promises(recalibrated, local, tmp_path):
    old, new = load_bundle(find_bundle("phantom")), load_bundle(recalibrated)
    content = json.loads((recalibrated / RECALIBRATION).read_text())
    cache = open_or_build(local, tmp_path / "c", old.settings.grid, old.schema)
    before, after = run_bundle(old, cache), run_bundle(new, cache)
    assert content["log_loss"]["before"] == pytest.approx(
        -np.log(np.where(cache.labels == 1, before.probability, 1 - before.probability)).mean(), rel=1e-6
    )
    assert np.allclose(before.logit, after.logit)
    if content["form"] != "none":
        assert not np.allclose(before.probability, after.probability, atol=0.01)


def test_its_patients_are_refused_in_an_evaluation_and_in_a_second_recalibration(recalibrated, local, tmp_path, capsys):
    assert run(app, ["evaluate", str(local), "--model", str(recalibrated), "--out", str(tmp_path / "e")]) == 1
    assert run(app, words(tmp_path / "again", local, recalibrated)) == 1
    assert capsys.readouterr().err.count("shares 32 patients with the training cohort") == 2
    assert not (tmp_path / "again").exists()


def test_patients_of_the_training_are_refused(trained, training_cohort, tmp_path, capsys):
    assert run(app, words(tmp_path / "new", training_cohort, trained)) == 1
    assert "shares 16 patients with the training cohort" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_folder_with_files_is_refused_before_anything_is_read(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run(app, words(tmp_path, tmp_path / "no cohort")) == 1
    assert "must be a new or empty folder for the new bundle" in capsys.readouterr().err


def test_one_class_and_too_few_are_refused(local, tmp_path, capsys):
    cohort = shutil.copytree(local, tmp_path / "one")
    write_table(cohort, [{**row, "pcr": "0" if k else "1"} for k, row in enumerate(read_table(local))])
    assert run(app, words(tmp_path / "new", cohort)) == 1
    assert "got 32 and 1 with; 30 and more are better" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("patients", "positives", "text"),
    [(40, 0, "with and without pCR"), (40, 40, "with and without pCR"), (19, 9, "20 labelled"), (40, 2, "3 of them")],
)
def test_numbers_that_are_refused(patients, positives, text):
    with pytest.raises(DataError, match=text):
        check_numbers("cohort", np.r_[np.ones(positives, int), np.zeros(patients - positives, int)])


@pytest.mark.parametrize(("patients", "positives", "forms"), [(20, 9, 2), (29, 9, 2), (30, 4, 2), (30, 5, 3)])
def test_few_patients_have_an_offset_only_and_that_is_said(patients, positives, forms):
    found, reason = possible_forms(np.r_[np.ones(positives, int), np.zeros(patients - positives, int)])
    assert found == FORMS[:forms]
    assert ("too few for a slope" in reason) == (forms == 2)


def sample(number, offset, seed=0):
    rng = np.random.default_rng(seed)
    middle = rng.normal(-0.6, 1.2, number)
    return np.stack([middle - 0.1, middle + 0.1]), (rng.random(number) < expit(middle + offset)).astype(int)


def test_gain_that_is_not_there_is_said(bundle):
    log_odds, label = sample(40, 0.0, seed=1)
    measured = measure_adaptation(bundle, "x", adapt(log_odds, label, POINTS, "promised", 2), label, "promised")
    text = " ".join(describe_adaptation(measured))
    assert "A gain is not shown" in text
    log_odds, label = sample(60, -2.0)
    found = adapt(log_odds, label, POINTS, "promised", 2)
    text = " ".join(describe_adaptation(measure_adaptation(bundle, "x", found, label, "promised")))
    assert "A gain is not shown" not in text
    assert found.change[1] < -1


def test_adaptation_is_the_same_every_time():
    log_odds, label = sample(40, -1.0)
    one, other = (adapt(log_odds, label, POINTS, "promised", 2) for _ in range(2))
    assert one.change == other.change and one.points == other.points
    assert np.array_equal(one.fitted.after, other.fitted.after)


@pytest.mark.parametrize(("averaging", "folds"), [("logit", 1), ("probability", 2)])
def test_log_odds_are_averaged_as_the_model_does(bundle, local, tmp_path, averaging, folds):
    cache = open_or_build(local, tmp_path / "c", bundle.settings.grid, bundle.schema)
    model = replace(bundle, settings=replace(bundle.settings, averaging=averaging))
    log_odds = calibrated_log_odds(model, cache, "cpu", Progress())
    assert len(log_odds) == folds
    assert np.allclose(recalibrate_all(log_odds), run_bundle(model, cache).probability)
