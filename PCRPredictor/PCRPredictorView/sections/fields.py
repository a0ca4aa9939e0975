"""Fields that several sections of the page have."""

from __future__ import annotations

from collections.abc import Sequence

from trame.widgets import html
from trame.widgets import vuetify3 as v3

COMPACT = {"density": "compact", "hide_details": True}
TEXT_FIELD = "width: 100%; border: 1px solid rgba(255, 255, 255, 0.4); border-radius: 4px; padding: 2px 6px"
NAMED = "Name the patient in reports"
EXAM_FILES = {  # the files of an exam that a browser sends, in words
    "pre": "Pre-contrast",
    "early": "Early phase",
    "late": "Late phase",
    "series": "Or one file with all phases",
    "mask": "Tumour, if segmented",
}


def slider(name: str, text: str, key: str, limits: tuple[float, float, float], shown: str) -> None:
    """Write a slider below a line that gives its value: a label beside it would move it while it is dragged.

    Args:
        name: of the state's field.
        text: what it sets.
        key: its identifier in the page.
        limits: lowest value, highest value, and step.
        shown: the value as the label gives it, an expression of the browser's.
    """
    low, high, step = limits
    caption(f"'{text} ' + {shown}")
    v3.VSlider(v_model=(name,), min=low, max=high, step=step, aria_label=text, id=key, **COMPACT)


def caption(text: str) -> None:
    """Write what a field below is, an expression of the browser's."""
    html.Div(f"{{{{ {text} }}}}", classes="text-caption caption", style="line-height: 1.3")


def choice(name: str, options: Sequence[tuple[str, str, str, str]], **more: object) -> None:
    """Write a row of buttons of which one is pressed.

    Args:
        name: of the state's field.
        options: value, text, tip or "", and identifier in the page of each button.
        more: arguments of the row.
    """
    wraps = "height: auto; flex-wrap: wrap"  # else what does not fit is cut off
    with v3.VBtnToggle(v_model=(name,), mandatory=True, density="compact", variant="outlined", style=wraps, **more):
        for value, text, tip, key in options:
            v3.VBtn(text, value=value, title=tip or None, size="small", id=key, style="min-height: 32px")


def checkbox(name: str, text: str, key: str, **more: object) -> None:
    """Write a box to tick."""
    v3.VCheckbox(v_model=(name,), label=text, id=key, **COMPACT, **more)
