"""NVIDIA FLARE carries the messages; skipped where it is not installed (pip install ".[federated]")."""

import json
import os

import numpy as np
import pytest
import torch
from PCRTrainingLib.federation.folder import FederationFolder
from PCRTrainingLib.federation.join import read_kit
from PCRTrainingLib.federation.simulate import simulate, simulated_sites
from PCRTrainingLib.progress import Progress
from support.federated.sites import begin, real_site, run
from support.training_cohort import write_cohort

pytest.importorskip("nvflare", reason="NVIDIA FLARE is not installed; it is the optional part federated")
NAMES = ("north", "south")


@pytest.fixture(scope="module")
def kits(tmp_path_factory):
    from PCRTrainingLib.federation.flare.kits import make_kits

    return make_kits(tmp_path_factory.mktemp("kits"), "localhost", 8102, NAMES, {"clip": 1.0})


@pytest.mark.parametrize("name", ["server", *NAMES])
def test_a_kit_allows_two_classes_and_no_code_that_is_sent(kits, name):
    resources = json.loads((kits[name] / "local/resources.json").read_text(encoding="utf-8"))
    assert [each.rpartition(".")[2] for each in resources["class_allow_list"]] == ["Curriculum", "SiteExecutor"]
    permissions = json.loads((kits[name] / "local/authorization.json").read_text(encoding="utf-8"))["permissions"]
    assert all(rights.get("byoc", "none") == "none" for rights in permissions.values())
    assert all(rights.get("shell_commands", "none") == "none" for rights in permissions.values())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_only_the_owner_reads_the_private_keys(kits):
    assert kits["server"].parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", NAMES)
def test_the_logs_of_a_site_stay_there(kits, name):
    resources = json.loads((kits[name] / "local/resources.json").read_text(encoding="utf-8"))
    assert resources["allow_log_streaming"] is False
    assert not any("log_streamer" in component["path"] for component in resources["components"])


def test_a_kit_names_its_site_and_what_it_accepts(kits, tmp_path):
    settings = read_kit(kits["south"], tmp_path, None, "cpu")
    assert settings.name == "south" and settings.agreed == {"clip": 1.0}


def test_a_job_holds_names_of_components_and_no_code(tmp_path):
    from PCRTrainingLib.federation.flare.job import make_job

    make_job("federation", tmp_path, 2).export_job(str(tmp_path / "job"))
    assert not [file for file in (tmp_path / "job").rglob("*.py")]


@pytest.mark.slow
def test_the_simulator_gives_the_weights_of_sites_in_one_process(tmp_path):
    torch.set_num_threads(1)
    cohorts = [write_cohort(tmp_path / name, 16, prefix=name[0].upper(), seed=k) for k, name in enumerate(NAMES)]
    direct = begin(tmp_path / "direct", NAMES)
    run(direct, {each.name: real_site(each, tmp_path / "sites" / each.name, each.name)[0] for each in cohorts})
    folder, plan = FederationFolder(tmp_path / "flare"), direct.read_plan()
    sites = simulated_sites(folder, cohorts, [], plan, "cpu", Progress())
    simulate(folder, plan, sites, Progress())
    ours, theirs = (each.read_weights(each.read_state()) for each in (direct, folder))
    assert max(float(np.abs(ours[name] - theirs[name]).max()) for name in ours) < 1e-6
