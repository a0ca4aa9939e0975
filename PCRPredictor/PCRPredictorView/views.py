"""The views: axial, coronal, sagittal and 3D, or the phases side by side, drawn here and sent as pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PCRPredictorLib.mrml.display import COMPARE_VIEWS, HANGING_VIEWS, compare_phases, hang_views, scroll_to
from PCRPredictorLib.mrml.exam import Node, geometry_of
from PCRPredictorLib.mrml.follow import VISIT_VIEWS
from slicer import vtkMRMLAbstractViewNode
from trame.widgets import html
from trame_client.ui.core import AbstractLayout
from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.app.logic import connect_slice_view_slider_to_state
from trame_slicer.app.ui import Slider
from trame_slicer.core import LayoutManager, SlicerApp
from trame_slicer.rca_view import register_rca_factories
from trame_slicer.views import SliceView, ThreeDView

from .page_scene import BACKGROUNDS, PageScene
from .viewing.arrangements import Arrangement, layouts
from .viewing.linked import LinkedViews
from .viewing.marks import FIRST, ignore_keys, label, reset_button, write_place, write_space
from .viewing.pictures import Pictures
from .viewing.places import describe_slice, position_at, sides_of
from .viewing.visits import VisitViews
from .viewing.whole import WholeExam
from .work import Work

_QUALITY = 60  # of JPEG while something moves; a still picture follows
Press = Callable[[tuple[float, float, float]], None]


@dataclass
class ViewsState:
    """The chosen arrangement, a value of `Arrangement`, and whether the 3D views show the MIP.

    Args:
        is_late: True until the browser has the pictures of the exam that was opened last.
    """

    arrangement: str = Arrangement.FOUR_UP.value
    is_mip: bool = False
    is_late: bool = False


class Views:
    """Make the views, arrange them, and pass on what the mouse does in them."""

    def __init__(self, server: Server, work: Work, slicer: SlicerApp, scene: PageScene) -> None:
        self._server, self._slicer, self._scene = server, slicer, scene
        self.state = TypedState(server.state, ViewsState)
        self._manager = LayoutManager(slicer.scene, slicer.view_manager, server)
        self._press: Press | None = self.scroll_to
        self._arranged = ""
        self.on_arrange: list[Callable[[], object]] = []  # called when a different arrangement is shown
        self.on_cursor: list[Press] = []  # called with the position of the mouse in a slice view
        self._is_down = self._is_sending = False
        self._turned: dict[str, float] = {}  # slices to go, by view
        self._linked = LinkedViews(slicer, lambda: self.arrangement in (Arrangement.COMPARE, Arrangement.HANGING))
        self._whole = WholeExam(lambda: scene.is_whole)
        self._pictures = Pictures(server, self._on_pictures)
        self.visits = VisitViews(slicer, self._arrange_visits, lambda: self.arrangement == Arrangement.VISITS)
        slicer.scene.AddNewNodeByClass("vtkMRMLLayoutNode")  # of the desktop; `compare_phases` needs one
        register_rca_factories(
            slicer.view_manager,
            server,
            slice_view_ui_f=self._add_slice_controls,
            three_d_view_ui_f=self._add_space_controls,
            interactive_quality=_QUALITY,
        )
        self._manager.register_layout_dict(layouts(), lazy_initialization=True)
        # Create the views before the page is built; inside a page element their widgets would be attached to it.
        self._manager.create_layout_views_if_needed(Arrangement.FOUR_UP.value)
        work.watch(self.state, {self.state.name.arrangement: self.arrange})
        scene.redraw = self.redraw
        scene.on_open += [self._whole.fit, self._wait_for_pictures]

    def build(self, layout: AbstractLayout) -> None:
        """Put the views into the part of the page that is being written."""
        self._manager.initialize_layout_grid(layout)
        self.arrange(self.state.data.arrangement)

    def arrange(self, arrangement: str) -> None:
        """Show an arrangement, given as a value of `Arrangement`; the 3D view begins anew in a different one."""
        self._linked.move_hidden()
        self._manager.set_layout(Arrangement(arrangement).value)
        if self.state.data.is_late:  # for views that may be hidden now, and send nothing
            self._wait_for_pictures()
        self.redraw()
        if arrangement != self._arranged:
            self._arranged = arrangement
            for listener in self.on_arrange:
                listener()
            self.fit_space()

    def create_all(self) -> None:
        """Make the views of every arrangement, even if it was never shown."""
        for kind in Arrangement:
            self._manager.create_layout_views_if_needed(kind.value)

    def redraw(self) -> None:
        """Draw the views again, after the scene or a camera has changed; give each phase its view side by side."""
        self._linked.move_hidden()
        if self._scene.is_open and self.state.data.arrangement == Arrangement.COMPARE.value:
            nodes, overlay = self._scene.nodes, self._scene.overlay
            volumes = {name: nodes[key] for name, key in zip(COMPARE_VIEWS, BACKGROUNDS, strict=True)}
            attention = nodes.get("attention") if overlay.visible else None
            compare_phases(self._slicer.scene, volumes, attention, overlay.opacity)
        if self._scene.is_open and self.arrangement == Arrangement.HANGING:
            nodes, overlay = self._scene.nodes, self._scene.overlay
            shown = {view: nodes[key] for view, key in zip(HANGING_VIEWS, ("pre", "early", "subtraction"), strict=True)}
            hang_views(self._slicer.scene, shown, nodes.get("attention") if overlay.visible else None, overlay.opacity)
        if self.arrangement == Arrangement.VISITS:
            self.visits.fill()
        self.draw_slices()
        self.draw_space()

    def grey_tools(self) -> list[Node]:
        """Return the displayable managers by which the mouse changes window and level in the slice views."""
        views = self._slicer.view_manager.get_slice_views()
        return [view.get_displayable_manager_by_class("vtkMRMLScalarBarDisplayableManager") for view in views]

    def draw_slices(self) -> None:
        """Draw the slice views again: their places, images or grey values have changed, and nothing else."""
        for view in self._slicer.view_manager.get_slice_views():
            view.schedule_render()

    def draw_space(self) -> None:
        """Draw the 3D views again, whose camera has moved."""
        for space in self._slicer.view_manager.get_threed_views():
            space.renderer().ResetCameraClippingRange()
            space.schedule_render()

    def choose(self, arrangement: Arrangement) -> None:
        """Show an arrangement, and note it in the page's state."""
        self.state.data.arrangement = arrangement.value
        self.arrange(arrangement.value)

    def peel_volumes(self, wanted: bool) -> None:
        """Blend volumes with what is translucent in the 3D views; a MIP cannot be drawn so."""
        self.state.data.is_mip = not wanted
        for space in self._slicer.view_manager.get_threed_views():
            space.renderer().SetUseDepthPeelingForVolumes(wanted)

    def fit_space(self) -> None:
        """Show everything in the 3D views."""
        for space in self._slicer.view_manager.get_threed_views():
            space.reset_view()  # which draws it, too

    def reset(self) -> None:
        """Show the whole exam in every view."""
        for view in self._slicer.view_manager.get_views():
            view.reset_view()
        self.redraw()

    @property
    def arrangement(self) -> Arrangement:
        """The arrangement that is shown."""
        return Arrangement(self.state.data.arrangement)

    def _arrange_visits(self, wanted: bool) -> None:
        self.state.data.arrangement = (Arrangement.VISITS if wanted else Arrangement.FOUR_UP).value
        self.arrange(self.state.data.arrangement)

    def set_press(self, press: Press | None) -> None:
        """Set what the left button does in a slice view at an LPS position in mm; None leaves it to trame-slicer."""
        self._press = press

    def scroll_to(self, position: tuple[float, float, float]) -> None:
        """Move all slice views to an LPS position in mm; the left button does so at first."""
        scroll_to(self._slicer.scene, position)

    def _wait_for_pictures(self) -> None:
        self.state.data.is_late = True
        self._pictures.wait_for(self._slicer.view_manager.get_current_view_ids())

    def _on_pictures(self) -> None:
        with self._server.state:
            self.state.data.is_late = False

    def _add_space_controls(self, _server: Server, _view_id: str, view: ThreeDView) -> None:
        self._pictures.attach(view)
        write_space(view, self.state.name.is_mip)

    def _add_slice_controls(self, server: Server, _view_id: str, view: SliceView) -> None:
        mouse = {
            "LeftButtonPressEvent": self._on_button,
            "MouseMoveEvent": self._on_move,
            "LeftButtonReleaseEvent": self._on_release,
        }
        for event, done in mouse.items():
            view.interactor().AddObserver(event, partial(_with_view, done, view), FIRST)
        if view.name in COMPARE_VIEWS:
            self._linked.attach(view)
        if view.name in VISIT_VIEWS:
            self.visits.attach(view)
        elif view.name not in COMPARE_VIEWS:
            self._whole.attach(view)
        self._pictures.attach(view)
        ignore_keys(view)
        slider = connect_slice_view_slider_to_state(server, view)
        view.get_view_node().SetRulerType(vtkMRMLAbstractViewNode.RulerTypeThin)
        self._add_place(view)
        view.modified.connect(self._update_place)
        names = {name: name for name in COMPARE_VIEWS} | VISIT_VIEWS
        label(names.get(view.name) or f"{view.get_orientation()}")
        reset_button(view)
        wheel = f"[{view.name!r}, Number($event.currentTarget.dataset.wheel)]"
        html.Div(raw_attrs=["data-wheel"], style="display: none", click=(self._turn_wheel, wheel))
        with html.Div(style="position: absolute; bottom: 14px; left: 12px; right: 12px;"):
            Slider(typed_state=slider, density="compact", color="white", track_size=2, thumb_size=12)

    def _turn_wheel(self, name: str, slices: float) -> None:
        """Move a slice view by so many slices, to the end of the exam at most; messages that wait are added up."""
        if not self._turned:
            asyncio.get_running_loop().call_soon(self._turn_views)
        self._turned[name] = self._turned.get(name, 0) + slices

    def _turn_views(self) -> None:
        turned, self._turned = self._turned, {}
        for name, slices in turned.items():
            view = self._slicer.view_manager.get_view(name)
            if view is not None and view.get_slice_step():
                low, high = view.get_slice_range()
                view.set_slice_value(min(max(view.get_slice_value() + slices * view.get_slice_step(), low), high))
        self._send_soon()

    def _add_place(self, view: SliceView) -> None:
        """Write the patient's sides at the view's edges, and the slice that it shows."""
        key, slice_key = _keys(view)
        self._server.state[key], self._server.state[slice_key] = sides_of(view.get_view_node()), ""
        write_place(key, slice_key)

    def _update_place(self, view: SliceView) -> None:
        node, state = view.get_view_node(), self._server.state
        open_exam = geometry_of(self._scene.nodes["early"]) if self._scene.is_open else None
        geometry = self.visits.geometry() if view.name in VISIT_VIEWS else open_exam
        place = describe_slice(node, geometry) if geometry is not None else ""
        sides = sides_of(node, (self.visits if view.name in VISIT_VIEWS else self._scene).is_placed)
        for key, text in zip(_keys(view), (sides, place), strict=True):
            if state[key] != text:
                state[key] = text
                self._send_soon()

    def _send_soon(self) -> None:
        """Send the page's state once, after all that changes it now."""
        if not self._is_sending:
            self._is_sending = True
            asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        self._is_sending = False
        self._server.state.flush()

    def _on_button(self, view: SliceView) -> None:
        if self._scene.is_tool_in_hand:  # a tap has no move before it, which Slicer's tools begin a point with
            view.interactor().InvokeEvent("MouseMoveEvent")
        self._is_down = True
        if self._press is not None and not self._scene.is_tool_in_hand:
            self._press(position_at(view.get_view_node(), *view.interactor().GetEventPosition()))

    def _on_move(self, view: SliceView) -> None:
        position = position_at(view.get_view_node(), *view.interactor().GetEventPosition())
        if self._is_down and self._press == self.scroll_to and not self._scene.is_tool_in_hand:
            self.scroll_to(position)
        if self._is_down and self._scene.is_tool_in_hand:  # window and level are those of other views, too
            self.draw_slices()
        for listener in self.on_cursor if view.name not in VISIT_VIEWS else ():
            listener(position)

    def _on_release(self, _view: SliceView) -> None:
        self._is_down = False
        if self._scene.is_tool_in_hand:  # a point of a ruler is in every view
            self.draw_slices()


def _with_view(done: Callable[[SliceView], None], view: SliceView, *_event: object) -> None:
    done(view)


def _keys(view: SliceView) -> tuple[str, str]:
    """Return the names of two fields of the page's state: sides, and slice."""
    return f"{view.name}_sides", f"{view.name}_slice"
