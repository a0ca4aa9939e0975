"""Stand-in for `slicer.parameterNodeWrapper`: numbers, text and nodes as members, bound to the panel's widgets."""

import types
import typing
from dataclasses import dataclass

import slicer
import vtk


@dataclass(frozen=True)
class WithinRange:
    minimum: float
    maximum: float


class Member:
    """One annotated member of a wrapped class; reads and writes the parameter node."""

    def __init__(self, name, hint, default):
        self.type, *notes = typing.get_args(hint) if typing.get_origin(hint) is typing.Annotated else (hint,)
        self.name = name
        self.range = next((note for note in notes if isinstance(note, WithinRange)), None)
        self.is_node = issubclass(self.type, slicer.vtkMRMLNode)
        self.default = default if default is not None or self.is_node else self.type()

    def __get__(self, owner, _cls=None):
        if owner is None:
            return self
        node = owner.parameterNode
        if self.is_node:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        if self.type is bool:
            return text == "True"
        return self.type(text)

    def __set__(self, owner, value):
        node = owner.parameterNode
        if self.is_node:
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
            return
        if self.range is not None and not self.range.minimum <= value <= self.range.maximum:
            raise ValueError(f"{self.name} must be {self.range.minimum} to {self.range.maximum}, got {value}")
        node.SetParameter(self.name, str(self.type(value)))


class Wrapped:
    """The class that the decorator returns."""

    members: typing.ClassVar[dict] = {}

    def __init__(self, parameterNode):
        self.parameterNode = parameterNode
        self._links, self._last_tag, self._writing = {}, 0, False
        for name, member in self.members.items():
            if not member.is_node and not parameterNode.HasParameter(name):
                setattr(self, name, member.default)

    def connectGui(self, ui):
        """Bind every widget that names a member in SlicerParameterName; return a tag for `disconnectGui`."""
        named = [(widget.property("SlicerParameterName"), widget) for widget in vars(ui).values()]
        links = [Link(self, self.members[name], widget) for name, widget in named if name]
        self._write(links)
        observer = self.parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._write(links))
        self._last_tag += 1
        self._links[self._last_tag] = (links, observer)
        return self._last_tag

    def disconnectGui(self, tag):
        links, observer = self._links.pop(tag)
        self.parameterNode.RemoveObserver(observer)
        for link in links:
            link.close()

    def _write(self, links):
        if self._writing:
            return
        self._writing = True
        for link in links:
            link.write()
        self._writing = False


class Link:
    """A member and the widget that shows it."""

    def __init__(self, owner, member, widget):
        self._owner, self._member, self._widget = owner, member, widget
        if member.is_node:
            self._signal, self._read, self._put = widget.currentNodeChanged, widget.currentNode, widget.setCurrentNode
        elif member.type is bool:
            self._signal, self._read, self._put = widget.toggled, lambda: widget.checked, widget.setChecked
        elif member.type is str:
            self._signal, self._read, self._put = widget.textChanged, lambda: widget.text, widget.setText
        else:
            self._signal, self._read, self._put = widget.valueChanged, lambda: widget.value, widget.setValue
            if member.range is not None:
                widget.minimum, widget.maximum = member.range.minimum, member.range.maximum
        self._signal.connect(self._changed)

    def write(self):
        value = getattr(self._owner, self._member.name)
        if self._read() != value:
            self._put(value)

    def close(self):
        self._signal.disconnect(self._changed)

    def _changed(self, *_args):
        if not self._owner._writing:
            setattr(self._owner, self._member.name, self._read())


def parameterNodeWrapper(cls):
    """Replace an annotated class by one that is stored in a parameter node."""
    hints = typing.get_type_hints(cls, include_extras=True)
    members = {name: Member(name, hint, getattr(cls, name, None)) for name, hint in hints.items()}
    return type(cls.__name__, (Wrapped,), {**members, "members": members, "__doc__": cls.__doc__})


def modules():
    """Return the stand-in as a module, by name."""
    module = types.ModuleType("slicer.parameterNodeWrapper")
    module.parameterNodeWrapper, module.WithinRange = parameterNodeWrapper, WithinRange
    return {"slicer.parameterNodeWrapper": module}
