"""The server between two jobs: whom it waits for, and when it asks a job to end for a site that is back."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.federation import serve
from PCRTrainingLib.federation.processes import check_running
from support.federated.sites import NAMES, Spoken, begin


class Session:
    """A FLARE session: sites that were just heard of, and the status of a job at each question."""

    def __init__(self, seen, *status):
        self.seen, self.status = seen, list(status)

    def get_system_info(self):
        clients = [SimpleNamespace(name=name, last_connect_time=time.time() - age) for name, age in self.seen.items()]
        return SimpleNamespace(client_info=clients)

    def get_job_meta(self, job):
        return {"status": self.status.pop(0)}


@pytest.fixture
def serving(tmp_path, monkeypatch):
    monkeypatch.setattr(serve, "_POLL", 0.0)
    folder = begin(tmp_path / "out", NAMES)

    def make(session, check=lambda: None):
        spoken = Spoken()
        return serve._Serving(folder, folder.read_plan(), session, spoken, check), folder, spoken.lines

    return make


def test_a_site_that_is_back_ends_the_job_after_its_round(serving):
    server, folder, lines = serving(Session({"north": 0, "west": 0}, "RUNNING", "FINISHED:COMPLETED"))
    folder.away.write_text(json.dumps({"west": time.time() - 60}), encoding="utf-8")
    server._follow("job")
    assert folder.regroup.is_file()
    assert lines == ["west is back; the round is finished, then the next job includes it"]


def test_a_site_that_is_still_away_does_not(serving):
    server, folder, _ = serving(Session({"north": 0, "west": 60}, "RUNNING", "FINISHED:ABORTED"))
    folder.away.write_text(json.dumps({"west": time.time() - 60}), encoding="utf-8")
    server._follow("job")
    assert not folder.regroup.is_file()


def test_the_first_round_waits_for_all_sites_and_then_begins_without_the_missing(serving):
    server, _, lines = serving(Session({"north": 0, "south": 0, "west": 500}))
    server._wait_for_sites(0.2)
    assert lines == ["waiting for north, south, west", "north is connected", "south is connected"]


def test_a_server_that_does_not_answer_is_asked_again(serving):
    server, _, _ = serving(SimpleNamespace())
    assert server._seen() == {}


def test_a_server_that_ends_is_not_waited_for(serving, tmp_path):
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    process.wait()
    server, *_ = serving(SimpleNamespace(), lambda: check_running(process, tmp_path / "server.log"))
    for wait in (lambda: server._follow("job"), lambda: server._wait_for_sites(0)):
        with pytest.raises(DataError, match=r"ended by itself \(exit 3\); see .*server\.log"):
            wait()
