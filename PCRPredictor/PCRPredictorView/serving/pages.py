"""The pages as the server sees them: a process for each, so that no page can reach the exam of a different one."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from aiohttp import WSCloseCode, WSMsgType, web
from PCRPredictorLib.engine.sparing import spared_ctrl_c
from PCRPredictorLib.errors import DataError

from .channel import Channel, Kind

_RELOAD = 5.0  # seconds after which a page that was left may be ended for a new one
_LOADING = 15.0  # seconds in which a browser must show a new page
GRACE = 30.0  # seconds for which a page without a browser is kept, for example while it is reloaded
_FIRST = 6  # times as long for a browser that has got the address and is still loading, on a busy machine
_ANSWER = 120.0  # seconds in which a process must answer
_END = 3.0  # seconds in which a process must end
_ROUND = 2.0  # seconds between searches for abandoned pages

_ENDED = "the process of this page has ended; open a new page"
StartProcess = Callable[[socket.socket, Path], BaseProcess]


class PageProcess:
    """A page, as the server sees it: its process, and the browser that shows it.

    Args:
        process: runs the page.
        channel: to the process.
        folder: the page's own, for uploads and results; deleted with the page.
    """

    def __init__(self, process: BaseProcess, channel: Channel, folder: Path) -> None:
        self.identifier = secrets.token_hex(16)  # lower case, as trame's client writes addresses
        self.folder = folder
        self.left = time.monotonic()  # when the last browser left, or got the address
        self.uploading = asyncio.Lock()
        self._was_shown = False
        self._process, self._channel = process, channel
        self._browser: web.WebSocketResponse | None = None
        self._answers: dict[int, asyncio.Future[dict[str, object]]] = {}
        self._calls = 0
        self._reading = asyncio.create_task(self._read())

    @property
    def alive(self) -> bool:
        """Report if its process is running."""
        return not self._reading.done()

    @property
    def shown(self) -> bool:
        """Report if a browser shows it."""
        return self._browser is not None

    @property
    def may_make_room(self) -> bool:
        """Report if it may be ended for a new page."""
        is_loading = time.monotonic() - self.left < (_RELOAD if self._was_shown else _LOADING)
        return not self.alive or not (self.shown or is_loading)

    def is_abandoned(self, grace: float) -> bool:
        """Report if no browser has shown it for so many seconds; the first one may take longer to load it."""
        patience = grace if self._was_shown else _FIRST * grace
        return not self.shown and time.monotonic() - self.left > patience

    async def relay(self, browser: web.WebSocketResponse) -> None:
        """Pass messages between a browser and the process until one of them ends; one browser at a time."""
        before, self._browser = self._browser, browser
        self._was_shown = True
        if before is not None:
            await before.close(code=WSCloseCode.GOING_AWAY, message=b"opened elsewhere")
        if self._browser is not browser:
            return
        await self._send(Kind.CONNECTED)
        async for message in browser:
            if message.type == WSMsgType.BINARY and self._browser is browser:
                await self._send(Kind.DATA, message.data)
        if self._browser is browser:
            self._browser, self.left = None, time.monotonic()
            await self._send(Kind.DISCONNECTED)

    async def call(self, method: str, **arguments: object) -> dict[str, object]:
        """Call a method of the page in its process, and return the answer.

        Raises:
            DataError: if the page refuses, does not answer, or has ended.
        """
        self._calls += 1
        number, answer = self._calls, asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._send(Kind.CALL, json.dumps({"call": number, "method": method, **arguments}).encode())
            found = await asyncio.wait_for(answer, _ANSWER)
        except (TimeoutError, asyncio.TimeoutError):  # one and the same only from Python 3.11 on
            raise DataError("the page did not answer; load it again") from None
        finally:
            del self._answers[number]
        if "error" in found:
            raise DataError(str(found["error"]))
        return found

    async def end(self) -> None:
        """Close the browser's connection, end the process, and delete its folder."""
        if self._browser is not None:
            await self._browser.close(code=WSCloseCode.GOING_AWAY, message=b"ended")
        self._channel.close()
        self._reading.cancel()
        await asyncio.to_thread(self._end_process)

    def _end_process(self) -> None:
        self._process.join(_END)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(_END)
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _send(self, kind: Kind, content: bytes = b"") -> None:
        try:
            await self._channel.send(kind, content)
        except ConnectionError:
            raise DataError(_ENDED) from None

    async def _read(self) -> None:
        """Pass on what the process sends, until it ends."""
        while (message := await self._channel.receive()) is not None:
            kind, content = message
            if kind == Kind.DATA and self._browser is not None and not self._browser.closed:
                try:
                    await self._browser.send_bytes(content)
                except ConnectionError:
                    continue  # the browser has left, which ends `relay`
            elif kind == Kind.ANSWER:
                found = json.loads(content)
                if (answer := self._answers.get(found.get("call"))) is not None and not answer.done():
                    answer.set_result(found)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result({"error": _ENDED})
        if self._browser is not None:
            await self._browser.close(code=WSCloseCode.INTERNAL_ERROR, message=b"ended")


