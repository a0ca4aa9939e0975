"""Messages between the server and the process of a page, over a pair of connected sockets.

Nothing is pickled: a process that has read a bad file must not be able to run code in the server.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from enum import IntEnum

_HEAD = struct.Struct("!BI")  # kind, and length of the content in bytes
_LARGEST = 64 * 2**20


class Kind(IntEnum):
    """Kinds of messages."""

    CONNECTED = 1  # a browser shows the page
    DISCONNECTED = 2
    DATA = 3  # a message of trame, in either direction
    CALL = 4  # a method of the page that the server calls, JSON
    ANSWER = 5  # JSON


class Channel:
    """One end of the connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._order = asyncio.Lock()

    @classmethod
    async def over(cls, end: socket.socket) -> Channel:
        """Return the channel of a connected socket, in the running event loop."""
        return cls(*await asyncio.open_connection(sock=end))

    async def send(self, kind: Kind, content: bytes = b"") -> None:
        """Send a message; wait if the other end is slow.

        Raises:
            ConnectionError: if the other end is gone.
        """
        async with self._order:
            self._writer.write(_HEAD.pack(kind, len(content)) + content)
            await self._writer.drain()

    async def receive(self) -> tuple[Kind, bytes] | None:
        """Return the next message, or None if the other end is gone or has sent something invalid."""
        try:
            kind, length = _HEAD.unpack(await self._reader.readexactly(_HEAD.size))
            if length > _LARGEST:
                return None
            return Kind(kind), await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            return None

    def close(self) -> None:
        """Close the connection; the other end receives None."""
        self._writer.close()
