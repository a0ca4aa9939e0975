"""Messages between the server and the process of a page, over a pair of connected sockets.

No object is pickled: a process that read a bad file must not be able to run anything in the server.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from enum import IntEnum

_HEAD = struct.Struct("!BI")  # kind, and length of the content in bytes
_LARGEST = 64 * 2**20


class Kind(IntEnum):
    """What a message is."""

    CONNECTED = 1  # a browser shows the page
    DISCONNECTED = 2
    DATA = 3  # a message of trame's own, either way
    CALL = 4  # the server asks the process for something, JSON
    ANSWER = 5  # JSON


class Channel:
    """One end of the pair."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._order = asyncio.Lock()

    @classmethod
    async def over(cls, end: socket.socket) -> Channel:
        """The channel of a connected socket, in the running event loop."""
        return cls(*await asyncio.open_connection(sock=end))

    async def send(self, kind: Kind, content: bytes = b"") -> None:
        """Send a message; waits while the other end is slow.

        Raises:
            ConnectionError: if the other end is gone.
        """
        async with self._order:
            self._writer.write(_HEAD.pack(kind, len(content)) + content)
            await self._writer.drain()

    async def receive(self) -> tuple[Kind, bytes] | None:
        """The next message; None when the other end is gone or says what no message is."""
        try:
            kind, length = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))
            if length > _LARGEST:
                return None
            return Kind(kind), await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            return None

    def close(self) -> None:
        """Let go; the other end receives None."""
        self._writer.close()
