"""Pictures of views on their way to the browser: those of the exam before must not stand under the name of the next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from trame_server import Server
from trame_slicer.app.logic import get_view_trame_id
from trame_slicer.views import AbstractView

_SHOWN_S = 0.15  # in which the browser decodes a picture
_LONGEST_S = 60.0  # after which a view that has sent nothing is not waited for: its window may be hidden


class Pictures:
    """Report when each of some views has sent a picture that was drawn after a moment.

    Args:
        server: trame's, that sends the pictures.
        on_fresh: called once all have been sent, or a minute later.
    """

    def __init__(self, server: Server, on_fresh: Callable[[], object]) -> None:
        self._server, self._on_fresh = server, on_fresh
        self._names: dict[str, str] = {}  # of the views by their names on the way
        self._awaited: dict[str, float | None] = {}  # view: when it was drawn, ms; None if it has not been
        self._limit: asyncio.TimerHandle | None = None
        server.root_server.controller.rc_area_register.add(self._listen)

    def attach(self, view: AbstractView) -> None:
        """Follow the pictures of a view from now on."""
        self._names[get_view_trame_id(self._server, view)] = view.name
        view.render_window().AddObserver("EndEvent", partial(self._on_drawn, view.name))

    def wait_for(self, views: Collection[str]) -> None:
        """Wait for the next picture of each of these views, given by name."""
        self._awaited = dict.fromkeys(set(views) & set(self._names.values()))
        if self._limit is not None:
            self._limit.cancel()
        if self._awaited:
            self._limit = asyncio.get_running_loop().call_later(_LONGEST_S, self._give_up)
        else:
            self._on_fresh()

    def _give_up(self) -> None:
        if self._awaited:
            self._awaited.clear()
            self._on_fresh()

    def _on_drawn(self, name: str, *_event: object) -> None:
        if name in self._awaited and self._awaited[name] is None:
            self._awaited[name] = int(1000 * time.time())  # as trame counts, see `_on_sent`

    def _on_sent(self, area: str, meta: Mapping[str, Any]) -> None:
        name = self._names.get(area, "")
        drawn = self._awaited.get(name)
        if drawn is None or meta["st"] < drawn:  # an earlier picture, which was still being compressed
            return
        self._awaited.pop(name)
        if not self._awaited:
            asyncio.get_running_loop().call_later(_SHOWN_S, self._report)

    def _report(self) -> None:
        if not self._awaited:  # else a different exam was opened meanwhile
            self._on_fresh()

    def _listen(self, area: Any) -> None:  # noqa: ANN401  trame's adapter of a view, which has got its way out by now
        area.set_streamer(_Streamer(area.streamer, self._on_sent))


class _Streamer:
    """Send pictures as trame does, and report each."""

    def __init__(self, streamer: Any, on_sent: Callable[[str, Mapping[str, Any]], object]) -> None:  # noqa: ANN401  trame's
        self._streamer, self._on_sent = streamer, on_sent

    def push_content(self, area: str, meta: Mapping[str, Any], content: bytes) -> None:
        """Send a picture of a view."""
        self._streamer.push_content(area, meta, content)
        self._on_sent(area, meta)
