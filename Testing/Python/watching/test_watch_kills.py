"""A watch that is killed while it works, with a real PACS that is restarted."""

import pytest
from benchmarks.pacs.watch_kills import Watching, run
from support.pacs.orthanc import needs_orthanc


@pytest.mark.slow
@needs_orthanc
def test_killed_and_with_a_restarted_pacs_each_study_is_stored_once(tmp_path):
    (tmp_path / "orthanc").mkdir()
    found = run(tmp_path, studies=3, kills=1, restarts=1, seed=1, within=2, settle=2, say=lambda _: None)
    assert (found["stored_once"], found["rows_predicted_once"]) == (3, 3)
    assert (found["lines_unreadable"], found["processes_left"], found["exit_code"]) == (0, 0, 0)
    assert found["left_on_disk"] == [".lock"]


def test_a_watch_that_has_just_begun_has_predicted_none(tmp_path):
    watching = Watching(tmp_path, settle=2)
    assert not watching.predicted()
    watching.out.mkdir()  # its journal comes a moment later
    assert not watching.predicted()
