"""Slicer's views without a desktop: its own slice logic and displayable managers, rendered off screen.

Needs an OpenGL library; without one VTK ends the process, so ask `opengl_missing` first.
"""

import ctypes
import os

os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
_SLICE_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLColorLegendDisplayableManager",
)
_SPACE_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
)


def opengl_missing() -> str:
    """Which library is missing for rendering off screen, "" if none is."""
    for library in ("libEGL.so.1", "libGL.so.1"):
        try:
            ctypes.CDLL(library)
        except OSError:
            return library
    return ""


def render_slice(scene, name, size=(480, 480)):
    """RGB pixels, uint8 (rows, columns, 3), of the slice view that the scene holds under a name such as "Red"."""
    import slicer
    import vtk

    application = _application(scene)
    renderer, window = _window(size)
    renderer.GetActiveCamera().ParallelProjectionOn()
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(application)
    application.GetSliceLogics().AddItem(logic)
    logic.SetMRMLScene(scene)
    logic.SetSliceNode(scene.GetSingletonNode(name, "vtkMRMLSliceNode"))
    logic.SetSliceCompositeNode(scene.GetSingletonNode(name, "vtkMRMLSliceCompositeNode"))
    logic.ResizeSliceNode(*size)
    factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
    group = _managers(factory, _SLICE_MANAGERS, application, renderer)
    group.SetMRMLDisplayableNode(logic.GetSliceNode())
    logic.UpdatePipeline()
    mapper, actor = vtk.vtkImageMapper(), vtk.vtkActor2D()
    mapper.SetInputConnection(logic.GetImageDataConnection())
    mapper.SetColorWindow(255)
    mapper.SetColorLevel(127.5)
    actor.SetMapper(mapper)
    actor.GetProperty().SetDisplayLocationToBackground()
    renderer.AddViewProp(actor)
    return _grab(window, group)


def render_space(scene, name="1", size=(480, 480)):
    """RGB pixels, uint8 (rows, columns, 3), of the scene's 3D view."""
    import slicer

    renderer, window = _window(size)
    factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
    group = _managers(factory, _SPACE_MANAGERS, _application(scene), renderer)
    group.SetMRMLDisplayableNode(scene.GetSingletonNode(name, "vtkMRMLViewNode"))
    renderer.ResetCameraClippingRange()
    return _grab(window, group)


def _application(scene):
    """Application logic of a scene, with the nodes that the desktop always has."""
    import slicer
    import vtk

    application = slicer.vtkSlicerApplicationLogic()
    application.SetMRMLScene(scene)
    application.SetSliceLogics(vtk.vtkCollection())
    application.SetViewLogics(vtk.vtkCollection())
    for name in ("vtkMRMLInteractionNode", "vtkMRMLCrosshairNode"):
        if scene.GetFirstNodeByClass(name) is None:
            scene.AddNewNodeByClass(name)
    return application


def _window(size):
    import vtk

    renderer, window = vtk.vtkRenderer(), vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(*size)
    window.AddRenderer(renderer)
    interactor = vtk.vtkRenderWindowInteractor()
    interactor.SetRenderWindow(window)
    window.interactor = interactor  # lives as long as the window
    return renderer, window


def _managers(factory, names, application, renderer):
    import slicer

    factory.SetMRMLApplicationLogic(application)
    for name in names:
        if not factory.IsDisplayableManagerRegistered(name):
            factory.RegisterDisplayableManager(name)
    group = slicer.vtkMRMLDisplayableManagerGroup()
    group.SetRenderer(renderer)
    group.Initialize(factory, renderer)
    return group


def _grab(window, group):
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
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, 3)[::-1].copy()
    group.SetMRMLDisplayableNode(None)
    window.Finalize()
    return pixels
