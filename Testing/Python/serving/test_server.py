"""What `pcr view` serves, and how it starts and ends."""

import contextlib
import logging
import os
import signal
import socket
import threading

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorView.serving import server as server_module
from PCRPredictorView.serving.logs import log_in_one_line
from PCRPredictorView.serving.server import ServerSettings, serve, static_files
from support.page_server import FakePageProcess, open_page, running


async def test_a_page_and_its_files_are_served():
    async with running() as (server, client, _processes):
        page = await open_page(server, client)
        async with client.get(page) as answer:
            assert "<script" in await answer.text()
        async with client.get(page / "vue.global.js") as answer:
            assert answer.status == 200


async def test_scripts_are_sent_compressed_if_the_browser_allows_it():
    async with running() as (server, client, _processes):
        page = await open_page(server, client)
        sizes, texts = [], []
        for encoding in ("identity", "gzip"):
            async with client.get(page / "vue.global.js", headers={"Accept-Encoding": encoding}) as answer:
                assert "javascript" in answer.headers["Content-Type"]
                sizes.append(int(answer.headers["Content-Length"]))
                texts.append(await answer.text())
        assert sizes[1] < 0.4 * sizes[0]
        assert texts[0] == texts[1]


def test_only_files_of_the_page_are_listed():
    files = static_files()
    assert {"index.html", "vue.global.js"} <= files.keys()
    assert all("trame" in str(path) and path.suffix != ".py" for path in files.values())
    assert not any(name.startswith("/") or ".." in name for name in files)


@pytest.mark.parametrize(
    ("host", "asked", "required"), [("127.0.0.1", False, False), ("127.0.0.1", True, True), ("0.0.0.0", False, True)]
)
def test_the_printed_address_has_a_token_if_one_is_required(host, asked, required):
    addresses = []

    def ready(address):
        addresses.append(address)
        os.kill(os.getpid(), signal.SIGTERM)

    def start(end, folder):
        return FakePageProcess(end, folder)

    serve(ServerSettings(host=host, token=asked), start, ready)
    assert ("?token=" in addresses[0]) == required


async def test_reports_are_downloaded_and_a_missing_result_is_reported():
    async with running() as (server, client, _processes):
        page = await open_page(server, client)
        async with client.get(page / "report.html") as answer:
            assert "attachment" in answer.headers["Content-Disposition"]
            assert await answer.text() == "a report"
        async with client.get(page / "result.zip") as answer:
            assert answer.status == 409
            assert await answer.text() == "there is no result to write; predict first\n"


def test_a_connection_without_a_request_is_closed(monkeypatch):
    monkeypatch.setattr(server_module, "_REQUEST_TIMEOUT_S", 0.5)
    answers = []

    def ask(address):
        with socket.create_connection(("127.0.0.1", int(address.rstrip("/").rpartition(":")[2])), 5) as half:
            half.sendall(b"GET / HTTP/1.1\r\nHost:")
            with contextlib.suppress(TimeoutError):
                answers.append(half.recv(1))
        os.kill(os.getpid(), signal.SIGTERM)

    serve(ServerSettings(), FakePageProcess, lambda address: threading.Thread(target=ask, args=(address,)).start())
    assert answers == [b""]


def test_the_server_accepts_as_many_connections_as_the_machine_allows():
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1] // 2, before[1]))
    try:
        serve(ServerSettings(), FakePageProcess, lambda _address: os.kill(os.getpid(), signal.SIGTERM))
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_repeated_error_is_logged_once(capfd):
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
    """Restore the root logger's handlers after a test that sets them."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_an_address_in_use_is_reported():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ServerSettings(port=taken.getsockname()[1])
        with pytest.raises(DataError, match="choose another --port"):
            serve(settings, lambda *_: None, lambda _address: None)
