"""Clusters that exist, and those that Dask's launchers start: imitated here, since no SLURM or Kubernetes is there."""

import json
import os
import re
from types import SimpleNamespace

import psutil
import pytest
from PCRPredictorLib.engine import cluster as clusters
from PCRPredictorLib.engine import launchers
from PCRPredictorLib.engine.launchers import KINDS, launch, read_settings
from PCRPredictorLib.engine.opening import GPU, open_engine
from PCRPredictorLib.engine.tasks import describe_difference
from PCRPredictorLib.errors import DataError
from support.documentation import ROOT
from support.long_tasks import double, workers_in_threads
from support.waiting import wait_until

PAGE = (ROOT / "Resources" / "Docs" / "clusters.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```(?:json|yaml)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


class Launcher:
    """Any of Dask's launchers, which remembers what it was asked for."""

    def __init__(self, **arguments):
        self.arguments, self.scaled, self.closed = arguments, None, False
        type(self).last = self

    def close(self):
        self.closed = True

    def scale(self, number):
        self.scaled = number

    def adapt(self, **limits):
        self.scaled = limits


@pytest.fixture
def launchers_installed(monkeypatch):
    every = SimpleNamespace(**{name: Launcher for _, name, _ in KINDS.values()})
    real = launchers.import_module
    monkeypatch.setattr(launchers, "find_spec", lambda _name: True)
    monkeypatch.setattr(launchers, "import_module", lambda name: real(name) if name == "yaml" else every)


def test_examples_of_the_documentation_are_handed_on(launchers_installed, tmp_path):
    found = []
    for text in EXAMPLES:
        (tmp_path / "cluster").write_text(text)
        settings = read_settings(tmp_path / "cluster")
        if "kind" in settings:
            found.append((settings, launch("cluster", settings, None)))
    assert [settings["kind"] for settings, _ in found] == ["slurm", "slurm", "kubernetes"]
    for settings, started in found:
        given = {key: value for key, value in settings.items() if key not in ("kind", "workers")}
        assert given.items() <= started.arguments.items()
        assert started.scaled == settings["workers"]


def test_jobs_have_one_thread_per_process_and_are_encrypted_unless_told_otherwise(launchers_installed):
    started = launch("f", {"kind": "slurm", "cores": 8, "workers": {"minimum": 0, "maximum": 5}}, None)
    assert (started.arguments["processes"], started.arguments["security"]) == (8, True)
    assert started.scaled == {"minimum": 0, "maximum": 5}
    open_to_all = launch("f", {"kind": "slurm", "security": False, "protocol": "tcp://"}, workers=3)
    assert (open_to_all.arguments["security"], open_to_all.scaled) == (False, 3)


def test_missing_launcher_is_named_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr(launchers, "find_spec", lambda _name: None)
    with pytest.raises(DataError, match=r"k.yaml: needs the package dask-kubernetes; .* pip install .*kubernetes\]"):
        launch("k.yaml", {"kind": "kubernetes"}, None)


def test_launcher_that_refuses_its_arguments_is_reported(launchers_installed, monkeypatch):
    monkeypatch.setattr(Launcher, "__init__", lambda _self, cores, **_more: None)
    with pytest.raises(DataError, match=r"f: the ssh cluster cannot be started \(.*cores"):
        launch("f", {"kind": "ssh", "hosts": ["a", "b"]}, None)


def test_cluster_that_cannot_be_scaled_is_closed(launchers_installed):
    with pytest.raises(DataError, match=r"f: the slurm cluster cannot be started \(.*'eight'"):
        launch("f", {"kind": "slurm", "workers": "eight"}, None)
    assert Launcher.last.closed
    assert not launch("f", {"kind": "slurm", "workers": 8}, None).closed


def test_cluster_that_adapts_from_no_worker_is_used():
    said = []
    with workers_in_threads(0) as cluster:
        cluster.adapt(minimum=0, maximum=1, interval="50ms")
        with open_engine(cluster.scheduler_address, say=said.append) as engine:
            assert [each.result() for each in engine.run(double, [1])] == [2]
    assert said[-1].startswith("Waiting for a worker of ")


def test_scheduler_that_is_lost_while_a_worker_is_awaited_ends_the_run():
    client = SimpleNamespace(
        status="closed",
        dashboard_link="",
        scheduler=SimpleNamespace(address="tls://a:1"),
        scheduler_info=lambda **_: {"workers": {}},
        submit=lambda *_, **__: None,
    )
    with pytest.raises(DataError, match=r"the connection to c\.json was lost before it had a worker; start it again"):
        clusters.Cluster(client, "c.json", None, {}, print).wait_for_worker()


@pytest.mark.parametrize("address", ["tcp://10.0.0.5:1", "ws://10.0.0.5:1", "ucx://host:1"])
def test_open_address_is_known(address):
    assert not launchers._is_closed(address)
    assert launchers._is_closed(address.partition("://")[0] + "://127.0.0.1:1")


@pytest.mark.parametrize("address", ["tls://10.0.0.5:1", "wss://10.0.0.5:1", "inproc://10.0.0.5/7/1"])
def test_closed_address_is_known(address):
    assert launchers._is_closed(address)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file; give an address such as tcp://host:8786"),
        ("{kind", "must be JSON or YAML"),
        ('{"kind": "grid"}', "a kind among slurm, pbs, .*, got 'grid'"),
        ("[]", "got no entries"),
    ],
)
def test_settings_that_cannot_be_used_are_reported(tmp_path, text, message):
    if text is not None:
        (tmp_path / "c.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_settings(tmp_path / "c.json")


def test_file_of_the_scheduler_is_an_address(tmp_path):
    with workers_in_threads(1, protocol="tcp://", host="127.0.0.1") as cluster:
        (tmp_path / "scheduler.json").write_text(
            json.dumps({"type": "Scheduler", "address": cluster.scheduler_address})
        )
        with open_engine(str(tmp_path / "scheduler.json")) as engine:
            assert [each.result() for each in engine.run(double, [1])] == [2]


def test_certificates_of_a_file_open_an_encrypted_cluster_and_without_them_it_is_closed(tmp_path, monkeypatch):
    pytest.importorskip("cryptography")
    from distributed import Security

    mine, file = Security.temporary(), tmp_path / "c.json"
    names = ("tls_ca_file", "tls_client_cert", "tls_client_key")
    given = {name: getattr(mine, name) for name in names} | {"require_encryption": True}
    with workers_in_threads(1, protocol="tls://", host="127.0.0.1", security=mine) as cluster:
        file.write_text(json.dumps({"address": cluster.scheduler_address, "security": given}))
        with open_engine(str(file)) as engine:
            assert [each.result() for each in engine.run(double, [1])] == [2]
        monkeypatch.setattr(launchers, "_CONNECT_S", 0.5)
        with pytest.raises(DataError, match="no Dask scheduler answers"), open_engine(cluster.scheduler_address):
            pass


@pytest.mark.parametrize(
    ("options", "resources", "message"),
    [
        ({"threads_per_worker": 2}, {}, r"must run one task at a time, got 2 threads; .* --nthreads 1,"),
        ({}, {GPU: 1}, r'no worker of .* announces a GPU; start one per GPU .* --resources "GPU=1"'),
    ],
)
def test_workers_that_cannot_do_the_tasks_are_refused(options, resources, message):
    with (
        workers_in_threads(1, **options) as cluster,
        pytest.raises(DataError, match=message),
        open_engine(cluster.scheduler_address, resources=resources),
    ):
        pass


def test_task_goes_to_a_worker_that_has_what_it_needs():
    with (
        workers_in_threads(1, resources={GPU: 1}) as cluster,
        open_engine(cluster.scheduler_address, resources={GPU: 1}) as engine,
    ):
        assert sorted(each.result() for each in engine.run(double, [1, 2])) == [2, 4]


def test_other_versions_are_refused_before_the_first_task(monkeypatch):
    monkeypatch.setattr(clusters, "find_versions", lambda: {"torch": "1.0"})
    with (
        workers_in_threads(1) as cluster,
        pytest.raises(DataError, match=r"the worker .* must have the versions of this machine, got torch .* of 1\.0;"),
        open_engine(cluster.scheduler_address),
    ):
        pass


def test_a_worker_that_joins_later_is_refused_too(tmp_path):
    with workers_in_threads(1) as cluster, open_engine(cluster.scheduler_address) as engine:
        engine.check_folder(tmp_path)
        engine.needs.files[0].unlink()  # as seen from a machine without that disk
        with pytest.raises(DataError, match=r"a worker of .* must see .* under the same path, got none there; choose"):
            list(engine.run(double, [1]))


def test_difference_of_versions_is_described():
    assert describe_difference({"torch": "2", "numpy": "2"}, {"torch": "1"}) == (
        "torch 1 instead of 2, numpy none instead of 2"
    )


SBATCH = """#!/bin/bash
cp "$1" "$0.$$"  # as the real one does
setsid bash "$0.$$" &> "$0.log" &
echo $! >> "$0.jobs"
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/bash
kill -9 -- "-$1"
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs bash")
def test_jobs_of_a_queue_do_the_tasks_encrypted_and_end_with_the_run(tmp_path, monkeypatch):
    pytest.importorskip("dask_jobqueue")
    pytest.importorskip("cryptography")
    for name, script in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "Testing"))
    settings = {"kind": "slurm", "memory": "2GB", "interface": "lo", "shared_temp_directory": str(tmp_path)}
    (tmp_path / "slurm.json").write_text(json.dumps(settings))
    with open_engine(str(tmp_path / "slurm.json"), workers=1) as engine:
        assert engine.address.startswith("tls://")
        assert sorted(each.result() for each in engine.run(double, range(3))) == [0, 2, 4]
    jobs = [int(line) for line in (tmp_path / "sbatch.jobs").read_text().split()]
    wait_until(lambda: not any(psutil.pid_exists(job) for job in jobs), 20)
    assert jobs


def test_scheduler_that_does_not_answer_is_reported(monkeypatch):
    monkeypatch.setattr(launchers, "_CONNECT_S", 0.5)
    with (
        pytest.raises(DataError, match=r"no Dask scheduler answers \(.*\); start it, or check the address"),
        open_engine("tcp://127.0.0.1:1"),
    ):
        pass
