"""Slicer's plot charts, filled from `PCRTrainingLib.charts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import cycle
from typing import Any

import slicer
from PCRPredictorLib.mrml.layouts import show_layout

_COLOURS = ((0.12, 0.47, 0.71), (0.85, 0.37, 0.01), (0.11, 0.62, 0.47), (0.46, 0.44, 0.70), (0.60, 0.60, 0.60))


def plot_charts(charts: Iterable[Any]) -> dict[str, Any]:
    """Put charts into the scene, in place of those of the same titles.

    Args:
        charts: `PCRTrainingLib.charts.Chart`.

    Returns:
        The chart nodes by the names of their views.
    """
    nodes = {}
    for chart in charts:
        node = nodes[f"PCR{chart.key}"] = _find_or_add("vtkMRMLPlotChartNode", chart.title)
        node.SetTitle(chart.title)
        node.SetXAxisTitle(chart.x)
        node.SetYAxisTitle(chart.y)
        for (name, points), colour in zip(chart.curves.items(), cycle(_COLOURS), strict=False):
            _plot(node, name, points, colour)
    return nodes


def show_charts(layout_id: int, charts: Mapping[str, Any]) -> None:
    """Show charts below each other.

    Args:
        layout_id: a number that no other layout has.
        charts: chart nodes by the names of their views.
    """
    titles = {name: chart.GetTitle() for name, chart in charts.items()}
    show_layout(slicer.mrmlScene, layout_id, describe_layout(titles))
    for name, chart in charts.items():
        view = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLPlotViewNode")
        if view is not None:
            view.SetPlotChartNodeID(chart.GetID())


def _plot(chart: Any, name: str, points: Sequence[tuple[float, float]], colour: Sequence[float]) -> None:
    """Add a curve to a chart, or replace its points."""
    import vtk

    label = f"{chart.GetName()}: {name}"
    table = _find_or_add("vtkMRMLTableNode", label)
    table.RemoveAllColumns()
    for title, values in zip(("x", name), zip(*points, strict=True), strict=True):
        column = vtk.vtkDoubleArray()
        column.SetName(title)
        for value in values:
            column.InsertNextValue(value)
        table.AddColumn(column)
    table.Modified()
    series = _find_series(chart, table)
    series.SetName(name)  # which Slicer writes into the legend
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("x")
    series.SetYColumnName(name)
    series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
    series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
    series.SetColor(*colour)
    if not chart.HasPlotSeriesNodeID(series.GetID()):
        chart.AddAndObservePlotSeriesNodeID(series.GetID())


def _find_series(chart: Any, table: Any) -> Any:
    """Return the series of a chart that shows a table, added if there is none."""
    shown = [chart.GetNthPlotSeriesNode(k) for k in range(chart.GetNumberOfPlotSeriesNodes())]
    found = [series for series in shown if series is not None and series.GetTableNode() is table]
    return found[0] if found else slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode")


def describe_layout(titles: Mapping[str, str]) -> str:
    """Return a layout of plot views below each other, in Slicer's XML.

    Args:
        titles: that the views show, by their names.
    """
    plots = "".join(
        f'<item><view class="vtkMRMLPlotViewNode" singletontag="{name}"><property name="viewlabel" action="default">'
        f"{escape(title)}</property></view></item>"
        for name, title in titles.items()
    )
    return f'<layout type="vertical">{plots}</layout>'


def _find_or_add(class_name: str, name: str) -> Any:
    """Return the node of the scene with this class and name, added if there is none."""
    nodes = [node for node in slicer.util.getNodesByClass(class_name) if node.GetName() == name]
    return nodes[0] if nodes else slicer.mrmlScene.AddNewNodeByClass(class_name, name)
