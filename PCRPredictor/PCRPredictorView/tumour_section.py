"""The tumour: grown from a click, painted, erased."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PCRPredictorLib.enhancement import FUNCTIONAL_ENHANCEMENT
from PCRPredictorLib.grow import grow_tumour
from PCRPredictorLib.mrml.exam import geometry_of
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.segmentation import SegmentationEffectErase, SegmentationEffectNoTool, SegmentationEffectPaint
from trame_slicer.segmentation.paint_effect_parameters import BrushDiameterMode

from .exam_scene import ExamScene
from .fields import slider
from .views import Views
from .work import Work

_EFFECTS = {"paint": SegmentationEffectPaint, "erase": SegmentationEffectErase}
_TOOLS = (  # value, label, what it does
    ("look", "Look", "Left button: see a place in all views"),
    ("grow", "One click", "Click the lesion: the enhancing tissue around becomes the tumour"),
    ("paint", "Paint", "Paint the tumour"),
    ("erase", "Erase", "Erase the tumour"),
)


@dataclass
class TumourState:
    """What the mouse does in the slice views.

    Args:
        tool: "look", "grow", "paint" or "erase".
        brush: diameter in mm.
        ball: whether the brush reaches into the slices beside.
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
    """Edits the tumour of the exam that is open."""

    def __init__(self, server: Server, work: Work, scene: ExamScene, views: Views) -> None:
        self._server, self._work, self._scene, self._views = server, work, scene, views
        self.state = TypedState(server.state, TumourState)
        name = self.state.name
        work.watch(self.state, {name.tool: self._choose, name.enhancement: lambda _share: self.update()})
        work.watch(self.state, {name.brush: self._shape, name.ball: self._shape})
        scene.undo_stack.index_changed.connect(self._on_undo_stack)

    def begin(self) -> None:
        """Another exam is open."""
        self.state.data.tool = "look"
        self._choose("look")
        self.update()

    def update(self) -> None:
        """Say how large the tumour is."""
        if not self._scene.is_open:
            return
        volume = self._scene.tumour_volume(float(self.state.data.enhancement) / 100)
        self.state.data.volume = "-" if volume is None else f"{volume:.1f} ml"

    def undo(self) -> None:
        """Take the last stroke back."""
        self._scene.undo_stack.undo()

    def redo(self) -> None:
        """Make it again."""
        self._scene.undo_stack.redo()

    def _choose(self, tool: str) -> None:
        if not self._scene.is_open:
            return
        self._views.on_press({"look": self._views.look_at, "grow": self._grow_at}.get(tool))
        if tool in _EFFECTS:
            self._views.create_all()  # a view that is made after a brush has no hold of it
        self._scene.editor.set_active_effect_type(_EFFECTS.get(tool, SegmentationEffectNoTool))
        self._shape()

    def _shape(self, *_args: object) -> None:
        if self.state.data.tool in _EFFECTS:
            effect = self._scene.editor.get_effect(_EFFECTS[self.state.data.tool])
            effect.set_brush_diameter(float(self.state.data.brush), BrushDiameterMode.Absolute)
            effect.set_use_sphere_brush(self.state.data.ball)

    def _grow_at(self, position: tuple[float, float, float]) -> None:
        self._work.begin(self.grow(position))

    async def grow(self, position: tuple[float, float, float]) -> None:
        """Make what enhances around an LPS position in mm the tumour."""
        if self._work.is_busy or not self._scene.is_open:
            return
        geometry, share = geometry_of(self._scene.nodes["early"]), float(self.state.data.enhancement) / 100
        work = partial(grow_tumour, *self._scene.phases(), geometry, position, enhancement=share)
        mask = await self._work.run("Growing the tumour", work)
        if mask is not None:
            with self._server.state:
                self._scene.set_tumour(mask)
                self.state.data.tool = "look"

    def _on_undo_stack(self, *_args: object) -> None:
        stack = self._scene.undo_stack
        self.state.data.can_undo, self.state.data.can_redo = stack.can_undo(), stack.can_redo()

    def build(self) -> None:
        """The section's part of the page."""
        name = self.state.name
        with html.Div(classes="d-flex flex-wrap align-center mb-2"):
            with v3.VBtnToggle(v_model=(name.tool,), mandatory=True, density="compact", variant="outlined", id="tool"):
                for value, label, tip in _TOOLS:
                    v3.VBtn(label, value=value, title=tip, size="small", id=f"tool-{value}")
            v3.VSpacer()
            for key, title, click, possible in (
                ("undo", "Undo (Ctrl+Z)", self.undo, name.can_undo),
                ("redo", "Redo (Ctrl+Shift+Z)", self.redo, name.can_redo),
            ):
                icon = {"icon": f"mdi-{key}", "title": title, "size": "small", "variant": "text", "density": "compact"}
                v3.VBtn(click=click, disabled=(f"!{possible}",), id=key, **icon)
        with html.Div(v_if=(f"['paint', 'erase'].includes({name.tool})",)):
            slider(name.brush, "Brush", "brush", (1, 40, 1), f"{name.brush} + ' mm'")
            v3.VCheckbox(v_model=(name.ball,), label="Also in the slices beside", density="compact", hide_details=True)
        with html.Div(v_if=(f"{name.tool} === 'grow'",)):
            shown = f"{name.enhancement} + ' %'"
            slider(name.enhancement, "Least enhancement", "enhancement", (20, 200, 5), shown)
        html.Div(f"Functional tumour volume: {{{{ {name.volume} }}}}", classes="text-caption", id="volume")
