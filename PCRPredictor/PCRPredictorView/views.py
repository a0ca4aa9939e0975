"""The views: axial, coronal, sagittal and 3D, or the phases side by side, drawn here and sent as pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial

import numpy as np
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.mrml.display import COMPARE_VIEWS, compare_phases, match_view, scroll_to
from PCRPredictorLib.mrml.exam import LPS_TO_RAS, Node, geometry_of
from PCRPredictorLib.mrml.nodes import nodes_of
from slicer import vtkMRMLAbstractViewNode
from trame.widgets import html
from trame_client.ui.core import AbstractLayout
from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.app.logic import connect_slice_view_slider_to_state
from trame_slicer.app.ui import Slider
from trame_slicer.core import LayoutManager, SlicerApp
from trame_slicer.rca_view import register_rca_factories
from trame_slicer.views import AbstractView, Layout, LayoutDirection, SliceView, ViewLayoutDefinition

from .page_scene import BACKGROUNDS, PageScene
from .work import Work

_QUALITY = 60  # of JPEG while something moves; a still picture follows
Press = Callable[[tuple[float, float, float]], None]
_WRITING = "position: absolute; pointer-events: none; color: white; text-shadow: 0 0 3px black"  # over a view
_SIDES = (("L", "R"), ("P", "A"), ("S", "I"))  # of LPS axes: where they lead to, and where they come from
_KEYS = ("KeyPressEvent", "CharEvent", "KeyReleaseEvent")
_FIRST = 10.0  # priority of an observer that is asked before Slicer's own


class Arrangement(Enum):
    """Of the views."""

    FOUR_UP = "Four views"
    COMPARE = "Phases side by side"


@dataclass
class ViewsState:
    """How the views are arranged."""

    arrangement: str = Arrangement.FOUR_UP.value


class Views:
    """Makes the views and arranges them."""

    def __init__(self, server: Server, work: Work, slicer: SlicerApp, scene: PageScene) -> None:
        self._server, self._slicer, self._scene = server, slicer, scene
        self.state = TypedState(server.state, ViewsState)
        self._manager = LayoutManager(slicer.scene, slicer.view_manager, server)
        self._press: Press | None = self.look_at
        self._is_down = False
        self._is_following = False
        self._sizes: dict[str, tuple[int, int, int]] = {}
        self._never_shown = set(COMPARE_VIEWS)  # whose size is provisional
        slicer.scene.AddNewNodeByClass("vtkMRMLLayoutNode")  # the desktop's, which `compare_phases` describes views to
        register_rca_factories(
            slicer.view_manager,
            server,
            slice_view_ui_f=self._decorate_slice,
            three_d_view_ui_f=_decorate_space,
            interactive_quality=_QUALITY,
        )
        self._manager.register_layout_dict(_layouts(), lazy_initialization=True)
        self._manager.create_layout_views_if_needed(Arrangement.FOUR_UP.value)  # not while a part of the page is open,
        # which would take in what they are drawn with and show them a second time
        work.watch(self.state, {self.state.name.arrangement: self.arrange})
        scene.redraw = self.refresh

    def build(self, layout: AbstractLayout) -> None:
        """Lay the views into the part of a layout that is being written."""
        self._manager.initialize_layout_grid(layout)
        self.arrange(self.state.data.arrangement)

    def arrange(self, arrangement: str) -> None:
        """Show one of `Arrangement`, by its value."""
        self._manager.set_layout(Arrangement(arrangement).value)
        self.refresh()

    def create_all(self) -> None:
        """Make the views of every arrangement, also of those that were not shown yet."""
        for kind in Arrangement:
            self._manager.create_layout_views_if_needed(kind.value)

    def refresh(self) -> None:
        """After the scene or a camera has changed: draw, and give each phase its view where they are side by side."""
        if self._scene.is_open and self.state.data.arrangement == Arrangement.COMPARE.value:
            nodes = self._scene.nodes
            volumes = {name: nodes[key] for name, key in zip(COMPARE_VIEWS, BACKGROUNDS, strict=True)}
            opacity = nodes_of(self._slicer.scene, "vtkMRMLSliceCompositeNode")[0].GetForegroundOpacity()
            compare_phases(self._slicer.scene, volumes, nodes.get("attention"), opacity)
        for space in self._slicer.view_manager.get_threed_views():
            space.renderer().ResetCameraClippingRange()
        for view in self._slicer.view_manager.get_views():
            view.schedule_render()

    def on_press(self, taken: Press | None) -> None:
        """From now on the left button in a slice view gives its LPS position in mm; None leaves it to others."""
        self._press = taken

    def look_at(self, position: tuple[float, float, float]) -> None:
        """Move all slice views to an LPS position in mm; what the left button does unless told otherwise."""
        scroll_to(self._slicer.scene, position)

    def _decorate_slice(self, server: Server, _view_id: str, view: SliceView) -> None:
        mouse = {
            "LeftButtonPressEvent": self._on_button,
            "MouseMoveEvent": self._on_move,
            "LeftButtonReleaseEvent": self._on_release,
        }
        for event, done in mouse.items():
            view.interactor().AddObserver(event, partial(_with_view, done, view), _FIRST)
        if view.name in COMPARE_VIEWS:
            view.modified.connect(self._lead)
        _ignore_keys(view)
        slider = connect_slice_view_slider_to_state(server, view)
        view.get_view_node().SetRulerType(vtkMRMLAbstractViewNode.RulerTypeThin)
        self._write_place(view)
        view.modified.connect(self._name_place)
        _label(f"{view.name if view.name in COMPARE_VIEWS else view.get_orientation()}")
        _reset_button(view)
        with html.Div(style="position: absolute; bottom: 14px; left: 12px; right: 12px;"):
            Slider(typed_state=slider, density="compact", color="white", track_size=2, thumb_size=12)

    def _write_place(self, view: SliceView) -> None:
        """The patient's sides at the view's edges, and which slice it shows."""
        key, slice_key = _keys(view)
        self._server.state[key], self._server.state[slice_key] = sides_of(view.get_view_node()), ""
        html.Div(f"{{{{ {slice_key} }}}}", classes="text-caption", style=f"left: 8px; top: 24px; {_WRITING}")
        for number, place in enumerate(
            ("left: 6px; top: 50%", "right: 6px; top: 50%", "left: 50%; top: 4px", "left: 50%; bottom: 44px")
        ):
            html.Div(f"{{{{ {key}[{number}] }}}}", style=f"{place}; {_WRITING}")

    def _name_place(self, view: SliceView) -> None:
        node, state = view.get_view_node(), self._server.state
        place = slice_of(node, geometry_of(self._scene.nodes["early"])) if self._scene.is_open else ""
        for key, text in zip(_keys(view), (sides_of(node), place), strict=True):
            if state[key] != text:
                with state:
                    state[key] = text

    def _lead(self, view: SliceView) -> None:
        """One of the views side by side has moved: the others, and the axial one of the four, go with it."""
        node, axial = view.get_view_node(), nodes_of(self._slicer.scene, "vtkMRMLSliceNode")[0]
        before, self._sizes[view.name] = self._sizes.get(view.name), node.GetDimensions()
        if self._is_following or self.state.data.arrangement != Arrangement.COMPARE.value:
            return
        self._is_following = True
        is_resized = before != node.GetDimensions()
        if view.name in self._never_shown and is_resized and before is not None:
            self._never_shown.remove(view.name)
            match_view(node, axial)  # as wide in mm as it is; later on a view keeps its mm a pixel when it is resized
        elif view.name not in self._never_shown and not is_resized:
            others = [self._slicer.view_manager.get_view(name) for name in COMPARE_VIEWS]
            for other in (axial, *(other.get_view_node() for other in others if other not in (None, view))):
                match_view(other, node)
        self._is_following = False

    def _on_button(self, view: SliceView) -> None:
        self._is_down = True
        if self._press is not None:
            self._press(position_of(view.get_view_node(), *view.interactor().GetEventPosition()))

    def _on_move(self, view: SliceView) -> None:
        if self._is_down and self._press == self.look_at:
            self.look_at(position_of(view.get_view_node(), *view.interactor().GetEventPosition()))

    def _on_release(self, _view: SliceView) -> None:
        self._is_down = False


def _ignore_keys(view: AbstractView) -> None:
    """VTK does with them what a program with windows of its own does: `e` and `q` end the process."""
    interactor = view.interactor()
    for event in _KEYS:
        tags: list[int] = []
        tags.append(interactor.AddObserver(event, partial(_abort, tags), _FIRST))


def _abort(tags: list[int], interactor: Node, _event: str) -> None:
    """Let no other observer see an event; `tags` holds that of the observer that asks for it."""
    interactor.GetCommand(tags[0]).AbortFlagOn()


def _with_view(done: Callable[[SliceView], None], view: SliceView, *_event: object) -> None:
    done(view)


def sides_of(slice_node: Node) -> str:
    """The patient's sides at the left, right, upper and lower edge of a slice view, as in "RLAP"."""
    letters = []
    for axis in (0, 1):  # to the right, and up
        towards = [slice_node.GetSliceToRAS().GetElement(row, axis) for row in range(3)]
        longest = max(range(3), key=lambda row: abs(towards[row]))
        positive, negative = ("R", "A", "S")[longest], ("L", "P", "I")[longest]
        letters.append((positive, negative) if towards[longest] > 0 else (negative, positive))
    (right, left), (top, bottom) = letters
    return left + right + top + bottom


