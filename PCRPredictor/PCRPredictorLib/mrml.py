"""The exam and its prediction as MRML nodes: the only file of the library that touches `slicer` or `vtk`.

The functions take the scene as an argument: the module passes the application's, `write_scene` a private one. Slicer
works in RAS; geometries here are LPS, so the first two coordinates change their sign on the way.
"""

from __future__ import annotations

import importlib.util
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps

from .exam import Exam, Geometry
from .grid import GridSpec, place_window
from .overlay import COLOURS
from .prediction import Prediction
from .writing import incomplete

Node = Any  # slicer and vtk are not typed, and not imported until they are needed
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
ATTENTION_THRESHOLD = 0.2
OPACITY = 0.5
FIELD = 120.0  # mm across a slice view: the model's window and what lies around it
_VIEWS = {"Red": "Axial", "Yellow": "Sagittal", "Green": "Coronal"}
_OUTLINE = (0.29, 0.87, 0.50)


def slicer_core_available() -> bool:
    """Whether `slicer` can be imported: inside Slicer, or where the slicer-core package is installed."""
    return importlib.util.find_spec("slicer") is not None and importlib.util.find_spec("vtk") is not None


def write_scene(exam: Exam, prediction: Prediction, path: Path) -> None:
    """Write a scene that opens in Slicer with volumes, tumour and coloured attention in place.

    No node holds the exam's provenance.

    Args:
        path: of the `.mrb` file.

    Raises:
        OSError: if it cannot be written whole.
    """
    with quiet(), tempfile.TemporaryDirectory() as cache:
        scene, keep = private_scene(cache)
        show_prediction(scene, exam, prediction)
        written = scene.WriteToMRB(str(path), None)
        scene.Clear(True)
        del keep
    if not written or not _is_whole(path):
        raise incomplete(path)


def show_prediction(scene: Node, exam: Exam, prediction: Prediction) -> dict[str, Node]:
    """Add everything to a scene and set the slice views on the highest attention.

    Returns:
        The nodes by what they are: pre, early, late, subtraction, attention, tumour.
    """
    subtraction = exam.early.astype(np.float32) - exam.pre
    nodes = {
        "pre": add_volume(scene, exam.pre, exam.geometry, "Pre-contrast"),
        "early": add_volume(scene, exam.early, exam.geometry, "Early"),
        "late": add_volume(scene, exam.late, exam.geometry, "Late"),
        "subtraction": add_volume(scene, subtraction, exam.geometry, "Subtraction (early - pre)"),
        "attention": add_attention(scene, prediction.attention, exam.geometry),
        "tumour": add_tumour(scene, np.asarray(exam.mask), exam.geometry),
    }
    near = place_window(np.asarray(exam.mask) != 0, exam.geometry, GridSpec()).region
    for name in ("pre", "early", "late"):
        set_window(nodes[name], *np.percentile(exam.early[near], [1, 99.7]))
    set_window(nodes["subtraction"], 0, np.percentile(subtraction[near], 99.7))
    peak = LPS_TO_RAS @ prediction.attention_summary.peak
    set_views(scene, nodes["early"], nodes["attention"], peak)
    return nodes


def add_volume(scene: Node, array: np.ndarray, geometry: Geometry, name: str) -> Node:
    """A scalar volume node with its display.

    Args:
        array: (k, j, i), any numeric type.
    """
    import vtk

    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    node.SetAndObserveImageData(_image_data(array, vtk.vtkImageData()))
    node.SetIJKToRASMatrix(_ijk_to_ras(geometry))
    node.CreateDefaultDisplayNodes()
    return node


def add_attention(scene: Node, attention: np.ndarray, geometry: Geometry) -> Node:
    """Attention as a volume with colours of its own, transparent where it is faint."""
    node = add_volume(scene, attention, geometry, "Attention")
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(_add_colours(scene).GetID())
    set_window(node, 0, 1)
    display.SetApplyThreshold(True)
    display.SetThreshold(ATTENTION_THRESHOLD, 1)
    return node


def add_tumour(scene: Node, mask: np.ndarray, geometry: Geometry) -> Node:
    """The mask as a segmentation with one segment, drawn as an outline in slices and as a surface in 3D."""
    import slicer

    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Tumour")
    node.CreateDefaultDisplayNodes()
    labelmap = _image_data((mask != 0).astype(np.uint8), slicer.vtkOrientedImageData())
    labelmap.SetGeometryFromImageToWorldMatrix(_ijk_to_ras(geometry))
    node.AddSegmentFromBinaryLabelmapRepresentation(labelmap, "tumour", _OUTLINE)
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetSliceIntersectionThickness(2)
    node.CreateClosedSurfaceRepresentation()
    return node


