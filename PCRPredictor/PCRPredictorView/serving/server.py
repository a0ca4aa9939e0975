"""The server that browsers talk to: pages, connections, uploads, results. It loads neither Slicer's core nor torch."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import importlib
import logging
import mimetypes
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import web
from PCRPredictorLib.errors import DataError

from .guard import Guard, is_loopback
from .pages import GRACE, PageProcess, Pages, StartProcess
from .script import SCRIPT
from .uploads import check_size, receive
from .waiting import waiting_page, with_loader

MEGABYTE = 2**20
_MESSAGE = 8 * MEGABYTE  # largest message of a page, which sends mouse moves and values of fields
_FORM = 64 * 1024  # bytes that a form adds to its files
_CLOSE_TIMEOUT_S = 3.0  # seconds in which a browser must close its connection
_REQUEST_TIMEOUT_S = 10.0  # seconds in which a new connection must send a whole request
_CLIENT = ("trame_client.module.vue3", "trame_vuetify.module.v3", "trame_rca.module", "trame_slicer.module")
_TEXT = (".js", ".cjs", ".css", ".svg", ".json", ".map")  # files that are sent compressed
_DOWNLOADS = {
    "report.html": "text/html",
    "result.zip": "application/zip",
    "dicom.zip": "application/zip",
    "follow.html": "text/html",
    "follow.zip": "application/zip",
    "tumour.nii.gz": "application/gzip",
    "tumour.dcm": "application/dicom",
}
_PAGES: web.AppKey[Pages] = web.AppKey("pages", Pages)


@dataclass(frozen=True)
class ServerSettings:
    """How the server is reached and what it allows.

    Args:
        host: address to listen on.
        port: to listen on; 0 takes a free one.
        names: further host names that it answers to.
        token: require a token on this machine, too; beyond it a token is always required.
        upload_limit: largest upload in MB.
        pages: largest number of open pages.
        grace: seconds for which a page without a browser is kept.
    """

    host: str = "127.0.0.1"
    port: int = 0
    names: tuple[str, ...] = ()
    token: bool = False
    upload_limit: int = 1024
    pages: int = 8
    grace: float = GRACE


def serve(settings: ServerSettings, start: StartProcess, ready: Callable[[str], None]) -> None:
    """Serve until interrupted.

    Args:
        settings: how the server is reached.
        start: starts the process of a page.
        ready: called with the address to open once pages are served.

    Raises:
        DataError: if it cannot listen on the address.
    """
    needs_token = settings.token or not is_loopback(settings.host)
    guard = Guard(settings.host, settings.names, Guard.new_token() if needs_token else None)
    listening = _listen(settings.host, settings.port)
    application = make_application(settings, guard, start)

    async def announce(application: web.Application) -> None:
        if sys.platform != "win32":  # which has no such signal
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _end)
        ready(_address(settings.host, listening.getsockname()[1], guard.token))
        application[_PAGES].prepare()

    application.on_startup.append(announce)
    _allow_many_connections()
    web.run_app(
        application,
        sock=listening,
        print=None,
        access_log=None,
        shutdown_timeout=_CLOSE_TIMEOUT_S,
        keepalive_timeout=_REQUEST_TIMEOUT_S,
    )


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _type, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)
        raise DataError(f"cannot listen on {host}:{port} ({reason}); choose another --port or --host") from None


def _end() -> None:
    """End the server when its terminal is closed, as Ctrl-C does."""
    raise web.GracefulExit


def _allow_many_connections() -> None:
    """Allow as many open files as the machine permits; the usual limit is far lower."""
    if sys.platform == "win32":  # which has no such limit
        return
    import resource

    with contextlib.suppress(ValueError, OSError):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _address(host: str, port: int, token: str | None) -> str:
    name = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/" + (f"?token={token}" if token else "")


def make_application(settings: ServerSettings, guard: Guard, start: StartProcess) -> web.Application:
    """Return the server's routes behind the guard."""
    application = web.Application(
        middlewares=[guard.check, _answer_errors], client_max_size=settings.upload_limit * MEGABYTE + _FORM
    )
    application.on_response_prepare.append(guard.add_headers)
    handlers = Handlers(settings, static_files())
    application.add_routes(
        [
            web.get("/", handlers.open, allow_head=False),
            web.get("/page/{page}", handlers.add_slash),
            web.get("/page/{page}/", handlers.index),
            web.get("/page/{page}/ws", handlers.connect),
            web.post("/page/{page}/paraview/", handlers.launch),
            web.post("/page/{page}/upload", handlers.upload),
            *(web.get(f"/page/{{page}}/{name}", handlers.download) for name in _DOWNLOADS),
            web.get("/page/{page}/{file:.+}", handlers.file),
        ]
    )

    async def begin(application: web.Application) -> None:
        application[_PAGES] = Pages(start, settings.pages, settings.grace)

    async def end(application: web.Application) -> None:
        await application[_PAGES].close()

    application.on_startup.append(begin)
    application.on_shutdown.append(end)  # before the server waits for its connections, which the pages keep open
    return application


