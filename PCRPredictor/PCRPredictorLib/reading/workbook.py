"""Sheets of an Excel workbook (.xlsx) as lines of text, exactly as they are stored.

openpyxl and calamine read whole workbooks: the first refuses one for its fills, fonts or filters, the second ends the
process if a cell is far from the others, and both give nothing for a formula without a value or an error. Only the
cells are read here, with openpyxl's rules for dates. What is not a value becomes a text that no variable accepts.

Source: ECMA-376 part 1, 18.3 (worksheets), 18.4 (shared strings), 18.8 (styles).
"""

import posixpath
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel
from openpyxl.utils.exceptions import CellCoordinatesException

from ..files.limits import CELLS, COLUMNS, ROWS, TABLE
from ..files.xml_parts import parse_elements

_MERGED = 10_000  # ranges of merged cells
_TOO_LARGE = f"it has more than {CELLS} cells, {ROWS} lines or {_MERGED} merged ranges"
_TRUE = ("1", "true")
_DAMAGES = (KeyError, EOFError, BadZipFile, zlib.error, ExpatError, NotImplementedError, RuntimeError)


@dataclass
class Lines:
    """Lines of a sheet or text file.

    Args:
        cells: number of the line, from 1, to its cells by column, from 0; cells without a value are not there.
        merged: ranges of merged cells: first line, last line, first column, last column, all included.
        hidden: numbers of the lines that are hidden.
    """

    cells: dict[int, dict[int, str]] = field(default_factory=dict)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)


class Workbook:
    """An open workbook; a context manager.

    Args:
        file: .xlsx or .xlsm.

    Raises:
        ValueError: if it is not a workbook, is damaged or is too large.
    """

    def __init__(self, file: Path) -> None:
        try:
            self._archive = ZipFile(file)
        except (BadZipFile, NotImplementedError) as error:
            raise ValueError(f"damaged: {error}") from None
        self._names = {name.lower(): name for name in self._archive.namelist()}
        if "xl/workbook.xml" not in self._names:
            self._archive.close()
            raise ValueError(_other_kind(set(self._names)))
        self._left = TABLE  # bytes that may still be inflated
        self._kept: tuple[list[str], dict[int, bool]] | None = None  # texts and styles, which all sheets share
        old = any(each.get("date1904") in _TRUE for each in self._parse("xl/workbook.xml", {"workbookPr"}))
        self._epoch = CALENDAR_MAC_1904 if old else CALENDAR_WINDOWS_1900

    def __enter__(self) -> "Workbook":
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def sheets(self) -> dict[str, bool]:
        """Return the name of every sheet, in order, and whether it is shown.

        Raises:
            ValueError: if the workbook is damaged.
        """
        sheets = self._parse("xl/workbook.xml", {"sheet"})
        return {sheet.get("name", ""): sheet.get("state", "visible") == "visible" for sheet in sheets}

    def read(self, sheet: str) -> Lines:
        """Return the lines of a sheet.

        Raises:
            ValueError: if it is damaged or too large.
        """
        lines, number, count = Lines(), 0, 0
        if self._kept is None:
            self._kept = self._strings(), self._date_styles()
        for element in self._parse(self._part_of(sheet), {"row", "mergeCell"}):
            if element.tag == "mergeCell":
                lines.merged.append(_range(element.get("ref", "")))
                continue
            number = int(element.get("r") or number + 1)
            if element.get("hidden") in _TRUE:
                lines.hidden.add(number)
            if cells := dict(self._cells(element, *self._kept)):
                lines.cells[number] = cells
                count += len(cells)
            if count > CELLS or len(lines.cells) > ROWS or len(lines.merged) > _MERGED:
                raise ValueError(_TOO_LARGE)
        return lines

    def _cells(self, row: Element, strings: list[str], dates: dict[int, bool]) -> Iterator[tuple[int, str]]:
        column = -1
        for cell in row:
            try:
                column = coordinate_to_tuple(cell.get("r", ""))[1] - 1 if cell.get("r") else column + 1
                if not 0 <= column < COLUMNS:
                    raise ValueError
                text = _value(cell, strings, dates, self._epoch).strip()
            except (ValueError, IndexError, CellCoordinatesException):
                raise ValueError(f"damaged: the cell {cell.get('r')} of line {row.get('r')}") from None
            if text:
                yield column, text

    def _part_of(self, sheet: str) -> str:
        found = [s for s in self._parse("xl/workbook.xml", {"sheet"}) if s.get("name") == sheet]
        relation = found[0].get("id", "") if found else ""
        for each in self._parse("xl/_rels/workbook.xml.rels", {"Relationship"}):
            if each.get("Id") == relation:
                target = each.get("Target", "")
                return posixpath.normpath(target[1:] if target.startswith("/") else posixpath.join("xl", target))
        raise ValueError(f"damaged: the sheet {sheet!r} has no content")

    def _strings(self) -> list[str]:
        if "xl/sharedstrings.xml" not in self._names:
            return []
        return [_text(item) for item in self._parse("xl/sharedStrings.xml", {"si"})]

    def _date_styles(self) -> dict[int, bool]:
        """Return which cell styles show a date."""
        if "xl/styles.xml" not in self._names:
            return {}
        formats = dict(BUILTIN_FORMATS)
        styles: list[Element] = []
        for each in self._parse("xl/styles.xml", {"numFmt", "cellXfs"}):
            if each.tag == "numFmt":
                formats[int(each.get("numFmtId", "0"))] = each.get("formatCode", "")
            else:
                styles = styles or list(each)
        return {k: is_date_format(formats.get(int(xf.get("numFmtId", "0")), "")) for k, xf in enumerate(styles)}

    def _parse(self, part: str, wanted: Collection[str]) -> Iterator[Element]:
        """Yield the elements of a part with these names, each when it is complete."""
        try:
            with self._archive.open(self._names[part.lower()]) as file:
                before = self._left
                try:
                    yield from parse_elements(file, wanted, before)
                finally:
                    self._left = before - file.tell()
        except _DAMAGES as error:
            raise ValueError(f"damaged: {part}, {error}") from None


