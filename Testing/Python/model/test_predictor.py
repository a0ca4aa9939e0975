import json
import pickle
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam, Geometry, Lesion
from PCRPredictorLib.model import predictor as predictor_module
from PCRPredictorLib.model.card import Typical
from PCRPredictorLib.model.grid import spread_in_exam
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.model.training_marks import image_hash
from support.examples import AXIAL, SAGITTAL, TILT, tiny_exam


@pytest.fixture(scope="module")
def predictor(bundle):
    return Predictor(bundle)


@pytest.fixture
def exam():
    """Noise with an enhancing ball that washes out."""
    rng = np.random.default_rng(0)
    geometry = Geometry((160, 150, 24), (0.8, 0.8, 2.0), (-60, -40, 10))
    k, j, i = np.indices(geometry.shape)
    ball = ((k - 12) * 2.0) ** 2 + ((j - 70) * 0.8) ** 2 + ((i - 90) * 0.8) ** 2 < 12**2
    base = rng.normal(200, 10, geometry.shape)
    phases = [base + enhancement * ball for enhancement in (0, 300, 250)]
    return Exam(*(p.astype(np.int16) for p in phases), geometry, ball.astype(np.uint8), {"age": "52", "hr": "1"})


def test_prediction_is_a_probability_between_its_folds(predictor, exam):
    prediction = predictor.predict(exam)
    low, high = prediction.interval
    assert 0 < low <= prediction.probability <= high < 1
    assert prediction.probability == pytest.approx(np.mean(prediction.fold_probabilities))
    assert prediction.clinical == {"Age": "52 years", "Hormone receptors": "positive"}


def test_attention_is_on_the_exam_grid_with_its_peak_at_one(predictor, exam):
    attention = predictor.predict(exam).attention
    assert attention.shape == exam.pre.shape
    assert attention.dtype == np.float32
    assert attention.max() == pytest.approx(1)
    assert attention.min() == 0


def test_predicting_twice_gives_the_same(predictor, exam):
    first, second = predictor.predict(exam), predictor.predict(exam)
    assert first.probability == second.probability
    np.testing.assert_array_equal(first.attention, second.attention)


def test_gain_of_the_scanner_does_not_matter(predictor, exam):
    louder = replace(exam, **{name: 3 * getattr(exam, name) for name in ("pre", "early", "late")})
    assert predictor.predict(louder).probability == pytest.approx(predictor.predict(exam).probability, abs=1e-4)


def test_left_and_right_breast_get_the_same(predictor, exam):
    mirrored = replace(exam, **{name: getattr(exam, name)[:, :, ::-1] for name in ("pre", "early", "late", "mask")})
    assert predictor.predict(mirrored).probability == pytest.approx(predictor.predict(exam).probability, abs=1e-4)


def test_operating_point_decides(predictor, exam):
    probability = predictor.predict(exam).probability
    for name in ("balanced", "high sensitivity"):
        prediction = replace(predictor.predict(exam, name), notices=())
        assert prediction.decision == ("pCR" if probability >= prediction.operating_point.threshold else "no pCR")


def test_no_decision_is_given_of_an_exam_of_the_training_or_if_the_attention_is_elsewhere(bundle, exam, tmp_path):
    copy = Path(shutil.copytree(bundle.path, tmp_path / "bundle"))
    (copy / "configs" / "training_images.json").write_text(json.dumps({"fingerprints": [image_hash(exam)]}))
    prediction = Predictor(replace(bundle, path=copy)).predict(exam.with_lesions([Lesion("a", exam.mask)] * 2))
    assert prediction.decision is None
    for each in (prediction, *(lesion.prediction for lesion in prediction.lesions)):
        assert {notice.code for notice in each.reasons_against} == {"trained_on_exam", "attention_elsewhere"}
    written = prediction.to_json()
    assert written["decision"] is None
    assert "do not rely on this prediction" in written["decision_withheld"]


def test_image_probability_does_not_know_the_clinical_values(predictor, exam):
    without = replace(exam, clinical={})
    known, unknown = predictor.predict(exam), predictor.predict(without)
    assert known.probability != unknown.probability
    assert known.image_probability == pytest.approx(unknown.probability)