def static_files() -> dict[str, Path]:
    """Return every file that a page may load, by its address below the page; nothing else is ever opened."""
    found: dict[str, Path] = {}
    for name in _CLIENT:
        module = importlib.import_module(name)
        folders = dict(getattr(module, "serve", {})) | ({"": module.www} if hasattr(module, "www") else {})
        for prefix, folder in folders.items():
            for path in Path(folder).rglob("*"):
                if path.is_file():
                    found["/".join(filter(None, (prefix, path.relative_to(folder).as_posix())))] = path
    return found


@web.middleware
async def _answer_errors(request: web.Request, handler: Callable) -> web.StreamResponse:
    """Answer errors with one sentence, never with a trace."""
    try:
        return await handler(request)
    except DataError as error:
        return web.Response(status=409, text=f"{error}\n")
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:
        logging.getLogger(__name__).exception("a request failed")
        return web.Response(status=500, text="something went wrong on the server; load the page again\n")


@cache
def _compressed(path: Path) -> bytes:
    """Return a file of the page compressed for slow lines; each is compressed once."""
    return gzip.compress(path.read_bytes())


class Handlers:
    """The handlers of all routes."""

    def __init__(self, settings: ServerSettings, files: dict[str, Path]) -> None:
        self._settings, self._files = settings, files
        index = with_loader(files["index.html"].read_text(encoding="utf-8"))
        self._index = index.replace("</body>", f"{SCRIPT}</body>")

    async def open(self, request: web.Request) -> web.StreamResponse:
        """Open a new page for a browser that navigates here; an embedded picture, for example, opens none."""
        asked = request.headers.get
        if (asked("Sec-Fetch-Mode", "navigate"), asked("Sec-Fetch-Dest", "document")) != ("navigate", "document"):
            raise web.HTTPForbidden(text="open this address directly, not inside another page\n")
        if request.app[_PAGES].is_preparing:
            return web.Response(text=waiting_page(), content_type="text/html")
        try:
            page = await request.app[_PAGES].open()
        except DataError as error:
            return web.Response(status=503, text=f"{error}\n")
        raise web.HTTPSeeOther(f"/page/{page.identifier}/")

    async def add_slash(self, request: web.Request) -> web.StreamResponse:
        """Redirect to the address with a slash, to which the page's own addresses are relative."""
        raise web.HTTPSeeOther(f"/page/{request.match_info['page']}/")

    async def index(self, request: web.Request) -> web.StreamResponse:
        """Send the page; if it has ended, redirect to a new one."""
        if self._find(request) is None:
            raise web.HTTPSeeOther("/")
        return web.Response(text=self._index, content_type="text/html")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Send a script, style or font of the page."""
        path = self._files.get(request.match_info["file"])
        if path is None:
            raise web.HTTPNotFound(text="there is no such file\n")
        headers = {"Cache-Control": "private, max-age=3600"}
        if path.suffix not in _TEXT or "gzip" not in request.headers.get("Accept-Encoding", ""):
            return web.FileResponse(path, headers=headers)
        headers |= {
            "Content-Encoding": "gzip",
            "Content-Type": mimetypes.guess_type(path)[0] or "text/javascript",
            "Vary": "Accept-Encoding",
        }
        return web.Response(body=await asyncio.to_thread(_compressed, path), headers=headers)

    async def launch(self, request: web.Request) -> web.StreamResponse:
        """Tell trame's client where to connect; it asks at the address of ParaView's launcher."""
        page, scheme = self._page(request), "wss" if request.secure else "ws"
        return web.json_response({"sessionURL": f"{scheme}://USE_HOST/page/{page.identifier}/ws"})

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Connect a browser to the process of its page."""
        page = self._page(request)
        browser = web.WebSocketResponse(max_msg_size=_MESSAGE, heartbeat=20, timeout=_CLOSE_TIMEOUT_S, compress=False)
        await browser.prepare(request)
        try:
            await page.relay(browser)
        except DataError:
            await browser.close()
        return browser

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Receive an exam and let the page open it."""
        page, limit = self._page(request), self._settings.upload_limit * MEGABYTE
        folder = page.folder / f"upload-{secrets.token_hex(4)}"
        async with page.uploading:
            try:
                check_size(request.content_length or 0, limit + _FORM)
                await page.call("begin_upload")
                await receive(request, folder, limit)
            except DataError as error:
                await page.call("refuse_upload", problem=str(error))
                return web.Response(status=413, text=f"{error}\n")
            await page.call("open_upload", folder=str(folder))
        return web.Response(text="received\n")

    async def download(self, request: web.Request) -> web.StreamResponse:
        """Send the report, an archive of every file of the result, or the tumour mask."""
        name = request.path.rpartition("/")[2]
        page = self._page(request)
        await page.call("write_result", name=name)
        headers = {"Content-Disposition": f'attachment; filename="pcr-{name}"', "Content-Type": _DOWNLOADS[name]}
        return web.FileResponse(page.folder / name, headers=headers)

    @staticmethod
    def _find(request: web.Request) -> PageProcess | None:
        return request.app[_PAGES].find(request.match_info["page"])

    def _page(self, request: web.Request) -> PageProcess:
        if (page := self._find(request)) is None:
            raise web.HTTPNotFound(text="this page has ended; open a new one\n")
        return page
