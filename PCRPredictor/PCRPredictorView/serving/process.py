"""The process of one page: trame and Slicer's core, behind a channel in place of a port.

Importing this loads torch, Slicer's core and trame; on Linux each process then begins with them loaded.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable, Container, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import PCRPredictorLib.model.predictor  # noqa: F401  loads torch and MONAI before the first prediction
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.memory import expect_copies, free_memory, total_memory
from PCRPredictorLib.reading.sources import Source
from trame_server import Server
from wslink.protocol import EXCEPTION_ERROR  # type: ignore[import-untyped]

from ..page import Page
from ..work import WENT_WRONG
from .channel import Channel, Kind
from .logs import log_in_one_line

_MEMORY_SHARE = 0.75  # largest share of the machine's memory for all pages together
_LEAST_MEMORY = 1 << 30  # bytes that a page may take beyond what its libraries take
_COPIES = 3  # of an exam that a page holds: as it was read, in the views, and as pictures
gc.collect()
gc.freeze()  # what is loaded is shared by all pages, as long as none of them searches it for garbage


class _Message(NamedTuple):
    """A message as trame's transport expects it."""

    data: bytes


def run_page(
    end: socket.socket, folder: Path, entries: Sequence[Source], model: str, pages: int, pacs: Path | None = None
) -> None:
    """Run a page until its channel closes; the entry point of its process.

    Args:
        end: one of the pair of sockets.
        folder: the page's own, for uploads and results.
        entries: exams in the list; the first one is opened.
        model: name or folder of the model that is chosen first.
        pages: that may be open at a time; they share the memory.
        pacs: file with the configuration of a PACS, None without one.
    """
    tempfile.tempdir = str(folder)  # what Slicer's core writes is deleted with the page
    sys.argv = sys.argv[:1]  # trame would read the command's options
    for name in ("SIGINT", "SIGHUP"):  # the server ends, and closes the channel
        with contextlib.suppress(AttributeError):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    sys.stdout = io.StringIO()  # trame prints errors of browsers there
    log_in_one_line()
    _limit_memory(pages)
    try:
        asyncio.run(_run(end, folder, entries, model, pacs))
    except Exception:
        logging.getLogger(__name__).exception("a page failed")
    shutil.rmtree(folder, ignore_errors=True)  # the server does so, too, unless it was killed
    os._exit(0)  # without waiting for a running prediction


def _limit_memory(pages: int) -> None:
    """Limit the memory of this process to its share: no uploads, whatever they unpack to, exhaust the machine.

    A second server finds less free memory, and its pages get less.
    """
    expect_copies(_COPIES)
    total, free = total_memory(), free_memory()
    if sys.platform != "linux" or total is None:
        return
    import resource

    import psutil

    used = psutil.Process().memory_info().data
    share = int(_MEMORY_SHARE * total / pages)
    limit = used + max(share if free is None else min(share, free), _LEAST_MEMORY)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


async def _run(end: socket.socket, folder: Path, entries: Sequence[Source], model: str, pacs: Path | None) -> None:
    end.setblocking(False)
    channel = await Channel.over(end)
    server = Server(client_type="vue3")
    page = Page(server, entries, model, folder, pacs)
    serving = server.start(
        backend="generic",
        exec_mode="task",
        show_connection_info=False,
        open_browser=False,
        disable_logging=True,  # which would undo `log_in_one_line`
    )
    await server.ready
    endpoint = server._server["ws"]  # wslink's transport in memory; trame has no public name for it
    endpoint.sendWrappedError = partial(_send_error, endpoint.sendWrappedError, endpoint.connections, page)
    page.begin()
    connection: Any = None
    calls: set[asyncio.Task[None]] = set()
    while (message := await channel.receive()) is not None:
        kind, content = message
        if kind == Kind.CONNECTED:
            if connection is not None:  # the page was opened in a second window, which takes over
                await endpoint.disconnect(connection)
            connection = await endpoint.connect()
            connection.on_message(partial(_send_to_browser, channel))
        elif kind == Kind.DATA and connection is not None:
            _begin(calls, _pass_to_trame(connection, content))
        elif kind == Kind.DISCONNECTED and connection is not None:
            left, connection = connection, None
            await endpoint.disconnect(left)
        elif kind == Kind.CALL:
            _begin(calls, _answer(channel, page, json.loads(content)))
    serving.cancel()


async def _send_to_browser(channel: Channel, _is_binary: bool, data: bytes) -> None:
    """Send a message of trame to the browser."""
    with contextlib.suppress(ConnectionError):  # the server has ended, and so does this process
        await channel.send(Kind.DATA, data)


async def _pass_to_trame(connection: Any, content: bytes) -> None:  # noqa: ANN401  wslink carries no types
    """Pass a message of the browser to trame, which answers errors itself.

    Invalid messages are ignored, and so is a browser that has left meanwhile.
    """
    with contextlib.suppress(Exception):
        await connection.send(True, _Message(content))


async def _send_error(
    send: Callable[..., Awaitable[None]],
    connections: Container[str],
    page: Page,
    message_id: str,
    code: int,
    message: str,
    _data: object = None,
    client_id: str | None = None,
) -> None:
    """Report an error on the page, and to the browser without the trace that wslink would send.

    Nothing is reported if the browser has left meanwhile, since that alone causes errors.
    """
    if client_id not in connections:
        return
    if code == EXCEPTION_ERROR:
        page.work.report_unexpected("a request of a browser failed")
    await send(message_id, code, message, client_id=client_id)


def _begin(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    """Begin work, and keep it in the set until it is done."""
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def _answer(channel: Channel, page: Page, call: dict[str, Any]) -> None:
    """Call the method of the page that the server asks for."""
    answer: dict[str, object] = {"call": call["call"]}
    try:
        if call["method"] == "begin_upload":
            page.begin_upload()
        elif call["method"] == "open_upload":
            page.open_upload(Path(call["folder"]))
        elif call["method"] == "refuse_upload":
            page.refuse_upload(call["problem"])
        elif call["method"] == "write_result":
            await page.write_result(call["name"])
    except DataError as error:
        answer["error"] = str(error)
    except Exception:
        logging.getLogger(__name__).exception("a request of the server failed")
        answer["error"] = WENT_WRONG
    await channel.send(Kind.ANSWER, json.dumps(answer).encode())
