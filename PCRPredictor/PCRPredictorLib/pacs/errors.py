"""What a PACS did not do, in one sentence. No value of the configuration but the host and no query is in it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress

import requests
from urllib3.exceptions import LocationValueError

from ..errors import DataError

_BEGINNING = 4096  # bytes of a page that are read
_TOO_BUSY = (408, 429, 500, 502, 503, 504)
_OF_STATUS = {
    400: "does not understand the request; check that url in the configuration is that of the DICOMweb root",
    401: "refuses the sign-in; check token, or user and password, in the configuration",
    403: "does not allow this to the account; ask its administrator for the right to search, to read and, for results, "
    "to store",
    404: "has nothing there; check that url in the configuration is that of the DICOMweb root, and the UID",
    405: "does not offer this; check that url in the configuration is that of the DICOMweb root",
    406: "cannot send images as DICOM files; ask its administrator for DICOMweb (WADO-RS, application/dicom)",
    409: "does not accept the objects; ask its administrator why",
    413: "does not accept objects of that size; ask its administrator to raise the limit",
    507: "is full; free some space on it",
}
_OTHER = "does not do this; ask its administrator"
_NO_ADDRESS = (  # they are ValueErrors, too
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    LocationValueError,
)
_CHECK = "check certificate and key in the configuration"
_WANTS_ONE = "wants a client certificate; name certificate and key in the configuration"
_REFUSES_IT = f"refuses the client certificate; {_CHECK}"
_RENEW = "ask its administrator for a new one, and name it as certificate and key in the configuration"
_OF_CERTIFICATE = {  # words of OpenSSL
    "certificate has expired": "has a certificate that has expired; ask its administrator to renew it",
    "not yet valid": "has a certificate that is not valid yet; check the clock of this computer",
    "hostname mismatch": "has a certificate of a different name; give the url with the name in its certificate",
    "ip address mismatch": "has a certificate of a different name; give the url with the name in its certificate",
    "self-signed": "has a certificate that this computer does not know; name the file of its authority as ca",
    "self signed": "has a certificate that this computer does not know; name the file of its authority as ca",
    "unable to get": "has a certificate that this computer does not know; name the file of its authority as ca",
    "wrong version": "does not speak https there; check scheme and port of url in the configuration",
    "record layer": "does not speak https there; check scheme and port of url in the configuration",
    "certificate required": _WANTS_ONE,
    "alert certificate expired": f"refuses the client certificate, which has expired; {_RENEW}",
    "alert certificate revoked": f"refuses the client certificate, which was revoked; {_RENEW}",
    "alert unknown ca": _REFUSES_IT,
    "alert bad certificate": _REFUSES_IT,
    "alert certificate unknown": _REFUSES_IT,
    "alert unsupported certificate": _REFUSES_IT,
    "alert access denied": _REFUSES_IT,
    "alert handshake failure": f"does not agree to TLS, maybe for lack of a client certificate; {_CHECK}",
    "eof occurred": f"ends TLS without a reason, maybe for a client certificate that is wrong or absent; {_CHECK}",
    "key values mismatch": "cannot be reached, as certificate and key in the configuration do not belong together",
}


class PacsError(DataError):
    """Report what a PACS did not do.

    Attributes:
        may_pass: True if the same call may work later: the PACS is off, busy, slow or full.
        status: of HTTP, None without one.
        wait: seconds that the PACS asks to wait.
    """

    def __init__(self, sentence: str, *, may_pass: bool = False, status: int | None = None, wait: float = 0.0) -> None:
        super().__init__(sentence)
        self.may_pass, self.status, self.wait = may_pass, status, wait


class Cut(requests.ConnectionError):
    """The answer of a PACS ended early."""


class WebPage(requests.RequestException):
    """A PACS answers with a page for people, such as a form to sign in."""


class TooMuch(requests.RequestException):
    """A PACS answers with more than any answer needs."""


def explain(error: Exception, place: str) -> PacsError:
    """Return the sentence for an error of a request; one that has a sentence keeps it.

    Args:
        error: of `requests`, or a ValueError of an answer that cannot be read.
        place: host and port of the PACS.
    """
    if isinstance(error, PacsError):
        return error
    if isinstance(error, DataError):
        return PacsError(str(error))
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _explain_status(error.response, place)
    said, may_pass = _explain(error)
    return PacsError(f"the PACS at {place} {said}", may_pass=may_pass)


def _explain_status(response: requests.Response, place: str) -> PacsError:
    """Return the sentence for a status of HTTP that is no success."""
    status, asked = response.status_code, str(response.headers.get("Retry-After", ""))
    busy = status in _TOO_BUSY
    sentence = "has a problem; try again later, or ask its administrator" if busy else _OF_STATUS.get(status, _OTHER)
    sentence = _about_certificate(response) or sentence
    said, _, to_do = sentence.partition(";")
    return PacsError(
        f"the PACS at {place} {said} ({status});{to_do}",
        may_pass=busy or status == 507,
        status=status,
        wait=float(asked) if asked.isascii() and asked.isdigit() else 0.0,
    )


def _about_certificate(response: requests.Response) -> str:
    """Return the sentence of a proxy that refuses a client certificate in HTTP, as nginx does; "" for anything else."""
    if response.status_code not in (400, 403, 495, 496):
        return ""
    words = b""
    with suppress(Exception):  # the connection may have gone
        words = next(response.iter_content(_BEGINNING), b"").lower()
    if response.status_code == 496 or b"no required ssl certificate" in words:
        return _WANTS_ONE
    return _REFUSES_IT if response.status_code == 495 or b"ssl certificate error" in words else ""


def _explain(error: Exception) -> tuple[str, bool]:
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or isinstance(error, requests.exceptions.SSLError):
        text = " ".join(map(str, causes)).lower()
        said = next((said for words, said in _OF_CERTIFICATE.items() if words in text), None)
        return said or "cannot be reached safely (TLS); check scheme, ca and certificate in the configuration", False
    if isinstance(error, requests.exceptions.ProxyError | requests.exceptions.InvalidProxyURL):
        return "cannot be reached through the proxy; check proxy in the configuration", True
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "is not found under that name; check the host in the url of the configuration, and the network", True
    if isinstance(error, requests.Timeout) or any(isinstance(cause, TimeoutError) for cause in causes):
        return "does not answer in time; try again later, or raise timeout in the configuration", True
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "refuses the connection; check that it is running, and host and port in the configuration", True
    if isinstance(error, TooMuch):
        return f"answers with more than is read ({error}); ask its administrator", False
    if isinstance(error, WebPage):
        return "answers with a web page; check that url is that of the DICOMweb root, and token or user", False
    if isinstance(error, requests.JSONDecodeError) and error.doc.lstrip()[:1] in ("[", "{"):
        return "cuts its answer off; try again, or ask its administrator", True
    if isinstance(error, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return "cuts the connection off; try again, and check http or https in the url of the configuration", True
    if isinstance(error, _NO_ADDRESS):
        return "has an address that cannot be used; check url and proxy in the configuration", False
    if isinstance(error, ValueError | TypeError | KeyError | AttributeError | RecursionError):
        return "answers with something that is no DICOM JSON; check that url is that of the DICOMweb root", False
    return "cannot be used in this way; check the configuration", False


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it was raised for: `requests` wraps those of urllib3, which wraps the system's."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        inner = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting += [item for item in inner if isinstance(item, BaseException)]
