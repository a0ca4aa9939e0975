"""Labels with wrapped texts, which Slicer's module panel takes for a single line and cuts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import qt
import slicer


class WholeTexts(qt.QObject):
    """Gives each wrapped label of a panel the height of its text, whatever its width, and lets it be copied.

    A label that gets a different text is fitted by `fit`, one that gets a different width by itself.

    Args:
        panel: its labels, as they are now.
    """

    def __init__(self, panel: Any) -> None:
        qt.QObject.__init__(self)
        self._labels = [label for label in slicer.util.findChildren(panel, className="QLabel") if label.wordWrap]
        for label in self._labels:
            label.installEventFilter(self)
            label.setTextInteractionFlags(qt.Qt.TextBrowserInteraction)  # so that it can be copied

    def eventFilter(self, label: Any, event: Any) -> bool:
        """Fit a label to its new width; called by Qt."""
        if event.type() == qt.QEvent.Resize and event.size().width() != event.oldSize().width():
            _fit(label)
        return False

    def fit(self) -> None:
        """Fit every label to its text."""
        for label in self._labels:
            _fit(label)

    def close(self) -> None:
        """Leave the labels alone."""
        for label in self._labels:
            label.removeEventFilter(self)


def narrow(lists: Iterable[Any]) -> None:
    """Let drop-down lists be narrower than their longest entry, which would make the whole panel as wide."""
    for field in lists:
        field.setSizeAdjustPolicy(qt.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        field.setMinimumContentsLength(8)


def _fit(label: Any) -> None:
    before = label.minimumHeight
    label.setMinimumHeight(0)  # which the height for a width would otherwise contain
    height = max(label.heightForWidth(label.width), 0) if label.text else 0
    label.setMinimumHeight(height)
    if height != before:
        label.updateGeometry()
