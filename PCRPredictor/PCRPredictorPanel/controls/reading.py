"""The section "Reading": curves, kinetic colours, films, MIP and tools; `Station` and the session do the work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any

import qt
import slicer
from PCRPredictorLib.curves.words import describe_clock, describe_enhancement
from PCRPredictorLib.mrml.curve_plot import show_curves
from PCRPredictorLib.mrml.display import HANGING_LAYOUT, HANGING_VIEWS, hang_views, show_four_up
from PCRPredictorLib.mrml.keys import KEYS, NATIVE, QT_NAMES, SHOWN
from PCRPredictorLib.mrml.station import Station, cursor_position
from PCRPredictorLib.session.session import Session
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from ..node_scene import NodeScene
from ..toolkit.plain_text import literal

_SLICE_MS, _PHASE_MS, _TURN_MS = 100, 400, 60  # between two pictures of a film
_CURSOR_MS = 33  # between two curves at the cursor: 30 per second
_PLAYERS = {"play_slices": "playSlicesButton", "play_phases": "playPhasesButton", "rotate": "rotateButton"}


class ReadingControls(VTKObservationMixin):
    """Ties buttons and keys to the reading station.

    Args:
        ui: the section's widgets by name.
        scene: with the exam.
        session: with curves and kinetic map.
    """

    def __init__(self, ui: Any, scene: NodeScene, session: Session) -> None:
        VTKObservationMixin.__init__(self)
        self._ui, self._scene, self._session = ui, scene, session
        rendering = slicer.modules.volumerendering.logic
        self.station = Station(slicer.mrmlScene, rendering, self._volumes, lambda: session.reading.phases, _grey_tools)
        self._shortcuts: list[Any] = []
        self._players: dict[str, Any] = {}
        self._exam: object = None
        self._make_players()
        self._connect()
        crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        self.addObserver(crosshair, crosshair.CursorPositionModifiedEvent, self._on_cursor)
        ui.keysLabel.text = _describe_keys()
        ui.keysLabel.hide()
        session.activity.on_change.append(self.update)
        self.update()

    def open(self) -> None:
        """Listen to keys, while the module is open, and let the phases of the four views share their window again."""
        if _layout().GetViewArrangement() == HANGING_LAYOUT:
            self.station.link_grey()
        if self._shortcuts:
            return
        window = slicer.util.mainWindow()
        for key, action, _text in KEYS if window is not None else ():
            shortcut = qt.QShortcut(qt.QKeySequence(QT_NAMES.get(key, key.upper())), window)
            shortcut.connect("activated()", partial(self.act, action))
            self._shortcuts.append(shortcut)

    def leave(self) -> None:
        """Stop films and tools, and listen to keys no more."""
        self._stop()
        self.station.unlink_grey()
        for shortcut in self._shortcuts:
            shortcut.setEnabled(False)
            shortcut.deleteLater()  # else it outlives a reload of the module
        self._shortcuts = []

    def close(self) -> None:
        """End for good."""
        self.leave()
        self.removeObservers()

    def forget_scene(self) -> None:
        """Drop what belongs to the scene that is closing."""
        self._stop()
        self.station.forget()
        self._exam = None

    def act(self, action: str) -> None:
        """Do what a key does, by its `Key.action`."""
        _ACTIONS[action](self)

    def update(self) -> None:
        """Show what the session holds, and enable what is possible."""
        ui, reading = self._ui, self._session.reading
        exam = self._scene.volumes_key() if None not in self._scene.volumes else None
        if exam != self._exam:
            self._stop()
            self.station.forget()
            self._exam = exam
        words = reading.words
        ui.cursorLabel.text, ui.curveLabel.text = words.cursor, words.curve
        ui.kineticsLabel.text = "\n".join(filter(None, (*words.kinetics, words.stale, words.notices)))
        for name in ("hangButton", "playSlicesButton", "playPhasesButton", "rotateButton", "windowButton"):
            getattr(ui, name).enabled = exam is not None
        has_tumour = self._scene.problem() is None
        ui.measureButton.enabled = ui.kineticsButton.enabled = has_tumour
        ui.measureButton.toolTip = (
            _("Measure the curve of the tumour as it is drawn now.") if has_tumour else literal(self._scene.problem())
        )
        _set_checked(ui.kineticsButton, self._session.overlay.kind == "curve_type")
        _set_checked(ui.hangButton, _layout().GetViewArrangement() == HANGING_LAYOUT)
        self._draw()

    def _connect(self) -> None:
        ui = self._ui
        buttons = {
            "hangButton": "hang",
            "kineticsButton": "kinetics",
            "windowButton": "window",
            "rulerButton": "ruler",
            "clearRulersButton": "clear_rulers",
            "resetReadingButton": "reset",
            "keysButton": "help",
        }
        for name, action in buttons.items():
            getattr(ui, name).connect("clicked(bool)", lambda *_args, action=action: self.act(action))
        for action, name in _PLAYERS.items():
            getattr(ui, name).connect("toggled(bool)", partial(self._play, action))
        ui.measureButton.connect("clicked(bool)", lambda *_args: self._session.reading.measure_again())

    def _make_players(self) -> None:
        steps: Mapping[str, tuple[int, Callable[[], object]]] = {
            "play_slices": (_SLICE_MS, lambda: self.station.step_slices(1)),
            "play_phases": (_PHASE_MS, lambda: self.station.step_phases(1)),
            "rotate": (_TURN_MS, lambda: self.station.rotate()),
        }
        for action, (interval, step) in steps.items():
            timer = self._players[action] = qt.QTimer()
            timer.setInterval(interval)
            timer.connect("timeout()", step)
        self._late = qt.QTimer()  # the curve at the cursor follows the mouse at a rate that does not hold it up
        self._late.setSingleShot(True)
        self._late.setInterval(_CURSOR_MS)
        self._late.connect("timeout()", self._show_cursor)

    def _play(self, action: str, wanted: bool) -> None:
        timer = self._players[action]
        timer.start() if wanted else timer.stop()
        if action == "play_phases" and not wanted:
            self.station.stop_phases()
        if action == "rotate":
            self.station.show_mip(wanted or _layout().GetViewArrangement() == HANGING_LAYOUT)

    def _stop(self) -> None:
        for name in _PLAYERS.values():
            getattr(self._ui, name).checked = False

    def _toggle(self, name: str) -> None:
        button = getattr(self._ui, name)
        button.checked = not button.checked

    def _hang(self) -> None:
        """Show the four views, or the usual layout again."""
        volumes = self._volumes()
        if not volumes or _layout().GetViewArrangement() == HANGING_LAYOUT:
            self.station.show_mip(False)
            show_four_up(slicer.mrmlScene)
        else:
            names = dict(zip(HANGING_VIEWS, ("pre", "early", "subtraction"), strict=True))
            overlay = self._session.overlay
            attention = self._scene.attention if overlay.visible else None
            shown = {view: volumes[name] for view, name in names.items()}
            hang_views(slicer.mrmlScene, shown, attention, overlay.opacity)
            self.station.show_mip(True)
            self.station.link_grey()
        self.update()

    def _reset(self) -> None:
        self._stop()
        self.station.stop_phases()
        self.station.adjust_window(False)
        self.station.reset_grey()
        logics = slicer.app.layoutManager().mrmlSliceLogics()
        for k in range(logics.GetNumberOfItems()):
            logics.GetItemAsObject(k).FitSliceToBackground()
        _set_checked(self._ui.windowButton, False)

    def _window(self) -> None:
        mode = slicer.app.applicationLogic().GetInteractionNode()
        wanted = mode.GetCurrentInteractionMode() != mode.AdjustWindowLevel
        self.station.adjust_window(wanted)
        _set_checked(self._ui.windowButton, wanted)

    def _colour(self) -> None:
        parameters = self._scene.parameters
        if parameters is not None:
            kind = "attention" if self._session.overlay.kind == "curve_type" else "curve_type"
            parameters.overlayKind = kind
            if self._session.overlay.kind != kind:  # while the module is not entered
                self._session.set_overlay(replace(self._session.overlay, kind=kind))
        self.update()

    def _help(self) -> None:
        self._ui.keysLabel.setVisible(self._ui.keysLabel.isHidden())
        _set_checked(self._ui.keysButton, not self._ui.keysLabel.isHidden())

    def _volumes(self) -> Mapping[str, Any]:
        """Return the nodes of the exam, with the subtraction, made if there is none; empty without an exam."""
        pre, early, late = self._scene.volumes
        if None in (pre, early, late):
            return {}
        subtraction = getattr(self._scene.parameters, "subtraction", None) or self._scene.subtract()
        return {"pre": pre, "early": early, "late": late, "subtraction": subtraction}

    def _on_cursor(self, crosshair: Any, _event: str) -> None:
        self._session.reading.move_to(cursor_position(crosshair))
        if not self._late.isActive():
            self._late.start()

    def _show_cursor(self) -> None:
        reading = self._session.reading
        self._ui.cursorLabel.text = reading.describe_cursor()
        self._ui.curveLabel.text = reading.describe_curve()
        self._draw()

    def _draw(self) -> None:
        """Draw the curves, if their view is shown."""
        reading = self._session.reading
        phases = reading.phases if _layout().GetViewArrangement() == HANGING_LAYOUT else None
        if phases is not None:
            titles = _("Time-intensity curve"), describe_clock(phases, _), describe_enhancement(_)
            show_curves(slicer.mrmlScene, reading.lines(), titles)


def _layout() -> Any:
    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")


def _grey_tools() -> list[Any]:
    manager = slicer.app.layoutManager()
    views = [manager.sliceWidget(name).sliceView() for name in manager.sliceViewNames()] if manager is not None else []
    found = [view.displayableManagerByClassName("vtkMRMLScalarBarDisplayableManager") for view in views]
    return [tool for tool in found if tool is not None]


def _set_checked(button: Any, checked: bool) -> None:
    before = button.blockSignals(True)
    button.checked = checked
    button.blockSignals(before)


def _describe_keys() -> str:
    """Return all keys as rich text."""
    rows = [(SHOWN.get(key, key.upper()), text) for key, _action, text in KEYS]
    cells = "".join(
        f"<tr><td><b>{escape(_(name))}</b>&nbsp;</td><td>{escape(_(text))}</td></tr>" for name, text in (*rows, *NATIVE)
    )
    return f"<table>{cells}</table>"


_ACTIONS: dict[str, Callable[[ReadingControls], object]] = {
    "help": ReadingControls._help,
    "hang": ReadingControls._hang,
    "reset": ReadingControls._reset,
    "next_slice": lambda controls: controls.station.step_slices(1),
    "previous_slice": lambda controls: controls.station.step_slices(-1),
    "next_phase": lambda controls: controls.station.step_phases(1),
    "previous_phase": lambda controls: controls.station.step_phases(-1),
    "play_slices": lambda controls: controls._toggle("playSlicesButton"),
    "play_phases": lambda controls: controls._toggle("playPhasesButton"),
    "rotate": lambda controls: controls._toggle("rotateButton"),
    "window": ReadingControls._window,
    "ruler": lambda controls: controls.station.place_ruler(),
    "clear_rulers": lambda controls: controls.station.clear_rulers(),
    "kinetics": ReadingControls._colour,
}
