"""The command: what it refuses in one sentence, and the sites that it makes of cohorts."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PCRPredictorLib.command_line import run
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.cohort.cache import read_cache
from PCRTrainingLib.command_line import app
from PCRTrainingLib.federation import join as joining
from PCRTrainingLib.federation import optional
from PCRTrainingLib.federation.division import divide_cohort
from PCRTrainingLib.federation.folder import FederationFolder, Plan
from PCRTrainingLib.federation.join import read_kit
from PCRTrainingLib.federation.settings import SiteSettings
from PCRTrainingLib.federation.simulate import own_name, safe_name, simulated_sites
from PCRTrainingLib.progress import Progress
from support.documentation import ROOT
from support.federated.sites import CONFIG, Spoken
from support.training_cohort import read_table, write_cohort, write_table

PLAN = Plan(CONFIG, (), 2)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohorts") / "all", 12)


def test_without_flare_one_sentence_says_how_to_install_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(optional, "find_spec", lambda name: None)
    (tmp_path / "cohort").mkdir()
    words = ["federate", "simulate", str(tmp_path / "cohort"), str(tmp_path / "cohort"), "--out", str(tmp_path / "out")]
    assert run(app, words) == 1
    assert "install it with: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_other_part_of_the_program_loads_flare():
    loads = {
        file.parent.name
        for file in ROOT.glob("PCR*/**/*.py")
        if any(line.startswith(("import nvflare", "from nvflare")) for line in file.read_text("utf-8").splitlines())
    }
    assert loads == {"flare"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sites", "north"], "2 different hospitals or more"),
        (["--sites", "north", "north"], "2 different hospitals or more"),
        (["--sites", "north", "south", "--dp-noise", "1"], "--dp-noise needs --dp-clip"),
        (["--sites", "north", "a b"], "letters, digits and hyphens"),
        (["--sites", "north", "server"], "server is also the name of a folder of the server"),
        (["--sites", "North", "north"], "north is also the name of hospital North"),
        (["--sites", "north", "south", "--host", "south"], "south is also the name of --host"),
    ],
)
def test_a_call_that_makes_no_federation_is_refused(tmp_path, capsys, words, message):
    assert run(app, ["federate", "serve", "--out", str(tmp_path / "out"), *words]) == 2
    assert message in " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_kit_is_refused(tmp_path):
    with pytest.raises(DataError, match="must be the startup kit of a site"):
        read_kit(tmp_path, tmp_path, None, "cpu")
    (tmp_path / "breastpcr.json").write_text(json.dumps({"site": "north", "agreed": {}}), encoding="utf-8")
    with pytest.raises(DataError, match=r"client\.key is missing"):
        read_kit(tmp_path, tmp_path, None, "cpu")


def test_a_bundle_of_an_earlier_federation_is_no_success(cohort, tmp_path, monkeypatch):
    settings = SiteSettings("north", str(cohort), str(tmp_path / "site"))
    (tmp_path / "site/bundle").mkdir(parents=True)
    (tmp_path / "site/bundle/card.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(joining, "require_flare", lambda: None)
    monkeypatch.setattr(joining, "run_process", lambda *_: 1)
    with pytest.raises(DataError, match="ended here before its last round"):
        joining.join(tmp_path, settings, Progress())


def test_the_sites_of_a_column_divide_a_cohort_without_loss(cohort, tmp_path):
    parts = divide_cohort(cohort, "all", "site", tmp_path / "caches", CONFIG, Progress())
    caches = {name: read_cache(folder, "all") for name, folder in parts.items()}
    whole = read_cache(tmp_path / "caches/all", "all")
    assert sorted(parts) == ["A", "B"]
    assert sorted(name for cache in caches.values() for name in cache.ids) == sorted(whole.ids)
    first = caches["B"].ids[0]
    assert np.array_equal(caches["B"].read_grids(np.array([0])), whole.read_grids(np.array([whole.ids.index(first)])))


def test_parts_that_another_column_made_are_not_used(cohort, tmp_path):
    divide_cohort(cohort, "all", "patient_id", tmp_path / "caches", CONFIG, Progress())
    parts = divide_cohort(cohort, "all", "site", tmp_path / "caches", CONFIG, Progress())
    assert sum(len(read_cache(folder)) for folder in parts.values()) == 12


def test_sites_whose_names_flare_does_not_accept_stay_apart(cohort, tmp_path):
    copy, spoken = write_cohort(tmp_path / "copy", 12), Spoken()
    names = {"A": "東京", "B": "大阪"}
    write_table(copy, [{**row, "site": names[row["site"]]} for row in read_table(copy)])
    found = simulated_sites(FederationFolder(tmp_path / "out"), [copy], ["site"], PLAN, "cpu", spoken)
    assert list(found) == ["site", "site-2"]
    assert sum(len(read_cache(Path(each.cache))) for each in found.values()) == 12
    assert any(line.startswith("東京 takes part as site-2") for line in spoken.lines)


def test_names_of_sites_differ_also_without_case_and_from_the_servers_own():
    taken = []
    for name in ("GE/3", "GE 3", "ge-3", "Server"):
        taken.append(own_name(name, taken, Progress()))
    assert taken == ["GE-3", "GE-3-2", "ge-3-3", "Server-2"]


def test_a_cohort_is_one_site_unless_a_column_divides_it(cohort, tmp_path):
    folder = FederationFolder(tmp_path / "out")
    found = simulated_sites(folder, [cohort, cohort], ["site", "cohort"], PLAN, "cpu", Progress())
    assert list(found) == ["all-1-A", "all-1-B", "all-2"]
    assert found["all-2"].cache is None and found["all-1-A"].folder.endswith("all-1-A")


def test_columns_must_fit_the_cohorts_and_one_site_is_no_federation(cohort, tmp_path):
    folder = FederationFolder(tmp_path / "out")
    with pytest.raises(DataError, match="a column for each cohort, got 1 for 2"):
        simulated_sites(folder, [cohort, cohort], ["site"], PLAN, "cpu", Progress())
    with pytest.raises(DataError, match="2 sites or more, got all"):
        simulated_sites(folder, [cohort], [], PLAN, "cpu", Progress())


def test_a_patient_without_a_site_is_reported(cohort, tmp_path):
    copy = write_cohort(tmp_path / "copy", 12)
    write_table(copy, [{**row, "site": "" if k == 0 else row["site"]} for k, row in enumerate(read_table(copy))])
    spoken = Spoken()
    parts = divide_cohort(copy, "copy", "site", tmp_path / "caches", replace(CONFIG), spoken)
    assert sum(len(read_cache(folder)) for folder in parts.values()) == 11
    assert any("1 patient without a site" in line for line in spoken.lines)


def test_names_become_those_that_flare_accepts():
    assert safe_name("GE Medical (1.5 T)") == "GE-Medical--1-5-T"
    assert safe_name("§") == "site"
