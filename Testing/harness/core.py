"""Slicer's core without its desktop: scene, application logic and module logics of the `slicer-core` wheel.

Fills what `slicer.util` and scripted modules expect: `slicer.mrmlScene`, `slicer.app`, `slicer.modules`.
"""

import tempfile
import types
from pathlib import Path

import slicer
import vtk

LOGICS = {  # module: logic; terminologies before segmentations, which ask for them
    "colors": "vtkSlicerColorLogic",
    "terminologies": "vtkSlicerTerminologiesModuleLogic",
    "subjecthierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "volumes": "vtkSlicerVolumesLogic",
    "segmentations": "vtkSlicerSegmentationsModuleLogic",
    "markups": "vtkSlicerMarkupsLogic",
    "sequences": "vtkSlicerSequencesLogic",
    "tables": "vtkSlicerTablesLogic",
    "plots": "vtkSlicerPlotsLogic",
    "volumerendering": "vtkSlicerVolumeRenderingLogic",
}
_REGISTERED = {"volumerendering": "VolumeRendering", "subjecthierarchy": "SubjectHierarchy"}


class Application:
    """The part of `slicer.app` that modules use; `pythonqt` adds the Qt part."""

    applicationName = "Slicer"
    majorVersion, minorVersion = 5, 12
    documentationBaseUrl = ""

    def __init__(self, scene, logic, folder):
        self._scene, self._logic = scene, logic
        self._files, self._modules = FileManager(self), ModuleManager()
        self._layout_manager = None
        self._at_startup = []
        self.temporaryPath = str(folder)
        self.slicerUserSettingsFilePath = str(folder / "Slicer.ini")

    def mrmlScene(self):
        return self._scene

    def applicationLogic(self):
        return self._logic

    def coreIOManager(self):
        return self._files

    ioManager = coreIOManager

    def moduleManager(self):
        return self._modules

    def layoutManager(self):
        return self._layout_manager

    def moduleDocumentationUrl(self, _name):
        return ""

    def translate(self, _context, text):
        return text

    def testingEnabled(self):
        """Report if dialogues are answered without being shown."""
        return True

    def connect(self, signal, function):
        if signal == "startupCompleted()":
            self._at_startup.append(function)

    def disconnect(self, *_args):
        pass

    def finish_startup(self):
        """Call the functions that modules have registered for the start of the application."""
        while self._at_startup:
            self._at_startup.pop(0)()

    def errorLogModel(self):
        return types.SimpleNamespace(filePath=str(Path(self.temporaryPath) / "Slicer.log"))

    def pauseRender(self):
        pass

    def resumeRender(self):
        pass


class ModuleManager:
    def module(self, name):
        return getattr(slicer.modules, name.lower(), None)

    def connect(self, *_args):
        pass

    disconnect = connect


class FileManager:
    """Writes scenes and nodes to files, for functions such as `slicer.util.saveScene`."""

    def __init__(self, application):
        self._application = application

    def fileType(self, path):
        return "SceneFile" if str(path).lower().endswith((".mrml", ".mrb")) else "NodeFile"

    def fileWriterFileType(self, _node):
        return "NodeFile"

    def loadNodes(self, kind, properties, _loaded, _messages=None):
        if kind != "SceneFile":
            return False
        return bool(slicer.mrmlScene.ReadFromMRB(properties["fileName"], bool(properties.get("clear"))))

    def saveNodes(self, kind, properties, _messages=None):
        path = str(properties["fileName"])
        if kind == "SceneFile":
            return bool(slicer.mrmlScene.WriteToMRB(path, None))
        node = slicer.mrmlScene.GetNodeByID(properties["nodeID"])
        if node.GetStorageNode() is None and not node.AddDefaultStorageNode():
            return False
        return bool(node.GetStorageNode().WriteData(node))


class Module(types.SimpleNamespace):
    """`slicer.modules.NAME` of a module without a panel here."""

    def logic(self):
        return self.own_logic


def start():
    """Create scene and logics once per process; return the application."""
    if getattr(slicer, "mrmlScene", None) is not None:
        return slicer.app
    folder = Path(tempfile.mkdtemp(prefix="slicer-harness-"))
    scene, logic = slicer.vtkMRMLScene(), slicer.vtkSlicerApplicationLogic()
    logic.SetTemporaryPath(str(folder))
    logic.SetMRMLScene(scene)
    logic.GetColorLogic().SetMRMLScene(scene)
    logic.GetColorLogic().AddDefaultColorNodes()
    logic.SetSliceLogics(vtk.vtkCollection())
    logic.SetViewLogics(vtk.vtkCollection())
    slicer.mrmlScene, slicer.app = scene, Application(scene, logic, folder)
    slicer.app.kept = _let_scene_read_files(scene, folder)
    slicer.modules = types.SimpleNamespace()
    shown = vtk.vtkObject.GetGlobalWarningDisplay()
    vtk.vtkObject.GlobalWarningDisplayOff()  # the wheel has no colour and terminology files
    for name, class_name in LOGICS.items():
        _add_logic(name, getattr(slicer, class_name)(), logic, scene)
    vtk.vtkObject.SetGlobalWarningDisplay(shown)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    for class_name in ("vtkMRMLCrosshairNode", "vtkMRMLInteractionNode", "vtkMRMLSelectionNode", "vtkMRMLLayoutNode"):
        if scene.GetFirstNodeByClass(class_name) is None:
            node = getattr(slicer, class_name)()
            node.SetSingletonTag(node.GetSingletonTag() or "Singleton")
            scene.AddNode(node)
    return slicer.app


def _add_logic(name, module_logic, application_logic, scene):
    module_logic.SetMRMLApplicationLogic(application_logic)
    module_logic.SetMRMLScene(scene)
    application_logic.SetModuleLogic(_REGISTERED.get(name, name.capitalize()), module_logic)
    setattr(slicer.modules, name, Module(name=name, own_logic=module_logic))


def _let_scene_read_files(scene, folder):
    """Return the objects that reading scene files needs; keep them alive."""
    cache, transfers = slicer.vtkCacheManager(), slicer.vtkDataIOManager()
    cache.SetMRMLScene(scene)
    cache.SetRemoteCacheDirectory(str(folder))
    transfers.SetCacheManager(cache)
    scene.SetCacheManager(cache)
    scene.SetDataIOManager(transfers)
    return cache, transfers
