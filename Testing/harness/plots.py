"""A stand-in for Slicer's plot view, which is part of its desktop: draws the chart of a plot view node with VTK."""

import vtk


class PlotView:
    """The plot view of a name; its node is found in the scene or created."""

    def __init__(self, scene, name, size=(480, 400)):
        import slicer

        self._scene, self._size = scene, size
        self.node = scene.GetSingletonNode(name, "vtkMRMLPlotViewNode")
        if self.node is None:
            node = slicer.vtkMRMLPlotViewNode()
            node.SetSingletonTag(name)
            node.SetLayoutName(name)
            node.SetName(name)
            self.node = scene.AddNode(node)

    def resize(self, size):
        """Draw the next picture with these many columns and rows, so that its letters are not stretched."""
        self._size = size

    def pixels(self):
        """Return the picture of the view, RGB, uint8 (rows, columns, 3)."""
        from vtk.util.numpy_support import vtk_to_numpy

        view, chart = vtk.vtkContextView(), vtk.vtkChartXY()
        window = view.GetRenderWindow()
        window.SetOffScreenRendering(1)
        window.SetMultiSamples(0)
        window.SetSize(*self._size)
        view.GetRenderer().SetBackground(1, 1, 1)
        view.GetScene().AddItem(chart)
        self._draw(chart)
        window.Render()
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(window)
        grabber.ReadFrontBufferOff()
        grabber.SetInputBufferTypeToRGB()
        grabber.Update()
        columns, rows, _ = grabber.GetOutput().GetDimensions()
        scalars = grabber.GetOutput().GetPointData().GetScalars()
        pixels = vtk_to_numpy(scalars).reshape(rows, columns, 3)[::-1].copy()
        window.Finalize()
        return pixels

    def close(self):
        """Do nothing: no window is kept."""

    def _draw(self, chart):
        described = self.node.GetPlotChartNode()
        if described is None:
            return
        chart.SetTitle(described.GetTitle())
        chart.SetShowLegend(True)
        chart.GetAxis(vtk.vtkAxis.BOTTOM).SetTitle(described.GetXAxisTitle())
        chart.GetAxis(vtk.vtkAxis.LEFT).SetTitle(described.GetYAxisTitle())
        for k in range(described.GetNumberOfPlotSeriesNodes()):
            series = described.GetNthPlotSeriesNode(k)
            line = chart.AddPlot(vtk.vtkChart.LINE)
            line.SetInputData(series.GetTableNode().GetTable(), series.GetXColumnName(), series.GetYColumnName())
            line.SetColor(*(int(255 * c) for c in series.GetColor()), 255)
            line.SetWidth(2)
            line.SetLabel(series.GetName() or series.GetYColumnName())  # as qMRMLPlotView
