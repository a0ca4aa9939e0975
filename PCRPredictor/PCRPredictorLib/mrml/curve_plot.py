"""Curves as a plot of Slicer: a table, a series for each curve, and a chart with titles and units."""

from __future__ import annotations

from collections.abc import Sequence

from ..curves.chart import Line
from .display import CURVE_VIEW
from .exam import Node

_CHART = "BreastPCR curves"  # name of the table and beginning of the names of series
_TIME = "time"  # name of the column


def show_curves(scene: Node, lines: Sequence[Line], titles: tuple[str, str, str]) -> Node:
    """Draw curves in the plot view `CURVE_VIEW` of a scene, in the place of earlier ones, and return their chart.

    Args:
        lines: all with the same times.
        titles: of the chart, of its horizontal and of its upright axis.
    """
    chart = _find_or_add(scene, "vtkMRMLPlotChartNode", titles[0])
    chart.SetTitle(titles[0])
    chart.SetXAxisTitle(titles[1])
    chart.SetYAxisTitle(titles[2])
    table = _find_or_add(scene, "vtkMRMLTableNode", _CHART)
    _fill(table, lines)
    kept = []
    for line in lines:
        series = _find_or_add(scene, "vtkMRMLPlotSeriesNode", line.label)
        kept.append(series.GetID())
        _describe(series, table, line)
    if list(_series_of(chart)) != kept:
        chart.RemoveAllPlotSeriesNodeIDs()
        for identifier in kept:
            chart.AddAndObservePlotSeriesNodeID(identifier)
    view = scene.GetSingletonNode(CURVE_VIEW, "vtkMRMLPlotViewNode")
    if view is not None and view.GetPlotChartNodeID() != chart.GetID():
        view.SetPlotChartNodeID(chart.GetID())
    return chart


def _fill(table: Node, lines: Sequence[Line]) -> None:
    """Write times and enhancement into a table, one column per curve; it is announced once."""
    import vtk

    content = vtk.vtkTable()
    for name, values in ((_TIME, lines[0].x if lines else ()), *((line.label, line.y) for line in lines)):
        column = vtk.vtkDoubleArray()
        column.SetName(name)
        for value in values:
            column.InsertNextValue(value)
        content.AddColumn(column)
    table.SetAndObserveTable(content)


def _describe(series: Node, table: Node, line: Line) -> None:
    import slicer

    if series.GetTableNodeID() != table.GetID():
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName(_TIME)
        series.SetYColumnName(line.label)
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle)
        series.SetColor(*(int(line.colour[k : k + 2], 16) / 255 for k in (1, 3, 5)))


def _series_of(chart: Node) -> list[str]:
    return [chart.GetNthPlotSeriesNodeID(k) for k in range(chart.GetNumberOfPlotSeriesNodes())]


def _find_or_add(scene: Node, class_name: str, name: str) -> Node:
    found = scene.GetFirstNode(name, class_name)
    if found is None:
        found = scene.AddNewNodeByClass(class_name, name)
        found.SetSaveWithScene(False)
    return found
