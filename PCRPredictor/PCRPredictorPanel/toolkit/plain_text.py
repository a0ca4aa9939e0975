"""Texts from outside, shown as they are: names of files and models, tags, cards and errors must not become markup.

By default Qt decides by its looks whether the text of a label, a tool tip or a dialog is rich text, and draws its tags.
"""

from __future__ import annotations

from collections.abc import Collection
from html import escape
from typing import Any

import qt
import slicer


def show_plain(panel: Any, rich: Collection[str] = ()) -> None:
    """Let every label of a panel show its text as it is.

    Args:
        panel: its labels, as they are now.
        rich: names of labels whose texts are made as rich text, with all that comes from outside escaped.
    """
    for label in slicer.util.findChildren(panel, className="QLabel"):
        label.setTextFormat(qt.Qt.RichText if label.objectName in rich else qt.Qt.PlainText)


def show_text(label: Any, text: str) -> None:
    """Show a text in a label as it is, also after one with links."""
    label.setTextFormat(qt.Qt.PlainText)
    label.text = text


def literal(text: str | None) -> str:
    """Return a text that a tool tip or dialog shows as it is: rich text, all escaped, if it looks like markup."""
    if not text:
        return ""
    return f"<qt>{escape(text).replace(chr(10), '<br>')}</qt>" if "<" in text or "&" in text else text
