"""Slicer's views without a desktop: its own slice logic and displayable managers, rendered off screen.

Needs an OpenGL library; without one VTK ends the process, so ask `PCRPredictorView.opengl` first.
"""

import os

os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
SLICE_MANAGERS = (
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLScalarBarDisplayableManager",
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
)
SPACE_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLVolumeRenderingDisplayableManager",
)


class View:
    """A window for the displayable managers of one node."""

    def __init__(self, application, size, factory, names):
        import slicer
        import vtk

        self.renderer, self.window = vtk.vtkRenderer(), vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.SetSize(*size)
        self.window.AddRenderer(self.renderer)
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(self.window)
        factory.SetMRMLApplicationLogic(application)
        for name in names:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self.group = slicer.vtkMRMLDisplayableManagerGroup()
        self.group.SetRenderer(self.renderer)
        self.group.Initialize(factory, self.renderer)

    def pixels(self):
        """Return the picture of the view, RGB, uint8 (rows, columns, 3)."""
        import vtk
        from vtk.util.numpy_support import vtk_to_numpy

        self.window.Render()
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(self.window)
        grabber.ReadFrontBufferOff()
        grabber.SetInputBufferTypeToRGB()
        grabber.Update()
        image = grabber.GetOutput()
        columns, rows, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, 3)[::-1].copy()

    def close(self):
        """Release the managers and the window."""
        self.group.SetMRMLDisplayableNode(None)
        self.window.Finalize()


class SliceView(View):
    """The slice view of a name such as "Red"; its nodes are found in the scene or created."""

    def __init__(self, application, scene, name, size=(480, 480)):
        import slicer
        import vtk

        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        super().__init__(application, size, factory, SLICE_MANAGERS)
        self.renderer.GetActiveCamera().ParallelProjectionOn()
        self._mapper, self._actor = vtk.vtkImageMapper(), vtk.vtkActor2D()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._actor.SetMapper(self._mapper)
        self._actor.GetProperty().SetDisplayLocationToBackground()
        self._actor.VisibilityOff()
        self.renderer.AddViewProp(self._actor)
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(application)
        application.GetSliceLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(scene)
        if scene.GetSingletonNode(name, "vtkMRMLSliceNode") is None:
            self.logic.AddSliceNode(name)
        else:
            self.logic.SetSliceNode(scene.GetSingletonNode(name, "vtkMRMLSliceNode"))
            self.logic.SetSliceCompositeNode(scene.GetSingletonNode(name, "vtkMRMLSliceCompositeNode"))
        self.node, self.composite = self.logic.GetSliceNode(), self.logic.GetSliceCompositeNode()
        self.logic.ResizeSliceNode(*size)
        self.group.SetMRMLDisplayableNode(self.node)

    def pixels(self):
        self.logic.UpdatePipeline()
        connection = self.logic.GetImageDataConnection()
        self._mapper.SetInputConnection(connection)
        self._actor.SetVisibility(connection is not None)
        return super().pixels()

    def displayableManagerByClassName(self, name):
        return self.group.GetDisplayableManagerByClassName(name)

    def position_of(self, ras):
        """Return row and column of a point projected onto the view."""
        import vtk

        to_xy = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.node.GetXYToRAS(), to_xy)
        x, y, _, _ = to_xy.MultiplyPoint((*ras, 1))
        return self.window.GetSize()[1] - 1 - y, x


class SpaceView(View):
    """A 3D view."""

    def __init__(self, application, scene, name="1", size=(480, 480)):
        import slicer

        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        super().__init__(application, size, factory, SPACE_MANAGERS)
        self.logic = slicer.vtkMRMLViewLogic()
        self.logic.SetMRMLApplicationLogic(application)
        application.GetViewLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(scene)
        self.node = scene.GetSingletonNode(name, "vtkMRMLViewNode") or self.logic.AddViewNode(name)
        self.group.SetMRMLDisplayableNode(self.node)

    def pixels(self):
        self.renderer.ResetCameraClippingRange()
        return super().pixels()


def render_slice(scene, name, size=(480, 480)):
    """Return RGB pixels, uint8 (rows, columns, 3), of a slice view of a scene that was read from a file."""
    return _render(SliceView(_application(scene), scene, name, size))


def render_space(scene, name="1", size=(480, 480)):
    """Return RGB pixels, uint8 (rows, columns, 3), of the 3D view of such a scene."""
    return _render(SpaceView(_application(scene), scene, name, size))


def _render(view):
    pixels = view.pixels()
    view.close()
    return pixels


def _application(scene):
    """Return the application logic of a scene, with the nodes that the desktop always has."""
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
