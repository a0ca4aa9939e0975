"""What a file needs is compared with the memory that is free, by every limit that holds for the process."""

import threading
import types

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files import memory
from PCRPredictorLib.files.memory import free_memory, reserved


@pytest.fixture
def machine(monkeypatch):
    """1000 MB are free, without groups or limits of the process."""
    monkeypatch.setattr(memory, "_free_of_machine", lambda: 1000 << 20)
    monkeypatch.setattr(memory, "_free_of_groups", lambda: iter(()))
    monkeypatch.setattr(memory, "_free_of_process", lambda: iter(()))


def test_more_than_is_free_is_refused_with_both_numbers(machine):
    with (
        pytest.raises(DataError, match=r"pre.nii: needs 2 GB of memory, and 0.88 GB may be used"),
        reserved(2 << 30, "pre.nii"),
    ):
        pass
    with reserved(800 << 20, "pre.nii"):
        pass


def test_threads_that_read_at_the_same_time_count_together(machine):
    refused = []

    def read():
        try:
            with reserved(500 << 20, "late.nii"):
                pass
        except DataError as error:
            refused.append(error)

    with reserved(500 << 20, "pre.nii"):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert len(refused) == 1
    read()
    assert len(refused) == 1


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (("memory.max", "memory.current"), ("500", "200")),
        (("memory.limit_in_bytes", "memory.usage_in_bytes"), ("500", "200")),
    ],
)
def test_the_limit_of_a_container_counts_with_the_files_that_it_can_give_back(
    machine, monkeypatch, tmp_path, names, values
):
    monkeypatch.undo()
    for name, value in zip(names, values, strict=True):
        (tmp_path / name).write_text(value + "\n")
    (tmp_path / "memory.stat").write_text("inactive_file 30\ntotal_inactive_file 30\n")
    monkeypatch.setattr(memory, "_groups", lambda: {tmp_path})
    assert list(memory._free_of_groups()) == [330]
    assert free_memory() == 297


def test_a_group_without_a_limit_says_nothing(monkeypatch, tmp_path):
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("200\n")
    monkeypatch.setattr(memory, "_groups", lambda: {tmp_path})
    assert list(memory._free_of_groups()) == []


def test_limits_of_the_process_count(monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (10 << 30 if kind == resource.RLIMIT_AS else -1, -1))
    monkeypatch.setattr(
        memory, "psutil", types.SimpleNamespace(Process=lambda: types.SimpleNamespace(memory_info=lambda: _USED))
    )
    assert list(memory._free_of_process()) == [7 << 30]


_USED = types.SimpleNamespace(vms=3 << 30, data=1 << 30, rss=1 << 30)


def test_without_psutil_nothing_is_known_of_the_machine(monkeypatch):
    monkeypatch.setattr(memory, "psutil", None)
    monkeypatch.setattr(memory, "_groups", lambda: set())
    assert free_memory() is None
    with reserved(1 << 60, "pre.nii"):
        pass
