"""The section "Tumour": a click that grows it, a brush, undo."""

from __future__ import annotations

from dataclasses import dataclass

from PCRPredictorLib.enhancement import FUNCTIONAL_ENHANCEMENT
from PCRPredictorLib.session.session import Session
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.segmentation import SegmentationEffectErase, SegmentationEffectNoTool, SegmentationEffectPaint
from trame_slicer.segmentation.paint_effect_parameters import BrushDiameterMode

from .fields import checkbox, choice, slider
from .page_scene import PageScene
from .views import Views
from .work import Work

_EFFECTS = {"paint": SegmentationEffectPaint, "erase": SegmentationEffectErase}
_TOOLS = (  # value, label, what it does, identifier
    ("look", "Look", "Left button: show this position in all views", "tool-look"),
    ("grow", "One click", "Click the lesion: the enhancing tissue around it becomes the tumour", "tool-grow"),
    ("paint", "Paint", "Paint the tumour", "tool-paint"),
    ("erase", "Erase", "Erase the tumour", "tool-erase"),
)


@dataclass
class TumourState:
    """What the mouse does in the slice views.

    Args:
        tool: "look", "grow", "paint" or "erase".
        brush: diameter in mm.
        ball: true if the brush reaches into adjacent slices.
        enhancement: least early enhancement of what a click grows, in percent.
        volume: functional tumour volume in words.
    """

    tool: str = "look"
    brush: float = 6.0
    ball: bool = True
    enhancement: float = 100 * FUNCTIONAL_ENHANCEMENT
    volume: str = "-"
    can_undo: bool = False
    can_redo: bool = False


class TumourSection:
    """Choose a tool for the mouse, and undo."""

    def __init__(self, server: Server, work: Work, session: Session, scene: PageScene, views: Views) -> None:
        self._tumour, self._scene, self._views = session.tumour, scene, views
        self.state = TypedState(server.state, TumourState)
        name = self.state.name
        work.watch(self.state, {name.tool: self._select_tool, name.enhancement: self._set_enhancement})
        work.watch(self.state, {name.brush: self._shape_brush, name.ball: self._shape_brush})
        scene.on_open.append(self._reset_tool)

    def refresh(self) -> None:
        """Show what the session holds."""
        data, history = self.state.data, self._tumour.history
        data.volume, data.can_undo, data.can_redo = self._tumour.volume, history.can_undo, history.can_redo

    def _reset_tool(self) -> None:
        self.state.data.tool = "look"
        self._select_tool("look")

    def _select_tool(self, tool: str) -> None:
        if not self._scene.is_open:
            return
        self._views.set_press({"look": self._views.scroll_to, "grow": self._grow}.get(tool))
        if tool in _EFFECTS:
            self._views.create_all()  # a view that is made after a brush has no hold of it
        self._scene.editor.set_active_effect_type(_EFFECTS.get(tool, SegmentationEffectNoTool))
        self._shape_brush()

    def _shape_brush(self, *_args: object) -> None:
        if self.state.data.tool in _EFFECTS:
            effect = self._scene.editor.get_effect(_EFFECTS[self.state.data.tool])
            effect.set_brush_diameter(float(self.state.data.brush), BrushDiameterMode.Absolute)
            effect.set_use_sphere_brush(self.state.data.ball)

    def _set_enhancement(self, percent: float) -> None:
        self._tumour.set_enhancement(float(percent) / 100)

    def _grow(self, position: tuple[float, float, float]) -> None:
        self._tumour.grow(position, self._reset_tool)

    def build(self, _busy: str) -> None:
        """Write the section's part of the page."""
        name = self.state.name
        with html.Div(classes="d-flex flex-wrap align-center mb-2"):
            choice(name.tool, _TOOLS, id="tool")
            v3.VSpacer()
            for key, title, click, possible in (
                ("undo", "Undo (Ctrl+Z)", self._tumour.undo, name.can_undo),
                ("redo", "Redo (Ctrl+Shift+Z)", self._tumour.redo, name.can_redo),
            ):
                icon = {"icon": f"mdi-{key}", "title": title, "size": "small", "variant": "text", "density": "compact"}
                v3.VBtn(click=click, disabled=(f"!{possible}",), id=key, **icon)
        with html.Div(v_if=(f"['paint', 'erase'].includes({name.tool})",)):
            slider(name.brush, "Brush", "brush", (1, 40, 1), f"{name.brush} + ' mm'")
            checkbox(name.ball, "Also in adjacent slices", "ball")
        with html.Div(v_if=(f"{name.tool} === 'grow'",)):
            shown = f"{name.enhancement} + ' %'"
            slider(name.enhancement, "Minimum enhancement", "enhancement", (20, 200, 5), shown)
        html.Div(f"Functional tumour volume: {{{{ {name.volume} }}}}", classes="text-caption", id="volume")
