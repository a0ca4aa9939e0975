"""Who may ask the server for anything: the names it answers to, the token, and what a page may load.

A page of another site can make a browser ask this server, under a name of that site's that leads here (DNS rebinding),
or with a form; so names are compared, and what changes anything must come from a page of this server.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn
from urllib.parse import urlsplit

from aiohttp import web

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'self'"
    ),  # trame's pages compile their templates in the browser, hence 'unsafe-eval'; nothing comes from elsewhere
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with less, a form of the page itself would come without its origin
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Looks at every request before anything else does.

    Args:
        host: address that the server listens on.
        names: further names it may be called by, such as that of a proxy in front of it.
        token: that a browser must have shown once, or None where none is needed.
    """

    def __init__(self, host: str, names: Sequence[str] = (), token: str | None = None) -> None:
        known = {host, *names} | ({"localhost", "127.0.0.1", "::1"} if is_loopback(host) else set())
        if not is_loopback(host):
            known |= {socket.gethostname(), socket.getfqdn()}
        self._names = {name.lower() for name in known}
        self.token = token
        digest = hashlib.sha256((token or "").encode()).hexdigest()
        self._cookie = f"pcr-view-{digest[:12]}"  # cookies know no ports: another server's must not take its place

    @staticmethod
    def new_token() -> str:
        """A token that nobody guesses."""
        return secrets.token_urlsafe(24)

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse what is not for this server or not allowed, and say in each answer what its page may load."""
        self._check_host(request)
        if self.token is not None and not _same(request.cookies.get(self._cookie, ""), self.token):
            self._admit(request, self.token)
        self._check_site(request)
        if request.method not in ("GET", "HEAD") or "Upgrade" in request.headers:
            self._check_origin(request)
        return await handler(request)

    async def expect(self, request: web.Request) -> None:
        """Tell who asks before sending much to go on, if it may; aiohttp would tell anybody."""
        await self.check(request, _go_on)

    async def add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        """For every answer, errors too; a signal handler of aiohttp."""
        response.headers.update(_HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")

    def _check_host(self, request: web.Request) -> None:
        """The name that the browser believes to be talking to; also the address that it has really reached."""
        reached = request.transport.get_extra_info("sockname") if request.transport else None
        host = request.headers.get("Host", "")
        name = _host_of(f"//{host}")
        if not name or "@" in host or (name not in self._names and name != (reached[0] if reached else None)):
            raise web.HTTPForbidden(text="this server does not answer to that name; --name adds one\n")

    def _check_site(self, request: web.Request) -> None:
        """A link of another site may lead here; its scripts, pictures and frames may not ask for anything."""
        asked = request.headers.get
        is_link = asked("Sec-Fetch-Mode") == "navigate" and asked("Sec-Fetch-Dest") == "document"
        if asked("Sec-Fetch-Site") == "cross-site" and not is_link:
            raise web.HTTPForbidden(text="only a page of this server may ask for this\n")

    def _check_origin(self, request: web.Request) -> None:
        """What a script or a form of another site's page asks for carries that site as its origin."""
        origin = urlsplit(request.headers.get("Origin", ""))
        if origin.scheme not in ("http", "https") or origin.netloc.lower() != request.headers["Host"].lower():
            raise web.HTTPForbidden(text="only a page of this server may ask for this\n")

    def _admit(self, request: web.Request, token: str) -> NoReturn:
        """The address that was printed carries the token: keep it in a cookie, out of the address."""
        if request.method != "GET" or request.path != "/" or not _same(request.query.get("token", ""), token):
            raise web.HTTPUnauthorized(text="open the address that pcr view has printed, with its token\n")
        response = web.HTTPSeeOther("/")
        response.set_cookie(self._cookie, token, httponly=True, samesite="Lax")  # a link in a mail leads here, too
        raise response


async def _go_on(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Expect", "").lower() != "100-continue":
        raise web.HTTPExpectationFailed(text="this server knows no such expectation\n")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return web.Response()


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogateescape"), token.encode())


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
