"""The PACS of a session: whether one is configured, a connection that can be stopped, and what it is doing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import requests

from ...errors import DataError
from ...pacs.configuration import configuration_file, read_configuration
from ...pacs.connection import Connection, connect
from ..activity import Activity

_MEGABYTE = 1e6
T = TypeVar("T")


@dataclass(frozen=True)
class StoppableConnection(Connection):
    """A connection that ends when it is stopped: before a request, and within an answer."""

    stopping: threading.Event = field(default_factory=threading.Event)

    def attempt(self, action: Callable[[], T]) -> T:
        """Return the result of an action; see `Connection.attempt`.

        Raises:
            DataError: if it is stopped, before the action begins.
        """
        check_stopped(self.stopping)
        return super().attempt(action)

    def chunks(self, response: requests.Response) -> Iterator[bytes]:
        """Yield the content of an answer, and say how much has come; see `Connection.chunks`.

        Raises:
            DataError: if it is stopped.
        """
        came = 0
        for piece in super().chunks(response):
            check_stopped(self.stopping)
            came += len(piece)
            self.say(f"{came / _MEGABYTE:.1f} MB")
            yield piece


def check_stopped(stopping: threading.Event) -> None:
    """Check that something may go on.

    Raises:
        DataError: once it is stopped; nobody sees it, as what was cancelled is dropped.
    """
    if stopping.is_set():
        raise DataError("cancelled")


def _pause(stopping: threading.Event, seconds: float) -> None:
    """Wait before the next attempt, unless it is stopped."""
    stopping.wait(seconds)
    check_stopped(stopping)


class PacsPlace:
    """The PACS that a configuration names.

    Args:
        activity: of the session; what it cancels is stopped.
        file: the configuration, None for the one in the environment.

    Attributes:
        name: host and port, "" if none is configured or the file cannot be used.
        problem: why there is none, a sentence that holds no value of the file; "" if there is one.
    """

    def __init__(self, activity: Activity, file: Path | None = None) -> None:
        self._activity, self._file = activity, file
        self._stopping, self._is_awaited = threading.Event(), False
        self._step = self._detail = ""
        self.name = self.problem = ""
        self.choose(file)
        activity.on_change.append(self._follow)

    @property
    def is_configured(self) -> bool:
        """True if a file is named, whether it can be used or not."""
        return configuration_file(self._file) is not None

    @property
    def said(self) -> str:
        """What a connection is doing, in words; set on the worker's thread."""
        return " ".join(filter(None, (self._step, self._detail)))

    def choose(self, file: Path | None) -> None:
        """Name a different configuration."""
        self._file, self.name, self.problem = file, "", ""
        try:
            self.name = read_configuration(file).place
        except DataError as error:
            self.problem = str(error)

    def connect(self) -> StoppableConnection:
        """Return a connection for one piece of work, which `Activity.cancel` stops; call it on the worker.

        Raises:
            DataError: if the configuration cannot be used.
        """
        stopping = self._stopping
        plain = connect(read_configuration(self._file))
        return StoppableConnection(
            plain.configuration,
            plain.client,
            plain.session,
            lambda sentence: self._say(stopping, sentence),
            lambda seconds: _pause(stopping, seconds),
            stopping,
        )

    def begin(self) -> None:
        """Note that work begins, before it is started."""
        self._stopping, self._is_awaited = threading.Event(), False
        self._step = self._detail = ""

    def _say(self, stopping: threading.Event, sentence: str) -> None:
        check_stopped(stopping)
        if sentence.endswith(" MB"):
            self._detail = f"({sentence})"
        else:
            self._step, self._detail = sentence, ""

    def _follow(self) -> None:
        """Stop what is no longer awaited."""
        if self._is_awaited and not self._activity.doing:
            self._stopping.set()
            self._step = self._detail = ""
        self._is_awaited = bool(self._activity.doing)
