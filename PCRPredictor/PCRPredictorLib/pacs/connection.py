"""A connection to a PACS: DICOMweb with waits between attempts, bounded answers, and one sentence per failure."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import requests

from ..errors import DataError
from ..extras.install import install_line
from ..files.limits import ANSWER
from .configuration import Configuration, read_secret
from .errors import PacsError, TooMuch, WebPage, explain

if TYPE_CHECKING:
    from dicomweb_client.web import DICOMwebClient

Say = Callable[[str], None]
T = TypeVar("T")
_LONGEST_WAIT = 30.0  # seconds between two attempts
_PATIENCE = 10  # times the time-out that a whole answer in JSON may take
_CHUNK = 1 << 18
_LOUD = (  # they log traces, addresses with names, and what a PACS says
    "retrying",
    "dicomweb_client.web",
    "dicomweb_client.session_utils",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.response",
    "urllib3.util.retry",
)
_asking = threading.local()  # depth: above 0 while this thread asks a PACS


@dataclass(frozen=True)
class Connection:
    """A session with a PACS; nothing is asked before the first request.

    Args:
        configuration: of the PACS.
        client: of DICOMweb.
        session: of HTTP, that the client uses, too.
        say: called with sentences for the user, such as that a request is repeated.
        wait: called with the seconds before the next attempt; it may raise to give up.
    """

    configuration: Configuration
    client: DICOMwebClient
    session: requests.Session
    say: Say = lambda _: None
    wait: Callable[[float], object] = time.sleep

    @property
    def place(self) -> str:
        """Return host and port for messages."""
        return self.configuration.place

    def attempt(self, action: Callable[[], T]) -> T:
        """Return the result of an action; one that may work later is repeated, after 1, 2, 4 and more seconds.

        Raises:
            PacsError: if it fails, in one sentence.
        """
        for number in range(self.configuration.retries + 1):
            try:
                with _quietly():
                    return action()
            except Exception as error:  # whatever an answer that is none raises
                if _is_of_this_computer(error):
                    raise
                problem = explain(error, self.place)
            if not problem.may_pass or number == self.configuration.retries:
                break
            seconds = min(max(float(2**number), problem.wait), _LONGEST_WAIT)
            self.say(f"{problem}; attempt {number + 2} of {self.configuration.retries + 1} in {seconds:.0f} s")
            self.wait(seconds)
        raise problem

    def open(self, path: str, accept: str) -> requests.Response:
        """Return the answer to a request for a part of the root, whose content is not read yet.

        Raises:
            requests.RequestException: if there is none; `attempt` makes a sentence of it.
        """
        url = f"{self.configuration.url}/{path}"
        hooks = {"response": _stay}
        response = self.session.get(
            url, headers={"Accept": accept}, stream=True, timeout=self.configuration.timeout, hooks=hooks
        )
        response.raise_for_status()
        return response

    def chunks(self, response: requests.Response) -> Iterator[bytes]:
        """Yield the content of an answer; each piece must come within the time-out.

        Raises:
            requests.RequestException: if it is cut off or stalls.
        """
        seconds, pieces = 2 * self.configuration.timeout, response.iter_content(_CHUNK)
        while True:
            with _quietly(), _limit_time(response, seconds):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece


def connect(
    configuration: Configuration, say: Say = lambda _: None, wait: Callable[[float], object] = time.sleep
) -> Connection:
    """Return a connection; the PACS is not asked yet.

    Args:
        say, wait: see `Connection`.

    Raises:
        DataError: if dicomweb-client is missing.
    """
    try:
        from dicomweb_client.web import DICOMwebClient
    except ImportError:
        line = install_line("dicom")
        raise DataError(f"a PACS needs the package dicomweb-client; install it with: {line}") from None
    if configuration.is_open:
        say(f"warning: {configuration.place} is asked over http: others on the network can read what is sent")
    for name in _LOUD:
        logging.getLogger(name).addFilter(_QUIET)
    session = _session(configuration)
    with _quietly():
        client = DICOMwebClient(configuration.url, session=session, timeout=configuration.timeout, permissive_uid=True)
    client.set_http_retry_params(retry=False)
    client.host = configuration.place  # its own is without the port, and cut short for IPv6
    return Connection(configuration, client, session, say, wait)


def _is_of_this_computer(error: Exception) -> bool:
    """Return True for a full disk, exhausted memory and the like, which are not the fault of the PACS."""
    network = (requests.RequestException, ConnectionError, TimeoutError, ssl.SSLError)
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and not isinstance(error, network))


class _Authorization(requests.auth.AuthBase):
    """Sign each request; files with secrets are read each time, so that they may be renewed."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        own = self._configuration
        if own.token or own.token_file:
            request.headers["Authorization"] = f"Bearer {own.token or read_secret(own.token_file)}"  # type: ignore[arg-type]
        elif own.user and own.password_file:
            return requests.auth.HTTPBasicAuth(own.user.encode(), read_secret(own.password_file).encode())(request)
        return request


