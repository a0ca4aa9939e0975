"""Uploads to `pcr view`."""

import aiohttp
import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorView.serving import uploads
from support.examples import ARRAY, write_raw_nifti
from support.page_server import form, open_page, origin, raw, running


async def test_an_upload_is_stored_under_fixed_names():
    async with running() as (server, client, processes):
        page = await open_page(server, client)
        files = form(pre=("../../MRN123.nii.gz", b"1"), early=("b.nii", b"2"), late=("c.NII", b"3"), mask=("", b""))
        async with client.post(page / "upload", data=files, headers=origin(server)) as answer:
            assert answer.status == 200, await answer.text()
        assert processes[0].files == {"pre.nii.gz": b"1", "early.nii": b"2", "late.nii": b"3"}


def upload_of(size, page):
    """The head of an upload of so many bytes."""
    return (
        f"POST {page.path}upload HTTP/1.1\nHost: 127.0.0.1:{{port}}\nOrigin: http://127.0.0.1:{{port}}\n"
        f"Content-Type: multipart/form-data; boundary=x\nContent-Length: {size}\nConnection: close\n\n"
    )


async def test_an_upload_that_stops_is_refused_and_the_next_one_can_be_sent(monkeypatch):
    monkeypatch.setattr(uploads, "_BYTE_TIMEOUT_S", 0.3)
    async with running() as (server, client, processes):
        status, body = await raw(server, upload_of(9999, await open_page(server, client)) + "--x\n")
        assert "413" in status
        assert body.endswith("; send the files again\n")
        assert [call["method"] for call in processes[0].calls] == ["begin_upload", "refuse_upload"]


async def test_an_upload_does_not_create_the_folder_of_a_page_that_has_ended():
    async with running() as (server, client, processes):
        page = await open_page(server, client)
        processes[0].folder.rmdir()
        async with client.post(page / "upload", data=form(**PHASES), headers=origin(server)) as answer:
            assert answer.status == 413
        assert not processes[0].folder.exists()


async def test_a_dicom_folder_reaches_the_process():
    async with running() as (server, client, processes):
        page, files = await open_page(server, client), aiohttp.FormData()
        for name in ("study/IM1", "study/IM2"):
            files.add_field("dicom", name.encode(), filename=name)
        async with client.post(page / "upload", data=files, headers=origin(server)) as answer:
            assert answer.status == 200, await answer.text()
        assert processes[0].files == {"dicom/IM1": b"study/IM1", "dicom/IM2": b"study/IM2"}


PHASES = {"early": ("b.nii", b"2"), "late": ("c.nii", b"3")}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"pre": ("a.nii", b"x" * 1_100_000), **PHASES}, "at most 1 MB"),
        ({"pre": ("a.exe", b"x"), **PHASES}, "must be .nii or .nii.gz or .nrrd or .mha"),
        ({"pre": ("a.nhdr", b"x"), **PHASES}, "must be .nii or .nii.gz or .nrrd or .mha"),  # voxels in another file
        ({"series": ("a.mhd", b"x")}, "must be .nii or .nii.gz or .nrrd or .mha"),
        ({"pre": ("a.nii", b"x"), **PHASES, "mask": ("m.nhdr", b"x")}, "or .mha or .dcm"),
        ({"pre": ("a.nii", b"x")}, "the early phase is missing"),
        ({"other": ("a.nii", b"x"), **PHASES}, "must be pre"),
    ],
)
async def test_an_invalid_upload_is_refused_in_one_sentence_and_deleted(files, message):
    async with running() as (server, client, processes):
        page = await open_page(server, client)
        async with client.post(page / "upload", data=form(**files), headers=origin(server)) as answer:
            assert answer.status == 413
            assert message in await answer.text()
        assert [call["method"] for call in processes[0].calls] == ["begin_upload", "refuse_upload"]
        assert message in processes[0].calls[1]["problem"]
        assert list(processes[0].folder.rglob("*")) == []


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "multipart/form-data", "text/plain"])
async def test_a_malformed_form_is_refused(kind):
    async with running() as (server, client, processes):
        page, headers = await open_page(server, client), {**origin(server), "Content-Type": kind}
        async with client.post(page / "upload", data=b"--y\r\nnonsense", headers=headers) as answer:
            assert answer.status == 413
            assert (await answer.text()).count("\n") == 1
        assert list(processes[0].folder.rglob("*")) == []