class Pages:
    """The open pages.

    Args:
        start: starts the process of a page, given one end of a pair of sockets and the page's folder.
        limit: largest number of open pages.
        grace: seconds for which a page without a browser is kept.

    Attributes:
        is_preparing: True while the first page begins, which loads the libraries.
    """

    def __init__(self, start: StartProcess, limit: int, grace: float = GRACE) -> None:
        self._start, self._limit, self._grace = start, limit, grace
        self._open: dict[str, PageProcess] = {}
        self._prepared: PageProcess | None = None
        self.is_preparing = False
        self._opening = asyncio.Lock()
        self._tasks = [asyncio.create_task(self._end_abandoned())]

    def find(self, identifier: str) -> PageProcess | None:
        """Return the page of an address, or None if it has ended."""
        page = self._open.get(identifier)
        return page if page is not None and page.alive else None

    def prepare(self) -> None:
        """Begin a page before a browser asks for it; returns at once."""
        self.is_preparing = True
        self._tasks.append(asyncio.create_task(self._prepare()))

    async def _prepare(self) -> None:
        try:
            self._prepared = await self.open()
        finally:
            self.is_preparing = False

    async def open(self) -> PageProcess:
        """Return a new page, or the prepared one; if there are too many, the page that was left first is ended.

        Raises:
            DataError: if no page may be ended.
        """
        async with self._opening:
            prepared, self._prepared = self._prepared, None
            if prepared is not None and self.find(prepared.identifier) is prepared:
                prepared.left = time.monotonic()
                return prepared
            if len(self._open) >= self._limit:
                left = [page for page in self._open.values() if page.may_make_room]
                if not left:
                    raise DataError(f"all {self._limit} pages are in use; close one, or try again later")
                await self._remove(min(left, key=lambda page: page.left))
            page = await self._begin()
            self._open[page.identifier] = page
            return page

    async def _begin(self) -> PageProcess:
        """Start a process; if that fails, nothing is left of it."""
        folder = Path(tempfile.mkdtemp(prefix="pcr-view-"))
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            process = await asyncio.to_thread(self._start, theirs, folder)
            return PageProcess(process, await Channel.over(ours), folder)
        except BaseException:
            ours.close()  # which ends the process, if there is one
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            theirs.close()

    async def close(self) -> None:
        """End every page."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(self._remove(page) for page in list(self._open.values())))

    async def _remove(self, page: PageProcess) -> None:
        self._open.pop(page.identifier, None)
        await page.end()

    async def _end_abandoned(self) -> None:
        """End pages whose process has ended, and pages that no browser has shown for a while."""
        while True:
            await asyncio.sleep(min(_ROUND, self._grace))
            for page in list(self._open.values()):
                if not page.alive or page.is_abandoned(self._grace):
                    await self._remove(page)


def process_context(preload: str) -> BaseContext:
    """Return how processes are started: on Linux from one that has loaded the libraries, in a fraction of a second.

    Args:
        preload: module that loads them, and nothing that processes must not share.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preload])
    return context


def load_ahead() -> None:
    """Start loading these libraries before the first page is asked for; call it in the main thread."""
    if sys.platform == "linux":
        from multiprocessing import forkserver  # on Linux alone

        with spared_ctrl_c():
            forkserver.ensure_running()