def slice_of(slice_node: Node, geometry: Geometry) -> str:
    """Number of the exam's slice that a view shows, and where its middle lies, such as "slice 57/120, S 12 mm".

    Args:
        geometry: of the exam.
    """
    to_ras = slice_node.GetSliceToRAS()
    middle, normal = (LPS_TO_RAS[:3, :3] @ [to_ras.GetElement(row, column) for row in range(3)] for column in (3, 2))
    axis = int(np.abs(normal @ geometry.direction).argmax())
    number, count = round(float(geometry.to_index(middle)[axis])) + 1, geometry.size[axis]
    world = int(np.abs(normal).argmax())
    position = f"{_SIDES[world][bool(middle[world] < 0)]} {abs(middle[world]):.0f} mm"
    return f"slice {number}/{count}, {position}" if 1 <= number <= count else position


def _keys(view: SliceView) -> tuple[str, str]:
    """Fields of the page's state: sides, and slice."""
    return f"{view.name}_sides", f"{view.name}_slice"


def position_of(slice_node: Node, x: float, y: float) -> tuple[float, float, float]:
    """LPS position in mm of a pixel of a slice view, from its lower left corner."""
    right, anterior, superior, _ = slice_node.GetXYToRAS().MultiplyPoint((x, y, 0, 1))
    position = LPS_TO_RAS[:3, :3] @ (right, anterior, superior)
    return tuple(float(value) for value in position)  # type: ignore[return-value]


