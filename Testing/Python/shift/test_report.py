import json
import shutil
from dataclasses import replace

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import TRAINING_DISTRIBUTION, load_bundle, write_bundle
from PCRPredictorLib.shift.facts import PatientFacts, summarise_training
from PCRPredictorLib.shift.reference import training_distribution
from PCRPredictorLib.shift.report import PAGE, RESULT, TEXT, KnownPatients, write_shift

PATIENTS = [PatientFacts({"age": 40.0 + k, "tumour_volume": 300.0}, {}, k % 2, k / 40) for k in range(40)]


@pytest.fixture
def recorded(bundle, tmp_path):
    """The bundle, with a training distribution."""
    known = summarise_training(PATIENTS, bundle.schema)
    weights = [network.state_dict() for network in bundle.load_networks()]
    parts = {TRAINING_DISTRIBUTION: known.to_json()}
    write_bundle(tmp_path / "b", bundle.card, bundle.schema, bundle.settings, weights, "# card\n", more=parts)
    return load_bundle(tmp_path / "b")


def test_bundle_keeps_its_training_distribution(recorded):
    found = training_distribution(recorded)
    assert found == summarise_training(PATIENTS, recorded.schema)
    assert not found.missing


def test_old_bundle_says_what_it_lacks_and_compares_times_and_ranges(bundle):
    found = training_distribution(bundle)
    assert "does not record what its training patients were like, so that only " in found.missing
    assert found.find("tumour_volume").percentiles == {"1": 0.5, "99": 200.0}
    assert found.find("early").percentiles["50"] == bundle.settings.times[0].quartiles[1]
    simulated = replace(bundle, card=replace(bundle.card, training_data="600 simulated patients"))
    assert "was trained on simulated exams" in training_distribution(simulated).missing
    nothing = replace(bundle, settings=replace(bundle.settings, times=(), familiar=()))
    assert "nothing can be compared" in training_distribution(nothing).missing


def test_damaged_distribution_is_refused(recorded, tmp_path):
    path = shutil.copytree(recorded.path, tmp_path / "damaged")
    (path / TRAINING_DISTRIBUTION).write_text('{"format": 7, "variables": []}')
    with pytest.raises(DataError, match="its training distribution cannot be read"):
        training_distribution(replace(recorded, path=path))


def test_files_say_the_same(bundle, tmp_path):
    sentences = write_shift(bundle, PATIENTS, "elsewhere", tmp_path)
    content = json.loads((tmp_path / RESULT).read_text())
    assert content["sentences"] == sentences and content["cohort"] == "elsewhere"
    for name in (PAGE, TEXT):
        text = (tmp_path / name).read_text()
        assert "tumour volume, ml" in text and "are at or above the threshold of" in text
    volume = next(each for each in content["variables"] if each["name"] == "tumour_volume")
    assert volume["outside"]["value"] == 1


def test_patients_that_the_model_knows_are_said_first_everywhere(bundle, tmp_path):
    sentences = write_shift(bundle, PATIENTS, "elsewhere", tmp_path, KnownPatients(images=3, names=1))
    assert sentences[0].startswith(
        "The model was trained on 4 of these 44 patients (3 by their images, 1 by the identifier alone)"
    )
    for name in (PAGE, TEXT):
        text = (tmp_path / name).read_text()
        assert text.index("The model was trained on 4 of these") < text.index("at or above the threshold")


def test_nothing_is_compared_if_the_model_knows_every_patient(bundle, tmp_path):
    sentences = write_shift(bundle, [], "its own", tmp_path, KnownPatients(images=5))
    assert sentences[0].startswith("The model was trained on all of these patients and knows their outcome")
    assert len(sentences) == 2 and "ensitivity" not in " ".join(sentences)
