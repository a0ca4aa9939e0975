"""Slicer without its desktop: start it, open a module in it, close it again.

`slicer-core` gives the real scene, logics and views; Qt is PySide6 in PythonQt's style; CTK's and Slicer's widgets and
the base classes of scripted modules are stand-ins. With the environment variable SLICER_SOURCE_PYTHON set to
`Base/Python` of a Slicer source tree, base classes, translation and parameter nodes are Slicer's own.
"""

import gc
import importlib
import os
import sys
import time
import types
from pathlib import Path

import slicer
import slicer.util
from PySide6 import QtCore, QtWidgets

from . import core, parameter_node, pythonqt, sample_data, scripted_module, ui_loader
from .ctk_widgets import CTK_WIDGETS
from .layout import LayoutManager
from .mrml_widgets import MRML_WIDGETS

SOURCE = os.environ.get("SLICER_SOURCE_PYTHON", "")


def start():
    """Create everything that modules import and expect, once per process; return `slicer.app`."""
    if getattr(slicer, "app", None) is not None:
        return slicer.app
    application = core.start()
    qt_application = pythonqt.start_qt()
    _publish_qt()
    _give_qt_to(application, qt_application)
    if SOURCE:
        _name_all_widgets()
        slicer.__path__.append(str(Path(SOURCE) / "slicer"))
        for name in ("i18n", "ScriptedLoadableModule", "parameterNodeWrapper"):
            setattr(slicer, name, importlib.import_module(f"slicer.{name}"))
    else:
        _publish({**scripted_module.modules(), **parameter_node.modules()})
    sample_data.install()
    application._layout_manager = LayoutManager()
    return application


def open_module(path):
    """Load a scripted module and open its panel; return its widget object."""
    path = Path(path).resolve()
    name = path.stem
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    python = importlib.import_module(name)
    holder = types.SimpleNamespace(path=str(path), name=name, icon=None)
    setattr(slicer.modules, name.lower(), holder)
    getattr(python, name)(holder)
    slicer.app.finish_startup()
    widget = getattr(python, f"{name}Widget")(scripted_module.make_panel())
    setattr(slicer.modules, f"{name}Widget", widget)
    widget.setup()
    widget.enter()
    return widget


def close_module(widget):
    """Close a module as Slicer does before it unloads or reloads it; its code is imported anew the next time."""
    widget.exit()
    widget.cleanup()
    for selector in widget.parent.findChildren(MRML_WIDGETS["qMRMLNodeComboBox"]):
        selector.setMRMLScene(None)  # as its destruction does, which Qt may postpone
    widget.parent.deleteLater()
    name = type(widget).__name__.removesuffix("Widget")
    for module in [m for m in sys.modules if m == name or m.startswith(f"{name}Panel")]:
        del sys.modules[module]


def process_events(*_):
    """Process Qt's events; widgets of a closed panel are not collected meanwhile, which would end the process."""
    collects = gc.isenabled()
    gc.disable()
    try:
        QtCore.QCoreApplication.processEvents()
    finally:
        if collects:
            gc.enable()


def wait(condition, seconds=60.0, clock=time.perf_counter):
    """Process events until a condition holds; return the longest time, in s, for which they were blocked.

    Args:
        clock: `time.thread_time` counts only what this thread itself did, whatever else the machine does.

    Raises:
        TimeoutError: if that takes too long.
    """
    start, before = time.perf_counter(), clock()
    longest = 0.0
    while not condition():
        process_events()
        now = clock()
        longest, before = max(longest, now - before), now
        if time.perf_counter() - start > seconds:
            raise TimeoutError(f"still waiting after {seconds} s")
        time.sleep(0.002)
    return longest


def _publish(modules):
    for name, module in modules.items():
        sys.modules[name] = module
        setattr(slicer, name.removeprefix("slicer."), module)


def _publish_qt():
    qt = pythonqt.qt_module()
    qt.QUiLoader = ui_loader.QUiLoader
    ctk = types.ModuleType("ctk")
    vars(ctk).update(CTK_WIDGETS)
    sys.modules.update({"qt": qt, "ctk": ctk})
    vars(slicer).update(MRML_WIDGETS)
    slicer.qSlicerScriptedLoadableModule = type("qSlicerScriptedLoadableModule", (), {})


def _name_all_widgets():
    """Create empty stand-ins for widgets that Slicer's parameter nodes name but the harness lacks."""

    def find(name):
        if not name.startswith(("ctk", "qMRML", "qSlicer")):
            raise AttributeError(name)
        return type(name, (QtWidgets.QWidget,), {})

    for module in (sys.modules["ctk"], slicer):
        module.__getattr__ = find


def _give_qt_to(application, qt_application):
    application.processEvents = process_events
    application.topLevelWidgets = qt_application.topLevelWidgets
    application.setOverrideCursor = qt_application.setOverrideCursor
    application.restoreOverrideCursor = qt_application.restoreOverrideCursor
    application.settings = application.userSettings = QtCore.QSettings
