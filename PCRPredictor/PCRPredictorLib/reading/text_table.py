"""Tables, CSV or Excel, as lines of text below their headings.

Every value stays the text that it is: no number is shortened, no "NA" emptied, no date turned round. What could be read
in two ways is refused; what is left aside is reported.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import DataError
from ..files.limits import GRID, TABLE
from ..files.opening import open_file, read_content
from ..formatting import count, first_few
from .delimited import read_lines
from .identifiers import clean
from .workbook import Lines, Workbook

_SHEET = "dataset_info"
_SEARCHED = 20  # lines in which the header is looked for
_OLE = b"\xd0\xcf\x11\xe0"  # .xls, and .xlsx with a password
_SAVE = "save it as .xlsx or as CSV (UTF-8) again"
Report = Callable[[str], object]


@dataclass(frozen=True)
class TextTable:
    """A table as text.

    Args:
        file: that it was read from.
        columns: headings as they are written, with single blanks.
        rows: number of the line in the file, from 1, and the values by position of the column; "" if there is none.
    """

    file: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def find(self, name: str) -> int | None:
        """Return the position of the column with this name: as it is written, or else in any case.

        Raises:
            DataError: if two columns have it.
        """
        name = clean(name)
        for found in (
            [k for k, column in enumerate(self.columns) if column == name],
            [k for k, column in enumerate(self.columns) if column.lower() == name.lower()],
        ):
            if len(found) > 1:
                raise self._ambiguous([self.columns[k] for k in found])
            if found:
                return found[0]
        return None

    def check_columns(self, chosen: Iterable[int] = ()) -> None:
        """Refuse columns of the same name.

        Args:
            chosen: positions of columns that were named exactly; they go before others of their name.

        Raises:
            DataError: if two columns have the same name, or differ only in case.
        """
        groups = defaultdict(list)
        for k, column in enumerate(self.columns):
            groups[column.lower()].append(k)
        for group in groups.values():
            if len(group) > 1 and len(set(group) & set(chosen)) != 1:
                raise self._ambiguous([self.columns[k] for k in group])

    def _ambiguous(self, names: Sequence[str]) -> DataError:
        how = "the same name" if len(set(names)) == 1 else "names that differ only in case"
        shown = " and ".join(repr(name) for name in names)
        return DataError(f"{self.file}: the columns {shown} have {how}; rename or delete all but one")


def read_text_table(
    file: Path, sheet: str | None = None, key: str | None = None, report: Report = lambda _: None
) -> TextTable:
    """Read a table, every value as text; lines without any value are left out.

    Args:
        file: .xlsx, or text with commas, semicolons, tabs or | between values; its content decides, not its name.
        sheet: of a workbook; None for `dataset_info`, or the one sheet that has the column `key`.
        key: name of a column, by which header and sheet are found.
        report: called with each sentence about what was guessed or left aside.

    Raises:
        DataError: if it cannot be read, or holds no table.
    """
    say: Report = lambda text: report(f"{file.name} {text}")  # noqa: E731
    try:
        with open_file(file) as stream:
            start = stream.read(8)
        if start.startswith(_OLE):
            raise ValueError("it is an old Excel file (.xls) or has a password")
        if start.startswith(b"PK") or file.suffix.lower() in (".xlsx", ".xlsm"):
            lines = _read_sheet(file, sheet, key, say)
            return _build(file, lines, key, say, beside=True)
        content = read_table_bytes(file)
        if content.lstrip()[:1] in (b"<", b"{"):
            raise ValueError("it is a web page or a program's file, not a table")
        lines = read_lines(content, partial(_has_column, key), say)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror or error}); check the path of the table") from None
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        reason = str(error).replace("\n", " ")
        raise DataError(f"{file}: cannot be read as a table ({reason}); {_SAVE}") from None
    return _build(file, lines, key, say, beside=False)


def read_table_bytes(file: Path) -> bytes:
    """Return the content of a text table.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is too large.
    """
    return read_content(file, TABLE)


def _has_column(key: str | None, cells: Iterable[str]) -> bool:
    return key is not None and clean(key).lower() in {clean(cell).lstrip("# ").lower() for cell in cells}


def _read_sheet(file: Path, sheet: str | None, key: str | None, report: Report) -> Lines:
    with Workbook(file) as book:
        shown = book.sheets()
        if sheet is not None and sheet not in shown:
            raise DataError(f"{file}: must have the sheet {sheet!r}, it has {', '.join(shown)}; correct cohort.json")
        if sheet is not None or _SHEET in shown:
            return book.read(sheet or _SHEET)
        found = {name: lines for name, visible in shown.items() if visible and (lines := book.read(name)).cells}
    with_key = [name for name, lines in found.items() if any(_has_column(key, c.values()) for c in _first(lines))]
    chosen = with_key if len(with_key) == 1 else list(found)
    if not chosen:
        raise ValueError("it is empty")
    if len(chosen) > 1:
        raise DataError(
            f"{file}: has several sheets ({', '.join(found)}); name the one to read in cohort.json, as in "
            f'"sheet": "{chosen[0]}", or delete the others'
        )
    if others := [name for name in found if name != chosen[0]]:
        report(f"was read from its sheet {chosen[0]}; left aside: {', '.join(others)}")
    return found[chosen[0]]


def _first(lines: Lines) -> list[dict[int, str]]:
    return [lines.cells[number] for number in sorted(lines.cells)[:_SEARCHED]]


def _build(file: Path, lines: Lines, key: str | None, report: Report, *, beside: bool) -> TextTable:
    """Return the table below the header.

    Args:
        beside: values beside the headings are left aside; else they are refused, since columns may be shifted.
    """
    numbers = sorted(lines.cells)
    if not numbers:
        raise DataError(f"{file}: cannot be read as a table (it is empty); {_SAVE}")
    known = [number for number in numbers[:_SEARCHED] if _has_column(key, lines.cells[number].values())]
    header = known[0] if known else numbers[0]
    if above := numbers[: numbers.index(header)]:
        report(f"has {count(len(above), 'line')} above its headings in line {header}; left aside")
    heads = {k: name for k, text in lines.cells[header].items() if (name := clean(text).lstrip("# "))}
    _check_merged(file, lines, header, heads)
    body = numbers[numbers.index(header) + 1 :]
    if len(body) * len(heads) > GRID:
        raise DataError(
            f"{file}: must be a table of patients, got {len(body)} lines of {len(heads)} columns; shorten it"
        )
    _report_others(file, lines, body, heads, report, beside)
    rows = [(n, tuple(_clean_value(lines.cells[n].get(k, "")) for k in heads)) for n in body]
    return TextTable(file, tuple(heads.values()), tuple((n, values) for n, values in rows if any(values)))


def _clean_value(text: str) -> str:
    return text.strip() if text.isascii() else clean(text)


def _check_merged(file: Path, lines: Lines, header: int, heads: Mapping[int, str]) -> None:
    for first, last, left, right in lines.merged:
        columns = [heads[k] for k in heads if left <= k <= right]
        if last >= header and columns and (last > first or right > left):
            where = f"lines {first} to {last}" if last > first else f"line {first}"
            raise DataError(
                f"{file}: cells are merged in the column {columns[0]!r} ({where}); unmerge them and fill in each"
            )


def _report_others(
    file: Path, lines: Lines, body: Sequence[int], heads: Mapping[int, str], report: Report, beside: bool
) -> None:
    """Report hidden lines, short lines, and columns without a heading; refuse lines that are longer than the header."""
    if hidden := [number for number in body if number in lines.hidden]:
        report(f"has {count(len(hidden), 'hidden line')}, read as any other: line {first_few(hidden)}")
    last = max(heads, default=-1)
    longer = [number for number in body if max(lines.cells[number]) > last]
    if longer and not beside:
        raise DataError(
            f"{file}: line {longer[0]} must have at most the {last + 1} values of the header, got "
            f"{max(lines.cells[longer[0]]) + 1}; add the missing heading, or quote values that hold the separator"
        )
    if nameless := sorted({k for number in body for k in lines.cells[number] if k not in heads}):
        shown = first_few(map(_letters, nameless))
        report(f"has values without a heading, which are left aside: column {shown}")


def _letters(column: int) -> str:
    """Return a column, from 0, as spreadsheets name it: A, B, ... AA."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
