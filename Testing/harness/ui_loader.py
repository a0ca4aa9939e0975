"""Loads `.ui` files with the stand-ins in place of CTK's and Slicer's widgets."""

import xml.etree.ElementTree as ElementTree

from PySide6 import QtCore, QtUiTools, QtWidgets

from .ctk_widgets import CTK_WIDGETS
from .mrml_widgets import MRML_WIDGETS


class QUiLoader(QtUiTools.QUiLoader):
    """`qt.QUiLoader`; a widget without a stand-in is an error, not a gap in the panel."""

    def createWidget(self, class_name, parent=None, name=""):
        cls = CTK_WIDGETS.get(class_name) or MRML_WIDGETS.get(class_name)
        if cls is None:
            if class_name.startswith(("ctk", "qMRML", "qSlicer")):
                raise NotImplementedError(f"the harness has no stand-in for {class_name} ({name})")
            return super().createWidget(class_name, parent, name)
        widget = cls(parent)
        widget.setObjectName(name)
        self.__dict__.setdefault("_made", []).append(widget)
        return widget

    def load(self, file, parent=None):
        """Return the widget of a `.ui` file; connect it by name, since Qt does not know MRML's types."""
        root = ElementTree.fromstring(bytes(file.readAll()))
        names = ("sender", "signal", "receiver", "slot")
        links = [[link.findtext(name) for name in names] for link in root.iter("connection")]
        for connections in root.findall("connections"):
            root.remove(connections)
        for widget in root.iter("widget"):  # Qt does not know the flags of CTK's enumerations
            for flags in [p for p in widget.findall("property") if "ctk" in (p.findtext("set") or "")]:
                widget.remove(flags)
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(root))
        buffer.open(QtCore.QBuffer.ReadOnly)
        panel = super().load(buffer, parent)
        panel._made = self.__dict__.get("_made", [])  # the Python objects must live as long as the panel
        for sender, signal, receiver, slot in links:
            source, target = (_find(panel, name) for name in (sender, receiver))
            getattr(source, signal.split("(")[0]).connect(getattr(target, slot.split("(")[0]))
        return panel


def _find(panel, name):
    return panel if panel.objectName == name else panel.findChild(QtWidgets.QWidget, name)
