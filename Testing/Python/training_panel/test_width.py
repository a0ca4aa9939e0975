"""PCR Training in Slicer's module panel, 420 pixels wide."""

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")

NUMBERS = ("auc", "sensitivity", "specificity", "brier", "attention_in_tumour")
SECTIONS = ("cohort", "review", "settings", "run", "results", "adapt")


def test_panel_and_tables_fit_without_horizontal_scrolling(training_panel):
    from harness.desk import ModulePanel
    from PySide6 import QtWidgets

    frame, results = ModulePanel(training_panel.parent), training_panel.results
    for name in SECTIONS:
        getattr(training_panel.ui, f"{name}Section").collapsed = False
    number = {"value": 0.7, "low": 0.6, "high": 0.8}
    results._models = [{"name": "step3", "cohort": "held out"} | dict.fromkeys(NUMBERS, number)]
    results._fill_table()
    row = {
        "event": "checked",
        "patient_id": "HOSPITAL_A_0001",
        "label": "1",
        "site": "A",
        "phases": 3,
        "mask": "expert",
    }
    training_panel.cohort._add_row(row | {"reviewed": "Dr. A 2026-11-27", "problem": "has no mask; add one. " * 5})
    training_panel.cohort._table.finish(sortable=True)
    frame.resize(420, 760)
    frame.show()
    for _ in range(6):
        QtWidgets.QApplication.processEvents()
    assert training_panel.parent.width <= 420
    for table in (training_panel.ui.resultsTable, training_panel.ui.cohortTable):
        assert table.horizontalHeader().length() <= table.viewport().width
        assert table.rowHeight(0) > 40  # its texts are on several lines
    assert training_panel.ui.cohortTable.columnWidth(0) >= training_panel.ui.cohortTable.sizeHintForColumn(0)
    frame.takeWidget()
    training_panel.parent.setParent(None)
