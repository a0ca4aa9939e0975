"""What the views show: phase, attention, outline, legend."""

from __future__ import annotations

from dataclasses import dataclass, field

from PCRPredictorLib.mrml.display import (
    jump_to,
    render_in_3d,
    set_legend,
    set_outline,
    set_overlay,
    set_threshold,
)
from PCRPredictorLib.prediction import Prediction
from PCRPredictorLib.report.display import FAINT, OPACITY
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.core import SlicerApp

from .exam_scene import BACKGROUNDS, ExamScene
from .fields import slider
from .views import Arrangement, Views
from .work import Work


@dataclass
class OverlayState:
    """How the exam is shown.

    Args:
        background: one of `BACKGROUNDS`.
        grey: what is black and what is white, in percent of the grey values that suit the tumour.
        threshold: share of the attention's peak below which it is hidden.
    """

    background: str = "early"
    grey: list[float] = field(default_factory=lambda: [0.0, 100.0])
    visible: bool = True
    opacity: float = OPACITY
    threshold: float = FAINT
    outline: bool = True
    legend: bool = True
    rendering: bool = False
    has_attention: bool = False


class OverlaySection:
    """Makes the views what the fields say."""

    def __init__(self, server: Server, work: Work, slicer: SlicerApp, scene: ExamScene, views: Views) -> None:
        self._slicer, self._scene, self._views = slicer, scene, views
        self._peak: tuple[float, float, float] | None = None
        self.state = TypedState(server.state, OverlayState)
        name = self.state.name
        fields = (name.visible, name.opacity, name.threshold, name.outline, name.legend, name.rendering)
        work.watch(self.state, {field: lambda _value: self.apply() for field in fields})
        work.watch(self.state, {name.background: self._show_background, name.grey: self._show_grey})

    def begin(self) -> None:
        """Another exam is open."""
        self.state.data.grey = [0.0, 100.0]
        self._scene.show_background(self.state.data.background)
        self.forget()

    def forget(self) -> None:
        """There is no result any more."""
        self._peak, self.state.data.has_attention = None, False
        self.apply()

    def show(self, prediction: Prediction) -> None:
        """There is a new result."""
        self._peak, self.state.data.has_attention = prediction.attention_summary.peak, True
        self._scene.show_background(self.state.data.background)
        self.apply()

    def apply(self) -> None:
        """Make the views what the fields say."""
        data, nodes = self.state.data, self._scene.nodes
        if "segmentation" in nodes:
            set_outline(nodes["segmentation"], data.outline)
        if (attention := nodes.get("attention")) is not None:
            set_overlay(self._scene.scene, attention, visible=data.visible, opacity=float(data.opacity))
            set_threshold(attention, float(data.threshold))
            set_legend(attention, data.legend and data.visible)
            rendering = self._slicer.app_logic.GetModuleLogic("VolumeRendering")
            render_in_3d(rendering, attention, data.rendering)
        self._views.refresh()

    def _show_background(self, background: str) -> None:
        self._scene.show_background(background)
        self._views.refresh()

    def _show_grey(self, grey: list[float]) -> None:
        self._scene.show_grey(*(float(percent) / 100 for percent in grey))

    def jump(self) -> None:
        """Centre the views on the peak of the attention."""
        if self._peak is not None:
            jump_to(self._scene.scene, self._peak)
            self._views.refresh()

    def build(self) -> None:
        """The section's part of the page."""
        name, arrangement = self.state.name, self._views.state.name.arrangement
        with v3.VBtnToggle(
            v_model=(name.background,),
            disabled=(f"{arrangement} === '{Arrangement.COMPARE.value}'",),
            mandatory=True,
            density="compact",
            variant="outlined",
            classes="mb-2",
        ):
            for background in BACKGROUNDS:
                v3.VBtn(background, value=background, size="small", id=f"show-{background}")
        with v3.VBtnToggle(
            v_model=(arrangement,), mandatory=True, density="compact", variant="outlined", classes="mb-2"
        ):
            for kind in Arrangement:
                v3.VBtn(kind.value, value=kind.value, size="small", id=f"arrange-{kind.name.lower()}")
        v3.VRangeSlider(
            v_model=(name.grey,),
            min=0,
            max=200,
            step=2,
            label=(f"'Grey values ' + {name.grey}[0] + ' to ' + {name.grey}[1] + ' %'",),
            density="compact",
            hide_details=True,
            id="grey",
        )
        v3.VCheckbox(v_model=(name.outline,), label="Tumour", density="compact", hide_details=True, id="outline")
        with html.Div(v_if=(name.has_attention,)):
            for field, label, key in (
                (name.visible, "Show attention", "visible"),
                (name.legend, "Colour legend", "legend"),
                (name.rendering, "Attention in 3D", "rendering"),
            ):
                v3.VCheckbox(v_model=(field,), label=label, density="compact", hide_details=True, id=key)
            for field, label, key in (
                (name.opacity, "Opacity", "opacity"),
                (name.threshold, "Hide below", "threshold"),
            ):
                slider(field, label, key, (0, 1, 0.05), f"Number({field}).toFixed(2)")
            v3.VBtn("Jump to the peak", click=self.jump, size="small", variant="text", id="jump")
