"""A fold as a task: one worker at a time writes it, and reports all of its epochs."""

import threading

import pytest
from filelock import FileLock
from PCRPredictorLib.errors import DataError
from PCRTrainingLib.run_folder import RunFolder
from PCRTrainingLib.training import sharing
from PCRTrainingLib.training.folds import FoldTask
from PCRTrainingLib.training.sharing import Placed, open_training, train_fold
from support.waiting import wait_until


class TwoEpochs:
    """A run that reports two epochs per fold."""

    def __init__(self, folder):
        self.folder = RunFolder(folder)

    def train_fold(self, number, device, progress):
        progress.advance("first")
        progress.advance("second")


def test_fold_reports_all_epochs_until_now(tmp_path):
    heard = []
    train_fold(Placed(FoldTask(0, [TwoEpochs(tmp_path)]), "cpu"), lambda *news: heard.append(news))
    assert heard == [(1, "first"), (2, "second")]


def test_fold_waits_for_a_worker_that_still_writes_there(tmp_path, monkeypatch):
    monkeypatch.setattr(sharing, "_LOOK_AGAIN_S", 0.02)
    task, heard = Placed(FoldTask(3, [TwoEpochs(tmp_path)]), "cpu"), []
    with FileLock(task.fold.lock):
        other = threading.Thread(target=train_fold, args=(task, lambda *news: heard.append(news)))
        other.start()
        wait_until(lambda: heard, 20)
        assert heard[0] == (0, "fold 3 waits for an earlier worker")
    other.join(20)
    assert heard[-1] == (2, "second")


def test_device_that_is_missing_is_refused():
    with (
        pytest.raises(DataError, match="device 'cuda:7' is not available on this machine; use cpu"),
        open_training("cuda:7"),
    ):
        pass
