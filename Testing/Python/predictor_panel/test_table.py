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


def test_cleared_table_can_be_filled_again(table):
    table.clear()
    table.add({"name": "D"})
    assert (table.column("name"), table.column("mask")) == (["D"], [""])
