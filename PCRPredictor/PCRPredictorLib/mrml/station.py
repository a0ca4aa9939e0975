"""The views of the reading station in a scene: slices and phases as a film, MIP, ruler, window and level, cursor.

For panel and page alike. What turns a wheel, drags a window or draws a ruler is Slicer's own; this asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np

from ..curves.phases import Phases
from ..exam import PHASE_NAMES, Geometry
from .exam import LPS_TO_RAS, Node, geometry_of, scalar_array
from .nodes import nodes_of, put_own, remove, to_vtk_image

_MIP_MM = 1.6  # voxels of the MIP: a whole exam in a software renderer
_PHASE, _MIP = "Phase", "Subtraction as MIP"
_RULER = "BreastPCR.ruler"  # attribute of lines that this library made
_TURN, _MIP_WIDER = 6.0, 1.6  # degrees of a step of the MIP; its window over that of slices: it has all that is bright
_MODIFIED = "ModifiedEvent"
RULER_NAME = "Ruler"


class Station:
    """What the keys of the reading station do to the views of a scene.

    Args:
        scene: with views.
        rendering: logic of the module Volume Rendering, called when it is needed.
        volumes: gives the nodes by "pre", "early", "late" and "subtraction"; empty without an exam.
        phases: gives all phases of the exam, None without one.
        grey_tools: gives the `vtkMRMLScalarBarDisplayableManager` of each slice view: its mouse tool for grey values.
    """

    def __init__(
        self,
        scene: Node,
        rendering: Callable[[], Node],
        volumes: Callable[[], Mapping[str, Node]],
        phases: Callable[[], Phases | None],
        grey_tools: Callable[[], Sequence[Node]],
    ) -> None:
        self._scene, self._rendering, self._volumes, self._phases = scene, rendering, volumes, phases
        self._grey_tools = grey_tools
        self._phase: Node | None = None
        self._mip: Node | None = None
        self._mip_of = ""
        self._number: int | None = None
        self._grey: dict[str, tuple[float, float]] = {}
        self._shared: list[Node] = []  # displays with one window and level
        self._observed: list[tuple[Node, int]] = []  # displays with the tags of their observers
        self._replaced: dict[str, str] = {}  # background by composite node, while the phases are played

    def forget(self) -> None:
        """Drop everything that belongs to the last exam, if its scene has not."""
        self.unlink_grey()
        for node in (self._phase, self._mip):
            if node is not None and node.GetScene() is not None:
                remove(node)
        self._phase = self._mip = self._number = None
        self._grey, self._replaced = {}, {}

    def remember_grey(self) -> None:
        """Note the grey values that `reset` goes back to."""
        for node in self._volumes().values():
            display = node.GetDisplayNode()
            self._grey.setdefault(node.GetID(), (display.GetWindowLevelMin(), display.GetWindowLevelMax()))

    def link_grey(self) -> None:
        """Let the phases share one window, the subtraction and its MIP a second one, which the mouse never gives a map.

        What `reset_grey` goes back to is noted; the phases begin with the window of the early one.
        """
        self.unlink_grey()
        self.remember_grey()
        if not (volumes := self._volumes()):
            return
        early, subtraction = volumes["early"].GetDisplayNode(), volumes["subtraction"].GetDisplayNode()
        nodes = [*(volumes[name] for name in PHASE_NAMES), self._phase]
        self._shared = [node.GetDisplayNode() for node in nodes if node is not None]
        follow = [*((display, self._share_grey) for display in self._shared), (subtraction, self._window_mip)]
        self._observed = [(display, display.AddObserver(_MODIFIED, done)) for display, done in follow]
        self._share_grey(early)
        self._window_mip(subtraction)
        for tool in self._grey_tools():
            tool.SetAdjustForegroundWindowLevelEnabled(False)

    def unlink_grey(self) -> None:
        """Let each phase have its own window and level again."""
        for tool in self._grey_tools() if self._shared else ():
            tool.SetAdjustForegroundWindowLevelEnabled(True)
        for display, tag in self._observed:
            display.RemoveObserver(tag)
        self._shared, self._observed = [], []

    def step_slices(self, by: int, names: Sequence[str] = ()) -> None:
        """Move slice views by so many slices of the exam; behind the last one comes the first.

        Args:
            names: of the views; all views parallel to the first one if empty.
        """
        volumes = self._volumes()
        if not volumes:
            return
        geometry, views = geometry_of(volumes["early"]), nodes_of(self._scene, "vtkMRMLSliceNode")
        first = next((node for node in views if node.GetLayoutName() in names), views[0])
        normal = _normal(first)
        parallel = [node for node in views if abs(float(_normal(node) @ normal)) > 0.99]
        offsets = [_next_offset(node.GetSliceOffset(), normal, geometry, by) for node in parallel]
        for node, offset in zip(parallel, offsets, strict=True):  # all were read first: linked views move each other
            node.SetSliceOffset(offset)

    def step_phases(self, by: int) -> int | None:
        """Show the next phase in the slice views, behind the last the first; return its number, None if none."""
        phases, volumes = self._phases(), self._volumes()
        if phases is None or not volumes:
            return None
        self.remember_grey()
        at = phases.picked[1] if self._number is None else self._number
        self._number = (at + by) % len(phases.arrays)
        early = volumes["early"]
        image = to_vtk_image(np.ascontiguousarray(phases.arrays[self._number]))
        before = self._phase
        self._phase = put_own(self._scene, before, image, geometry_of(early), _PHASE)
        display = self._phase.GetDisplayNode()
        display.SetWindowLevelMinMax(
            early.GetDisplayNode().GetWindowLevelMin(), early.GetDisplayNode().GetWindowLevelMax()
        )
        self._hide(self._phase)
        if self._shared and before is None:
            self.link_grey()
        self._replace_background({node.GetID() for node in volumes.values()} - {volumes["subtraction"].GetID()})
        return self._number

    def stop_phases(self) -> None:
        """Show the early phase again where the phases were played."""
        volumes = self._volumes()
        if self._phase is None or not volumes:
            return
        for node in nodes_of(self._scene, "vtkMRMLSliceCompositeNode"):
            if node.GetBackgroundVolumeID() == self._phase.GetID():
                node.SetBackgroundVolumeID(self._replaced.get(node.GetID(), volumes["early"].GetID()))
        self._number = None

    def show_mip(self, visible: bool) -> None:
        """Draw the subtraction as a maximum intensity projection in the 3D views, or stop."""
        volumes = self._volumes()
        if not visible or not volumes:
            if self._mip is not None and self._mip.GetScene() is not None:
                remove(self._mip)
            self._mip, self._mip_of = None, ""
        elif self._mip is None or self._mip_of != volumes["subtraction"].GetID():
            self._mip = put_mip(self._scene, self._mip, volumes["subtraction"], self._rendering())
            self._mip_of = volumes["subtraction"].GetID()
        for view in nodes_of(self._scene, "vtkMRMLViewNode"):
            view.SetRaycastTechnique(view.MaximumIntensityProjection if visible else view.Composite)

    def rotate(self, degrees: float = _TURN) -> None:
        """Turn the 3D views around the patient's long axis."""
        turn = np.deg2rad(degrees)
        matrix = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
        for camera in nodes_of(self._scene, "vtkMRMLCameraNode"):
            focus = np.array(camera.GetFocalPoint())
            camera.SetPosition(*(focus + matrix @ (np.array(camera.GetPosition()) - focus)))
            camera.SetViewUp(*(matrix @ np.array(camera.GetViewUp())))
            camera.ResetClippingRange()

    def adjust_window(self, wanted: bool) -> None:
        """Let the left button change window and level, as Slicer's own tool does, or stop."""
        if wanted:
            self.link_grey()
        mode = self._interaction()
        mode.SetCurrentInteractionMode(mode.AdjustWindowLevel if wanted else mode.ViewTransform)

    @property
    def adjusts_window(self) -> bool:
        """True while the left button changes window and level."""
        mode = self._interaction()
        return bool(mode.GetCurrentInteractionMode() == mode.AdjustWindowLevel)

    def place_ruler(self) -> Node:
        """Let the next two clicks draw a line with its length, and return it."""
        import slicer

        line = self._scene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", self._scene.GenerateUniqueName(RULER_NAME))
        line.SetAttribute(_RULER, "made")
        line.CreateDefaultDisplayNodes()
        selection = nodes_of(self._scene, "vtkMRMLSelectionNode")[0]
        selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsLineNode")
        selection.SetActivePlaceNodeID(line.GetID())
        mode = self._interaction()
        mode.SetPlaceModePersistence(0)
        mode.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.Place)
        return line

    def clear_rulers(self) -> None:
        """Remove the lines that were drawn, and stop drawing."""
        mode = self._interaction()
        mode.SetCurrentInteractionMode(mode.ViewTransform)
        for line in nodes_of(self._scene, "vtkMRMLMarkupsLineNode"):
            if line.GetAttribute(_RULER):
                self._scene.RemoveNode(line)

    def reset_grey(self) -> None:
        """Give the volumes the grey values that they had first; phases that share theirs get the early phase's."""
        is_linked = bool(self._shared)
        self.unlink_grey()
        for identifier, limits in self._grey.items():
            node = self._scene.GetNodeByID(identifier)
            if node is not None and node.GetDisplayNode() is not None:
                node.GetDisplayNode().SetWindowLevelMinMax(*limits)
        if is_linked:
            self.link_grey()

    def _share_grey(self, changed: Node, _event: str = "") -> None:
        """Give every phase the window and level of one of them."""
        grey = changed.GetWindow(), changed.GetLevel()
        for display in self._shared:
            if (display.GetWindow(), display.GetLevel()) != grey:
                display.AutoWindowLevelOff()
                display.SetWindowLevel(*grey)

    def _window_mip(self, subtraction: Node, _event: str = "") -> None:
        """Give the MIP the window and level of the subtraction."""
        display = self._mip and self._rendering().GetFirstVolumeRenderingDisplayNode(self._mip)
        if display is not None:
            _set_grey(display.GetVolumePropertyNode().GetVolumeProperty(), subtraction)

    def _interaction(self) -> Node:
        return nodes_of(self._scene, "vtkMRMLInteractionNode")[0]

    def _hide(self, node: Node) -> None:
        node.HideFromEditorsOn()
        node.SetSaveWithScene(False)
        node.GetDisplayNode().SetSaveWithScene(False)

    def _replace_background(self, replaced: set[str]) -> None:
        """Show the phase in the place of volumes, and note which."""
        for node in nodes_of(self._scene, "vtkMRMLSliceCompositeNode"):
            shown = node.GetBackgroundVolumeID()
            if shown in replaced:
                self._replaced[node.GetID()] = shown
            if self._phase is not None and (shown is None or shown in replaced):
                node.SetBackgroundVolumeID(self._phase.GetID())


