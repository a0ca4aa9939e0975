"""Tables that both panels fill row by row."""

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")


@pytest.fixture
def table(panel):
    import qt
    from PCRPredictorPanel.toolkit.table import Table

    table = Table(qt.QTableWidget(), {"name": "Patient", "mask": "Mask"})
    for name in "ABC":
        table.add({"name": name, "mask": "expert"})
    return table


def test_rows_of_a_sorted_table_are_changed_by_name(table):
    table.finish(sortable=True)
    table._widget.sortItems(1)
    table.change({"A": {"mask": "reviewed"}, "B": {"mask": "automatic"}, "Z": {"mask": "x"}})
    found = dict(zip(table.column("name"), table.column("mask"), strict=True))
    assert found == {"A": "reviewed", "B": "automatic", "C": "expert"}


def test_names_that_are_no_text_or_turn_it_are_shown_and_found_again(table):
    opened = []
    table._opened = opened.append
    for name in ("p\udcff", "p\u202egnp", "\x1b[2J"):
        table.add({"name": name})
    assert table.column("name")[3:] == [r"p\udcff", r"p\u202egnp", r"\x1b[2J"]
    table.change({"p\udcff": {"mask": "reviewed"}})
    assert table.column("mask")[3] == "reviewed"
    table.select("p\u202egnp")
    assert table._widget.currentRow() == 4
    for row in (0, 3):
        table._double_clicked(row, 0)
    assert opened == ["A", "p\udcff"]


def test_cleared_table_can_be_filled_again(table):
    table.clear()
    table.add({"name": "D"})
    assert (table.column("name"), table.column("mask")) == (["D"], [""])


def _shown(qt, width, rows, **options):
    from PCRPredictorPanel.toolkit.table import Table

    widget = qt.QTableWidget()
    table = Table(widget, {"name": "Patient", "mask": "Mask", "site": "Site", "problem": "Problem"}, **options)
    for row in rows:
        table.add(row)
    widget.resize(width, 200)
    widget.show()
    qt.QApplication.processEvents()
    table.finish()
    return widget


def test_names_are_whole_and_the_columns_fill_the_table(panel):
    import qt

    reason = "its early phase must be on the grid of the pre phase, got a different one; register them again"
    widget = _shown(qt, 380, [{"name": "PATIENT_0012", "mask": "expert", "site": "A", "problem": reason}])
    assert widget.columnWidth(0) >= widget.sizeHintForColumn(0)
    assert widget.horizontalHeader().length() == widget.viewport().width
    assert widget.rowHeight(0) > 40


def test_title_of_a_single_column_is_one_line(panel):
    import qt
    from PCRPredictorPanel.toolkit.table import Table

    widget = qt.QTableWidget()
    Table(widget, {"folder": "More cohorts of the run"})
    assert widget.horizontalHeaderItem(0).text() == "More cohorts of the run"


def test_a_click_on_a_problem_opens_the_patient_once(panel):
    import qt

    opened = []
    rows = [{"name": "A", "problem": "has no mask"}, {"name": "B"}]
    widget = _shown(qt, 380, rows, opened=opened.append, link="problem")
    for row, column in ((0, 3), (1, 3), (0, 1)):
        widget.cellClicked.emit(row, column)
    assert opened == ["A"]
    widget.cellDoubleClicked.emit(0, 3)
    assert opened == ["A"]
    widget.cellDoubleClicked.emit(1, 0)
    assert opened == ["A", "B"]
