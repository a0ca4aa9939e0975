"""The pages of `pcr view`: begun, limited, ended."""

import asyncio
import contextlib

import aiohttp
import pytest
from PCRPredictorView.serving import pages
from support.page_server import open_page, origin, running
from support.waiting import wait_until

ENDS = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def end_of(connection):
    """Wait until the server has closed a connection."""
    while (await connection.receive()).type not in ENDS:
        continue


async def test_every_visit_gets_its_own_page():
    async with running() as (server, client, _processes):
        assert await open_page(server, client) != await open_page(server, client)


async def test_messages_pass_between_a_page_and_its_own_process_only():
    async with running() as (server, client, processes):
        pages = [await open_page(server, client) for _ in range(3)]
        sockets = [await client.ws_connect(page / "ws", headers=origin(server)) for page in pages]
        assert [(await socket.receive()).data.decode() for socket in sockets] == [p.folder.name for p in processes]
        await sockets[1].send_bytes(b"mine")
        assert (await sockets[1].receive()).data == b"mine"
        with pytest.raises(TimeoutError):
            await sockets[0].receive(timeout=0.1)


async def test_a_message_that_is_too_large_ends_only_the_connection():
    async with running() as (server, client, _processes):
        page = await open_page(server, client)
        socket = await client.ws_connect(page / "ws", headers=origin(server))
        await socket.receive()
        with contextlib.suppress(ConnectionError):  # the server may close before it has read all
            await socket.send_bytes(b"x" * (9 * 2**20))
        assert (await socket.receive()).type in ENDS
        again = await client.ws_connect(page / "ws", headers=origin(server))
        assert (await again.receive()).type == aiohttp.WSMsgType.BINARY


async def test_a_page_that_has_ended_leads_to_a_new_one():
    async with running() as (server, client, _processes):
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


async def test_pages_are_limited_and_one_that_was_left_is_ended_for_a_new_one(monkeypatch):
    async with running(pages=2) as (server, client, processes):
        first, second = [await open_page(server, client) for _ in range(2)]
        sockets = [await client.ws_connect(page / "ws", headers=origin(server)) for page in (first, second)]
        monkeypatch.setattr(pages, "_RELOAD", 0.0)
        monkeypatch.setattr(pages, "_LOADING", 0.0)
        async with client.get(server.make_url("/")) as answer:
            assert answer.status == 503
            assert "all 2 pages are in use" in await answer.text()
        await sockets[0].close()
        third = await open_page(server, client)
        assert third not in (first, second)
        assert not processes[0].folder.exists()
        assert processes[1].folder.exists()


async def test_a_page_that_is_loading_is_not_ended_for_a_new_one(monkeypatch):
    async with running(pages=1) as (server, client, processes):
        await open_page(server, client)
        async with client.get(server.make_url("/")) as answer:
            assert answer.status == 503
        monkeypatch.setattr(pages, "_LOADING", 0.0)
        await open_page(server, client)
        assert len(processes) == 2


async def test_a_page_that_is_reloaded_is_not_ended_for_a_new_one():
    async with running(pages=1) as (server, client, processes):
        page = await open_page(server, client)
        socket = await client.ws_connect(page / "ws", headers=origin(server))
        await socket.receive()
        await socket.close()
        async with client.get(server.make_url("/")) as answer:
            assert answer.status == 503
        again = await client.ws_connect(page / "ws", headers=origin(server))
        assert (await again.receive()).data.decode() == processes[0].folder.name


async def test_a_second_window_takes_over_the_page():
    async with running() as (server, client, _processes):
        page = await open_page(server, client)
        windows = await asyncio.gather(*(client.ws_connect(page / "ws", headers=origin(server)) for _ in range(2)))
        ends = [asyncio.create_task(end_of(window)) for window in windows]
        ended, _open = await asyncio.wait(ends, timeout=1.0)
        assert len(ended) == 1
        assert sorted(window.closed for window in windows) == [False, True]


async def test_a_page_without_a_browser_is_ended_after_a_while():
    async with running(grace=0.2) as (server, client, processes):
        page = await open_page(server, client)
        socket = await client.ws_connect(page / "ws", headers=origin(server))
        await socket.receive()
        with pytest.raises(TimeoutError):
            await socket.receive(timeout=1.0)
        assert processes[0].folder.exists()
        await socket.close()
        await asyncio.to_thread(wait_until, lambda: not processes[0].folder.exists() and not processes[0].is_alive())


async def test_a_page_that_no_browser_has_shown_yet_is_kept_longer():
    async with running(grace=0.1) as (server, client, processes):
        await open_page(server, client)
        await asyncio.sleep(0.3)
        assert processes[0].folder.exists()
        await asyncio.to_thread(wait_until, lambda: not processes[0].folder.exists())


async def test_nothing_is_left_when_the_server_ends():
    async with running() as (server, client, processes):
        await open_page(server, client)
        await open_page(server, client)
    assert len(processes) == 2
    assert not any(process.folder.exists() or process.is_alive() for process in processes)
