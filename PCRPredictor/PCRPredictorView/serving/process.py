"""The process of one page: trame and Slicer's core, behind a channel instead of a port of their own.

Importing this loads torch, Slicer's core and trame, so that on Linux each process begins with them loaded.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable, Container, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import PCRPredictorLib.model.predictor  # noqa: F401  so that a prediction need not wait for torch and MONAI
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.sources import Source
from trame_server import Server
from wslink.protocol import EXCEPTION_ERROR  # type: ignore[import-untyped]

from ..page import Page
from ..work import WENT_WRONG
from .channel import Channel, Kind
from .logs import log_in_one_line

_MEMORY_SHARE = 0.75  # of the machine's memory that the voxels of one page may take


class _Message(NamedTuple):
    """As trame's transport hands it on."""

    data: bytes


def run_page(end: socket.socket, folder: Path, entries: Sequence[Source], model: str) -> None:
    """Run a page until its channel closes; the entry point of its process.

    Args:
        end: of the pair of sockets.
        folder: of the page's own, for uploads and results.
        entries: exams in the list; the first one is opened.
        model: name or folder of the model that is chosen first.
    """
    tempfile.tempdir = str(folder)  # so that what Slicer's core writes goes with the page
    sys.argv = sys.argv[:1]  # trame reads options there, which are not its own
    for name in ("SIGINT", "SIGHUP"):  # are for the server, which then closes the channel
        with contextlib.suppress(AttributeError):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.stdout = io.StringIO()  # trame prints there what a browser complains of
    log_in_one_line()
    _limit_memory()
    try:
        asyncio.run(_run(end, folder, entries, model))
    except Exception:
        logging.getLogger(__name__).exception("a page has ended")
    shutil.rmtree(folder, ignore_errors=True)  # the server does so, too, but may have been killed
    os._exit(0)  # without waiting for a prediction that nobody sees; views and threads need no tidying


def _limit_memory() -> None:
    """An upload that unpacks to more than there is fails here, and takes nobody else's process with it."""
    if sys.platform != "linux":
        return
    import resource

    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    resource.setrlimit(resource.RLIMIT_DATA, (int(_MEMORY_SHARE * machine),) * 2)


async def _run(end: socket.socket, folder: Path, entries: Sequence[Source], model: str) -> None:
    end.setblocking(False)
    channel = await Channel.over(end)
    server = Server(client_type="vue3")
    page = Page(server, entries, model, folder)
    serving = server.start(
        backend="generic",
        exec_mode="task",
        show_connection_info=False,
        open_browser=False,
        disable_logging=True,  # which else sets the loggers that `log_in_one_line` has set
    )
    await server.ready
    endpoint = server._server["ws"]  # wslink's transport in memory, which has no public name in trame
    endpoint.sendWrappedError = partial(_say_error, endpoint.sendWrappedError, endpoint.connections, page)
    page.begin()
    connection: Any = None
    calls: set[asyncio.Task[None]] = set()
    while (message := await channel.receive()) is not None:
        kind, content = message
        if kind == Kind.CONNECTED:
            if connection is not None:  # the page was opened in another window, which takes it over
                await endpoint.disconnect(connection)
            connection = await endpoint.connect()
            connection.on_message(partial(_show, channel))
        elif kind == Kind.DATA and connection is not None:
            _keep(calls, _hand_on(connection, content))
        elif kind == Kind.DISCONNECTED and connection is not None:
            left, connection = connection, None
            await endpoint.disconnect(left)
        elif kind == Kind.CALL:
            _keep(calls, _answer(channel, page, json.loads(content)))
    serving.cancel()


async def _show(channel: Channel, _is_binary: bool, data: bytes) -> None:
    """Send a message of trame's to the browser."""
    with contextlib.suppress(ConnectionError):  # the server has ended, and so does this process
        await channel.send(Kind.DATA, data)


async def _hand_on(connection: Any, content: bytes) -> None:  # noqa: ANN401  wslink carries no types
    """Let trame do what the browser asks for; it answers itself when that goes wrong.

    What is no message of trame's is passed over, and the answer to a browser that has left meanwhile.
    """
    with contextlib.suppress(Exception):
        await connection.send(True, _Message(content))


async def _say_error(
    send: Callable[..., Awaitable[None]],
    connections: Container[str],
    page: Page,
    message_id: str,
    code: int,
    message: str,
    _data: object = None,
    client_id: str | None = None,
) -> None:
    """Answer that something went wrong: on the page, and to the browser without the trace that wslink would send.

    A browser that has left meanwhile gets no answer: that there is none is all that went wrong.
    """
    if client_id not in connections:
        return
    if code == EXCEPTION_ERROR:
        page.work.wonder("what a browser asked for has failed")
    await send(message_id, code, message, client_id=client_id)


def _keep(tasks: set[asyncio.Task[None]], work: Any) -> None:  # noqa: ANN401  a coroutine of anything
    """Run at once, and hold on to it until it is done."""
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def _answer(channel: Channel, page: Page, call: dict[str, Any]) -> None:
    """Do what the server asks for."""
    answer: dict[str, object] = {"call": call["call"]}
    try:
        if call["method"] == "receiving":
            page.receiving()
        elif call["method"] == "open_upload":
            page.open_upload(Path(call["folder"]))
        elif call["method"] == "complain":
            page.complain(call["message"])
        elif call["method"] == "write":
            await page.write_result(call["name"])
    except DataError as error:
        answer["error"] = str(error)
    except Exception:
        logging.getLogger(__name__).exception("what the server asked for has failed")
        answer["error"] = WENT_WRONG
    await channel.send(Kind.ANSWER, json.dumps(answer).encode())
