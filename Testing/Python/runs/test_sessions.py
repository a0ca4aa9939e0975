"""How long a run took, over all its sessions."""

import os
import time

import pytest
from PCRTrainingLib.run_folder import RunFolder, read_json
from PCRTrainingLib.sessions import session, total_seconds


def write_epoch(folder):
    """Return the history of a step after an epoch."""
    history = folder.step(0, "step1").history
    history.parent.mkdir(parents=True)
    history.write_text("epoch\n")
    return history


def test_sessions_add_up_also_one_that_was_interrupted(tmp_path):
    folder = RunFolder(tmp_path)
    with pytest.raises(KeyboardInterrupt), session(folder, time.monotonic() - 10):
        raise KeyboardInterrupt
    with session(folder, time.monotonic() - 5):
        assert total_seconds(folder, time.monotonic() - 5) == pytest.approx(15, abs=0.5)


def test_a_running_session_counts_once_also_after_an_epoch(tmp_path):
    folder, started = RunFolder(tmp_path), time.monotonic()
    with session(folder, started):
        time.sleep(0.5)
        write_epoch(folder)
        assert total_seconds(folder, started) == pytest.approx(time.monotonic() - started, abs=0.2)


def test_a_session_that_was_killed_took_until_its_last_epoch(tmp_path):
    folder, now = RunFolder(tmp_path), time.time()
    (tmp_path / "sessions.json").write_text(f'[{{"began": {now - 100}}}]')
    history = write_epoch(folder)
    os.utime(history, (now - 40, now - 40))
    assert total_seconds(folder, time.monotonic()) == pytest.approx(60, abs=0.5)


def test_a_clock_that_was_set_back_takes_no_time(tmp_path):
    folder = RunFolder(tmp_path)
    (tmp_path / "sessions.json").write_text(f'[{{"began": {time.time() + 1e6}}}]')
    assert total_seconds(folder, time.monotonic()) == pytest.approx(0, abs=0.5)


def test_a_file_of_sessions_that_cannot_be_read_stops_no_run(tmp_path):
    folder = RunFolder(tmp_path)
    folder.sessions.write_text("[{")
    with session(folder, time.monotonic()):
        pass
    assert len(read_json(folder.sessions)) == 1


def test_a_clock_that_was_set_forward_adds_no_more_than_has_passed(tmp_path):
    folder, now = RunFolder(tmp_path), time.time()
    (tmp_path / "sessions.json").write_text(f'[{{"began": {now - 1e6}, "started": {time.monotonic() - 50}}}]')
    write_epoch(folder)
    assert total_seconds(folder, time.monotonic()) == pytest.approx(50, abs=1)
