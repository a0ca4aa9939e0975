"""Uploads to `pcr view`."""

import aiohttp
import pytest
from PCRPredictorView.serving import uploads
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
        assert processes[0].files == {"dicom/00000.dcm": b"study/IM1", "dicom/00001.dcm": b"study/IM2"}


PHASES = {"early": ("b.nii", b"2"), "late": ("c.nii", b"3")}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"pre": ("a.nii", b"x" * 1_100_000), **PHASES}, "at most 1 MB"),
        ({"pre": ("a.exe", b"x"), **PHASES}, "must be .nii or .nii.gz"),
        ({"pre": ("a.nrrd", b"x"), **PHASES}, "must be .nii or .nii.gz"),  # its header could name any file
        ({"pre": ("a.mha", b"x"), **PHASES}, "must be .nii or .nii.gz"),
        ({"pre": ("a.nii", b"x"), **PHASES, "mask": ("m.nhdr", b"x")}, "must be .nii or .nii.gz or .dcm"),
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
