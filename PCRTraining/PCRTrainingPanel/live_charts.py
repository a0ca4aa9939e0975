"""Slicer's plot charts of a run: loss, validation AUC and attention inside the tumour, a curve a step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import Any

import slicer
from slicer.i18n import tr as _

TITLES = {
    "loss": _("Loss"),
    "validation_auc": _("Validation AUC"),
    "attention_in_tumour": _("Attention inside the tumour"),
}
COLOURS = ((0.12, 0.47, 0.71), (0.85, 0.37, 0.01), (0.11, 0.62, 0.47), (0.46, 0.44, 0.70), (0.60, 0.60, 0.60))
LAYOUT = 5208  # of our own; see PCRPredictorLib.mrml_display
_VIEWS = {"loss": "PCRLoss", "validation_auc": "PCRValidation", "attention_in_tumour": "PCRAttention"}

Curves = Mapping[str, Mapping[str, Sequence[float | None]]]


class LiveCharts:
    """Tables, series and charts in the scene; made when there is something to show, and used again."""

    def fill(self, curves: Curves) -> None:
        """Put the curves, step to quantity to value of each epoch, into the charts."""
        for quantity, title in TITLES.items():
            for step, colour in zip(curves, cycle(COLOURS), strict=False):
                values = curves[step][quantity]
                points = [(float(epoch + 1), value) for epoch, value in enumerate(values) if value is not None]
                if points:
                    chart = find_or_add("vtkMRMLPlotChartNode", title)
                    name_axes(chart, _("Epoch"), title)
                    plot(chart, step, points, colour)

    def show(self) -> None:
        """Show the charts that there are in a layout of their own."""
        charts = {_VIEWS[quantity]: find("vtkMRMLPlotChartNode", title) for quantity, title in TITLES.items()}
        show_charts(LAYOUT, {view: chart for view, chart in charts.items() if chart is not None})


def show_charts(layout_id: int, charts: Mapping[str, Any]) -> None:
    """Show charts below each other.

    Args:
        layout_id: of our own.
        charts: name of the view to chart node.
    """
    layout, description = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode"), describe_layout(charts)
    if layout.IsLayoutDescription(layout_id):
        layout.SetLayoutDescription(layout_id, description)
    else:
        layout.AddLayoutDescription(layout_id, description)
    layout.SetViewArrangement(layout_id)
    for name, chart in charts.items():
        view = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLPlotViewNode")
        if view is not None:
            view.SetPlotChartNodeID(chart.GetID())


def name_axes(chart: Any, x: str, y: str) -> None:
    """Title and axes of a chart."""
    chart.SetTitle(chart.GetName())
    chart.SetXAxisTitle(x)
    chart.SetYAxisTitle(y)


def plot(chart: Any, name: str, points: Sequence[tuple[float, float]], colour: Sequence[float]) -> None:
    """A curve in a chart: added, or given other points."""
    import vtk

    label = f"{chart.GetName()}: {name}"
    table = find_or_add("vtkMRMLTableNode", label)
    table.RemoveAllColumns()
    for title, values in zip(("x", name), zip(*points, strict=True), strict=True):
        column = vtk.vtkDoubleArray()
        column.SetName(title)
        for value in values:
            column.InsertNextValue(value)
        table.AddColumn(column)
    table.Modified()
    series = find_or_add("vtkMRMLPlotSeriesNode", label)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("x")
    series.SetYColumnName(name)
    series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
    series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
    series.SetColor(*colour)
    if not chart.HasPlotSeriesNodeID(series.GetID()):
        chart.AddAndObservePlotSeriesNodeID(series.GetID())


def describe_layout(names: Iterable[str]) -> str:
    """Plot views below each other, as Slicer's layouts are written."""
    plots = "".join(
        f'<item><view class="vtkMRMLPlotViewNode" singletontag="{name}"><property name="viewlabel" action="default">'
        f"{name}</property></view></item>"
        for name in names
    )
    return f'<layout type="vertical">{plots}</layout>'


def find(class_name: str, name: str) -> Any:
    """The node of the scene with a class and a name, None without one."""
    nodes = [node for node in slicer.util.getNodesByClass(class_name) if node.GetName() == name]
    return nodes[0] if nodes else None


def find_or_add(class_name: str, name: str) -> Any:
    """The same, made where there is none."""
    return find(class_name, name) or slicer.mrmlScene.AddNewNodeByClass(class_name, name)