def put_mip(scene: Node, node: Node | None, subtraction: Node, rendering: Node) -> Node:
    """Put a subtraction, each block of voxels as its maximum, into a hidden node that 3D views draw; return the node.

    Args:
        node: of an earlier one, or None.
        rendering: logic of the module Volume Rendering.
    """
    array, geometry = coarse_maximum(scalar_array(subtraction), geometry_of(subtraction))
    node = put_own(scene, node, to_vtk_image(array), geometry, _MIP)
    node.HideFromEditorsOn()
    node.SetSaveWithScene(False)
    display = rendering.GetFirstVolumeRenderingDisplayNode(node) or rendering.CreateDefaultVolumeRenderingNodes(node)
    _set_grey(display.GetVolumePropertyNode().GetVolumeProperty(), subtraction.GetDisplayNode())
    for made in (node.GetDisplayNode(), display, display.GetVolumePropertyNode(), display.GetROINode()):
        if made is not None:
            made.SetSaveWithScene(False)
    display.SetVisibility(True)
    return node


def coarse_maximum(array: np.ndarray, geometry: Geometry) -> tuple[np.ndarray, Geometry]:
    """Return the maximum of each block of about `_MIP_MM`, float32 (k, j, i), and its lattice: a MIP loses no peak."""
    steps = [max(1, round(_MIP_MM / spacing)) for spacing in geometry.spacing]
    sizes = [count // step for count, step in zip(geometry.size, steps, strict=True)]
    found = array
    for axis, (count, step) in enumerate(zip(sizes[::-1], steps[::-1], strict=True)):  # whole slices, rows, then voxels
        parts = [found[(slice(None),) * axis + (slice(k, count * step, step),)] for k in range(step)]
        found = reduce(np.maximum, parts)
    spacing = tuple(step * each for step, each in zip(steps, geometry.spacing, strict=True))
    origin = tuple(geometry.to_physical((np.array(steps) - 1) / 2).tolist())
    return found.astype(np.float32), Geometry(tuple(sizes), spacing, origin, geometry.direction)  # type: ignore[arg-type]


def cursor_position(crosshair: Node) -> tuple[float, float, float] | None:
    """Return the LPS position in mm of the mouse in the views, None outside them."""
    position = [0.0, 0.0, 0.0]
    if not crosshair.GetCursorPositionRAS(position):
        return None
    return tuple(float(value) for value in LPS_TO_RAS[:3, :3] @ position)  # type: ignore[return-value]


def _normal(view: Node) -> np.ndarray:
    """Return the direction of a slice view, RAS (3,)."""
    matrix = view.GetSliceToRAS()
    return np.array([matrix.GetElement(row, 2) for row in range(3)])


def _next_offset(offset: float, normal: np.ndarray, geometry: Geometry, by: int) -> float:
    """Return the offset along a RAS normal, in mm, of the exam's slice that lies `by` slices further."""
    towards = LPS_TO_RAS[:3, :3] @ normal
    axis = int(np.abs(towards @ geometry.direction).argmax())
    along = float(towards @ geometry.direction[:, axis])
    start, step = float(towards @ np.array(geometry.origin)), along * geometry.spacing[axis]
    count = geometry.size[axis]
    number = min(max(round((offset - start) / step), 0), count - 1) + (by if along > 0 else -by)
    return start + number % count * step


def _set_grey(properties: Node, grey: Node) -> None:
    """Draw a MIP from black to white in the window of a display node; what is 0 is black, whatever the window."""
    import vtk

    low = max(grey.GetWindowLevelMin(), 0.0)
    high = max(low + _MIP_WIDER * (grey.GetWindowLevelMax() - low), low + 1e-3)
    colours, opacity = vtk.vtkColorTransferFunction(), vtk.vtkPiecewiseFunction()
    for value, level in ((low, 0.0), (high, 1.0)):
        colours.AddRGBPoint(value, level, level, level)
        opacity.AddPoint(value, level)
    properties.SetColor(colours)
    properties.SetScalarOpacity(opacity)
    properties.ShadeOff()
    properties.SetInterpolationTypeToLinear()
