"""The model card of a run."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PCRPredictorLib.command_line import run
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import load_bundle
from PCRTrainingLib.command_line import app
from PCRTrainingLib.evaluation.card import find_failures, read_texts
from PCRTrainingLib.runs.ranges import training_ranges


def test_failures_are_the_largest_errors_of_each_kind():
    label = np.array([1, 0, 1, 0, 1, 0])
    probability = np.array([0.9, 0.8, 0.1, 0.2, 0.5, 0.6])
    assert find_failures(probability, label, 2).tolist() == [2, 4, 1, 5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "cannot be read as JSON"),
        ('["a"]', "must be a JSON object of texts"),
        ('{"name": 3}', "must be a JSON object of texts"),
        ('{"titel": "mine"}', "'titel' is not part of a model card; use any of name, version"),
    ],
)
def test_invalid_card_is_reported_in_one_sentence(tmp_path, text, message):
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_texts(tmp_path / "card.json")


def test_card_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "card.json").write_text('{"name": "mine"}', encoding="utf-8-sig")
    assert read_texts(tmp_path / "card.json") == {"name": "mine"}


@pytest.mark.slow
def test_trained_bundle_has_the_texts_the_subgroups_and_the_failures(training_cohort, quick_config, tmp_path):
    texts = {"name": "mine", "licence": "CC BY-NC 4.0", "training_data": "From one scanner."}
    (tmp_path / "my card.json").write_text(json.dumps(texts))
    out = tmp_path / "run"
    asked = {"--config": quick_config, "--card": tmp_path / "my card.json", "--out": out, "--processes": 1}
    words = ["train", str(training_cohort), "--keep-anyway", *(str(word) for pair in asked.items() for word in pair)]
    assert run(app, words) == 0
    settings, card = load_bundle(out / "bundle").settings, load_bundle(out / "bundle").card
    assert settings.base_rate == 0.5
    assert [p.sensitivity for p in settings.operating_points] == [
        card.metrics[f"{p.name} point"]["sensitivity"]["value"] for p in settings.operating_points
    ]
    assert (card.name, card.licence) == ("mine", "CC BY-NC 4.0")
    assert card.training_data.startswith("16 patients")
    assert card.training_data.endswith("From one scanner.")
    assert card.subgroups["hr: negative"]["patients"] + card.subgroups["hr: positive"]["patients"] <= 16
    assert len(card.failures) == 6
    assert all("of plain early enhancement" in text for text in card.failures)
    assert card.metrics["balanced point"]["patients"] == 16
    assert set(card.metrics["out of fold"]) == {
        *("auc", "brier", "calibration_slope", "calibration_in_the_large", "attention_in_tumour", "attention_dice"),
        *("early_enhancement_in_tumour", "early_enhancement_dice"),
    }
    assert (out / "failures.png").stat().st_size > 10_000
    readme = (out / "bundle" / "docs" / "README.md").read_text()
    assert all(text in readme for text in (*card.failures, "| hr: negative |"))
    names = [path.name for path in (training_cohort / "images").iterdir()]
    assert not any(name in readme for name in names)


def test_quantity_shared_by_all_patients_has_no_range():
    records = [SimpleNamespace(measured={"tumour_volume": 1.0 + k, "pixel_spacing": 0.714}) for k in range(101)]
    (found,) = training_ranges(SimpleNamespace(records=records))
    assert (found.quantity, found.low, found.high) == ("tumour_volume", 2.0, 100.0)
