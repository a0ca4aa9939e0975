"""The processes behind the pages: one a page, so that nobody meets another's exam, and what it used goes with it."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from aiohttp import WSCloseCode, WSMsgType, web
from PCRPredictorLib.errors import DataError

from .channel import Channel, Kind

_RELOAD = 5.0  # seconds after which a page that was left may make room for another
_LOADING = 15.0  # seconds that a new page has to be shown
GRACE = 30.0  # seconds that a page without a browser is kept, as while it is loaded anew
_ANSWER = 120.0  # seconds that a process may take to answer
_END = 3.0  # seconds that a process may take to end
_ROUND = 2.0  # seconds between looking for pages that nobody shows any more

_ENDED = "the process of this page has ended; open the page anew"
StartProcess = Callable[[socket.socket, Path], BaseProcess]


class Session:
    """A page and its process.

    Args:
        process: that runs it.
        channel: to the process.
        folder: of its own, for uploads and results; goes with it.
    """

    def __init__(self, process: BaseProcess, channel: Channel, folder: Path) -> None:
        self.identifier = secrets.token_hex(16)  # in an address that trame's client writes in small letters
        self.folder = folder
        self.left = time.monotonic()  # when the last browser left, or was given it; it need not come at all
        self.uploading = asyncio.Lock()
        self._was_shown = False
        self._process, self._channel = process, channel
        self._page: web.WebSocketResponse | None = None
        self._answers: dict[int, asyncio.Future[dict[str, object]]] = {}
        self._calls = 0
        self._reading = asyncio.create_task(self._read())

    @property
    def alive(self) -> bool:
        """Whether its process answers."""
        return not self._reading.done()

    @property
    def shown(self) -> bool:
        """Whether a browser shows it."""
        return self._page is not None

    @property
    def may_make_room(self) -> bool:
        """Whether nobody would miss it."""
        is_loading = time.monotonic() - self.left < (_RELOAD if self._was_shown else _LOADING)
        return not self.alive or not (self.shown or is_loading)

    async def relay(self, page: web.WebSocketResponse) -> None:
        """Pass messages between a browser and the process until one of them ends; one browser at a time."""
        before, self._page = self._page, page
        self._was_shown = True
        if before is not None:
            await before.close(code=WSCloseCode.GOING_AWAY, message=b"opened elsewhere")
        if self._page is not page:
            return
        await self._send(Kind.CONNECTED)
        async for message in page:
            if message.type == WSMsgType.BINARY and self._page is page:
                await self._send(Kind.DATA, message.data)
        if self._page is page:
            self._page, self.left = None, time.monotonic()
            await self._send(Kind.DISCONNECTED)

    async def call(self, method: str, **arguments: object) -> dict[str, object]:
        """Ask the process for something.

        Raises:
            DataError: if it cannot be done; says why.
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
        if self._page is not None:
            await self._page.close(code=WSCloseCode.GOING_AWAY, message=b"ended")
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
        """Pass on what the process says, until it ends."""
        while (message := await self._channel.receive()) is not None:
            kind, content = message
            if kind == Kind.DATA and self._page is not None and not self._page.closed:
                try:
                    await self._page.send_bytes(content)
                except ConnectionError:
                    continue  # the browser has gone; `relay` notices
            elif kind == Kind.ANSWER:
                found = json.loads(content)
                if (answer := self._answers.get(found.get("call"))) is not None and not answer.done():
                    answer.set_result(found)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_result({"error": _ENDED})
        if self._page is not None:
            await self._page.close(code=WSCloseCode.INTERNAL_ERROR, message=b"ended")


class Sessions:
    """The pages that are open.

    Args:
        start: starts the process of a page on one end of a pair of sockets, with a folder of its own.
        limit: how many there may be at once.
        grace: seconds that a page without a browser is kept.
    """

    def __init__(self, start: StartProcess, limit: int, grace: float = GRACE) -> None:
        self._start, self._limit, self._grace = start, limit, grace
        self._open: dict[str, Session] = {}
        self._prepared: Session | None = None
        self._opening = asyncio.Lock()
        self._tidying = asyncio.create_task(self._tidy())

    def find(self, identifier: str) -> Session | None:
        """The page of an address, None where it has ended."""
        session = self._open.get(identifier)
        return session if session is not None and session.alive else None

    async def prepare(self) -> None:
        """Begin a page before a browser asks for it."""
        self._prepared = await self.open()

    async def open(self) -> Session:
        """A new page, or the one that was prepared; where there are too many, the one left longest ago makes room.

        Raises:
            DataError: if every page is shown in a browser.
        """
        async with self._opening:
            prepared, self._prepared = self._prepared, None
            if prepared is not None and self.find(prepared.identifier) is prepared:
                prepared.left = time.monotonic()
                return prepared
            if len(self._open) >= self._limit:
                left = [session for session in self._open.values() if session.may_make_room]
                if not left:
                    raise DataError(f"all {self._limit} places are taken; close another page, or try again later")
                await self._remove(min(left, key=lambda session: session.left))
            session = await self._begin()
            self._open[session.identifier] = session
            return session

    async def _begin(self) -> Session:
        """Start a process; nothing is left of it when that goes wrong."""
        folder = Path(tempfile.mkdtemp(prefix="pcr-view-"))
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            process = await asyncio.to_thread(self._start, theirs, folder)
            return Session(process, await Channel.over(ours), folder)
        except BaseException:
            ours.close()  # which ends the process, if there is one
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            theirs.close()

    async def close(self) -> None:
        """End every page."""
        self._tidying.cancel()
        await asyncio.gather(*(self._remove(session) for session in list(self._open.values())))

    async def _remove(self, session: Session) -> None:
        self._open.pop(session.identifier, None)
        await session.end()

    async def _tidy(self) -> None:
        """End pages whose process has ended, and those that no browser has shown for a while."""
        while True:
            await asyncio.sleep(min(_ROUND, self._grace))
            for session in list(self._open.values()):
                if not session.alive or (not session.shown and time.monotonic() - session.left > self._grace):
                    await self._remove(session)


def process_context(preload: str) -> BaseContext:
    """How processes are started: on Linux from one that has loaded the libraries already, in a fraction of a second.

    Args:
        preload: module that loads them, and nothing that a fork may not share.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([preload])
    return context


def load_ahead() -> None:
    """Let that one begin to load, before the first page is asked for; for the main thread."""
    if sys.platform == "linux":
        from multiprocessing import forkserver  # which other systems do not have

        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which it inherits: Ctrl-C is for the server alone
        forkserver.ensure_running()
        signal.signal(signal.SIGINT, interrupt)
