"""The keys of the reading station, the same in panel and page. Imports nothing, as the page's server does, too."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """A key.

    Args:
        key: as a browser names it; letters also as Qt does.
        action: name of a method of `station.Station`, and of the button in the page that it clicks.
        text: what it does.
    """

    key: str
    action: str
    text: str


KEYS = (
    Key("h", "help", "Show or hide all keys"),
    Key("v", "hang", "Pre, early, subtraction and MIP side by side, or stop"),
    Key("r", "reset", "Reset views, grey values, players and tools"),
    Key("ArrowUp", "next_slice", "Next slice"),
    Key("ArrowDown", "previous_slice", "Previous slice"),
    Key("ArrowRight", "next_phase", "Next phase"),
    Key("ArrowLeft", "previous_phase", "Previous phase"),
    Key("s", "play_slices", "Play the slices, or stop"),
    Key("p", "play_phases", "Play the phases, or stop"),
    Key("m", "rotate", "Turn the MIP, or stop"),
    Key("w", "window", "Window and level by dragging with the left button, or stop"),
    Key("d", "ruler", "Measure a distance: click both ends"),
    Key("x", "clear_rulers", "Remove the rulers"),
    Key("k", "kinetics", "Colour the lesion by curve type, or stop"),
)
NATIVE = (("Mouse wheel", "Next or previous slice"), ("Right button", "Zoom"), ("Middle button", "Move the image"))
QT_NAMES = {"ArrowUp": "Up", "ArrowDown": "Down", "ArrowRight": "Right", "ArrowLeft": "Left"}
SHOWN = {"ArrowUp": "↑", "ArrowDown": "↓", "ArrowRight": "→", "ArrowLeft": "←"}
