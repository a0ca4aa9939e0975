"""Tests of the process that predicts for a watch, without starting one."""

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
from PCRPredictorLib.archive.patients import Unusable
from PCRPredictorLib.watching import one, worker
from PCRPredictorLib.watching.one import Settings, Task
from PCRPredictorLib.watching.worker import Worker


@pytest.mark.skipif(os.name == "nt", reason="no signal is blocked there")
def test_the_process_is_spared_ctrl_c_from_its_first_moment_on(monkeypatch):
    def start():
        blocked.extend(signal.pthread_sigmask(signal.SIG_BLOCK, []))

    blocked, end = [], SimpleNamespace(close=lambda: None)
    process = SimpleNamespace(start=start)
    monkeypatch.setattr(worker, "_SPAWN", SimpleNamespace(Pipe=lambda: (end, end), Process=lambda **_: process))
    Worker(None, None)._start()
    assert signal.SIGINT in blocked
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.fixture
def predict(tmp_path, monkeypatch):
    """Return a function that predicts a study with a model whose loading raises an error."""

    def fail_with(error):
        monkeypatch.setattr(one, "load_predictor", lambda *_: (_ for _ in ()).throw(error))
        return worker._outcome(None, Task("1.1", False, Settings(tmp_path, Path("/a model"), "its checksum")))

    return fail_with


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_a_study_waits_if_there_is_no_memory_for_the_model(predict, error):
    found = predict(error)
    assert (found.state, found.error[:24]) == ("waiting", "the exam needs more memo")


def test_what_nobody_expected_ends_the_watch_in_a_sentence_and_not_the_process(predict):
    found = predict(ZeroDivisionError("SECRET"))
    assert str(found).startswith("no study can be predicted: it ended with an unexpected ZeroDivisionError in test_")
    assert "SECRET" not in str(found)
    assert isinstance(predict(Unusable("the model has changed; put it back")), Unusable)
