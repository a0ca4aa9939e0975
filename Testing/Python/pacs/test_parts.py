"""The files of a multipart answer, however it is cut into pieces, and whatever a PACS sends."""

import pytest
from PCRPredictorLib.pacs import parts
from PCRPredictorLib.pacs.errors import Cut, PacsError, TooMuch
from PCRPredictorLib.pacs.parts import save_parts

KIND = 'multipart/related; type="application/dicom"; boundary="the b"'
HEAD = b"Content-Type: application/dicom\r\n\r\n"
FILES = [b"first", b"", b"\r\n--the\r\n", b"last\r\n--the c", bytes(range(256)) * 4]


def message(files, begin=b"", end=b"\r\n--the b--\r\n", head=HEAD):
    return begin + b"".join(b"\r\n--the b\r\n" + head + each for each in files) + end


def pieces(content, size):
    return [content[start : start + size] for start in range(0, len(content), size)]


def saved(chunks, folder, kind=KIND):
    return [path.read_bytes() for path in save_parts(chunks, kind, folder)]


@pytest.mark.parametrize("size", [1, 2, 7, 64, 5000])
def test_files_are_kept_bit_by_bit_in_pieces_of_any_size(tmp_path, size):
    assert saved(pieces(message(FILES), size), tmp_path) == FILES


def test_a_message_may_begin_at_once_with_a_preamble_or_with_parts_without_headers(tmp_path):
    for n, content in enumerate((message(FILES)[2:], message(FILES, b"hello"), message(FILES, head=b"\r\n"))):
        (tmp_path / str(n)).mkdir()
        assert saved([content], tmp_path / str(n)) == FILES


def test_a_single_file_may_come_without_parts(tmp_path):
    assert saved([b"one ", b"file"], tmp_path, "application/dicom; transfer-syntax=1.2") == [b"one file"]


@pytest.mark.parametrize("kept", [0, 20, 60, -5, -16])
def test_an_answer_that_ends_early_is_noticed_and_leaves_whole_files(tmp_path, kept):
    found = []
    with pytest.raises(Cut):
        found += save_parts([message(FILES[:2])[:kept]], KIND, tmp_path)
    assert len(list(tmp_path.iterdir())) <= 2
    assert all(path.read_bytes() in FILES for path in tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["text/html", "multipart/related", "", "multipart/related; boundary=" + 300 * "x"])
def test_a_different_answer_is_refused(tmp_path, kind):
    with pytest.raises(PacsError, match="instead of DICOM files"):
        list(save_parts([b"<html>"], kind, tmp_path))


@pytest.mark.parametrize(("name", "most"), [("FETCHED", 100), ("VOXELS", 50), ("INSTANCES", 3), ("_HEAD", 8)])
def test_more_than_a_study_needs_is_refused(tmp_path, monkeypatch, name, most):
    monkeypatch.setattr(parts, name, most)
    with pytest.raises(TooMuch):
        list(save_parts(pieces(message([b"x" * 60] * 5), 16), KIND, tmp_path))


def test_headers_without_an_end_take_no_memory(tmp_path):
    endless = (b"x" * 1000 for _ in range(10**6))
    with pytest.raises(TooMuch, match="headers"):
        list(save_parts((chunk for source in ([b"--the b\r\n"], endless) for chunk in source), KIND, tmp_path))
