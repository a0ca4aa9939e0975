"""What a browser talks to: pages, their connections, uploads and results. It loads neither Slicer's core nor torch."""

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
from .sessions import GRACE, Session, Sessions, StartProcess
from .uploads import check_size, receive

MEGABYTE = 2**20
_MESSAGE = 8 * MEGABYTE  # largest message of a page; it sends a mouse's moves and a field's values
_FORM = 64 * 1024  # what a form's own lines add to its files
_PATIENCE = 3.0  # seconds that a browser has to say goodbye
_SILENCE = 10.0  # seconds that a connection may be open without a whole request
_CLIENT = ("trame_client.module.vue3", "trame_vuetify.module.v3", "trame_rca.module", "trame_slicer.module")
_SLIM = (".js", ".cjs", ".css", ".svg", ".json", ".map")  # what gets a fraction of its size when it is packed
_DOWNLOADS = {"report.html": "text/html", "result.zip": "application/zip"}
_SCRIPT = """<script>
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.matches?.("input")) return;
    event.preventDefault();
    document.getElementById(event.shiftKey ? "redo" : "undo")?.click();
  }, true);
  new MutationObserver(() => {
    if (document.body.innerText.trim() !== "Connection closed") return;
    document.body.innerHTML = "<p style='font-family: sans-serif; margin: 2em'>This page has ended, or is open in "
      + "another window. <a href='.'>Load it again</a>, or <a href='/'>open a new one</a>; where neither answers, "
      + "start pcr view again.</p>";
  }).observe(document.body, {childList: true, subtree: true});
</script>"""
_SESSIONS: web.AppKey[Sessions] = web.AppKey("sessions", Sessions)


@dataclass(frozen=True)
class ServerSettings:
    """How the server is reached and what it allows.

    Args:
        host: address to listen on.
        port: to listen on; 0 takes a free one.
        names: further names that it may be called by.
        token: whether a browser must show a token; beyond this machine it always must.
        upload_limit: MB of an upload.
        pages: how many may be open at once.
        grace: seconds that a page without a browser is kept.
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
        start: starts the process of a page.
        ready: called with the address to open once pages are served.

    Raises:
        DataError: if the address cannot be listened on.
    """
    asyncio.run(_serve(settings, start, ready))


async def _serve(settings: ServerSettings, start: StartProcess, ready: Callable[[str], None]) -> None:
    needs_token = settings.token or not is_loopback(settings.host)
    guard = Guard(settings.host, settings.names, Guard.new_token() if needs_token else None)
    application = make_application(settings, guard, start)
    _allow_many_connections()
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=_PATIENCE, keepalive_timeout=_SILENCE)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.host, settings.port).start()
        except OSError as error:
            raise DataError(
                f"{settings.host}:{settings.port}: cannot be listened on ({_reason(error)}); "
                "choose another --port or --host"
            ) from None
        interrupted = _interruption()
        ready(_address(settings.host, runner.addresses[0][1], guard.token))
        preparing = asyncio.create_task(application[_SESSIONS].prepare())
        await interrupted.wait()
        preparing.cancel()
    finally:
        await runner.cleanup()


def _allow_many_connections() -> None:
    """As many open files as the machine lets a program ask for; usual is far less."""
    if sys.platform == "win32":  # which has no such limit
        return
    import resource

    with contextlib.suppress(ValueError, OSError):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _interruption() -> asyncio.Event:
    """Happens with Ctrl-C, a polite end, or that of the terminal."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(AttributeError, NotImplementedError):  # Windows: Ctrl-C interrupts the loop itself
            loop.add_signal_handler(getattr(signal, name), stop.set)
    return stop


def _reason(error: OSError) -> str:
    """Without the address, which asyncio puts into it."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror)


def _address(host: str, port: int, token: str | None) -> str:
    name = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/" + (f"?token={token}" if token else "")


def make_application(settings: ServerSettings, guard: Guard, start: StartProcess) -> web.Application:
    """The server's routes behind the guard."""
    application = web.Application(
        middlewares=[guard.check, _tell], client_max_size=settings.upload_limit * MEGABYTE + _FORM
    )
    application.on_response_prepare.append(guard.add_headers)
    pages = Pages(settings, static_files())
    application.add_routes(
        [
            web.get("/", pages.open, allow_head=False),
            web.get("/page/{page}", pages.add_slash),
            web.get("/page/{page}/", pages.index),
            web.get("/page/{page}/ws", pages.connect),
            web.post("/page/{page}/paraview/", pages.launch),
            web.post("/page/{page}/upload", pages.upload, expect_handler=guard.expect),
            *(web.get(f"/page/{{page}}/{name}", pages.download) for name in _DOWNLOADS),
            web.get("/page/{page}/{file:.+}", pages.file),
        ]
    )

    async def begin(application: web.Application) -> None:
        application[_SESSIONS] = Sessions(start, settings.pages, settings.grace)

    async def end(application: web.Application) -> None:
        await application[_SESSIONS].close()

    application.on_startup.append(begin)
    application.on_shutdown.append(end)  # before the server waits for its connections, which the pages hold
    return application


