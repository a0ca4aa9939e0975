"""Fields that several sections of the page have."""

from __future__ import annotations

from trame.widgets import vuetify3 as v3


def slider(name: str, text: str, key: str, limits: tuple[float, float, float], shown: str) -> None:
    """Write a slider whose label gives its value.

    Args:
        name: of the state's field.
        text: what it sets.
        key: its identifier in the page.
        limits: lowest and highest value, and step.
        shown: the value as the label gives it, an expression of the browser's.
    """
    low, high, step = limits
    v3.VSlider(
        v_model=(name,),
        min=low,
        max=high,
        step=step,
        label=(f"'{text} ' + {shown}",),
        density="compact",
        hide_details=True,
        id=key,
    )
