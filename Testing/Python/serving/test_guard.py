"""Which requests `pcr view` refuses."""

import aiohttp
import pytest
from PCRPredictorView.serving.guard import Guard, is_loopback
from support.page_server import form, open_page, origin, raw, running

OUTSIDE = (
    "/page/{page}/../../../../../../etc/passwd",
    "/page/{page}/..%2f..%2f..%2f..%2fetc/passwd",
    "/page/{page}/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/page/{page}//etc/passwd",
    "/page/{page}/upload/../../../etc/passwd",
    "/page/../../etc/passwd",
    "//etc/passwd",
    "/page/{page}/assets/../../../module/vue3.py",
)


@pytest.mark.parametrize("path", OUTSIDE)
async def test_no_other_file_of_the_machine_is_served(path):
    async with running() as (server, client, _processes):
        page = (await open_page(server, client)).path.split("/")[2]
        request = f"GET {path.format(page=page)} HTTP/1.1\nHost: 127.0.0.1:{{port}}\nConnection: close\n\n"
        status, body = await raw(server, request)
        assert status.split()[1] in ("404", "400")
        assert "root:" not in body
        assert len(body) < 100


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "", "[::1", "a b", "evil@127.0.0.1:{port}"],
)
async def test_a_foreign_host_is_refused(host):
    async with running() as (server, _client, processes):
        status, body = await raw(server, f"GET / HTTP/1.1\nHost: {host}\nConnection: close\n\n")
        assert status.split()[1] in ("403", "400")
        assert processes == []
        assert "does not answer to that name" in body or "400" in status


async def test_given_names_are_answered_to():
    async with running(names=("pcr.hospital.example",)) as (server, _client, _processes):
        request = "GET / HTTP/1.1\nHost: pcr.hospital.example\nConnection: close\n\n"
        assert "303" in (await raw(server, request))[0]


@pytest.mark.parametrize("path", ["/", "/?token=wrong", "/page/x/", "/page/x/index.html", "/page/x/report.html"])
async def test_without_the_token_everything_is_refused(path):
    async with running(token="right") as (server, client, processes):
        async with client.get(server.make_url(path), allow_redirects=False) as answer:
            assert answer.status == 401
            assert "token" in await answer.text()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.ws_connect(server.make_url("/page/x/ws"), headers=origin(server))
        async with client.post(server.make_url("/page/x/upload"), data=b"x", headers=origin(server)) as answer:
            assert answer.status == 401
        assert processes == []


async def test_the_token_moves_from_the_address_into_a_cookie():
    async with running(token="right") as (server, client, _processes):
        async with client.get(server.make_url("/?token=right"), allow_redirects=False) as answer:
            assert answer.status == 303
            assert answer.headers["Location"] == "/"
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
        await open_page(server, client)


async def test_two_servers_on_one_machine_keep_separate_cookies():
    async with running(token="one") as (first, client, _), running(token="two") as (second, _other, _processes):
        for server, token in ((first, "one"), (second, "two")):
            async with client.get(server.make_url(f"/?token={token}")) as answer:
                assert answer.status == 200
        await open_page(first, client)


async def test_a_cookie_with_invalid_characters_is_refused():
    async with running(token="right") as (server, _client, _processes):
        name = Guard("127.0.0.1", (), "right")._cookie
        status, _body = await raw(
            server, f"GET / HTTP/1.1\nHost: 127.0.0.1:{{port}}\nCookie: {name}=\xff\nConnection: close\n\n"
        )
        assert "401" in status


@pytest.mark.parametrize(("mode", "kind"), [("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe")])
async def test_a_different_site_cannot_open_pages_or_frames(mode, kind):
    async with running() as (server, client, processes):
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": kind}
        async with client.get(server.make_url("/"), headers=headers) as answer:
            assert answer.status == 403
        assert processes == []
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        async with client.get(server.make_url("/"), headers=link) as answer:
            assert answer.status == 200


def test_only_addresses_of_this_machine_are_loopback():
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("example.org")


async def test_a_page_of_a_different_site_cannot_connect_or_upload():
    async with running() as (server, client, processes):
        page = await open_page(server, client)
        for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(page / "ws", headers=headers)
            assert refused.value.status == 403
            async with client.post(page / "upload", data=form(pre=("a.nii", b"x")), headers=headers) as answer:
                assert answer.status == 403
        assert not any(process.calls for process in processes)


async def test_every_answer_forbids_loading_from_other_hosts():
    async with running() as (server, client, _processes):
        page = await open_page(server, client)
        for address in (page, page / "nothing.js", page / "vue.global.js", server.make_url("/nowhere")):
            async with client.get(address) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'self'" in policy
                assert "http" not in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("site", ["same-site", "same-origin"])
async def test_only_navigation_opens_a_page(site):
    async with running() as (server, client, processes):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
        async with client.get(server.make_url("/"), headers=headers) as answer:
            assert answer.status == 403
        async with client.head(server.make_url("/")) as answer:
            assert answer.status == 405
        assert processes == []


def test_a_token_cannot_be_guessed():
    assert len(Guard.new_token()) >= 32
    assert Guard.new_token() != Guard.new_token()
