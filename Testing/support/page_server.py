"""The server of `pcr view` with pages that need no Slicer."""

import asyncio
import contextlib
import json
import threading
from pathlib import Path

import aiohttp
from aiohttp.test_utils import TestServer
from PCRPredictorView.serving.channel import Channel, Kind
from PCRPredictorView.serving.guard import Guard
from PCRPredictorView.serving.server import ServerSettings, make_application


class FakePageProcess(threading.Thread):
    """Answers as the process of a page does, and records the calls."""

    def __init__(self, end, folder):
        super().__init__(daemon=True)
        self.end, self.folder = end.dup(), folder
        self.end.setblocking(False)
        self.calls, self.files = [], {}
        self.start()

    def run(self):
        asyncio.run(self._serve())

    async def _serve(self):
        channel = await Channel.over(self.end)
        while (message := await channel.receive()) is not None:
            kind, content = message
            if kind == Kind.CONNECTED:
                await channel.send(Kind.DATA, self.folder.name.encode())
            elif kind == Kind.DATA and content == b"die":
                break
            elif kind == Kind.DATA:
                await channel.send(Kind.DATA, content)
            elif kind == Kind.CALL:
                await channel.send(Kind.ANSWER, json.dumps(self._do(json.loads(content))).encode())
        channel.close()

    def _do(self, call):
        self.calls.append(call)
        if call["method"] == "open_upload":
            folder = Path(call["folder"])
            self.files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        elif call["method"] == "write_result" and call["name"] == "report.html":
            (self.folder / "report.html").write_text("a report")
        elif call["method"] == "write_result":
            return {"call": call["call"], "error": "there is no result to write; predict first"}
        return {"call": call["call"]}

    def kill(self):
        pass


@contextlib.asynccontextmanager
async def running(token=None, **settings):
    """Run a server; yield it, a client that keeps cookies, and a list of the started processes."""
    processes = []

    def start(end, folder):
        processes.append(FakePageProcess(end, folder))
        return processes[-1]

    settings = ServerSettings(**{"upload_limit": 1, **settings})
    server = TestServer(make_application(settings, Guard("127.0.0.1", settings.names, token), start))
    await server.start_server(lingering_time=0.1)  # for what is sent after an answer
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
        yield server, client, processes
    await server.close()


async def open_page(server, client):
    """Open a new page and return its address."""
    async with client.get(server.make_url("/")) as answer:
        assert answer.status == 200, await answer.text()
        return answer.url


def form(**files):
    """Return a form of files, each a name and its content."""
    data = aiohttp.FormData()
    for field, (name, content) in files.items():
        data.add_field(field, content, filename=name)
    return data


def origin(server):
    return {"Origin": f"http://127.0.0.1:{server.port}"}


async def raw(server, request):
    """Send a request exactly as written; return the first line and the body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request.format(port=server.port).replace("\n", "\r\n").encode())
    answer = (await reader.read()).decode(errors="replace")
    writer.close()
    return answer.split("\r\n")[0], answer.partition("\r\n\r\n")[2]
