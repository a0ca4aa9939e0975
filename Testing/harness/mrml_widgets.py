"""Stand-ins for Slicer's MRML widgets, over a real scene."""

import slicer
import vtk
from PySide6 import QtWidgets
from PySide6.QtCore import Property, Signal

from .ctk_widgets import stored, with_setters


class qMRMLWidget(QtWidgets.QWidget):
    mrmlSceneChanged = Signal(object)

    def setMRMLScene(self, scene):
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self):
        return self.__dict__.get("_scene")


@with_setters
class qMRMLNodeComboBox(QtWidgets.QComboBox):
    """Selects a node of the scene by type; follows as nodes are added and removed.

    As Slicer's built with Qt 6, it does not tell of another node that has the name of the one before, unless a person
    chose it (`nodeActivated`); a node that it does not list is none. Nodes that arrive by an import are listed at its
    end, and nothing is chosen then until it is set again.
    """

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    nodeActivated = Signal(object)
    nodeTypes = stored("QStringList", "nodeTypes", [], "_list")
    hideChildNodeTypes = stored("QStringList", "hideChildNodeTypes", [], "_list")
    showChildNodeTypes = stored(bool, "showChildNodeTypes", True, "_list")
    showHidden = stored(bool, "showHidden", False, "_list")
    noneEnabled = stored(bool, "noneEnabled", False, "_list")
    noneDisplay = stored(str, "noneDisplay", "None", "_list")
    addEnabled = stored(bool, "addEnabled", True)
    removeEnabled = stored(bool, "removeEnabled", True)
    renameEnabled = stored(bool, "renameEnabled", False)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene, self._observed, self._id, self._reported = None, [], None, ""
        self.currentIndexChanged.connect(self._choose)
        self.activated.connect(lambda _index: self.nodeActivated.emit(self.currentNode()))

    def setMRMLScene(self, scene):
        for tag in self._observed:
            self._scene.RemoveObserver(tag)
        self._scene, self._observed = scene, []
        if scene is not None:
            events = slicer.vtkMRMLScene
            for event in (events.NodeAddedEvent, events.NodeRemovedEvent):
                self._observed.append(scene.AddObserver(event, self._follow))
            self._observed.append(scene.AddObserver(events.EndCloseEvent, lambda *_: self._list()))
            self._observed.append(scene.AddObserver(events.EndImportEvent, self._list_anew))
        self._list()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _follow(self, _scene, _event, node):
        if not self._scene.IsImporting() and any(node.IsA(kind) for kind in self.nodeTypes):
            self._list()

    def mrmlScene(self):
        return self._scene

    def currentNode(self):
        return self._scene.GetNodeByID(self._id) if self._scene is not None and self._id else None

    def setCurrentNode(self, node):
        self.setCurrentNodeID(node.GetID() if node is not None else None)

    def setCurrentNodeID(self, identifier):
        k = self.findData(identifier) if identifier else -1
        before = self.blockSignals(True)
        self.setCurrentIndex(k if k >= 0 else (0 if self.noneEnabled else -1))
        self.blockSignals(before)
        self._take(self.currentData)

    currentNodeID = Property(str, lambda self: self._id or "", setCurrentNodeID)

    def nodeCount(self):
        return sum(1 for _ in self._nodes())

    def _nodes(self):
        for k in range(self._scene.GetNumberOfNodes()):
            node = self._scene.GetNthNode(k)
            wanted = any(node.IsA(kind) for kind in self.nodeTypes)
            hidden = any(node.IsA(kind) for kind in self.hideChildNodeTypes)
            if wanted and not hidden and (self.showHidden or not node.GetHideFromEditors()):
                yield node

    def _list(self):
        if self._scene is None or self._scene.IsClosing():
            return
        before = self.blockSignals(True)
        self.clear()
        if self.noneEnabled:
            self.addItem(self.noneDisplay, None)
        for node in self._nodes():
            self.addItem(node.GetName(), node.GetID())
        k = self.findData(self._id) if self._id else -1
        self.setCurrentIndex(k if k >= 0 else (0 if self.count else -1))
        self.blockSignals(before)
        self._take(self.currentData)

    def _list_anew(self, *_args):
        """List the nodes after an import; what was chosen is lost with its row, as in qMRMLSceneModel::updateScene."""
        self._id = None
        self._list()

    def _choose(self, _index):
        self._take(self.currentData)

    def _take(self, identifier):
        before, self._id = self._reported, identifier
        self._reported = self.currentText
        if self._reported != before:
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(identifier or "")


class qMRMLColorTableComboBox(qMRMLNodeComboBox):
    def __init__(self, parent=None):
        super().__init__(parent)
        self.noneEnabled, self.showHidden = False, True
        self.nodeTypes = ["vtkMRMLColorTableNode", "vtkMRMLProceduralColorNode"]


class qMRMLSegmentEditorWidget(QtWidgets.QFrame):
    """Records the settings of the Segment Editor; refuses, as it does, a scene before its parameter node."""

    def __init__(self, parent=None):
        super().__init__(parent)
        shown = ("segmentation selector", "source selector", "switch button")
        self.settings = dict.fromkeys(shown, True)

    def setMRMLSegmentEditorNode(self, node):
        self.settings["node"] = node

    def setMRMLScene(self, scene):
        if "node" not in self.settings:
            raise RuntimeError("the Segment Editor needs its parameter node before the scene")
        self.settings["scene"] = scene

    def setSegmentationNode(self, node):
        self.settings["segmentation"] = node

    def setSourceVolumeNode(self, node):
        self.settings["source"] = node

    def setSegmentationNodeSelectorVisible(self, visible):
        self.settings["segmentation selector"] = visible

    def setSourceVolumeNodeSelectorVisible(self, visible):
        self.settings["source selector"] = visible

    def setSwitchToSegmentationsButtonVisible(self, visible):
        self.settings["switch button"] = visible

    def setMaximumNumberOfUndoStates(self, count):
        self.settings["undo"] = count

    def setActiveEffect(self, effect):
        self.settings["effect"] = effect

    def setupViewObservations(self):
        self.settings["views"] = True

    def removeViewObservations(self):
        self.settings["views"] = False

    def installKeyboardShortcuts(self):
        self.settings["shortcuts"] = True

    def uninstallKeyboardShortcuts(self):
        self.settings["shortcuts"] = False


MRML_WIDGETS = {
    cls.__name__: cls for cls in (qMRMLWidget, qMRMLNodeComboBox, qMRMLColorTableComboBox, qMRMLSegmentEditorWidget)
}
