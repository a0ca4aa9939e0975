"""The palettes of Slicer's light and dark style (qSlicerStyle.cxx), for pictures and for tests of contrast."""

from PySide6 import QtGui, QtWidgets

_ROLES = ("Window", "WindowText", "Base", "AlternateBase", "ToolTipBase", "ToolTipText", "Text", "PlaceholderText")
_ROLES += ("Button", "ButtonText", "BrightText", "Light", "Midlight", "Dark", "Mid", "Shadow", "Highlight")
_ROLES += ("HighlightedText", "Link")
_LIGHT = "#ffffff #000000 #ffffff #e4e4fe #ffffdc #000000 #000000 #808080 #fcfcfc #000000 #ff0000 #c8c8c8 #e6e6e6"
_LIGHT += " #aaaaaa #c8c8c8 #5a5a5a #308cc6 #ffffff #0000ff"
_DARK = "#323232 #ffffff #1e1e1e #323232 #ffffff #323232 #ffffff #c0c0c0 #323232 #ffffff #ff4444 #828284 #5a5a5b"
_DARK += " #232323 #2b2b2b #141414 #3ca4ff #ffffff #3ca4ff"
COLOURS = {
    "light": dict(zip(_ROLES, _LIGHT.split(), strict=True)),
    "dark": dict(zip(_ROLES, _DARK.split(), strict=True)),
}
_DISABLED = {
    "light": {"WindowText": "#bebebe", "Base": "#ffffff", "Text": "#bebebe", "ButtonText": "#bebebe"},
    "dark": {"WindowText": "#6d6d6d", "Base": "#1e1e1e", "Text": "#6d6d6d", "ButtonText": "#b4b4b4"},
}


def use_palette(name):
    """Give the application one of Slicer's palettes, "light" or "dark"."""
    palette = QtGui.QPalette()
    for role, colour in COLOURS[name].items():
        palette.setColor(QtGui.QPalette.ColorRole[role], QtGui.QColor(colour))
    for role, colour in _DISABLED[name].items():
        palette.setColor(QtGui.QPalette.ColorGroup.Disabled, QtGui.QPalette.ColorRole[role], QtGui.QColor(colour))
    QtWidgets.QApplication.setPalette(palette)


def contrast(one, other):
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2); text needs 4.5."""
    high, low = sorted((_luminance(colour) for colour in (one, other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour):
    shares = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
