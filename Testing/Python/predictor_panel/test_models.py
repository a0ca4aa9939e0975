"""The panel's sections "Patient" and "Model"."""

import shutil

import pytest
from PCRPredictorLib.bundles.export import export_bundle

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.follow_up.response_model import write_tiny_response
from support.panel_help import choose_tiny, predict

SHIPPED = ["ispy2 (bundled)", "phantom (bundled)"]


def listed(panel):
    return [panel.ui.modelSelector.itemText(k) for k in range(panel.ui.modelSelector.count)]


def fields(panel):
    return [name for name in panel.patient._fields]


def test_bundled_model_is_there_with_its_card(panel):
    assert listed(panel) == SHIPPED
    for word in ("Trained on", "Performance", "AUC", "Licence", "Not for"):
        assert word in panel.ui.cardBrowser.toPlainText()
    assert not panel.ui.removeModelButton.enabled


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_own_model_is_added_used_and_removed(panel, bundle, tmp_path, monkeypatch, kind):
    source = bundle.path
    if kind == "zip":
        source = tmp_path / "own model.zip"
        export_bundle(bundle.path, source)
    panel.models.add(source)
    assert panel.messages == []
    assert len(listed(panel)) == 3
    assert "tiny" in panel.ui.cardBrowser.toPlainText()
    assert fields(panel) == ["age", "hr"]
    choose_tiny(panel)
    predict(panel)
    assert panel.session.result.prediction.model.name == "tiny"
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda *_args, **_options: True)
    panel.ui.removeModelButton.click()
    assert listed(panel) == SHIPPED
    assert fields(panel) == ["age", "hr", "her2", "mammaprint", "nac_agent"]


def test_models_of_runs_are_named_after_the_runs(panel, bundle, tmp_path):
    for run in ("run a", "run b"):
        panel.models.add(shutil.copytree(bundle.path, tmp_path / run / "bundle"))
    assert panel.messages == []
    assert listed(panel) == [*SHIPPED, "run a", "run b"]


def test_model_is_not_removed_without_consent(panel, bundle, monkeypatch):
    panel.models.add(bundle.path)
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda *_args, **_options: False)
    panel.ui.removeModelButton.click()
    assert len(listed(panel)) == 3


def test_damaged_model_is_refused_with_one_message(panel, bundle, tmp_path):
    damaged = shutil.copytree(bundle.path, tmp_path / "damaged")
    next(damaged.glob("models/*.safetensors")).write_bytes(b"nothing")
    panel.models.add(damaged)
    assert len(panel.messages) == 1
    assert listed(panel) == SHIPPED


def test_response_model_is_added_with_a_sentence_where_it_is_chosen(panel, tmp_path):
    panel.models.add(write_tiny_response(tmp_path / "course"))
    assert panel.messages == ["course was added. It reads several visits: choose it in the section Follow-up."]
    assert listed(panel) == SHIPPED


def test_clinical_values_can_be_entered_and_become_unknown_again(panel):
    age, receptor = panel.patient._fields["age"], panel.patient._fields["hr"]
    assert (age.text, receptor.currentText) == ("unknown", "unknown")
    age.setValue(50)
    receptor.setCurrentIndex(receptor.findText("positive"))
    assert panel.session.clinical.values == {"age": 50, "hr": "positive"}
    age.setValue(age.minimum)
    receptor.setCurrentIndex(0)
    assert panel.session.clinical.values == {}


def test_values_of_a_patient_are_shown_with_all_their_digits(panel):
    panel.session.enter({"age": 52.7})
    assert panel.session.clinical.values == {"age": 52.7}
    assert panel.patient._fields["age"].text == "52.7 years"
    panel.session.enter({"age": 53})
    assert panel.patient._fields["age"].text == "53 years"


def test_values_in_the_spelling_of_a_table_are_shown(panel):
    panel.session.enter({"age": "47", "her2": "1"})
    assert panel.patient._fields["age"].value == 47
    assert panel.patient._fields["her2"].currentText == "positive"


def test_device_is_offered(panel):
    assert panel.ui.deviceSelector.currentData == "automatic"
    panel.ui.deviceSelector.setCurrentIndex(1)
    assert panel.session.model.device == "cpu"
