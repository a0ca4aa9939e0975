"""Charts of a run in Slicer's plot views."""

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRTrainingLib.charts import Chart


def test_plots_have_titles_units_and_legends_that_a_reader_understands(training_panel):
    from PCRTrainingPanel.plot_charts import plot_charts, show_charts

    curves = {"step1": [(1.0, 0.7), (2.0, 0.6)], "step2": [(1.0, 0.5)]}
    drawn = [Chart(key, key, "Epoch", f"{key} (unit)", curves) for key in ("Loss", "Attention")]
    for _ in range(2):  # the second time nothing is added
        nodes = plot_charts(drawn)
        show_charts(5299, nodes)
    for chart in nodes.values():
        count = chart.GetNumberOfPlotSeriesNodes()
        assert [chart.GetNthPlotSeriesNode(k).GetName() for k in range(count)] == ["step1", "step2"]
        assert chart.GetYAxisTitle() == f"{chart.GetTitle()} (unit)"
    layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    described = layout.GetLayoutDescription(5299)
    assert [f">{title}</property>" in described for title in ("Loss", "Attention", "PCRLoss")] == [True, True, False]
