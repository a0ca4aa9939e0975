"""The section "Overlay": phase, grey values, arrangement, and how the attention lies over them."""

from __future__ import annotations

from dataclasses import dataclass, field

from PCRPredictorLib.session.overlay import OverlaySettings
from PCRPredictorLib.session.session import Session
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from ..page_scene import BACKGROUNDS, PageScene
from ..viewing.arrangements import Arrangement
from ..views import Views
from ..work import Work
from .fields import COMPACT, caption, checkbox, choice, slider

MAPS = {  # of `report.maps`: text and tip
    "attention": ("Attention", "Where the model looks"),
    "evidence": ("Evidence", "What speaks for (blue) and against (orange) response"),
    "curve_type": ("Curve type", "Persistent, plateau or washout, from the images alone"),
    "ser": ("SER", "Signal enhancement ratio, from the images alone"),
    "enhancement": ("Enhancement", "Early enhancement alone, without the model, to compare with"),
}


@dataclass
class GreyState:
    """What the slice views show under the attention.

    Args:
        background: one of `BACKGROUNDS`.
        grey: what is black and what is white, in percent of the grey values that suit the tumour.
    """

    background: str = "early"
    grey: list[float] = field(default_factory=lambda: [0.0, 100.0])
    has_attention: bool = False


class OverlaySection:
    """Choose how the views show the exam."""

    def __init__(self, server: Server, work: Work, session: Session, scene: PageScene, views: Views) -> None:
        self._session, self._scene, self._views = session, scene, views
        self.state, self.settings = TypedState(server.state, GreyState), TypedState(server.state, OverlaySettings)
        name = self.state.name
        work.watch(self.settings, {self.settings.name: self._set_overlay})
        work.watch(self.state, {name.background: scene.show_background, name.grey: self._show_grey})
        scene.on_open.append(self._reset_grey)

    def refresh(self) -> None:
        """Show what the session holds."""
        self.state.data.has_attention = self._session.result is not None

    def _set_overlay(self, _settings: object) -> None:
        if (settings := self.settings.get_dataclass()) != self._session.overlay:
            self._session.set_overlay(settings)

    def _reset_grey(self) -> None:
        self.state.data.grey = [0.0, 100.0]

    def _show_grey(self, grey: list[float]) -> None:
        self._scene.show_grey(*(float(percent) / 100 for percent in grey))

    def _jump(self) -> None:
        if self._session.result is not None:
            self._scene.jump_to(self._session.result.peak)

    def build(self, _busy: str) -> None:
        """Write the section's part of the page."""
        name, settings, arrangement = self.state.name, self.settings.name, self._views.state.name.arrangement
        phases = [(background, background, "", f"show-{background}") for background in BACKGROUNDS]
        off = f"{arrangement} === '{Arrangement.COMPARE.value}'"
        choice(name.background, phases, disabled=(off,), classes="mb-2")
        kinds = [
            (kind.value, kind.value, "", f"arrange-{kind.name.lower()}")
            for kind in Arrangement
            if kind not in (Arrangement.VISITS, Arrangement.HANGING)  # these have buttons of their own
        ]
        choice(arrangement, kinds, classes="mb-2")
        caption(f"'Window/level ' + {name.grey}[0] + ' to ' + {name.grey}[1] + ' %'")
        grey = {"min": 0, "max": 200, "step": 2, "aria_label": "Window/level", "id": "grey"}
        v3.VRangeSlider(v_model=(name.grey,), **grey, **COMPACT)
        checkbox(settings.outline, "Tumour outline", "outline")
        with html.Div(v_if=(name.has_attention,)):
            kinds = [(kind, text, tip, f"map-{kind}") for kind, (text, tip) in MAPS.items()]
            choice(settings.kind, kinds, classes="mb-1")
            checkbox(settings.visible, "Show the map", "visible")
            checkbox(settings.legend, "Colour legend", "legend")
            of_other = f"{settings.kind} !== 'attention'"
            checkbox(settings.rendering, "Attention in 3D", "rendering", disabled=(of_other,))
            why_not = "Attention in 3D needs the map “Attention”."
            html.Div(why_not, v_if=(of_other,), classes="text-caption text-medium-emphasis pl-8", id="why-not-3d")
            slider(settings.opacity, "Opacity", "opacity", (0, 1, 0.05), f"Number({settings.opacity}).toFixed(2)")
            below = f"({settings.threshold} > 0 ? 'below ' + Number({settings.threshold}).toFixed(2) : 'nothing')"
            slider(settings.threshold, "Hide", "threshold", (0, 1, 0.05), below)
            holes = "Of the end of the scale, to both sides of 0: what is weaker is a hole in the map."
            html.Div(holes, v_if=(f"{settings.kind} === 'evidence'",), classes="text-caption text-medium-emphasis")
            v3.VBtn("Jump to the peak", click=self._jump, size="small", variant="text", id="jump")