def static_files() -> dict[str, Path]:
    """Every file that a page may load, by its address below the page; nothing else is ever opened."""
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
async def _tell(request: web.Request, handler: Callable) -> web.StreamResponse:
    """What is wrong in one sentence; never a trace."""
    try:
        return await handler(request)
    except DataError as error:
        return web.Response(status=409, text=f"{error}\n")
    except (web.HTTPException, ConnectionError):
        raise
    except Exception:
        logging.getLogger(__name__).exception("a request could not be answered")
        return web.Response(status=500, text="this went wrong here; load the page again\n")


@cache
def _packed(path: Path) -> bytes:
    """A file of the page as it goes over a slow line, packed once."""
    return gzip.compress(path.read_bytes())


class Pages:
    """The handlers."""

    def __init__(self, settings: ServerSettings, files: dict[str, Path]) -> None:
        self._settings, self._files = settings, files
        self._index = files["index.html"].read_text(encoding="utf-8").replace("</body>", f"{_SCRIPT}</body>")

    async def open(self, request: web.Request) -> web.StreamResponse:
        """A page of one's own, for who goes there: a picture's address, say, opens none."""
        asked = request.headers.get
        if (asked("Sec-Fetch-Mode", "navigate"), asked("Sec-Fetch-Dest", "document")) != ("navigate", "document"):
            raise web.HTTPForbidden(text="open this address itself\n")
        try:
            session = await request.app[_SESSIONS].open()
        except DataError as error:
            return web.Response(status=503, text=f"{error}\n")
        raise web.HTTPSeeOther(f"/page/{session.identifier}/")

    async def add_slash(self, request: web.Request) -> web.StreamResponse:
        """Addresses below the page are relative to it."""
        raise web.HTTPSeeOther(f"/page/{request.match_info['page']}/")

    async def index(self, request: web.Request) -> web.StreamResponse:
        """The page itself; one that has ended gives a new one."""
        if self._find(request) is None:
            raise web.HTTPSeeOther("/")
        return web.Response(text=self._index, content_type="text/html")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A script, a style or a font of the page; their addresses hold their version."""
        path = self._files.get(request.match_info["file"])
        if path is None:
            raise web.HTTPNotFound(text="there is no such file\n")
        headers = {"Cache-Control": "private, max-age=3600"}
        if path.suffix not in _SLIM or "gzip" not in request.headers.get("Accept-Encoding", ""):
            return web.FileResponse(path, headers=headers)
        headers |= {
            "Content-Encoding": "gzip",
            "Content-Type": mimetypes.guess_type(path)[0] or "text/javascript",
            "Vary": "Accept-Encoding",
        }
        return web.Response(body=await asyncio.to_thread(_packed, path), headers=headers)

    async def launch(self, request: web.Request) -> web.StreamResponse:
        """Where to connect: trame's client asks, at an address that goes back to ParaView's launcher."""
        session, scheme = self._session(request), "wss" if request.secure else "ws"
        return web.json_response({"sessionURL": f"{scheme}://USE_HOST/page/{session.identifier}/ws"})

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """The page's connection to its process."""
        session = self._session(request)
        page = web.WebSocketResponse(max_msg_size=_MESSAGE, heartbeat=20, timeout=_PATIENCE, compress=False)
        await page.prepare(request)
        try:
            await session.relay(page)
        except DataError:
            await page.close()
        return page

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """An exam from the browser."""
        session, limit = self._session(request), self._settings.upload_limit * MEGABYTE
        folder = session.folder / f"upload-{secrets.token_hex(4)}"
        async with session.uploading:
            try:
                check_size(request.content_length or 0, limit + _FORM)
                await session.call("receiving")
                await receive(request, folder, limit)
            except DataError as error:
                await session.call("complain", message=str(error))
                return web.Response(status=413, text=f"{error}\n")
            await session.call("open_upload", folder=str(folder))
        return web.Response(text="received\n")

    async def download(self, request: web.Request) -> web.StreamResponse:
        """The report, or every file of the result."""
        name = request.path.rpartition("/")[2]
        session = self._session(request)
        await session.call("write", name=name)
        headers = {"Content-Disposition": f'attachment; filename="pcr-{name}"', "Content-Type": _DOWNLOADS[name]}
        return web.FileResponse(session.folder / name, headers=headers)

    @staticmethod
    def _find(request: web.Request) -> Session | None:
        return request.app[_SESSIONS].find(request.match_info["page"])

    def _session(self, request: web.Request) -> Session:
        if (session := self._find(request)) is None:
            raise web.HTTPNotFound(text="there is no such page any more; open a new one\n")
        return session