def set_window(volume: Node, low: float, high: float) -> None:
    """Show grey levels from `low` to `high`."""
    display = volume.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(float(low), float(max(high, low + 1e-6)))


def set_views(scene: Node, background: Node, foreground: Node, point: np.ndarray) -> None:
    """Four-up layout, attention over the volume in every slice view, all of them at a RAS point in mm."""
    import slicer

    layout = _singleton(scene, "vtkMRMLLayoutNode", "vtkMRMLLayoutNode")
    layout.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    for name, orientation in _VIEWS.items():
        composite = _singleton(scene, "vtkMRMLSliceCompositeNode", name)
        composite.SetLayoutName(name)
        composite.SetBackgroundVolumeID(background.GetID())
        composite.SetForegroundVolumeID(foreground.GetID())
        composite.SetForegroundOpacity(OPACITY)
        view = _singleton(scene, "vtkMRMLSliceNode", name)
        view.SetName(name)
        view.SetLayoutName(name)
        view.SetOrientation(orientation)
        view.SetFieldOfView(FIELD, FIELD, view.GetFieldOfView()[2])
        view.JumpSliceByCentering(*point)


def private_scene(cache: str) -> tuple[Node, tuple[Node, ...]]:
    """An empty scene outside the application, with what it needs to be written and read.

    Args:
        cache: folder for temporary files.

    Returns:
        The scene, and objects that must live as long as it is used.
    """
    import slicer

    scene = slicer.vtkMRMLScene()
    application = slicer.vtkSlicerApplicationLogic()
    application.SetTemporaryPath(cache)
    application.SetMRMLScene(scene)
    application.GetColorLogic().SetMRMLScene(scene)
    application.GetColorLogic().AddDefaultColorNodes()  # volumes refer to the grey one
    files, transfers = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    files.SetMRMLScene(scene)
    files.SetRemoteCacheDirectory(cache)
    transfers.SetCacheManager(files)
    scene.SetCacheManager(files)
    scene.SetDataIOManager(transfers)
    segmentations = slicer.vtkSlicerSegmentationsModuleLogic()
    segmentations.SetMRMLApplicationLogic(application)
    segmentations.SetMRMLScene(scene)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    return scene, (application, files, transfers, segmentations)


def _image_data(array: np.ndarray, image: Node) -> Node:
    """A VTK image that holds a copy of (k, j, i)."""
    from vtk.util.numpy_support import get_vtk_array_type, numpy_to_vtk

    image.SetDimensions(array.shape[::-1])
    flat = np.ascontiguousarray(array).ravel()
    image.GetPointData().SetScalars(numpy_to_vtk(flat, deep=True, array_type=get_vtk_array_type(flat.dtype)))
    return image


def _ijk_to_ras(geometry: Geometry) -> Node:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    axes = LPS_TO_RAS @ geometry.direction * geometry.spacing
    for row, (values, offset) in enumerate(zip(axes, LPS_TO_RAS @ geometry.origin, strict=True)):
        for column, value in enumerate((*values, offset)):
            matrix.SetElement(row, column, float(value))
    return matrix


def _add_colours(scene: Node) -> Node:
    """A colour table of the overlay picture's colours, kept in the scene."""
    node = scene.AddNewNodeByClass("vtkMRMLColorTableNode", "Attention colours")
    node.SetTypeToUser()
    node.SetNumberOfColors(256)
    for number, colour in enumerate(colormaps[COLOURS](np.linspace(0, 1, 256))):
        node.SetColor(number, f"{number / 255:.2f}", *map(float, colour[:3]), 1.0)
    node.SetHideFromEditors(False)
    node.AddDefaultStorageNode()
    return node


def _singleton(scene: Node, kind: str, tag: str) -> Node:
    """The scene's node of that kind and tag, made where there is none."""
    node = scene.GetSingletonNode(tag, kind)
    if node is None:
        node = scene.CreateNodeByClass(kind)
        node.UnRegister(None)
        node.SetSingletonTag(tag)
        node = scene.AddNode(node)
    return node


def _is_whole(path: Path) -> bool:
    """Whether an archive can be read to its end; a full disk goes unnoticed by its writer."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


@contextmanager
def quiet() -> Iterator[None]:
    """No VTK messages: outside the application, colour and terminology files of Slicer's share folder are missing."""
    import vtk

    window, shown = vtk.vtkOutputWindow.GetInstance(), vtk.vtkObject.GetGlobalWarningDisplay()
    vtk.vtkOutputWindow.SetInstance(vtk.vtkStringOutputWindow())
    vtk.vtkObject.SetGlobalWarningDisplay(0)
    try:
        yield
    finally:
        vtk.vtkObject.SetGlobalWarningDisplay(shown)
        vtk.vtkOutputWindow.SetInstance(window)
