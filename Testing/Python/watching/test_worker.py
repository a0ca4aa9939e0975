"""Tests of the process that predicts for a watch, without starting one."""

import os
import signal
from types import SimpleNamespace

import pytest
from PCRPredictorLib.watching import worker
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
