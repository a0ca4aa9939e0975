"""What a browser, or somebody else, can ask `pcr view` for."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading

import aiohttp
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorView.serving import server as server_module
from PCRPredictorView.serving import sessions, uploads
from PCRPredictorView.serving.guard import Guard, is_loopback
from PCRPredictorView.serving.logs import log_in_one_line
from PCRPredictorView.serving.server import ServerSettings, serve, static_files
from support.view_help import Puppet, open_page, origin, raw, running, until

ENDS = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
OUTSIDE = (
    "/page/{page}/../../../../../../etc/passwd",
    "/page/{page}/..%2f..%2f..%2f..%2fetc/passwd",
    "/page/{page}/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/page/{page}//etc/passwd",
    "/page/{page}/upload/../../../etc/passwd",
    "/page/../../etc/passwd",
    "//etc/passwd",
    "/page/{page}/assets/../../../module/vue3.py",
)


def form(**files):
    data = aiohttp.FormData()
    for field, (name, content) in files.items():
        data.add_field(field, content, filename=name)
    return data


def test_a_page_and_its_files_are_served():
    async def check():
        async with running() as (server, client, _puppets):
            page = await open_page(server, client)
            async with client.get(page) as answer:
                assert "<script" in await answer.text()
            async with client.get(page / "vue.global.js") as answer:
                assert answer.status == 200

    asyncio.run(check())


def test_scripts_are_sent_packed_to_who_can_unpack_them():
    async def check():
        async with running() as (server, client, _puppets):
            page = await open_page(server, client)
            sizes, texts = [], []
            for encoding in ("identity", "gzip"):
                async with client.get(page / "vue.global.js", headers={"Accept-Encoding": encoding}) as answer:
                    assert "javascript" in answer.headers["Content-Type"]
                    sizes.append(int(answer.headers["Content-Length"]))
                    texts.append(await answer.text())
            assert sizes[1] < 0.4 * sizes[0]
            assert texts[0] == texts[1]

    asyncio.run(check())


def test_every_visit_gets_a_page_of_its_own():
    async def check():
        async with running() as (server, client, _puppets):
            assert await open_page(server, client) != await open_page(server, client)

    asyncio.run(check())


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_other_file_of_the_machine_can_be_reached(path):
    async def check():
        async with running() as (server, client, _puppets):
            page = (await open_page(server, client)).path.split("/")[2]
            request = f"GET {path.format(page=page)} HTTP/1.1\nHost: 127.0.0.1:{{port}}\nConnection: close\n\n"
            status, body = await raw(server, request)
            assert status.split()[1] in ("404", "400")
            assert "root:" not in body
            assert len(body) < 100

    asyncio.run(check())


def test_only_files_of_the_page_are_in_the_table():
    files = static_files()
    assert {"index.html", "vue.global.js"} <= files.keys()
    assert all("trame" in str(path) and path.suffix != ".py" for path in files.values())
    assert not any(name.startswith("/") or ".." in name for name in files)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "", "[::1", "a b", "evil@127.0.0.1:{port}"],
)
def test_a_foreign_host_is_refused(host):
    async def check():
        async with running() as (server, _client, puppets):
            status, body = await raw(server, f"GET / HTTP/1.1\nHost: {host}\nConnection: close\n\n")
            assert status.split()[1] in ("403", "400")
            assert puppets == []
            assert "does not answer to that name" in body or "400" in status

    asyncio.run(check())


def test_names_that_were_given_are_answered_to():
    async def check():
        async with running(names=("pcr.hospital.example",)) as (server, _client, _puppets):
            request = "GET / HTTP/1.1\nHost: pcr.hospital.example\nConnection: close\n\n"
            assert "303" in (await raw(server, request))[0]

    asyncio.run(check())


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/page/x/", "/page/x/index.html", "/page/x/report.html"])
def test_without_the_token_nothing_is_to_be_had(path):
    async def check():
        async with running(token="right") as (server, client, puppets):
            async with client.get(server.make_url(path), allow_redirects=False) as answer:
                assert answer.status == 401
                assert "token" in await answer.text()
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await client.ws_connect(server.make_url("/page/x/ws"), headers=origin(server))
            async with client.post(server.make_url("/page/x/upload"), data=b"x", headers=origin(server)) as answer:
                assert answer.status == 401
            assert puppets == []

    asyncio.run(check())


def test_the_token_goes_from_the_address_into_a_cookie():
    async def check():
        async with running(token="right") as (server, client, _puppets):
            async with client.get(server.make_url("/?token=right"), allow_redirects=False) as answer:
                assert answer.status == 303
                assert answer.headers["Location"] == "/"
                cookie = answer.headers["Set-Cookie"]
                assert "HttpOnly" in cookie
                assert "SameSite=Lax" in cookie
            await open_page(server, client)

    asyncio.run(check())


def test_two_servers_on_one_machine_have_cookies_of_their_own():
    async def check():
        async with running(token="one") as (first, client, _), running(token="two") as (second, _other, _puppets):
            for server, token in ((first, "one"), (second, "two")):
                async with client.get(server.make_url(f"/?token={token}")) as answer:
                    assert answer.status == 200
            await open_page(first, client)

    asyncio.run(check())


def test_a_cookie_of_any_letters_is_just_wrong():
    async def check():
        async with running(token="right") as (server, _client, _puppets):
            name = Guard("127.0.0.1", (), "right")._cookie
            status, _body = await raw(
                server, f"GET / HTTP/1.1\nHost: 127.0.0.1:{{port}}\nCookie: {name}=\xff\nConnection: close\n\n"
            )
            assert "401" in status

    asyncio.run(check())


@pytest.mark.parametrize(("mode", "kind"), [("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe")])
def test_another_site_cannot_make_pages_or_frames(mode, kind):
    async def check():
        async with running() as (server, client, puppets):
            headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": kind}
            async with client.get(server.make_url("/"), headers=headers) as answer:
                assert answer.status == 403
            assert puppets == []
            link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
            async with client.get(server.make_url("/"), headers=link) as answer:
                assert answer.status == 200

    asyncio.run(check())


@pytest.mark.parametrize(
    ("host", "asked", "needed"), [("127.0.0.1", False, False), ("127.0.0.1", True, True), ("0.0.0.0", False, True)]
)
def test_the_printed_address_has_a_token_where_one_is_needed(host, asked, needed):
    addresses = []

    def ready(address):
        addresses.append(address)
        os.kill(os.getpid(), signal.SIGTERM)

    def start(end, folder):
        return Puppet(end, folder)

    serve(ServerSettings(host=host, token=asked), start, ready)
    assert ("?token=" in addresses[0]) == needed


def test_beyond_this_machine_there_is_always_a_token():
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.org")


def test_a_page_of_another_site_cannot_connect_or_upload():
    async def check():
        async with running() as (server, client, puppets):
            page = await open_page(server, client)
            for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await client.ws_connect(page / "ws", headers=headers)
                assert refused.value.status == 403
                async with client.post(page / "upload", data=form(pre=("a.nii", b"x")), headers=headers) as answer:
                    assert answer.status == 403
            assert not any(puppet.calls for puppet in puppets)

    asyncio.run(check())


def test_every_answer_says_that_nothing_is_loaded_from_elsewhere():
    async def check():
        async with running() as (server, client, _puppets):
            page = await open_page(server, client)
            for address in (page, page / "nothing.js", page / "vue.global.js", server.make_url("/nowhere")):
                async with client.get(address) as answer:
                    policy = answer.headers["Content-Security-Policy"]
                    assert "default-src 'self'" in policy
                    assert "http" not in policy
                    assert answer.headers["X-Content-Type-Options"] == "nosniff"

    asyncio.run(check())


def test_an_upload_reaches_the_process_under_names_of_our_own():
    async def check():
        async with running() as (server, client, puppets):
            page = await open_page(server, client)
            files = form(pre=("../../MRN123.nii.gz", b"1"), early=("b.nii", b"2"), late=("c.NII", b"3"), mask=("", b""))
            async with client.post(page / "upload", data=files, headers=origin(server)) as answer:
                assert answer.status == 200, await answer.text()
            assert puppets[0].files == {"pre.nii.gz": b"1", "early.nii": b"2", "late.nii": b"3"}

    asyncio.run(check())


@pytest.mark.slow
def test_an_upload_that_stops_on_its_way_makes_room_for_another(monkeypatch):
    async def check():
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

    asyncio.run(check())


def test_an_upload_does_not_make_the_folder_of_a_page_that_has_ended():
    async def check():
        async with running() as (server, client, puppets):
            page = await open_page(server, client)
            puppets[0].folder.rmdir()
            async with client.post(page / "upload", data=form(**PHASES), headers=origin(server)) as answer:
                assert answer.status == 413
            assert not puppets[0].folder.exists()

    asyncio.run(check())


def test_a_dicom_folder_reaches_the_process():
    async def check():
        async with running() as (server, client, puppets):
            page, files = await open_page(server, client), aiohttp.FormData()
            for name in ("study/IM1", "study/IM2"):
                files.add_field("dicom", name.encode(), filename=name)
            async with client.post(page / "upload", data=files, headers=origin(server)) as answer:
                assert answer.status == 200, await answer.text()
            assert puppets[0].files == {"dicom/00000.dcm": b"study/IM1", "dicom/00001.dcm": b"study/IM2"}

    asyncio.run(check())


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
def test_an_upload_that_is_no_exam_gets_one_sentence_and_leaves_nothing(files, message):
    async def check():
        async with running() as (server, client, puppets):
            page = await open_page(server, client)
            async with client.post(page / "upload", data=form(**files), headers=origin(server)) as answer:
                assert answer.status == 413
                assert message in await answer.text()
            assert [call["method"] for call in puppets[0].calls] == ["receiving", "complain"]
            assert message in puppets[0].calls[1]["message"]
            assert list(puppets[0].folder.rglob("*")) == []

    asyncio.run(check())


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "multipart/form-data", "text/plain"])
def test_a_malformed_form_is_refused(kind):
    async def check():
        async with running() as (server, client, puppets):
            page, headers = await open_page(server, client), {**origin(server), "Content-Type": kind}
            async with client.post(page / "upload", data=b"--y\r\nnonsense", headers=headers) as answer:
                assert answer.status == 413
                assert (await answer.text()).count("\n") == 1
            assert list(puppets[0].folder.rglob("*")) == []

    asyncio.run(check())


def test_a_length_over_the_limit_is_refused_before_anything_is_read():
    async def check():
        async with running() as (server, client, _puppets):
            page = (await open_page(server, client)).path
            status, body = await raw(
                server,
                f"POST {page}upload HTTP/1.1\nHost: 127.0.0.1:{{port}}\nOrigin: http://127.0.0.1:{{port}}\n"
                "Content-Type: multipart/form-data; boundary=x\nContent-Length: 99999999999\nConnection: close\n\n",
            )
            assert "413" in status
            assert "at most 1 MB" in body

    asyncio.run(check())


def test_messages_pass_between_a_page_and_its_own_process_only():
    async def check():
        async with running() as (server, client, puppets):
            pages = [await open_page(server, client) for _ in range(3)]
            sockets = [await client.ws_connect(page / "ws", headers=origin(server)) for page in pages]
            assert [(await socket.receive()).data.decode() for socket in sockets] == [p.folder.name for p in puppets]
            await sockets[1].send_bytes(b"mine")
            assert (await sockets[1].receive()).data == b"mine"
            with pytest.raises(TimeoutError):
                await sockets[0].receive(timeout=0.1)

    asyncio.run(check())


def test_a_message_that_is_too_large_ends_the_connection_and_nothing_else():
    async def check():
        async with running() as (server, client, _puppets):
            page = await open_page(server, client)
            socket = await client.ws_connect(page / "ws", headers=origin(server))
            await socket.receive()
            with contextlib.suppress(ConnectionError):  # the server need not wait for the end of it
                await socket.send_bytes(b"x" * (9 * 2**20))
            assert (await socket.receive()).type in ENDS
            again = await client.ws_connect(page / "ws", headers=origin(server))
            assert (await again.receive()).type == aiohttp.WSMsgType.BINARY

    asyncio.run(check())


def test_reports_are_downloaded_and_a_missing_result_is_said():
    async def check():
        async with running() as (server, client, _puppets):
            page = await open_page(server, client)
            async with client.get(page / "report.html") as answer:
                assert "attachment" in answer.headers["Content-Disposition"]
                assert await answer.text() == "a report"
            async with client.get(page / "result.zip") as answer:
                assert answer.status == 409
                assert await answer.text() == "there is no result to write; predict first\n"

    asyncio.run(check())


def test_a_page_that_has_ended_gives_a_new_one():
    async def check():
        async with running() as (server, client, _puppets):
            page = await open_page(server, client)
            socket = await client.ws_connect(page / "ws", headers=origin(server))
            await socket.receive()
            await socket.send_bytes(b"die")
            assert (await socket.receive()).type == aiohttp.WSMsgType.CLOSE
            async with client.get(page) as answer:
                assert answer.url != page
                assert answer.status == 200
            async with client.get(page / "report.html") as answer:
                assert answer.status == 404

    asyncio.run(check())


def test_places_are_limited_and_a_page_that_was_left_makes_room(monkeypatch):
    async def check():
        async with running(pages=2) as (server, client, puppets):
            first, second = [await open_page(server, client) for _ in range(2)]
            sockets = [await client.ws_connect(page / "ws", headers=origin(server)) for page in (first, second)]
            monkeypatch.setattr(sessions, "_RELOAD", 0.0)
            monkeypatch.setattr(sessions, "_LOADING", 0.0)
            async with client.get(server.make_url("/")) as answer:
                assert answer.status == 503
                assert "all 2 places are taken" in await answer.text()
            await sockets[0].close()
            third = await open_page(server, client)
            assert third not in (first, second)
            assert not puppets[0].folder.exists()
            assert puppets[1].folder.exists()

    asyncio.run(check())


def test_a_page_that_is_still_loading_makes_no_room(monkeypatch):
    async def check():
        async with running(pages=1) as (server, client, puppets):
            await open_page(server, client)
            async with client.get(server.make_url("/")) as answer:
                assert answer.status == 503
            monkeypatch.setattr(sessions, "_LOADING", 0.0)
            await open_page(server, client)
            assert len(puppets) == 2

    asyncio.run(check())


@pytest.mark.parametrize("site", ["same-site", "same-origin"])
def test_only_going_there_opens_a_page(site):
    async def check():
        async with running() as (server, client, puppets):
            headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
            async with client.get(server.make_url("/"), headers=headers) as answer:
                assert answer.status == 403
            async with client.head(server.make_url("/")) as answer:
                assert answer.status == 405
            assert puppets == []

    asyncio.run(check())


@pytest.mark.parametrize(("host", "status"), [("evil.example", "403"), ("127.0.0.1:{port}", "100")])
def test_who_may_not_send_is_not_asked_to_go_on(host, status):
    async def check():
        async with running() as (server, client, _puppets):
            page = (await open_page(server, client)).path
            request = f"POST {page}upload HTTP/1.1\nHost: {host}\nOrigin: http://{host}\nExpect: 100-continue\n"
            form = "Content-Type: multipart/form-data; boundary=x\nContent-Length: 7\nConnection: close\n\n--x--\n"
            first, _rest = await raw(server, request + form)
            assert first.split()[1] == status

    asyncio.run(check())


def test_a_page_that_is_being_reloaded_makes_no_room():
    async def check():
        async with running(pages=1) as (server, client, puppets):
            page = await open_page(server, client)
            socket = await client.ws_connect(page / "ws", headers=origin(server))
            await socket.receive()
            await socket.close()
            async with client.get(server.make_url("/")) as answer:
                assert answer.status == 503
            again = await client.ws_connect(page / "ws", headers=origin(server))
            assert (await again.receive()).data.decode() == puppets[0].folder.name

    asyncio.run(check())


def test_of_two_windows_on_one_page_the_last_one_has_it():
    async def check():
        async with running() as (server, client, _puppets):
            page = await open_page(server, client)
            first, second = await asyncio.gather(
                *(client.ws_connect(page / "ws", headers=origin(server)) for _ in range(2))
            )
            await asyncio.sleep(0.5)
            await asyncio.gather(*(client_socket.ping() for client_socket in (first, second)), return_exceptions=True)
            for client_socket in (first, second):
                with contextlib.suppress(TimeoutError):
                    while (await client_socket.receive(timeout=0.5)).type not in ENDS:
                        continue
            assert sorted(client_socket.closed for client_socket in (first, second)) == [False, True]

    asyncio.run(check())


def test_a_page_without_a_browser_is_kept_for_a_moment_and_then_ends():
    async def check():
        async with running(grace=1.0) as (server, client, puppets):
            page = await open_page(server, client)
            socket = await client.ws_connect(page / "ws", headers=origin(server))
            await socket.receive()
            await asyncio.sleep(2.5)
            assert puppets[0].folder.exists()
            await socket.close()
            await until(lambda: not puppets[0].folder.exists() and not puppets[0].is_alive())

    asyncio.run(check())


def test_nothing_is_left_when_the_server_ends():
    async def check():
        async with running() as (server, client, puppets):
            await open_page(server, client)
            await open_page(server, client)
        return puppets

    puppets = asyncio.run(check())
    assert len(puppets) == 2
    assert not any(puppet.folder.exists() or puppet.is_alive() for puppet in puppets)


def test_a_connection_that_asks_for_nothing_is_closed(monkeypatch):
    monkeypatch.setattr(server_module, "_SILENCE", 0.5)
    answers = []

    def ask(address):
        with socket.create_connection(("127.0.0.1", int(address.rstrip("/").rpartition(":")[2])), 5) as half:
            half.sendall(b"GET / HTTP/1.1\r\nHost:")
            with contextlib.suppress(TimeoutError):
                answers.append(half.recv(1))
        os.kill(os.getpid(), signal.SIGTERM)

    serve(ServerSettings(), Puppet, lambda address: threading.Thread(target=ask, args=(address,)).start())
    assert answers == [b""]


def test_the_server_takes_as_many_connections_as_the_machine_allows():
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1] // 2, before[1]))
    try:
        serve(ServerSettings(), Puppet, lambda _address: os.kill(os.getpid(), signal.SIGTERM))
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_what_goes_wrong_again_and_again_is_said_once(capfd):
    with kept_logging():
        log_in_one_line()
        for _ in range(1000):
            logging.getLogger("asyncio").error("socket.accept() out of system resource")
        logging.getLogger("asyncio").error("something else")
    assert capfd.readouterr().err.splitlines() == [
        "pcr view: socket.accept() out of system resource",
        "pcr view: something else",
    ]


@contextlib.contextmanager
def kept_logging():
    """Root's handlers as they were, after a test that sets them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_an_address_that_is_taken_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ServerSettings(port=taken.getsockname()[1])
        with pytest.raises(DataError, match="choose another --port"):
            serve(settings, lambda *_: None, lambda _address: None)


def test_a_token_cannot_be_guessed():
    assert len(Guard.new_token()) >= 32
    assert Guard.new_token() != Guard.new_token()