def test_missing_clinical_values_are_reported(predictor, exam):
    notices = {n.code: n.message for n in predictor.predict(replace(exam, clinical={"age": 52})).notices}
    assert notices["clinical_missing"] == "Not given and therefore read as unknown: Hormone receptors."


def test_optional_value_that_cannot_be_read_is_named_and_a_missing_one_is_not(bundle, exam):
    age, hormones = bundle.schema.variables
    optional = Predictor(replace(bundle, schema=ClinicalSchema((age, replace(hormones, optional=True)))))
    notices = {n.code: n.message for n in optional.predict(replace(exam, clinical={"age": 52, "hr": "x"})).notices}
    assert notices["optional_unreadable"].startswith("Read as unknown: hr must be ")
    notices = optional.predict(replace(exam, clinical={"age": 52})).notices
    assert not {"optional_unreadable", "clinical_missing"} & {n.code for n in notices}


def test_value_beyond_the_training_range_is_clipped_and_named(bundle, exam):
    age, hormones = bundle.schema.variables
    limited = replace(bundle, schema=ClinicalSchema((replace(age, low=30.0, high=60.0), hormones)))
    old, older = (Predictor(limited).predict(replace(exam, clinical={"age": years})) for years in (60, 85))
    assert older.probability == old.probability
    assert [n.message for n in older.notices if n.code == "clipped_age"] == [
        "Outside the range of the training patients: age is 85 years; the range is 30 to 60 years (1st to 99th "
        "percentile). "
        "The model reads 60 years instead."
    ]
    assert "clipped_age" not in {notice.code for notice in old.notices}


def test_tumour_unlike_the_training_patients_is_reported(predictor, exam):
    mask = np.zeros_like(exam.mask)
    mask[12, 70, 90] = 1
    notices = {n.code: n.message for n in predictor.predict(replace(exam, mask=mask)).notices}
    assert "tiny" in notices["mask_tiny"]
    assert "theirs was 0.5 to 200 ml" in notices["unfamiliar_tumour_volume"]


def test_weakly_enhancing_tumour_is_reported(predictor, exam):
    weak = replace(exam, early=(exam.pre + 10).astype(np.int16), late=(exam.pre + 20).astype(np.int16))
    assert "weak_enhancement" in {n.code for n in predictor.predict(weak).notices}


def test_clinical_value_outside_the_schema_is_refused(predictor, exam):
    with pytest.raises(DataError, match="hr must be negative, positive"):
        predictor.predict(replace(exam, clinical={"hr": "perhaps"}))


def test_a_process_without_torch_can_take_over_the_result(predictor, exam):
    assert not re.findall(rb"\x8c.(torch\.\w+)", pickle.dumps(predictor.predict(exam)))


def test_json_holds_plain_values(predictor, exam):
    content = json.loads(json.dumps(predictor.predict(exam).to_json()))
    assert set(content) >= {"probability", "interval", "decision", "operating_point", "attention", "warnings", "model"}
    assert content["model"]["checksum"] == predictor.bundle.checksum
    assert "Research use only" in content["disclaimer"]


@pytest.fixture
def two_lesions(exam):
    """The ball cut into a small left and a large right part."""
    parts = [np.array(exam.mask), np.array(exam.mask)]
    parts[0][:, :, 85:], parts[1][:, :, :85] = 0, 0
    return exam.with_lesions([Lesion("small", parts[0], 1), Lesion("large", parts[1], 2)])


def test_each_lesion_gets_what_it_would_get_alone_and_the_largest_stands_for_the_exam(predictor, two_lesions):
    prediction = predictor.predict(two_lesions)
    assert [lesion.name for lesion in prediction.lesions] == ["large", "small"]
    for lesion, found in zip(two_lesions.lesions, prediction.lesions, strict=True):
        alone = predictor.predict(replace(two_lesions, mask=lesion.mask, lesions=()))
        assert found.prediction.probability == alone.probability
    assert prediction.probability == prediction.lesions[0].prediction.probability
    assert "several_lesions" in {notice.code for notice in prediction.notices}


