"""Patients that are named in a message, as links that open them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

import qt
from PCRPredictorPanel.toolkit.plain_text import show_text

SCHEME = "patient:"


def link_patients(text: str, patients: Sequence[str]) -> str:
    """Return a message with each patient at the start of a line or sentence as a link; as it is if none is named.

    Args:
        text: such as "P03: has no mask".
        patients: identifiers that may be named.
    """
    named = [name for name in sorted(patients, key=len, reverse=True) if f"{name}: " in text]
    if not named:
        return text
    pattern = rf"(?m)(^|[\s(,;:])({'|'.join(re.escape(escape(name)) for name in named)})(?=: )"
    linked = re.sub(pattern, lambda found: f'{found[1]}<a href="{SCHEME}{found[2]}">{found[2]}</a>', escape(text))
    return linked.replace("\n", "<br>") if linked != escape(text) else text


def show_linked(label: Any, text: str, patients: Sequence[str]) -> None:
    """Show a message in a label, with the patients at the start of its lines as links.

    Args:
        label: a `QLabel`.
        patients: identifiers that may be named.
    """
    linked = link_patients(text, patients)
    show_text(label, text)
    if linked != text:
        label.setTextFormat(qt.Qt.RichText)
        label.text = linked


def open_links(labels: Iterable[Any], open_patient: Callable[[str], None]) -> None:
    """Open a patient whose link in one of the labels is clicked.

    Args:
        open_patient: called with the identifier.
    """
    for label in labels:
        label.connect("linkActivated(QString)", lambda address: open_patient(address.removeprefix(SCHEME)))