class _Session(requests.Session):
    """A session that leaves wildcards in a search as they are: a URL may hold them, and some archives decode nothing.

    Source: RFC 3986 3.4 (query).
    """

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Return the request as it is sent."""
        prepared = super().prepare_request(request)
        root, mark, search = str(prepared.url).partition("?")
        prepared.url = root + mark + search.replace("%2A", "*").replace("%3F", "?")
        return prepared

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:  # noqa: ANN401
        """Return the answer to a request, of which nothing is logged."""
        with _quietly():
            return super().send(request, **more)


class _Quiet(logging.Filter):
    """Drop what a library logs while its thread asks a PACS; what it logs for others stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for a record that is dropped."""
        return not getattr(_asking, "depth", 0)


_QUIET = _Quiet()


@contextmanager
def _quietly() -> Iterator[None]:
    _asking.depth = getattr(_asking, "depth", 0) + 1
    try:
        yield
    finally:
        _asking.depth -= 1


def _session(configuration: Configuration) -> requests.Session:
    session = _Session()
    session.trust_env = False  # no secret of a .netrc, no proxy that nobody named
    session.auth = _Authorization(configuration)
    if configuration.ca is not None:
        session.verify = str(configuration.ca)
    if configuration.certificate is not None:
        files = [str(file) for file in (configuration.certificate, configuration.key) if file is not None]
        session.cert = (files[0], files[1]) if len(files) == 2 else files[0]
    if configuration.proxy:
        session.proxies = {"http": configuration.proxy, "https": configuration.proxy}
    seconds = _PATIENCE * configuration.timeout
    session.hooks = {"response": [_stay, lambda response, **_: _bound(response, seconds)]}
    return session


def _stay(response: requests.Response, **_: object) -> None:
    """Refuse a redirection to a different host, port or scheme: neither secrets nor results go there."""
    if not response.is_redirect:
        return
    here, there = (urlsplit(url) for url in (response.url, requests.compat.urljoin(response.url, _target(response))))
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        raise PacsError(
            f"the PACS at {here.netloc} sends to a different address, {there.scheme}://{there.netloc}; if that is "
            "right, give it as url in the configuration"
        )


def _target(response: requests.Response) -> str:
    return str(response.headers.get("location", ""))


def _bound(response: requests.Response, seconds: float) -> None:
    """Refuse a page for people, and bound what is read of an answer that is held in memory, and how long that takes."""
    kind = str(response.headers.get("content-type", "")).lower()
    if response.ok and not response.is_redirect and kind.startswith("text/html"):
        raise WebPage
    read: Any = response.iter_content

    def bounded(*args: object, **more: object) -> Iterator[bytes]:
        size = 0
        with _limit_time(response, seconds):
            for piece in read(*args, **more):
                size += len(piece)
                if size > ANSWER:
                    raise TooMuch(f"over {ANSWER >> 20} MB")
                yield piece

    response.iter_content = bounded  # type: ignore[method-assign]


class _limit_time:
    """End the reading of an answer after some seconds, also if single bytes go on coming.

    Raises:
        requests.Timeout: at the end of the block, if the time was over.
    """

    def __init__(self, response: requests.Response, seconds: float) -> None:
        self._response, self._over = response, False
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True

    def _end(self) -> None:
        self._over = True
        shutdown = getattr(self._response.raw, "shutdown", None)
        with suppress(OSError, ValueError, RuntimeError):  # it has ended by itself
            (shutdown or self._response.close)()

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._over:
            raise requests.Timeout("the answer takes too long")
