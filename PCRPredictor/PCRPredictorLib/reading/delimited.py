"""Lines of a text table: encoding, separator, quotes and comments are recognised, values stay as they are."""

import codecs
import csv
import io
from collections.abc import Callable

from ..files.limits import CELLS, COLUMNS, ROWS
from ..formatting import first_few
from ..writing import from_cell
from .workbook import Lines

_MARKS = [  # the longest first: UTF-16's is the start of UTF-32's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_SEPARATORS = ",;\t|"
_SEEN = 2_000_000  # characters that tell the separator


def read_lines(content: bytes, has_key: Callable[[list[str]], bool], report: Callable[[str], object]) -> Lines:
    """Return the lines of a text table.

    Args:
        content: of the file.
        has_key: returns True for the cells of the header.
        report: called with a sentence about what was guessed or left aside.

    Raises:
        ValueError: if it is not text, or the separator cannot be told.
    """
    text = decode(content, report).replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = text.partition("\n")
    declared = first.strip().strip('"').lower()
    if declared.startswith("sep=") and len(declared) <= 5:
        lines = _split("\n" + rest, first.strip().strip('"')[4:] or "\t")
    else:
        lines = _split(text, _choose(text, has_key))
    comments = [n for n, cells in lines.items() if cells[0].lstrip().startswith("#") and not has_key(cells)]
    if 0 < len(comments) < len(lines) - 1:  # else they are identifiers
        report(f"has comments, which are left aside: line {first_few(comments)}")
        lines = {number: cells for number, cells in lines.items() if number not in comments}
    return Lines({n: {k: from_cell(c.strip()) for k, c in enumerate(cells) if c.strip()} for n, cells in lines.items()})


def decode(content: bytes, report: Callable[[str], object]) -> str:
    """Return text in UTF-8, UTF-16 or UTF-32, or else in Windows' Western European encoding, which is reported.

    Raises:
        ValueError: if it is not text.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None) or _without_mark(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            raise ValueError("it is not text in UTF-8") from None
        report("is not UTF-8 and was read as Windows-1252 (Western European); check letters with accents")
    if "\0" in text:
        raise ValueError("it is not text")
    return text


def _without_mark(content: bytes) -> str:
    """Return UTF-16 if every other byte of the start is zero, as in English text."""
    start = content[:200]
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(start) > 3 and not any(start[offset::2]) and all(start[1 - offset :: 2]):
            return name
    return "utf-8"


def _choose(text: str, has_key: Callable[[list[str]], bool]) -> str:
    """Return the separator that gives every line as many cells as the header has."""
    found, text = [], text if len(text) <= _SEEN else text[: text.rfind("\n", 0, _SEEN) + 1 or _SEEN]
    for separator in _SEPARATORS:
        lines = _split(text, separator, strict=False)
        known = [number for number, cells in lines.items() if has_key(cells)]
        number = known[0] if known else next(iter(lines), 0)
        width = _width(lines.get(number, []))
        longer = sum(_width(cells) > width for later, cells in lines.items() if later > number)
        found.append((bool(known), width > 1, -longer, width, separator))
    return max(found)[-1]


def _split(text: str, separator: str, *, strict: bool = True) -> dict[int, list[str]]:
    """Return the cells of the lines that are not empty, by line number.

    Raises:
        ValueError: if the quotes do not match; unless it is strict, only if a cell is very long.
    """
    _check_size(text, separator)
    lines, start = {}, 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines[start] = cells
            start = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {start}: {error}; check its quotes") from None
    return lines


def _check_size(text: str, separator: str) -> None:
    """Refuse a text with too many lines or cells before they are made."""
    if text.count("\n") > ROWS or text.count(separator) > CELLS:
        raise ValueError(f"it has more than {ROWS} lines or {CELLS} cells")
    if len(text) > COLUMNS and any(line.count(separator) >= COLUMNS for line in text.splitlines()):
        raise ValueError(f"a line of it has more than {COLUMNS} cells")


def _width(cells: list[str]) -> int:
    """Return the number of cells up to the last that is not empty."""
    return max((k + 1 for k, cell in enumerate(cells) if cell.strip()), default=0)