def _layouts() -> dict[str, Layout]:
    axial, coronal = ViewLayoutDefinition.axial_view(), ViewLayoutDefinition.coronal_view()
    sagittal, space = ViewLayoutDefinition.sagittal_view(), ViewLayoutDefinition.threed_view()
    phases = [ViewLayoutDefinition.slice_view("Axial", label=n, color=c) for n, c in COMPARE_VIEWS.items()]
    return {
        Arrangement.FOUR_UP.value: _two_by_two([axial, space, coronal, sagittal]),
        Arrangement.COMPARE.value: _two_by_two(phases),
    }


def _two_by_two(views: list[ViewLayoutDefinition]) -> Layout:
    rows = [Layout(LayoutDirection.Horizontal, list(views[k : k + 2])) for k in (0, 2)]
    return Layout(LayoutDirection.Vertical, list(rows))


def _decorate_space(_server: Server, _view_id: str, view: AbstractView) -> None:
    view.render_window().SetMultiSamples(0)  # with them, what is translucent is not drawn where depth is peeled
    _ignore_keys(view)
    _label("3D")
    _reset_button(view)


def _label(text: str) -> None:
    html.Div(text, style=f"top: 4px; left: 8px; {_WRITING}")


def _reset_button(view: AbstractView) -> None:
    with html.Div(style="position: absolute; top: 2px; right: 6px;"):
        html.Button(
            "Fit", click=view.reset_view, title="Show the whole exam", style="color: white; text-shadow: 0 0 3px black;"
        )
