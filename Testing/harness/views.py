"""Slice views without a desktop: Slicer's own slice logic and displayable managers, rendered off screen.

Needs an OpenGL library; without one VTK ends the process, so ask `opengl_missing` first.
"""

from __future__ import annotations

import ctypes
import os

import numpy as np

os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
_MANAGERS = ("vtkMRMLVolumeGlyphSliceDisplayableManager", "vtkMRMLSegmentationsDisplayableManager2D")


def opengl_missing() -> str:
    """Which library is missing for off-screen rendering, or "" if none is."""
    for library in ("libEGL.so.1", "libGL.so.1"):
        try:
            ctypes.CDLL(library)
        except OSError:
            return library
    return ""


def render_slice(scene, application, view, size=(480, 480)) -> np.ndarray:
    """RGB pixels, (rows, columns, 3) uint8, of a slice view as the scene has set it.

    Args:
        scene: an MRML scene.
        application: its application logic.
        view: "Red", "Green" or "Yellow".
    """
    import slicer
    import vtk

    for name in ("vtkMRMLInteractionNode", "vtkMRMLCrosshairNode"):  # the application always has them
        scene.AddNode(getattr(slicer, name)())
    if application.GetSliceLogics() is None:
        application.SetSliceLogics(vtk.vtkCollection())
    renderer, window = vtk.vtkRenderer(), vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(*size)
    window.AddRenderer(renderer)
    renderer.GetActiveCamera().ParallelProjectionOn()
    interactor = vtk.vtkRenderWindowInteractor()
    interactor.SetRenderWindow(window)
    group = _manager_group(application, renderer)
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(application)
    application.GetSliceLogics().AddItem(logic)
    logic.SetMRMLScene(scene)
    node = logic.AddSliceNode(f"{view} off screen")  # a slice logic makes its own nodes; they take the view's state
    group.SetMRMLDisplayableNode(node)
    logic.ResizeSliceNode(*size)
    _copy_view(scene, view, node, logic.GetSliceCompositeNode())
    logic.UpdatePipeline()
    mapper, actor = vtk.vtkImageMapper(), vtk.vtkActor2D()
    mapper.SetInputConnection(logic.GetImageDataConnection())
    mapper.SetColorWindow(255)
    mapper.SetColorLevel(127.5)
    actor.SetMapper(mapper)
    actor.GetProperty().SetDisplayLocationToBackground()
    renderer.AddViewProp(actor)
    pixels = _grab(window)
    group.SetMRMLDisplayableNode(None)
    window.Finalize()
    return pixels


def _manager_group(application, renderer):
    import slicer

    factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
    factory.SetMRMLApplicationLogic(application)
    for name in _MANAGERS:
        if not factory.IsDisplayableManagerRegistered(name):
            factory.RegisterDisplayableManager(name)
    group = slicer.vtkMRMLDisplayableManagerGroup()
    group.SetRenderer(renderer)
    group.Initialize(factory, renderer)
    return group


def _copy_view(scene, view, node, composite) -> None:
    saved = scene.GetSingletonNode(view, "vtkMRMLSliceNode")
    shown = scene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")
    node.GetSliceToRAS().DeepCopy(saved.GetSliceToRAS())
    node.SetFieldOfView(*saved.GetFieldOfView())
    node.UpdateMatrices()
    composite.SetBackgroundVolumeID(shown.GetBackgroundVolumeID())
    composite.SetForegroundVolumeID(shown.GetForegroundVolumeID())
    composite.SetForegroundOpacity(shown.GetForegroundOpacity())


def _grab(window) -> np.ndarray:
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    window.Render()
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(window)
    grabber.ReadFrontBufferOff()
    grabber.SetInputBufferTypeToRGB()
    grabber.Update()
    image = grabber.GetOutput()
    columns, rows, _ = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, 3)[::-1].copy()
