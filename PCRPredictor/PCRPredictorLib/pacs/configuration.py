"""How to reach a PACS: a file in JSON, whose secrets reach no message, log, report or result.

{"url": "https://pacs.hospital.example/dicom-web", "token_file": "token.txt", "ca": "authority.pem"}
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import DataError
from ..files.json_text import read_json

VARIABLE = "BREASTPCR_PACS"  # names the file if --pacs does not
_TEXTS = ("url", "token", "user", "proxy")
_FILES = ("token_file", "password_file", "certificate", "key", "ca")
_NUMBERS = {"retries": (0, 20), "timeout": (1, 600)}
_FLAGS = ("allow_http",)
_HOW = f"give a file in JSON with the url of the DICOMweb root by --pacs, or name it in {VARIABLE}"
_SECRET = 10_000  # bytes of a token or password


@dataclass(frozen=True)
class Configuration:
    """The address of a PACS and how to sign in; relative paths are beside the file.

    Args:
        url: of the DICOMweb root.
        token: sent as `Authorization: Bearer`; or `token_file`, read for each request, so that it may be renewed.
        user: with `password_file`, sent as basic authentication.
        certificate, key: of this client, PEM.
        ca: certificates of the authorities that the PACS may be signed by, PEM; None for those of the system.
        proxy: URL of a proxy; the proxies of the environment are not used.
        retries: how often a request that may work later is repeated.
        timeout: seconds to wait for an answer, or for more of it.
        allow_http: sign in over http, where others on the network may read the secret.
    """

    url: str
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    user: str = field(default="", repr=False)
    password_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    proxy: str = field(default="", repr=False)
    retries: int = 3
    timeout: float = 30.0
    allow_http: bool = False

    @property
    def place(self) -> str:
        """Return host and port for messages."""
        return urlsplit(self.url).netloc

    @property
    def is_open(self) -> bool:
        """Return True if what is sent can be read on the way: http, and not to this computer."""
        return urlsplit(self.url).scheme == "http" and not _is_loopback(urlsplit(self.url).hostname or "")

    @property
    def signs_in(self) -> bool:
        """Return True if a token or password is sent."""
        return bool(self.token or self.token_file or self.user)


def configuration_file(given: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the file that is given, else the one in the environment; None if there is neither."""
    return given or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)


def read_configuration(given: Path | None = None) -> Configuration:
    """Return the configuration of a file, else of the one that the environment names.

    Raises:
        DataError: if there is none, or it cannot be used; no value of it is in the message.
    """
    path = configuration_file(given)
    if path is None:
        raise DataError(f"no PACS is configured; {_HOW}")
    try:
        content = read_json(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or 'no such file'}); {_HOW}") from None
    except ValueError:  # its message may quote the file
        raise DataError(f"{path}: must be JSON; {_HOW}") from None
    if not isinstance(content, dict):
        raise DataError(f"{path}: must be an object in JSON; {_HOW}")
    found = Configuration(**_values(content, path))
    _check(found, path)
    return found


def read_secret(path: Path) -> str:
    """Return the token or password in a file, without the line break at its end.

    Raises:
        DataError: if it cannot be read, or is not one line of plain characters.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_SECRET + 1).decode("utf-8").strip("\r\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); name the file with the secret") from None
    except UnicodeDecodeError:
        text = ""
    if not text or len(text) > _SECRET or not text.isprintable():
        raise DataError(f"{path}: must hold one line, the token or password; write it again")
    return text


def _values(content: Mapping[str, object], path: Path) -> dict[str, Any]:
    """Return the checked values by name, files as paths."""
    known = (*_TEXTS, *_FILES, *_NUMBERS, *_FLAGS)
    if unknown := [name for name in content if name not in known]:
        raise DataError(f"{path}: must not hold {unknown[0]}; it may hold {', '.join(known)}")
    if not content.get("url"):
        raise DataError(f"{path}: must hold url, that of the DICOMweb root; add it")
    for name, value in content.items():
        if name in _NUMBERS:
            low, high = _NUMBERS[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise DataError(f"{path}: {name} must be a number from {low} to {high}; correct it")
        elif not isinstance(value, bool if name in _FLAGS else str):
            raise DataError(f"{path}: {name} must be {'true or false' if name in _FLAGS else 'text'}; correct it")
    found = {name: path.absolute().parent / str(value) for name, value in content.items() if name in _FILES and value}
    others = {name: value for name, value in content.items() if name not in _FILES}
    if "retries" in others:
        others["retries"] = int(str(others["retries"]).partition(".")[0])
    return {**others, **found, "url": str(content["url"]).rstrip("/")}


def _check(found: Configuration, path: Path) -> None:
    _check_url(found.url, path)
    for name in _FILES:
        file = getattr(found, name)
        if file is not None and not file.is_file():
            raise DataError(f"{path}: {name} must name a file, got {file}; correct it")
    if found.password_file is not None:
        read_secret(found.password_file)
    token = read_secret(found.token_file) if found.token_file is not None else found.token
    if not token.isprintable() or not token.isascii():
        raise DataError(f"{found.token_file or path}: the token must be one line of English characters; correct it")
    if (found.token or found.token_file) and found.user:
        raise DataError(f"{path}: must hold either a token, or user and password_file; remove one of them")
    if bool(found.user) != bool(found.password_file):
        raise DataError(f"{path}: user and password_file belong together; add the other one")
    if found.key is not None and found.certificate is None:
        raise DataError(f"{path}: key belongs to certificate; add it")
    if found.key is not None and b"ENCRYPTED" in found.key.read_bytes():
        raise DataError(f"{found.key}: must be a key without a password; decrypt it, and protect the file")
    if found.signs_in and found.is_open and not found.allow_http:
        raise DataError(
            f"{path}: the token or password must not be sent over http, where others on the network read it; give url "
            'as https://, or add "allow_http": true'
        )


def _check_url(url: str, path: Path) -> None:
    sentence = f"{path}: url must be that of the DICOMweb root, such as https://pacs.example/dicom-web; correct it"
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise DataError(sentence)
        parts.port  # noqa: B018  raises if it is no port
    except DataError:
        raise
    except ValueError:
        raise DataError(sentence) from None
    if parts.username or parts.password:
        raise DataError(f"{path}: url must not hold user and password; give user and password_file instead")
    if not url.isprintable() or " " in url:
        raise DataError(sentence)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
