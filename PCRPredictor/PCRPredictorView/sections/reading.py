"""The section "Reading": curves, kinetic colours, films, MIP and tools; `Station` and the session do the work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from PCRPredictorLib.mrml.keys import KEYS, NATIVE, SHOWN
from PCRPredictorLib.mrml.station import Station
from PCRPredictorLib.session.session import Session
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from ..page_scene import PageScene
from ..viewing.arrangements import Arrangement
from ..views import Views
from .overlay import GreyState

_INTERVALS = {"play_slices": 0.1, "play_phases": 0.4, "rotate": 0.1}  # s between two pictures of a film
_CURSOR_S = 0.033  # between two curves at the cursor: 30 per second
_HIDDEN = ("next_slice", "previous_slice", "next_phase", "previous_phase")  # keys without a button to be seen
_TEXTS = {
    "hang": "Phases and MIP",
    "kinetics": "Curve types",
    "play_slices": "Play slices",
    "play_phases": "Play phases",
    "rotate": "Turn MIP",
    "window": "Window/level",
    "ruler": "Ruler",
    "clear_rulers": "Remove rulers",
    "reset": "Reset",
    "help": "Keys",
}


@dataclass
class ReadingState:
    """What the section shows.

    Args:
        chart: the curves as SVG.
        cursor, curve: words about the place under the mouse.
        lesion: lines about the lesion.
        notes: what is stale or missing.
        on: actions that are running.
        phase: the phase that is played, in words; "" if none.
        help: whether the keys are shown.
    """

    chart: str = ""
    cursor: str = ""
    curve: str = ""
    lesion: list[str] = field(default_factory=list)
    notes: str = ""
    on: list[str] = field(default_factory=list)
    phase: str = ""
    help: bool = False


class ReadingSection:
    """Read the exam with curves, films and tools."""

    def __init__(self, server: Server, session: Session, scene: PageScene, views: Views) -> None:
        self._server, self._session, self._scene, self._views = server, session, scene, views
        self.state, self._grey = TypedState(server.state, ReadingState), TypedState(server.state, GreyState)
        self.station = Station(
            scene.scene, scene.volume_rendering, scene.volumes, lambda: session.reading.phases, views.grey_tools
        )
        self._films: dict[str, asyncio.Task[None]] = {}
        self._late: asyncio.TimerHandle | None = None
        scene.on_open.append(self._begin)
        views.on_cursor.append(self._move)
        views.on_arrange.append(self._leave_mip)

    def refresh(self) -> None:
        """Show what the session holds."""
        data, words = self.state.data, self._session.reading.words
        data.lesion, data.notes = list(words.kinetics), " ".join(filter(None, (words.stale, words.notices)))
        data.chart = self._session.reading.chart() if self._scene.is_open else ""
        self._note_running()

    def act(self, action: str) -> None:
        """Do what a key does, by its `Key.action`."""
        if action == "help":
            self.state.data.help = not self.state.data.help
        elif self._scene.is_open:
            _ACTIONS[action](self)
            self._note_running()

    def _begin(self) -> None:
        self._stop()
        self.station.forget()
        if self._views.state.data.is_mip:  # that of the exam before
            self._show_mip(self._views.arrangement == Arrangement.HANGING)
        self.state.data.cursor = self.state.data.curve = self.state.data.phase = ""
        self._session.reading.move_to(None)

    def _move(self, position: tuple[float, float, float]) -> None:
        self._session.reading.move_to(position)
        if self._late is None:  # the curve follows the mouse at a rate that does not hold it up
            self._late = asyncio.get_running_loop().call_later(_CURSOR_S, self._show_cursor)

    def _show_cursor(self) -> None:
        self._late = None
        reading, data = self._session.reading, self.state.data
        with self._server.state:
            data.cursor, data.chart = reading.describe_cursor(), reading.chart()
            data.curve = reading.describe_curve()

    def _play(self, action: str, step: Callable[[], object]) -> None:
        """Play a film, or stop it."""
        if (film := self._films.pop(action, None)) is not None:
            film.cancel()
        else:
            self._films[action] = asyncio.ensure_future(self._run(action, step))

    async def _run(self, action: str, step: Callable[[], object]) -> None:
        while self._scene.is_open:
            with self._server.state:
                step()
            await asyncio.sleep(_INTERVALS[action])

    def _play_phases(self) -> None:
        self._play("play_phases", lambda: self._show_phase(1))
        if "play_phases" not in self._films:
            self._end_phases()

    def _show_phase(self, by: int) -> None:
        number = self.station.step_phases(by)
        self._views.draw_slices()
        phases = self._session.reading.phases
        if number is not None and phases is not None:
            seconds = "" if phases.seconds is None else f", {phases.seconds[number]:.0f} s"
            self.state.data.phase = f"Phase {number + 1} of {len(phases.arrays)}{seconds}"

    def _end_phases(self) -> None:
        self.station.stop_phases()
        self.state.data.phase = ""
        self._views.redraw()

    def _rotate(self) -> None:
        self._show_mip(True)
        self._play("rotate", self._turn)
        if "rotate" not in self._films and self._views.arrangement != Arrangement.HANGING:
            self._show_mip(False)

    def _turn(self) -> None:
        self.station.rotate()
        self._views.draw_space()

    def _step_slices(self, by: int) -> None:
        self.station.step_slices(by)
        self._views.draw_slices()

    def _show_mip(self, visible: bool) -> None:
        is_new = visible != self._views.state.data.is_mip
        self._views.peel_volumes(not visible)
        self.station.show_mip(visible)
        if is_new:  # the exam is larger than the tumour
            self._views.fit_space()
        self._views.draw_space()

    def _leave_mip(self) -> None:
        """Show no MIP beside an arrangement that was chosen in the place of that of the MIP."""
        is_kept = self._views.arrangement == Arrangement.HANGING or "rotate" in self._films
        if self._views.state.data.is_mip and not is_kept:
            self._show_mip(False)
        self._note_running()

    def _stop(self) -> None:
        for film in self._films.values():
            film.cancel()
        self._films.clear()

    def _hang(self) -> None:
        is_hanging = self._views.arrangement == Arrangement.HANGING
        self._show_mip(not is_hanging)
        if not is_hanging:
            self.station.link_grey()
        self._views.choose(Arrangement.FOUR_UP if is_hanging else Arrangement.HANGING)

    def _colour(self) -> None:
        overlay = self._session.overlay
        kind = "attention" if overlay.kind == "curve_type" else "curve_type"
        self._session.set_overlay(replace(overlay, kind=kind))

    def _reset(self) -> None:
        self._stop()
        self._end_phases()
        self.station.adjust_window(False)
        self.station.reset_grey()
        self._scene.show_grey(0.0, 1.0)
        self._grey.data.grey = [0.0, 100.0]
        self._views.reset()

    def _note_running(self) -> None:
        on = [*self._films]
        on += ["hang"] if self._views.arrangement == Arrangement.HANGING else []
        on += ["kinetics"] if self._session.overlay.kind == "curve_type" else []
        on += ["window"] if self.station.adjusts_window else []
        self.state.data.on = on

    def build(self, busy: str) -> None:
        """Write the section's part of the page."""
        name = self.state.name
        with html.Div(classes="d-flex flex-wrap mb-2", style="gap: 4px"):
            for key, action, text in KEYS:
                off = "" if action == "help" else f"!!{busy}"
                is_on = f"{name.on}.includes('{action}')"
                look = {"size": "small", "variant": (f"{is_on} ? 'flat' : 'tonal'",)}
                look["color"] = (f"{is_on} ? 'primary' : undefined",)
                title = f"{text} ({SHOWN.get(key, key.upper())})"
                hidden = {"style": "display: none"} if action in _HIDDEN else {}
                more = {"disabled": (off,)} if off else {}
                click = (self.act, f"['{action}']")
                v3.VBtn(_TEXTS.get(action, text), click=click, title=title, id=f"do-{action}", **look, **hidden, **more)
        html.Div(f"{{{{ {name.cursor} }}}}", classes="text-caption", style="min-height: 1.4em", id="cursor")
        html.Div(f"{{{{ {name.phase} }}}}", v_if=(name.phase,), classes="text-caption", id="phase")
        html.Div(v_html=(name.chart,), v_if=(name.chart,), id="curves")
        html.Div(f"{{{{ {name.curve} }}}}", classes="text-caption", style="min-height: 2.8em", id="cursor-curve")
        with html.Div(v_if=(f"{name.lesion}.length",), classes="text-caption", id="kinetics"):
            html.Div("{{ line }}", v_for=f"(line, n) in {name.lesion}", key="n")
        html.Div(f"{{{{ {name.notes} }}}}", v_if=(name.notes,), classes="text-caption text-warning", id="reading-notes")
        v3.VBtn("Measure the lesion again", click=self._session.reading.measure_again, size="small", variant="text")
        with v3.VDialog(v_model=(name.help,), max_width=440), v3.VCard(id="keys", classes="pa-4"):
            html.Div("Keys", classes="text-subtitle-1 font-weight-bold mb-2")
            with html.Table(classes="text-body-2"):
                for shown, text in [*((SHOWN.get(key, key.upper()), text) for key, _, text in KEYS), *NATIVE]:
                    with html.Tr():
                        html.Td(shown, style="font-weight: bold; padding-right: 12px; white-space: nowrap")
                        html.Td(text)
            v3.VBtn("Close", click=f"{name.help} = false", size="small", classes="mt-3", id="close-keys")


_ACTIONS: dict[str, Callable[[ReadingSection], object]] = {
    "hang": ReadingSection._hang,
    "reset": ReadingSection._reset,
    "next_slice": lambda section: section._step_slices(1),
    "previous_slice": lambda section: section._step_slices(-1),
    "next_phase": lambda section: section._show_phase(1),
    "previous_phase": lambda section: section._show_phase(-1),
    "play_slices": lambda section: section._play("play_slices", lambda: section._step_slices(1)),
    "play_phases": ReadingSection._play_phases,
    "rotate": ReadingSection._rotate,
    "window": lambda section: section.station.adjust_window(not section.station.adjusts_window),
    "ruler": lambda section: section.station.place_ruler(),
    "clear_rulers": lambda section: section.station.clear_rulers(),
    "kinetics": ReadingSection._colour,
}