def test_lesions_are_listed_with_their_values(predictor, two_lesions):
    prediction = predictor.predict(two_lesions).at(predictor.bundle.operating_point("high sensitivity"))
    large, small = prediction.to_json()["lesions"]
    assert (small["name"], small["label"]) == ("small", 1)
    assert small["tumour"]["volume_ml"] < large["tumour"]["volume_ml"] == prediction.tumour.volume_ml
    assert {"probability", "attention", "warnings"} <= set(small)
    assert small["decision"] == prediction.lesions[1].prediction.decision


def test_lesion_that_cannot_be_predicted_is_named(predictor, two_lesions):
    early = np.array(two_lesions.early)
    early[two_lesions.lesions[1].mask != 0] = 0
    with pytest.raises(DataError, match=r"small: the phases look swapped.*leave this lesion out"):
        predictor.predict(replace(two_lesions, early=early))


@pytest.mark.parametrize("axes", [AXIAL, SAGITTAL, TILT])
def test_bars_add_up_to_the_result_and_the_map_to_the_bar_of_the_image(predictor, axes):
    found = predictor.predict(tiny_exam(axes))
    odds = found.probability / (1 - found.probability)
    assert sum(term.log_odds for term in found.evidence.terms) == pytest.approx(np.log(odds), abs=1e-5)
    assert found.evidence_map.sum(dtype=float) == pytest.approx(found.evidence.image.log_odds, abs=1e-5)
    assert found.evidence_map.shape == found.attention.shape
    assert not {"evidence_inexact"} & {notice.code for notice in found.notices}


def test_map_is_zero_where_the_model_does_not_look(predictor, exam):
    found = predictor.predict(exam)
    assert not found.evidence_map[found.attention == 0].any()


def test_evidence_that_does_not_add_up_is_reported(predictor, exam, monkeypatch):
    monkeypatch.setattr(predictor_module, "spread_in_exam", lambda values, window: 2 * spread_in_exam(values, window))
    notices = {notice.code: notice.message for notice in predictor.predict(exam).notices}
    assert "do not rely on it" in notices["evidence_inexact"]


def test_model_that_averages_logits_has_no_remainder(bundle, exam):
    settings = replace(bundle.settings, averaging="logit", typical=Typical(0.3, {"age": 0.1}))
    found = Predictor(replace(bundle, settings=settings)).predict(exam)
    assert {term.kind for term in found.evidence.terms} == {"base", "clinical", "image"}
    assert found.evidence_map.sum(dtype=float) == pytest.approx(found.evidence.image.log_odds, abs=1e-5)


def test_what_if_gives_what_a_prediction_with_these_values_would(predictor, exam):
    asked = {"age": 61, "hr": "negative"}
    expected = predictor.predict(replace(exam, clinical=asked))
    found = predictor.what_if(predictor.predict(replace(exam, clinical={})), asked)
    assert found.probability == pytest.approx(expected.probability, abs=1e-6)
    assert found.mask_interval == pytest.approx(expected.mask_interval, abs=1e-6)
    assert (found.clinical, found.notices) == (expected.clinical, expected.notices)
    assert [t.log_odds for t in found.evidence.terms] == pytest.approx([t.log_odds for t in expected.evidence.terms])
    assert found.evidence.sum_error < 1e-6


def test_what_if_answers_for_every_lesion(predictor, two_lesions):
    asked = {"hr": "negative"}
    expected = predictor.predict(replace(two_lesions, clinical=asked))
    found = predictor.what_if(predictor.predict(two_lesions), asked)
    for one, other in zip(found.lesions, expected.lesions, strict=True):
        assert one.prediction.probability == pytest.approx(other.prediction.probability, abs=1e-6)
    assert (found.probability, found.notices) == (found.lesions[0].prediction.probability, expected.notices)


def test_what_if_refuses_a_value_outside_the_schema_and_a_result_without_its_basis(predictor, exam):
    found = predictor.predict(exam)
    with pytest.raises(DataError, match="hr must be negative, positive"):
        predictor.what_if(found, {"hr": "perhaps"})
    with pytest.raises(DataError, match="predict the exam again"):
        predictor.what_if(replace(found, basis=None), {})
