"""Who may ask the server for what: host names, the token, and what a page may load.

A page of a different site can make a browser send requests here, with a form or under a host name of that site which
resolves to this machine (DNS rebinding). Therefore the host name must be known, and requests that change something must
come from a page of this server.
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
    ),  # 'unsafe-eval' since trame's pages compile their templates in the browser; nothing is loaded from other hosts
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # stricter, and the page's own forms would lack their origin
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_loopback(host: str) -> bool:
    """Report if an address is reached from this machine only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """Checks every request before it is handled.

    Args:
        host: address that the server listens on.
        names: further host names to answer to, such as that of a proxy.
        token: what a browser must have shown once, or None if no token is required.
    """

    def __init__(self, host: str, names: Sequence[str] = (), token: str | None = None) -> None:
        known = {host, *names} | ({"localhost", "127.0.0.1", "::1"} if is_loopback(host) else set())
        if not is_loopback(host):
            known |= {socket.gethostname(), socket.getfqdn()}
        self._names = {name.lower() for name in known}
        self.token = token
        digest = hashlib.sha256((token or "").encode()).hexdigest()
        self._cookie = f"pcr-view-{digest[:12]}"  # cookies ignore ports; servers must not overwrite each other's

    @staticmethod
    def new_token() -> str:
        """Return a random token of 192 bits."""
        return secrets.token_urlsafe(24)

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse requests that are not for this server or not allowed."""
        self._check_host(request)
        if self.token is not None and not _same(request.cookies.get(self._cookie, ""), self.token):
            self._check_token(request, self.token)
        self._check_site(request)
        if request.method not in ("GET", "HEAD") or "Upgrade" in request.headers:
            self._check_origin(request)
        return await handler(request)

    async def add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Limit in every answer what its page may load, in errors, too; a signal handler of aiohttp."""
        response.headers.update(_HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")

    def _check_host(self, request: web.Request) -> None:
        """Refuse a host name that is neither known nor the address that the request has reached."""
        reached = request.transport.get_extra_info("sockname") if request.transport else None
        host = request.headers.get("Host", "")
        name = _host_of(f"//{host}")
        if not name or "@" in host or (name not in self._names and name != (reached[0] if reached else None)):
            raise web.HTTPForbidden(text="this server does not answer to that name; add it with --name\n")

    def _check_site(self, request: web.Request) -> None:
        """Refuse scripts, pictures and frames of a different site; its links may lead here."""
        asked = request.headers.get
        is_link = asked("Sec-Fetch-Mode") == "navigate" and asked("Sec-Fetch-Dest") == "document"
        if asked("Sec-Fetch-Site") == "cross-site" and not is_link:
            raise web.HTTPForbidden(text="only a page of this server may ask for this\n")

    def _check_origin(self, request: web.Request) -> None:
        """Refuse requests of scripts and forms of a different site, which is their origin."""
        origin = urlsplit(request.headers.get("Origin", ""))
        if origin.scheme not in ("http", "https") or origin.netloc.lower() != request.headers["Host"].lower():
            raise web.HTTPForbidden(text="only a page of this server may ask for this\n")

    def _check_token(self, request: web.Request, token: str) -> NoReturn:
        """Move the token from the printed address into a cookie, or refuse the request."""
        if request.method != "GET" or request.path != "/" or not _same(request.query.get("token", ""), token):
            raise web.HTTPUnauthorized(text="open the address that pcr view has printed, including its token\n")
        response = web.HTTPSeeOther("/")
        response.set_cookie(self._cookie, token, httponly=True, samesite="Lax")  # Lax: links in mails must work
        raise response


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(errors="surrogateescape"), token.encode())


def _host_of(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
