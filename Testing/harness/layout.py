"""The layout manager: creates the views of the layout node, from the same descriptions as the desktop."""

import types
import xml.etree.ElementTree as ElementTree

import slicer
import vtk

from .plots import PlotView
from .views import SliceView, SpaceView

_SLICE = (
    '<item><view class="vtkMRMLSliceNode" singletontag="{}"><property name="orientation">{}</property>'
    '<property name="viewcolor">{}</property></view></item>'
)
_SPACE = '<item><view class="vtkMRMLViewNode" singletontag="1"/></item>'
_ROW = '<item><layout type="horizontal">{}</layout></item>'
_UPPER = _ROW.format(_SLICE.format("Red", "Axial", "#F34A33") + _SPACE)
_LOWER = _ROW.format(_SLICE.format("Green", "Coronal", "#6EB04B") + _SLICE.format("Yellow", "Sagittal", "#EDD54C"))
_FOUR_UP = f'<layout type="vertical">{_UPPER}{_LOWER}</layout>'


class LayoutManager:
    """`slicer.app.layoutManager()`, over off-screen views."""

    def __init__(self, size=(480, 400)):
        self._size = size
        self.views = {}  # by name, in the order of creation
        self.shown = []  # names, in the rows of the window
        self._node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
        self._node.AddObserver("ModifiedEvent", lambda *_: self._arrange())
        slicer.mrmlScene.AddObserver(slicer.vtkMRMLScene.EndCloseEvent, lambda *_: self._begin())
        self._begin()

    def sliceViewNames(self):
        return [name for name, view in self.views.items() if isinstance(view, SliceView)]

    def mrmlSliceLogics(self):
        logics = vtk.vtkCollection()
        for name in self.sliceViewNames():
            logics.AddItem(self.views[name].logic)
        return logics

    def sliceWidget(self, name):
        view = self.views[name]
        return types.SimpleNamespace(
            sliceLogic=lambda: view.logic,
            sliceView=lambda: view,
            mrmlSliceNode=lambda: view.node,
            mrmlSliceCompositeNode=lambda: view.composite,
        )

    def setLayout(self, layout):
        self._node.SetViewArrangement(layout)

    def close(self):
        """Release all windows."""
        for view in self.views.values():
            view.close()
        self.views.clear()

    def _begin(self):
        """Set the layout of a new scene."""
        four_up = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
        if not self._node.IsLayoutDescription(four_up):
            self._node.AddLayoutDescription(four_up, _FOUR_UP)
        self._node.SetViewArrangement(four_up)
        self._arrange()

    def _arrange(self):
        description = self._node.GetLayoutDescription(self._node.GetViewArrangement())
        if not description:  # a number that nobody has registered: the view area stays empty
            self.shown = []
            return
        root = ElementTree.fromstring(description)
        rows = root.findall("item") if root.get("type") == "vertical" else [root]
        self.shown = [[view.get("singletontag") for view in row.iter("view")] for row in rows]
        for view in root.iter("view"):
            if view.get("singletontag") not in self.views:
                self._add(view)

    def _add(self, element):
        name, application = element.get("singletontag"), slicer.app.applicationLogic()
        if element.get("class") == "vtkMRMLViewNode":
            self.views[name] = SpaceView(application, slicer.mrmlScene, name, self._size)
            return
        if element.get("class") == "vtkMRMLPlotViewNode":
            self.views[name] = PlotView(slicer.mrmlScene, name, self._size)
            return
        view = self.views[name] = SliceView(application, slicer.mrmlScene, name, self._size)
        view.node.SetOrientation(element.findtext("property[@name='orientation']") or "Axial")
        colour = element.findtext("property[@name='viewcolor']")
        if colour:
            view.node.SetLayoutColor(*(int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)))
