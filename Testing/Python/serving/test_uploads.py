"""Files that a browser sends to `pcr view`."""

import aiohttp
import pytest
from PCRPredictorView.serving import uploads
from support.view_help import form, open_page, origin, raw, running


async def test_an_upload_reaches_the_process_under_names_of_our_own():
    async with running() as (server, client, puppets):
        page = await open_page(server, client)
        files = form(pre=("../../MRN123.nii.gz", b"1"), early=("b.nii", b"2"), late=("c.NII", b"3"), mask=("", b""))
        async with client.post(page / "upload", data=files, headers=origin(server)) as answer:
            assert answer.status == 200, await answer.text()
        assert puppets[0].files == {"pre.nii.gz": b"1", "early.nii": b"2", "late.nii": b"3"}


@pytest.mark.slow
async def test_an_upload_that_stops_on_its_way_makes_room_for_another(monkeypatch):
    monkeypatch.setattr(uploads, "_STALLED", 0.3)
    async with running() as (server, client, puppets):
        page = (await open_page(server, client)).path
        status, body = await raw(
            server,
            f"POST {page}upload HTTP/1.1\nHost: 127.0.0.1:{{port}}\nOrigin: http://127.0.0.1:{{port}}\n"
            "Content-Type: multipart/form-data; boundary=x\nContent-Length: 9999\nConnection: close\n\n--x\n",
        )
        assert "413" in status
        assert body == "the upload has stopped on its way; send the files again\n"
        assert [call["method"] for call in puppets[0].calls] == ["receiving", "complain"]


async def test_an_upload_does_not_make_the_folder_of_a_page_that_has_ended():
    async with running() as (server, client, puppets):
        page = await open_page(server, client)
        puppets[0].folder.rmdir()
        async with client.post(page / "upload", data=form(**PHASES), headers=origin(server)) as answer:
            assert answer.status == 413
        assert not puppets[0].folder.exists()


async def test_a_dicom_folder_reaches_the_process():
    async with running() as (server, client, puppets):
        page, files = await open_page(server, client), aiohttp.FormData()
        for name in ("study/IM1", "study/IM2"):
            files.add_field("dicom", name.encode(), filename=name)
        async with client.post(page / "upload", data=files, headers=origin(server)) as answer:
            assert answer.status == 200, await answer.text()
        assert puppets[0].files == {"dicom/00000.dcm": b"study/IM1", "dicom/00001.dcm": b"study/IM2"}


PHASES = {"early": ("b.nii", b"2"), "late": ("c.nii", b"3")}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"pre": ("a.nii", b"x" * 1_100_000), **PHASES}, "at most 1 MB"),
        ({"pre": ("a.exe", b"x"), **PHASES}, "must be .nii or .nii.gz"),
        ({"pre": ("a.nrrd", b"x"), **PHASES}, "must be .nii or .nii.gz"),  # its header could name another file
        ({"pre": ("a.mha", b"x"), **PHASES}, "must be .nii or .nii.gz"),
        ({"pre": ("a.nii", b"x"), **PHASES, "mask": ("m.nhdr", b"x")}, "must be .nii or .nii.gz or .dcm"),
        ({"pre": ("a.nii", b"x")}, "the early phase is missing"),
        ({"other": ("a.nii", b"x"), **PHASES}, "must hold pre"),
    ],
)
async def test_an_upload_that_is_no_exam_gets_one_sentence_and_leaves_nothing(files, message):
    async with running() as (server, client, puppets):
        page = await open_page(server, client)
        async with client.post(page / "upload", data=form(**files), headers=origin(server)) as answer:
            assert answer.status == 413
            assert message in await answer.text()
        assert [call["method"] for call in puppets[0].calls] == ["receiving", "complain"]
        assert message in puppets[0].calls[1]["message"]
        assert list(puppets[0].folder.rglob("*")) == []


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "multipart/form-data", "text/plain"])
async def test_a_malformed_form_is_refused(kind):
    async with running() as (server, client, puppets):
        page, headers = await open_page(server, client), {**origin(server), "Content-Type": kind}
        async with client.post(page / "upload", data=b"--y\r\nnonsense", headers=headers) as answer:
            assert answer.status == 413
            assert (await answer.text()).count("\n") == 1
        assert list(puppets[0].folder.rglob("*")) == []


async def test_a_length_over_the_limit_is_refused_before_anything_is_read():
    async with running() as (server, client, _puppets):
        page = (await open_page(server, client)).path
        status, body = await raw(
            server,
            f"POST {page}upload HTTP/1.1\nHost: 127.0.0.1:{{port}}\nOrigin: http://127.0.0.1:{{port}}\n"
            "Content-Type: multipart/form-data; boundary=x\nContent-Length: 99999999999\nConnection: close\n\n",
        )
        assert "413" in status
        assert "at most 1 MB" in body
