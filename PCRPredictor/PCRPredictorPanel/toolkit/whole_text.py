"""Labels with wrapped texts, which Slicer's module panel takes for a single line and cuts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import qt
import slicer


class WholeTexts(qt.QObject):
    """Gives each wrapped label of a panel the height of its text, whatever its width, and lets it be copied.

    A label is fitted again when its text or width changes.

    Args:
        panel: its labels, as they are now.
    """

    def __init__(self, panel: Any) -> None:
        qt.QObject.__init__(self)
        self._labels = [label for label in slicer.util.findChildren(panel, className="QLabel") if label.wordWrap]
        self._fitted: dict[int, tuple[str, int]] = {}  # text and width of each label when it was fitted last
        self._watched = [*self._labels, *{id(parent): parent for parent in map(_parent, self._labels)}.values()]
        for widget in self._watched:
            widget.installEventFilter(self)
        for label in self._labels:
            label.setTextInteractionFlags(qt.Qt.TextBrowserInteraction)  # so that it can be copied

    def eventFilter(self, _widget: Any, event: Any) -> bool:
        """Fit labels to a new width or text, which the layout of their parent is told of; called by Qt."""
        if event.type() in (qt.QEvent.Resize, qt.QEvent.LayoutRequest, qt.QEvent.Show):
            self.fit()
        return False

    def fit(self) -> None:
        """Fit every label whose text or width has changed."""
        for k, label in enumerate(self._labels):
            now = label.text, label.width
            if self._fitted.get(k) != now:
                self._fitted[k] = now
                _fit(label)

    def close(self) -> None:
        """Leave the labels alone."""
        for widget in self._watched:
            widget.removeEventFilter(self)


def _parent(label: Any) -> Any:
    return label.parentWidget()


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