def _range(text: str) -> tuple[int, int, int, int]:
    """Return a range of cells as first line, last line, first column, last column; the ends of whole lines are far."""
    left, first, right, last = range_boundaries(text)
    return first or 1, last or ROWS, (left or 1) - 1, (right or COLUMNS) - 1


def _value(cell: Element, strings: list[str], dates: dict[int, bool], epoch: object) -> str:
    """Return a cell's value as text; of a formula that has none, the formula."""
    kind, stored = cell.get("t", "n"), next((part.text or "" for part in cell if part.tag == "v"), None)
    if kind == "inlineStr":
        return "".join(_text(part) for part in cell if part.tag == "is")
    if stored is None or (not stored and kind != "str"):
        formula = next((part for part in cell if part.tag == "f"), None)
        return "" if formula is None else f"={formula.text or '...'}"
    if kind == "s":
        return strings[int(stored)]
    if kind == "b":
        return "TRUE" if stored in _TRUE else "FALSE"
    return stored if kind != "n" else _number(stored, dates.get(int(cell.get("s", "0")), False), epoch)


def _number(stored: str, date: bool, epoch: object) -> str:
    """Return a number as people write it: 1, 0.1; a date as 2020-12-31."""
    value = float(stored)
    if date:
        try:
            return str(from_excel(value, epoch)).removesuffix(" 00:00:00")
        except (OverflowError, ValueError):
            return f"#DATE({stored})"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _text(element: Element) -> str:
    """Return the text of a string without its phonetic hints."""
    runs = (part for part in element if part.tag in ("t", "r"))
    return "".join(run.text or "" if run.tag == "t" else _text(run) for run in runs)


def _other_kind(names: set[str]) -> str:
    if "xl/workbook.bin" in names:
        return "it is a binary workbook (.xlsb)"
    if "content.xml" in names:
        return "it is an OpenDocument file (.ods)"
    return "it is an archive, not a workbook"
