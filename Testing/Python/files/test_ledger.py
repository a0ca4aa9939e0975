"""Memory that several processes are about to take: each sees what the others have noted."""

import os
import subprocess
import sys

import pytest
from filelock import FileLock
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files import memory
from PCRPredictorLib.files.ledger import noted

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs files that processes hold")
GB = 1 << 30
OTHER = """
import sys
from PCRPredictorLib.files.ledger import noted
with noted(3 << 30, print):
    print("noted", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def other():
    """A second process that has noted 3 GB."""
    process = subprocess.Popen([sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert [process.stdout.readline().strip() for _ in range(2)] == ["0", "noted"]
    yield process
    process.kill()
    process.communicate()


def seen():
    """Return what others have noted."""
    found = []
    with noted(1, found.append):
        return found[0]


def test_what_a_second_process_has_noted_is_not_free(other, monkeypatch):
    assert seen() == 3 * GB
    monkeypatch.setattr(memory, "free_memory", lambda: 4 * GB)
    with pytest.raises(DataError, match="needs 2 GB of memory, and 1 GB may be used"), memory.reserved(2 * GB, "a.nii"):
        pass
    with memory.reserved(GB // 2, "a.nii"):
        pass


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_what_an_ended_process_has_left_does_not_count(other, end, tmp_path):
    getattr(other, end)()
    other.wait()
    assert seen() == 0
    assert [path.name for path in next(tmp_path.glob("breastpcr-*")).iterdir()] == [".all"]


def test_a_folder_that_cannot_be_made_is_no_hindrance(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
    assert seen() == 0


@pytest.mark.parametrize("error", [OSError(30, "Read-only file system"), NotImplementedError("no locks")])
def test_a_folder_that_cannot_be_written_or_locked_is_no_hindrance(error, monkeypatch):
    def refuse(*_args, **_options):
        raise error

    monkeypatch.setattr(FileLock, "acquire", refuse)
    assert seen() == 0
    with pytest.raises(OSError, match="of the body"), noted(1, print):
        raise OSError("of the body")


def test_a_process_that_holds_copies_reserves_for_them(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 2 * GB)
    monkeypatch.setattr(memory, "_copies", 1)
    memory.expect_copies(3)
    with pytest.raises(DataError, match="needs 3 GB of memory"), memory.reserved(GB, "a.nii"):
        pass
