"""PySide6 in the style of PythonQt, Slicer's own binding.

Qt properties are attributes (`widget.enabled = False`, `widget.text` without brackets), signals are connected by their
signature (`button.connect("clicked(bool)", f)`). PythonQt refuses to set an attribute that Qt does not have; PySide6
cannot be made to, so `stray_attributes` finds them afterwards.
"""

import inspect
import os
import sys
import tempfile
import types

from pydantic import TypeAdapter as _TypeAdapter  # noqa: F401  PySide6's import hook trips over pydantic's, if first

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
from PySide6 import QtCore, QtGui, QtTest, QtWidgets

_PLAIN_GET = QtCore.QObject.__getattribute__
_NO_PROPERTY = (  # getters that Qt itself calls would recurse as properties; QTimer.singleShot is also a function
    "sizeHint",
    "minimumSizeHint",
    "singleShot",
)
_STYLE = QtWidgets.QStyle.PixelMetric
_MARGINS = (_STYLE.PM_LayoutLeftMargin, _STYLE.PM_LayoutTopMargin, _STYLE.PM_LayoutRightMargin)
_MARGINS += (_STYLE.PM_LayoutBottomMargin,)
_SPACINGS = (_STYLE.PM_LayoutHorizontalSpacing, _STYLE.PM_LayoutVerticalSpacing)
_patched = False


def start_qt():
    """Return the Qt application; adapt PySide6's classes to PythonQt once per process."""
    global _patched
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
    if not _patched:
        application.setStyle(SlicerStyle("Fusion"))
        _patch()
        _patched = True
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.IniFormat)
        folder = tempfile.mkdtemp(prefix="slicer-settings-")
        QtCore.QSettings.setPath(QtCore.QSettings.IniFormat, QtCore.QSettings.UserScope, folder)
        QtCore.QCoreApplication.setOrganizationName("harness")
        QtCore.QCoreApplication.setApplicationName("Slicer")
    return application


class SlicerStyle(QtWidgets.QProxyStyle):
    """The margins and spacings of qSlicerStyle, by which panels are narrower than in plain Qt."""

    def pixelMetric(self, metric, option=None, widget=None):
        if metric in _MARGINS:
            return 4 if isinstance(widget, QtWidgets.QWidget) and widget.inherits("ctkCollapsibleButton") else 6
        return 3 if metric in _SPACINGS else super().pixelMetric(metric, option, widget)


def qt_module():
    """Return the module `qt`."""
    module = types.ModuleType("qt")
    for part in (QtCore, QtGui, QtWidgets, QtTest):
        vars(module).update({name: getattr(part, name) for name in dir(part) if not name.startswith("_")})
    return module


def stray_attributes(panel):
    """Return attributes that a panel has set on widgets but that Qt lacks, as "widget.attribute"."""
    return [
        f"{widget.objectName or type(widget).__name__}.{name}"
        for widget in panel.findChildren(QtWidgets.QWidget)
        if type(widget).__module__.startswith("PySide6")
        for name in widget.__dict__
        if not name.startswith("_") and not hasattr(type(widget), name)
    ]


def signal_of(sender, signature):
    """Return the signal of a signature such as "clicked(bool)".

    Raises:
        ValueError: if the sender has none of that name and arguments.
    """
    name, _, arguments = signature.partition("(")
    signal = getattr(sender, name, None)
    if not hasattr(signal, "connect"):
        raise ValueError(f"{type(sender).__name__} has no signal {signature}")
    meta = sender.metaObject()
    known = [
        bytes(meta.method(k).methodSignature()).decode()
        for k in range(meta.methodCount())
        if meta.method(k).methodType() == QtCore.QMetaMethod.Signal
    ]
    own = [s for s in known if s.split("(")[0] == name]
    if type(sender).__module__.startswith("PySide6") and signature not in own:
        raise ValueError(f"{type(sender).__name__} has no signal {signature}, only {', '.join(own)}")
    return _overload(signal, arguments.rstrip(")"))


def _overload(signal, arguments):
    try:
        return signal[arguments] if arguments in ("int", "bool", "double", "QString") else signal
    except (KeyError, IndexError, TypeError):
        return signal


def _patch():
    seen = set()
    for part in (QtCore, QtGui, QtWidgets):
        for cls in [getattr(part, name) for name in dir(part)]:
            if isinstance(cls, type) and issubclass(cls, QtCore.QObject) and cls not in seen:
                seen.add(cls)
                _make_properties(cls)
    for cls in (QtWidgets.QLayout, QtWidgets.QWidget):  # an empty layout is false in PythonQt, a full one is true
        cls.__bool__ = _refuse_truth
    QtCore.QObject.name = property(lambda self: self.objectName, lambda self, name: self.setObjectName(name))
    QtCore.QObject.className = lambda self: self.metaObject().className()
    # PySide6 resolves "connect" by itself: a method of that name on the class is not enough.
    QtCore.QObject.__getattribute__ = _get


def _refuse_truth(self):
    if sys._getframe(1).f_globals.get("__name__", "").startswith(("slicer.", "PySide6")):  # their own code
        return True
    raise TypeError(f"the truth of a {type(self).__name__} differs between bindings; compare it with None")


def _make_properties(cls):
    meta = cls.staticMetaObject
    for k in range(meta.propertyOffset(), meta.propertyCount()):
        name = meta.property(k).name()
        if name not in _NO_PROPERTY and not isinstance(inspect.getattr_static(cls, name, None), property):
            setattr(cls, name, _property(cls, name))


def _property(cls, name):
    getter = inspect.getattr_static(cls, name, None)
    setter = getattr(cls, "set" + name[0].upper() + name[1:], None)

    def get(self):
        return getter(self) if callable(getter) else self.property(name)

    def put(self, value):
        if setter is not None:
            setter(self, value)
        elif not self.setProperty(name, value):
            raise AttributeError(f"{cls.__name__}.{name} cannot be written")

    return property(get, put)


def _get(self, name):
    if name == "connect":
        plain = _PLAIN_GET(self, name)  # which Qt's own functions, such as QTimer.singleShot, call
        return lambda signal, *to: _connect(self, signal, *to) if isinstance(signal, str) else plain(signal, *to)
    if name == "disconnect":
        return types.MethodType(_disconnect, self)
    return _PLAIN_GET(self, name)


def _connect(self, signature, *receiver):
    """Connect as in connect(signature, function) or connect(signature, object, "slot()")."""
    function = receiver[0] if len(receiver) == 1 else getattr(receiver[0], receiver[1].split("(")[0])
    slot = _as_many_as_taken(function)
    signal_of(self, signature).connect(slot)
    self.__dict__.setdefault("_links", []).append((signature, function, slot))
    return True


def _disconnect(self, signature, function=None, *_slot):
    links = self.__dict__.get("_links", [])
    for link in [link for link in links if link[0] == signature and function in (None, link[1])]:
        signal_of(self, signature).disconnect(link[2])
        links.remove(link)
    return True


def _as_many_as_taken(function):
    """Pass only as many arguments as a function accepts, as PythonQt does."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return function
    if any(p.kind == p.VAR_POSITIONAL for p in parameters):
        return function
    count = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    return lambda *arguments: function(*arguments[:count])
