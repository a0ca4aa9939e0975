"""A PACS with faults: passes requests on to a real one, but for those that a fault takes."""

import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import requests

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server"}


@dataclass(frozen=True)
class Answer:
    """What is sent back.

    Args:
        pause: seconds before it begins.
        drip: seconds after each of its pieces.
        sent: share of the body that is sent before the connection is cut off.
        measured: says how long the body is; without it, its end is that of the connection.
        endless: sends the body again and again.
    """

    status: int
    headers: dict[str, str]
    body: bytes = b""
    pause: float = 0.0
    drip: float = 0.0
    sent: float = 1.0
    measured: bool = True
    endless: bool = False


@dataclass
class Request:
    """What a client asks."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    passed_on: Callable[[], Answer]


@dataclass
class Fault:
    """What happens to some requests.

    Args:
        happens: makes the answer to a request.
        where: pattern of "METHOD path" of the requests; "" for all.
        times: how often; without end by default.
        after: requests that pass before.
    """

    happens: Callable[[Request], Answer]
    where: str = ""
    times: float = inf
    after: int = 0

    def takes(self, request: Request) -> bool:
        """Return whether it takes a request, and count it."""
        if not re.search(self.where, f"{request.method} {request.path}") or self.times <= 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True


@dataclass
class FaultyArchive:
    """Address, faults and what was asked, as "METHOD path"; faults may change while it runs.

    Args:
        behind: address of the real archive's DICOMweb.
        token: what a client must show, "" for none.
    """

    behind: str
    url: str = ""
    token: str = ""
    faults: list[Fault] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    def answer(self, request: Request) -> Answer:
        """Return the answer of the first fault that takes a request, or else that of the archive."""
        self.seen.append(f"{request.method} {request.path}")
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return Answer(401, {"Content-Type": "text/html"}, b"<html>SECRET^PATIENT is not for you</html>")
        for fault in self.faults:
            if fault.takes(request):
                return fault.happens(request)
        return request.passed_on()


@contextmanager
def faulty_archive(
    behind: str,
    *faults: Fault,
    token: str = "",
    certificate: Path | None = None,
    clients: Path | None = None,
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
):
    """Run a faulty archive before a real one.

    Args:
        certificate: PEM file of a key and certificate, for TLS.
        clients: PEM file of the certificates of which a client must have one; None if it needs none.
        newest: version of TLS.
    """
    archive = FaultyArchive(behind, token=token, faults=list(faults))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(archive))
    server.daemon_threads, server.block_on_close = True, False
    server.handle_error = lambda *_: None  # clients that went away
    scheme = "http"
    if certificate:
        scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.maximum_version = newest
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    archive.url = f"{scheme}://127.0.0.1:{server.server_port}{urlsplit(behind).path}"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield archive
    finally:
        archive.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _linger(connection: ssl.SSLSocket) -> None:
    """Read what a client still sends, as servers do: if any were left, the system would drop the alert on its way."""
    with socket.socket(fileno=os.dup(connection.fileno())) as raw, suppress(OSError):
        raw.settimeout(1)
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(1 << 16):
            pass


def _handler_of(archive: FaultyArchive) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def handle(self) -> None:
            try:
                super().handle()
            except ssl.SSLError:
                _linger(self.connection)
                raise

        def do_GET(self) -> None:
            self._respond()

        def do_POST(self) -> None:
            self._respond()

        def log_message(self, *_: object) -> None:
            pass

        def _respond(self) -> None:
            body = b"".join(_body_of(self))
            request = Request(self.command, self.path, dict(self.headers), body, lambda: _ask(archive, self, body))
            answer = archive.answer(request)
            archive.stopped.wait(answer.pause)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            whole = answer.sent >= 1 and answer.measured and not answer.endless
            if answer.measured and not answer.endless:
                self.send_header("Content-Length", str(len(answer.body)))
            if not whole:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            for piece in _pieces(answer):
                if archive.stopped.is_set():
                    break
                self.wfile.write(piece)
                archive.stopped.wait(answer.drip)

    return Handler


def _body_of(handler: BaseHTTPRequestHandler) -> Iterator[bytes]:
    if "chunked" in handler.headers.get("Transfer-Encoding", ""):
        while size := int(handler.rfile.readline(), 16):
            yield handler.rfile.read(size)
            handler.rfile.readline()
        handler.rfile.readline()
    else:
        yield handler.rfile.read(int(handler.headers.get("Content-Length", 0)))


def _ask(archive: FaultyArchive, handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
    root = archive.behind.removesuffix(urlsplit(archive.behind).path)
    headers = {name: value for name, value in handler.headers.items() if name.lower() not in HOP_BY_HOP}
    headers.pop("Authorization", None)
    try:
        found = requests.request(handler.command, root + handler.path, headers=headers, data=body, timeout=60)
    except requests.ConnectionError:
        return Answer(502, {"Content-Type": "text/html"}, b"<html>no archive behind</html>")
    kept = {n: v for n, v in found.headers.items() if n.lower() not in HOP_BY_HOP | {"content-encoding"}}
    return Answer(found.status_code, kept, found.content)


def _pieces(answer: Answer) -> Iterator[bytes]:
    body = answer.body[: int(len(answer.body) * min(answer.sent, 1))]
    size = 64 if answer.drip else 1 << 16
    yield from (body[start : start + size] for start in range(0, len(body), size))
    while answer.endless:
        yield body
