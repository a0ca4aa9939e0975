"""A hospital's side: what it answers, what it keeps, and how it fails."""

import json
from dataclasses import replace

import pytest
import torch
from PCRPredictorLib import __version__
from PCRPredictorLib.model.bundle import load_bundle
from PCRTrainingLib.config import config_to_json
from PCRTrainingLib.federation.agreement import shared_schema
from PCRTrainingLib.federation.messages import COUNTS, METRICS, Task
from PCRTrainingLib.federation.rounds import Federation
from support.federated.direct import DirectHub
from support.federated.sites import CONFIG, Spoken, begin, real_site
from support.training_cohort import read_table, write_cohort, write_table


class Tapped(DirectHub):
    """Keeps every text and the names of all tensors that leave a site."""

    def __init__(self, sites):
        super().__init__(sites)
        self.texts, self.tensors = [], set()

    def ask(self, task, weights):
        found = super().ask(task, weights)
        self.texts += [answer.to_text() for answer in found.values()]
        self.tensors |= {name for answer in found.values() for name in answer.weights}
        return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two hospitals, trained together; the folder, the texts that were sent and the sites' own lines."""
    root = tmp_path_factory.mktemp("federation")
    names = ("north", "south")
    sizes = {"north": 52, "south": 24}
    cohorts = {name: write_cohort(root / name, sizes[name], f"SECRET{k}", k) for k, name in enumerate(names)}
    made = {name: real_site(cohorts[name], root / "sites" / name, name) for name in names}
    folder, hub = begin(root / "out", names), Tapped({name: site for name, (site, _) in made.items()})
    torch.set_num_threads(1)
    Federation(folder, hub, Spoken()).run()
    return root, folder, hub, {name: lines for name, (_, lines) in made.items()}


def test_only_counts_sums_metrics_and_weights_leave_a_site(trained):
    root, folder, hub, _ = trained
    for text in hub.texts:
        sent = json.loads(text)
        assert set(sent) == {"position", "problem", "about", "counts", "sums", "metrics"}
        assert set(sent["counts"]) <= set(COUNTS) and set(sent["metrics"]) <= set(METRICS)
        assert all(len(values) == 3 and values[0] >= 5 for values in sent["sums"].values())
        assert "SECRET" not in text.upper() and str(root) not in text
    assert hub.tensors == set(folder.read_weights(folder.read_state()))


def test_no_identifier_is_in_the_servers_folder(trained):
    _, folder, _, _ = trained
    for file in folder.path.rglob("*"):
        assert not file.is_file() or b"SECRET" not in file.read_bytes().upper()


def test_a_site_with_few_patients_trains_on_all_and_says_that_it_is_not_calibrated(trained):
    root, folder, _, lines = trained
    assert any("5 patients of each class must be held out to calibrate, got" in line for line in lines["south"])
    own, shared = load_bundle(root / "sites/south/bundle"), load_bundle(folder.bundle)
    assert own.settings.calibration == shared.settings.calibration == (1.0, 0.0)
    assert folder.read_state().counts["south"]["trained"] == 24


def test_a_site_with_enough_patients_has_its_own_calibration_and_points(trained):
    root, folder, *_ = trained
    own = load_bundle(root / "sites/north/bundle")
    assert own.settings.calibration != (1.0, 0.0)
    assert own.settings.operating_points[0].name == "balanced"
    assert "calibrated at north" in own.card.description and "65 patients at 2 sites" in own.card.training_data
    assert folder.read_state().auc.keys() == {"north"}


def test_a_site_makes_no_bundle_of_attention_at_chance_and_says_why(trained):
    root, folder, hub, _ = trained
    sent = json.loads(hub.texts[-2])["metrics"]
    assert {"held_out_attention", "held_out_random", "held_out_enhancement"} < set(sent)
    site, lines = real_site(root / "north", root / "again", keep_anyway=False)
    schema = load_bundle(folder.bundle).schema.to_json()
    facts = {"sites": folder.read_state().counts, "noise": 0}
    task = Task("finish", config_to_json(CONFIG), schema=schema, version=__version__, facts=facts)
    assert not site.answer(task, folder.read_weights(folder.read_state())).problem
    assert "no bundle is made at north: its attention is at chance" in lines[-1]
    assert site.settings.no_bundle.read_text() == lines[-1]
    assert not (root / "again" / "bundle").exists()


def test_held_out_patients_are_never_trained_on(trained):
    root, *_ = trained
    site, _ = real_site(root / "north", root / "sites" / "north")
    site._config = CONFIG
    task = Task("train", config_to_json(CONFIG), schema=load_bundle(root / "out/bundle").schema.to_json())
    fold = site.data(task).fold(0, CONFIG)
    assert not set(fold.train) & set(fold.held_out)
    assert len(fold.held_out) >= 10


OTHER = replace(CONFIG, batch_size=8)


def task(kind="describe", config=CONFIG):
    return Task(kind, config_to_json(config), version=__version__)


def test_a_table_without_a_variable_is_named(tmp_path):
    cohort = write_cohort(tmp_path / "cohort", 12)
    write_table(cohort, [{**row, "hr": ""} for row in read_table(cohort)])
    site, _ = real_site(cohort, tmp_path / "site")
    answer = site.answer(task(), {})
    assert (answer.problem, answer.about) == ("variables", ("hr",))


def test_bad_data_is_a_word_outside_and_a_sentence_inside(tmp_path):
    site, lines = real_site(tmp_path / "nowhere", tmp_path / "site")
    answer = site.answer(task(), {})
    assert answer.problem == "data"
    assert "nowhere" in lines[0] and "nowhere" not in answer.to_text()


def test_patients_of_one_class_are_too_few(tmp_path):
    cohort = write_cohort(tmp_path / "cohort", 8)
    write_table(cohort, [{**row, "pcr": 1} for row in read_table(cohort)])
    site, _ = real_site(cohort, tmp_path / "site")
    assert site.answer(task(), {}).problem == "few"


def test_settings_that_were_not_agreed_are_refused(tmp_path):
    agreed = replace(task(), clip=1.0, noise=6.0, rounds=4)
    site, _ = real_site(tmp_path / "nowhere", tmp_path / "site", agreed=agreed.agreed)
    changes = ({"clip": None}, {"noise": 0.0}, {"rounds": 9}, {"proximal": 1.0}, {"config": task(config=OTHER).config})
    assert {site.answer(replace(agreed, **change), {}).problem for change in changes} == {"configuration"}
    assert site.answer(replace(agreed, version="0.1"), {}).problem == "version"
    assert site.answer(agreed, {}).problem == "data"


def test_sums_are_sent_until_the_scaling_is_agreed_and_not_again(tmp_path):
    site, _ = real_site(write_cohort(tmp_path / "cohort", 12), tmp_path / "site")
    assert site.answer(task(), {}).sums
    again = site.answer(replace(task(), schema=shared_schema(CONFIG).to_json()), {})
    assert again.counts["patients"] == 12 and not again.sums


def test_weights_that_are_not_finite_end_the_round_at_the_site(trained):
    root, folder, *_ = trained
    site, _ = real_site(root / "north", root / "sites" / "north")
    weights = {name: array * float("nan") for name, array in folder.read_weights(folder.read_state()).items()}
    asked = replace(task("train"), step="step3", schema=folder.read_state().schema)
    assert site.answer(asked, weights).problem == "diverged"
