"""Tables that are filled row by row (`QTableWidget`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import qt
from PCRPredictorLib.formatting import make_visible


class Table:
    """Rows of values by name, not editable. Characters that Qt cannot show, or that turn text, are shown as \\x1b.

    Args:
        widget: a `QTableWidget`.
        columns: name of a value to the title of its column.
        opened: called with the first value of the row at a double click, or at a click on a link.
        link: name of the column whose texts are links; "" for none.
    """

    def __init__(
        self,
        widget: Any,
        columns: Mapping[str, str],
        opened: Callable[[str], None] = lambda text: None,
        *,
        link: str = "",
    ) -> None:
        self._widget, self._names, self._link, self._opened = widget, list(columns), link, opened
        self._hidden: dict[str, str] = {}  # first values of rows, by the text that shows them otherwise
        widget.setColumnCount(len(columns))
        space = "\n" if len(columns) > 1 else " "  # titles of several columns are narrow
        widget.setHorizontalHeaderLabels([title.replace(" ", space) for title in columns.values()])
        widget.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        widget.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        widget.setTextElideMode(qt.Qt.ElideMiddle)  # identifiers differ at their ends
        widget.verticalHeader().setVisible(False)
        self._fitter = _Fitter(widget)
        widget.connect("cellDoubleClicked(int,int)", self._double_clicked)
        widget.connect("cellClicked(int,int)", self._clicked)

    def __len__(self) -> int:
        return self._widget.rowCount

    def clear(self) -> None:
        """Remove all rows; sorting is off until `finish`, because it would move rows that are being filled."""
        self._widget.setSortingEnabled(False)
        self._widget.setRowCount(0)
        self._hidden.clear()

    def add(self, values: Mapping[str, object]) -> None:
        """Append a row; a missing value leaves its cell empty."""
        row = len(self)
        self._widget.setRowCount(row + 1)
        first = str(values.get(self._names[0], ""))
        if (shown := make_visible(first)) != first:
            self._hidden[shown] = first
        for name in self._names:
            self._set(row, name, values.get(name, ""))

    def change(self, rows: Mapping[str, Mapping[str, object]]) -> None:
        """Fill cells of some rows, by their first value; a sorted table is sorted again at the end."""
        rows = {make_visible(key): cells for key, cells in rows.items()}
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

    def select(self, key: str) -> None:
        """Select the row with a first value, if there is one, and scroll to it."""
        keys, key = self.column(self._names[0]), make_visible(key)
        if key in keys:
            self._widget.setCurrentCell(keys.index(key), 0)

    def _set(self, row: int, name: str, value: object) -> None:
        item = qt.QTableWidgetItem(make_visible(str(value)))
        if name == self._link:
            item.setForeground(self._widget.palette.brush(qt.QPalette.Link))
        self._widget.setItem(row, self._names.index(name), item)

    def _is_link(self, row: int, column: int) -> bool:
        return self._names[column] == self._link and bool(self._widget.item(row, column).text())

    def _double_clicked(self, row: int, column: int) -> None:
        if not self._is_link(row, column):  # which its first click has opened
            self._open(row)

    def _clicked(self, row: int, column: int) -> None:
        if self._is_link(row, column):
            self._open(row)

    def _open(self, row: int) -> None:
        shown = self._widget.item(row, 0).text()
        self._opened(self._hidden.get(shown, shown))


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
        """Fit the columns to their texts, or to the table if that is narrower; the last one takes what is left."""
        table, header = self._table, self._table.horizontalHeader()
        columns = range(table.columnCount)
        titles = [header.sectionSizeHint(k) for k in columns]
        wanted = [max(table.sizeHintForColumn(k), titles[k]) for k in columns]
        room, most = table.viewport().width, max(wanted, default=0)
        least = _least(titles, wanted, room)
        while most > 0 and sum(_limit(wanted, least, most)) > room:
            most -= 1
        widths = _limit(wanted, least, most)
        if widths:
            widths[-1] = max(widths[-1], room - sum(widths[:-1]))
        for k, width in enumerate(widths):
            table.setColumnWidth(k, width)
        table.resizeRowsToContents()


def _least(titles: Sequence[int], wanted: Sequence[int], room: int) -> list[int]:
    """Return the least widths: those of the titles, but the first column's name is not wrapped; all in pixels."""
    if not titles:
        return []
    first, rest = min(max(titles[0], min(wanted[0], room // 3)), room), sum(titles[1:])
    if first + rest <= room:
        return [first, *titles[1:]]
    return [first, *(size * (room - first) // rest for size in titles[1:])]  # margins of the titles give way


def _limit(wanted: Sequence[int], least: Sequence[int], most: int) -> list[int]:
    return [max(low, min(width, most)) for width, low in zip(wanted, least, strict=True)]
