import csv
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib import writing
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.formatting import make_visible
from PCRPredictorLib.writing import (
    put_in_place,
    read_csv,
    whole_file,
    whole_folder,
    write_csv,
    write_json,
    write_nifti,
    write_whole_csv,
    write_whole_json,
)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_device_is_not_replaced(tmp_path):
    pipe, folder = tmp_path / "pipe", tmp_path / "folder"
    os.mkfifo(pipe)
    folder.mkdir()
    for path in (pipe, folder):
        with pytest.raises(DataError, match="there is a folder or device of that name"), whole_file(path) as part:
            part.write_text("new")
    assert pipe.is_fifo()


def test_folder_appears_only_when_the_block_ends(tmp_path):
    out = tmp_path / "résults of today"
    with whole_folder(out) as folder:
        (folder / "a.txt").write_text("a")
        assert not out.exists()
    assert [file.name for file in out.iterdir()] == ["a.txt"]
    assert [entry.name for entry in tmp_path.iterdir()] == [out.name]


def test_nothing_is_left_when_the_block_fails(tmp_path):
    with pytest.raises(KeyError), whole_folder(tmp_path / "out") as folder:
        (folder / "a.txt").write_text("a")
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_existing_folder_keeps_its_other_files(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with whole_folder(tmp_path) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "a.txt").write_text("a")
    assert sorted(p.name for p in tmp_path.rglob("*.txt")) == ["a.txt", "notes.txt"]


def test_nothing_is_moved_where_a_folder_is_in_the_place_of_a_file(tmp_path):
    (tmp_path / "out" / "b.txt").mkdir(parents=True)
    with pytest.raises(DataError, match="out: cannot be written"), whole_folder(tmp_path / "out") as folder:
        (folder / "a.txt").write_text("new")
        (folder / "b.txt").write_text("new")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.txt"]


def test_folder_below_a_file_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DataError, match=r"cannot be written \(.*\); choose a folder"),
        whole_folder(tmp_path / "file" / "out"),
    ):
        pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to become another user")
def test_folder_without_permission_is_one_clear_error(tmp_path):
    with pytest.raises(DataError, match="permission denied"):
        os.seteuid(65534)
        try:
            with whole_folder(tmp_path / "out"):
                pass
        finally:
            os.seteuid(0)


def test_full_disk_is_one_clear_error_and_leaves_nothing(small_disk):
    noise = np.random.default_rng(0).normal(size=(20, 100, 100)).astype(np.float32)
    with (
        pytest.raises(DataError, match=r"no space left on device.*free some space"),
        whole_folder(small_disk / "out") as folder,
    ):
        write_nifti(noise, Geometry((100, 100, 20), (1, 1, 1)), folder / "a.nii.gz")
    assert list(small_disk.iterdir()) == []


def test_nifti_keeps_values_and_geometry(tmp_path):
    geometry = Geometry((5, 4, 3), (1, 2, 3), (7, 8, 9), np.eye(3)[:, [1, 0, 2]])
    array = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
    write_nifti(array, geometry, tmp_path / "a.nii.gz")
    image = sitk.ReadImage(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), array)
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((1, 2, 1)), geometry.to_physical([1, 2, 1]))


def test_file_that_a_program_is_reading_is_replaced_a_moment_later(tmp_path, monkeypatch):
    part, path = tmp_path / "part", tmp_path / "file"
    part.write_text("new")
    refusals, replace = [PermissionError(13, "in use")] * 2, Path.replace

    def refuse_at_first(self, target):
        if refusals:
            raise refusals.pop()
        return replace(self, target)

    monkeypatch.setattr(writing, "_PATIENCE", (0, 0, 0))
    monkeypatch.setattr(Path, "replace", refuse_at_first)
    put_in_place(part, path)
    assert path.read_text() == "new"


def test_table_that_cannot_be_completed_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.csv"
    write_whole_csv(["name", "age"], [["Jane, Dr", 52]], path)
    with pytest.raises(ZeroDivisionError):
        write_whole_csv(["name"], ([1 / k] for k in (1, 0)), path)
    assert path.read_text().splitlines() == ["name,age", '"Jane, Dr",52']
    assert read_csv(path) == [{"name": "Jane, Dr", "age": "52"}]
    assert list(tmp_path.iterdir()) == [path]


