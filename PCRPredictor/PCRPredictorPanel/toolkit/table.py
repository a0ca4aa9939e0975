"""Tables that are filled row by row (`QTableWidget`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import qt


class Table:
    """Rows of values by name, not editable.

    Args:
        widget: a `QTableWidget`.
        columns: name of a value to the title of its column.
        opened: called with the text of the first column at a double click.
    """

    def __init__(
        self, widget: Any, columns: Mapping[str, str], opened: Callable[[str], None] = lambda text: None
    ) -> None:
        self._widget, self._names = widget, list(columns)
        widget.setColumnCount(len(columns))
        widget.setHorizontalHeaderLabels([title.replace(" ", "\n") for title in columns.values()])  # narrow
        widget.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        widget.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        widget.verticalHeader().setVisible(False)
        self._fitter = _Fitter(widget)
        widget.connect("cellDoubleClicked(int,int)", lambda row, _column: opened(widget.item(row, 0).text()))

    def __len__(self) -> int:
        return self._widget.rowCount

    def clear(self) -> None:
        """Remove all rows; sorting is off until `finish`, because it would move rows that are being filled."""
        self._widget.setSortingEnabled(False)
        self._widget.setRowCount(0)

    def add(self, values: Mapping[str, object]) -> None:
        """Append a row; a missing value leaves its cell empty."""
        row = len(self)
        self._widget.setRowCount(row + 1)
        for name in self._names:
            self._set(row, name, values.get(name, ""))

    def change(self, rows: Mapping[str, Mapping[str, object]]) -> None:
        """Fill cells of some rows, by the text of the first column; a sorted table is sorted again at the end."""
        sortable = self._widget.sortingEnabled
        self._widget.setSortingEnabled(False)
        for row, key in enumerate(self.column(self._names[0])):
            for name, value in rows.get(key, {}).items():
                self._set(row, name, value)
        self._widget.setSortingEnabled(sortable)

    def column(self, name: str) -> list[str]:
        """Return the texts of a column, from the top."""
        return [self._widget.item(row, self._names.index(name)).text() for row in range(len(self))]

    def finish(self, *, sortable: bool = False) -> None:
        """Fit the columns to their texts and to the table, and let users sort."""
        self._widget.setSortingEnabled(sortable)
        self._fitter.fit()

    def _set(self, row: int, name: str, value: object) -> None:
        self._widget.setItem(row, self._names.index(name), qt.QTableWidgetItem(str(value)))


class _Fitter(qt.QObject):
    """Keeps the columns of a table within its width: the widest give way, and their texts are wrapped."""

    def __init__(self, table: Any) -> None:
        qt.QObject.__init__(self)
        self._table = table
        table.viewport().installEventFilter(self)

    def eventFilter(self, _viewport: Any, event: Any) -> bool:
        """Fit the columns to a new width; called by Qt."""
        if event.type() == qt.QEvent.Resize and event.size().width() != event.oldSize().width():
            self.fit()
        return False

    def fit(self) -> None:
        """Fit the columns to their texts, or to the table if that is narrower."""
        table, header = self._table, self._table.horizontalHeader()
        columns = range(table.columnCount)
        least = [header.sectionSizeHint(k) for k in columns]
        wanted = [max(table.sizeHintForColumn(k), least[k]) for k in columns]
        room, most = table.viewport().width, max(wanted, default=0)
        if sum(least) > room:  # margins of the titles give way
            least = [size * room // sum(least) for size in least]
        while most > 0 and sum(_limit(wanted, least, most)) > room:
            most -= 1
        for k, width in enumerate(_limit(wanted, least, most)):
            table.setColumnWidth(k, width)
        table.resizeRowsToContents()


def _limit(wanted: Sequence[int], least: Sequence[int], most: int) -> list[int]:
    return [max(low, min(width, most)) for width, low in zip(wanted, least, strict=True)]