async def test_a_length_above_the_limit_is_refused_before_anything_is_read():
    async with running() as (server, client, _processes):
        status, body = await raw(server, upload_of(99999999999, await open_page(server, client)))
        assert "413" in status
        assert "at most 1 MB" in body


async def test_one_file_with_all_phases_is_stored_with_the_words_that_choose():
    async with running() as (server, client, processes):
        page = await open_page(server, client)
        files = form(series=("Jane Doe.seq.nrrd", b"1"), mask=("m.dcm", b"2"))
        files.add_field("pick", "0, 1 3")
        files.add_field("label", "")
        async with client.post(page / "upload", data=files, headers=origin(server)) as answer:
            assert answer.status == 200, await answer.text()
        assert processes[0].files == {
            "series.nrrd": b"1",
            "mask.dcm": b"2",
            "name-of-mask.txt": b"m.dcm",
            "pick.txt": b"0, 1 3",
        }


@pytest.mark.parametrize(
    ("name", "text", "message"), [("pick", "x", "three numbers from 0"), ("label", "1" * 999, "most 200")]
)
async def test_words_that_choose_nothing_are_refused_in_one_sentence(name, text, message):
    async with running() as (server, client, processes):
        page, files = await open_page(server, client), form(series=("a.nii", b"1"))
        files.add_field(name, text)
        async with client.post(page / "upload", data=files, headers=origin(server)) as answer:
            assert answer.status == 413
            assert message in await answer.text()
        assert list(processes[0].folder.rglob("*")) == []


def test_an_upload_is_the_exam_of_a_file_with_all_phases(tmp_path):
    phases = np.stack([ARRAY + 1000 * k for k in range(4)]).astype(np.int16)
    write_raw_nifti(tmp_path / "series.nii.gz", phases)
    write_raw_nifti(tmp_path / "mask.nii", ARRAY % 3)
    (tmp_path / "pick.txt").write_text("0 2,3")
    (tmp_path / "label.txt").write_text("all")
    exam = uploads.uploaded_entry(tmp_path).read()
    assert [int(phase.flat[0]) // 1000 for phase in exam.phases] == [0, 2, 3]
    assert len(exam.lesions) == 2


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("study/a/IM1", "a/IM1"),
        ("IM1", "IM1"),
        ("study/../../x.dcm", "x.dcm"),
        ("study\\..\\..\\x.dcm", "x.dcm"),
        ("/etc/passwd", "passwd"),
        ("study/Mädchen:1.dcm", "Mädchen_1.dcm"),
        ("study/...", "study"),
        ("", "file"),
    ],
)
def test_a_dicom_file_keeps_its_name_but_never_leaves_its_folder(tmp_path, name, place):
    assert uploads._place(tmp_path, name, 7) == tmp_path / place


def test_a_second_dicom_file_of_one_name_is_kept_beside_the_first(tmp_path):
    (tmp_path / "IM1").write_bytes(b"1")
    for name in ("study/IM1", "study/IM1/IM2"):
        assert uploads._place(tmp_path, name, 7).parent == tmp_path / "00007"


def test_a_message_about_an_upload_names_what_the_user_sent(tmp_path):
    (tmp_path / "name-of-mask.txt").write_text("left breast.dcm")
    text = f"{tmp_path / 'dicom'}: has no DICOM images; mask.dcm: lies beside them"
    assert uploads.in_users_words(tmp_path, text) == (
        "the folder that was sent: has no DICOM images; left breast.dcm: lies beside them"
    )


def test_an_upload_cannot_name_a_file_elsewhere_as_its_voxels(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(2 * ARRAY.size))
    (tmp_path / "upload").mkdir()
    fields = "type: short\ndimension: 3\nsizes: 8 7 6\nspacings: 1 1 1\nencoding: raw\nendian: little\n"
    for name in ("../secret", str(tmp_path / "secret")):
        (tmp_path / "upload" / "series.nrrd").write_text(f"NRRD0004\n{fields}data file: {name}\n\n")
        with pytest.raises(DataError, match="its voxels must lie beside it"):
            uploads.uploaded_entry(tmp_path / "upload").read()