def test_file_of_a_name_as_long_as_the_disk_allows_is_written(tmp_path):
    path = tmp_path / ("é" * 125 + ".json")
    write_whole_json([], path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("written", ["", "half of it"])
def test_file_that_nobody_wrote_does_not_replace_an_older_one(tmp_path, written):
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(DataError, match="cannot be written"), whole_file(path) as part:
        if written:
            part.write_text(written)
            raise OSError(28, "no space")
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_json_with_a_number_that_is_not_finite_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_json({"a": float("nan")}, Path(tmp_path / "a.json"))


@pytest.mark.parametrize(
    "cell", ["=1+1", '=HYPERLINK("http://x")', "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3", " =1", "\t=1"]
)
def test_cell_that_a_spreadsheet_computes_is_written_as_text_and_reads_back(tmp_path, cell):
    write_csv(["patient_id", cell], [[cell, f"'{cell}"]], tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        assert all(text.startswith("'") for row in csv.reader(file) for text in row if text != "patient_id")
    assert read_csv(tmp_path / "t.csv") == [{"patient_id": cell, cell: f"'{cell}"}]


@pytest.mark.parametrize(
    "cell",
    ["a\x1b[2J", "\u202egnp", "p\udcff", "\U000e0041", r"C:\x1b", r"a\x5cx1b\x1b", "\\", "=\x1b", "a\nb", "a\rb"],
)
def test_cell_that_controls_a_terminal_is_written_visibly_and_reads_back(tmp_path, cell):
    write_csv(["patient_id", cell], [[cell, "1"]], tmp_path / "t.csv")
    written = (tmp_path / "t.csv").read_text(encoding="utf-8")
    assert written == make_visible(written)
    assert read_csv(tmp_path / "t.csv") == [{"patient_id": cell, cell: "1"}]


def test_numbers_and_other_words_stay_as_they_are_in_a_table(tmp_path):
    row = [-1.5, "-1.5", "+2", "-1e-05", "-", "+", "P-1", "'quoted'", "", None]
    write_csv(list("abcdefghij"), [row], tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == "-1.5,-1.5,+2,-1e-05,-,+,P-1,'quoted',,"
    assert list(read_csv(tmp_path / "t.csv")[0].values())[1:8] == row[1:8]


def test_file_name_that_is_no_text_does_not_stop_writing(tmp_path):
    write_json({"file": "\udcc3"}, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == {"file": "\udcc3"}


WRITE_FILE = """
import sys, time
from pathlib import Path
from PCRPredictorLib.writing import whole_file
with whole_file(Path(sys.argv[1])) as part:
    part.write_text("half of it")
    if len(sys.argv) == 2:
        print("in", flush=True)
        time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders are held by locks of POSIX")
def test_file_of_a_killed_process_is_removed_at_the_next_start_and_that_of_a_running_one_stays(tmp_path):
    path, command = tmp_path / "a.csv", [sys.executable, "-c", WRITE_FILE]
    first = subprocess.Popen([*command, path], stdout=subprocess.PIPE)
    assert first.stdout.readline() == b"in\n"
    (left,) = tmp_path.iterdir()
    subprocess.run([*command, path, "second"], check=True)
    assert set(tmp_path.iterdir()) == {left, path}
    first.kill()
    first.wait()
    subprocess.run([*command, path, "third"], check=True)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="folders are held by locks of POSIX")
def test_folder_of_a_killed_process_is_removed_and_that_of_a_running_one_stays(tmp_path):
    write = (
        "import time; from pathlib import Path; from PCRPredictorLib.writing import whole_folder\n"
        f"with whole_folder(Path({str(tmp_path / 'r')!r})): print('in', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", write], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"in\n"
    (left,) = tmp_path.iterdir()
    with whole_folder(tmp_path / "other"):
        assert left.is_dir()
    process.kill()
    process.wait()
    with whole_folder(tmp_path / "other", among_many=True):
        assert left.is_dir()
    (tmp_path / ".r-backup01").mkdir()  # of the user
    with whole_folder(tmp_path / "other"):
        assert not left.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".r-backup01", "other"]


def test_too_many_open_files_are_not_a_folder_that_may_not_be_written(tmp_path):
    with pytest.raises(DataError, match=r"too many open files.*ulimit -n"), whole_folder(tmp_path / "out"):
        raise OSError(errno.EMFILE, "x")
