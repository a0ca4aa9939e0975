"""Scenes outside the desktop, and scene files for 3D Slicer."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from ..exam import Exam
from ..prediction import Prediction
from ..writing import incomplete, put_in_place
from .exam import Node
from .nodes import add_prediction, register_legends

_SAVED_BY = "Slicer 5.10.0 0"  # oldest Slicer that reads these scenes; the desktop warns of other applications
_OF_MODULES = ("vtkSlicerSegmentationsModuleLogic", "vtkSlicerColorLogic", "vtkMRMLColorLegendDisplayNode")
_SLICE_VIEWS = {  # Slicer's own orientations and colours
    "Red": ("Axial", (0.96, 0.29, 0.25)),
    "Yellow": ("Sagittal", (0.93, 0.84, 0.30)),
    "Green": ("Coronal", (0.43, 0.69, 0.29)),
}


def slicer_core_available() -> bool:
    """Return whether scenes can be written: inside Slicer, or with the package `slicer-core`; loads it and VTK.

    PythonSlicer cannot write them: its `slicer` lacks the classes of modules. No OpenGL library is needed.
    """
    if find_spec("vtk") is None or (spec := find_spec("slicer")) is None:
        return False
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]  # any folder named slicer has a spec
    if not any((folder / "util.py").is_file() for folder in folders):
        return False
    import slicer
    import vtk  # noqa: F401  what writes a scene needs it

    return all(hasattr(slicer, name) for name in _OF_MODULES)


@contextmanager
def scene_here(exam: Exam, prediction: Prediction, path: Path) -> Iterator[None]:
    """Write the scene after the block, if Slicer's core is installed.

    Raises:
        OSError: as `write_scene`.
    """
    yield
    if slicer_core_available():
        write_scene(exam, prediction, path)


def write_scene(exam: Exam, prediction: Prediction, path: Path) -> None:
    """Write a scene file (.mrb) that opens in Slicer at the tumour, with phases, segmentation and attention.

    The file contains neither the name of the patient nor its own path.

    Raises:
        OSError: if the file cannot be written completely; an older file stays unchanged.
    """
    with tempfile.TemporaryDirectory(prefix=".scene-", dir=path.absolute().parent) as folder:
        bundle, part = Path(folder) / "scene", Path(folder) / "scene.mrb"
        bundle.mkdir()
        with headless_scene(Path(folder)) as scene:
            add_prediction(scene, exam, prediction)
            written = scene.SaveSceneToSlicerDataBundleDirectory(str(bundle))
        if written:
            _pack(bundle, part)
        if not (written and _is_whole(part)):
            raise incomplete(path)
        put_in_place(part, path)


@contextmanager
def headless_scene(temporary: Path) -> Iterator[Node]:
    """Yield a scene outside the desktop, set up as by Slicer's start-up, to write and read scene files.

    Args:
        temporary: folder in which scene files are packed and unpacked.
    """
    import slicer

    with _silent_vtk():
        scene, application = slicer.vtkMRMLScene(), slicer.vtkSlicerApplicationLogic()
        scene.SetVersion(_SAVED_BY)
        application.SetTemporaryPath(str(temporary))
        application.SetMRMLScene(scene)
        application.GetColorLogic().SetMRMLScene(scene)
        application.GetColorLogic().AddDefaultColorNodes()  # volumes refer to grey
        cache, transfers = (
            slicer.vtkCacheManager(),
            slicer.vtkDataIOManager(),
        )  # needed to read scene files
        cache.SetMRMLScene(scene)
        cache.SetRemoteCacheDirectory(str(temporary))
        transfers.SetCacheManager(cache)
        scene.SetCacheManager(cache)
        scene.SetDataIOManager(transfers)
        segmentations = slicer.vtkSlicerSegmentationsModuleLogic()
        segmentations.SetMRMLApplicationLogic(application)
        segmentations.SetMRMLScene(scene)  # registers segmentations
        register_legends(scene)
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
        _add_views(scene)
        try:
            yield scene
        finally:
            scene.Clear(True)


def _add_views(scene: Node) -> None:
    """Add the views of the desktop, which takes over their state when it reads the scene."""
    import slicer

    for name, (orientation, colour) in _SLICE_VIEWS.items():
        view = _add_named(scene, "vtkMRMLSliceNode", name)
        view.SetLayoutLabel(name[0])
        view.SetLayoutColor(*colour)
        view.SetOrientation(orientation)
        view.SetDimensions(512, 512, 1)
        _add_named(scene, "vtkMRMLSliceCompositeNode", name)
    _add_named(scene, "vtkMRMLViewNode", "1")
    _add_named(scene, "vtkMRMLCameraNode", "1")
    layout = scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    layout.AddLayoutDescription(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView, "<layout/>")  # replaced by the desktop


def _add_named(scene: Node, class_name: str, name: str) -> Node:
    """Add a view node with the defaults of the scene; a scene that reads it uses it for the view of this name."""
    node = scene.CreateNodeByClass(class_name)
    node.UnRegister(None)
    node.SetSingletonTag(name)
    node.SetLayoutName(name)
    node.SetName(name)
    return scene.AddNode(node)


def _pack(bundle: Path, path: Path) -> None:
    """Pack a scene folder into a scene file; Slicer's own packer leaves the path of the folder in the colour file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(bundle.rglob("*")):
            name = file.relative_to(bundle.parent).as_posix()
            if file.suffix == ".ctbl":
                archive.writestr(name, file.read_bytes().partition(b"\n")[2])  # drops "# Color table file PATH"
            elif file.is_file():
                archive.write(file, name, zipfile.ZIP_STORED if file.suffix == ".nrrd" else None)  # already gzipped


def _is_whole(path: Path) -> bool:
    """Return whether an archive can be read completely; its writer may miss a full disk."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


@contextmanager
def _silent_vtk() -> Iterator[None]:
    """Suppress messages about colour and terminology files that the wheel lacks, and about each packed file."""
    import vtk

    window, shown = vtk.vtkOutputWindow.GetInstance(), vtk.vtkObject.GetGlobalWarningDisplay()
    vtk.vtkOutputWindow.SetInstance(vtk.vtkStringOutputWindow())
    vtk.vtkObject.GlobalWarningDisplayOff()
    try:
        yield
    finally:
        vtk.vtkObject.SetGlobalWarningDisplay(shown)
        vtk.vtkOutputWindow.SetInstance(window)
