"""Files from outside: pipes, devices and sockets are refused at once, whoever reads them."""

import os
import socket

import pytest
from PCRPredictorLib.dicom.segmentation import is_dicom
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.json_text import read_json
from PCRPredictorLib.files.opening import open_file, read_content
from PCRPredictorLib.reading.images import read_header
from PCRPredictorLib.reading.text_table import read_text_table

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs pipes in folders")


def pipe(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def listening(path):
    with socket.socket(socket.AF_UNIX) as server:
        os.chdir(path.parent)  # its path may be longer than a socket's
        server.bind(path.name)


@pytest.fixture(params=[pipe, device, listening])
def no_file(request, tmp_path, monkeypatch):
    """Return a function that puts something under a file's name."""
    monkeypatch.chdir(tmp_path)

    def put(name):
        request.param(tmp_path / name)
        return tmp_path / name

    return put


def test_what_is_no_file_is_not_opened(no_file):
    path = no_file("data")
    with pytest.raises(OSError, match="it is a pipe, a device or a socket, not a file"):
        open_file(path)
    assert not is_dicom(path)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_an_image_that_is_no_file_is_one_sentence(no_file, ending):
    with pytest.raises(DataError, match=rf"^pre{ending}: cannot be read \(it is a pipe, a device or a socket"):
        read_header(no_file(f"pre{ending}"))


@pytest.mark.parametrize("name", ["table.csv", "table.xlsx"])
def test_a_table_that_is_no_file_is_one_sentence(no_file, name):
    with pytest.raises(DataError, match="it is a pipe, a device or a socket"):
        read_text_table(no_file(name))


def test_json_that_is_no_file_is_refused(no_file):
    with pytest.raises(OSError, match="it is a pipe"):
        read_json(no_file("cohort.json"))


def test_a_file_is_read_up_to_a_size_and_a_folder_has_its_own_error(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert read_content(tmp_path / "a", 3) == b"abc"
    with pytest.raises(ValueError, match="at most 0 are read"):
        read_content(tmp_path / "a", 2)
    with pytest.raises(IsADirectoryError):
        open_file(tmp_path)
