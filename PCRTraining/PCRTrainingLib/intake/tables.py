"""The tables of a folder, and the one that names its patients."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.delimited import decode
from PCRPredictorLib.reading.identifiers import number_key
from PCRPredictorLib.reading.text_table import Report, TextTable, read_table_bytes, read_text_table
from PCRPredictorLib.reading.workbook import Workbook

from .columns import Table
from .images import Image
from .names import tokens
from .patients import count_matches, place_patients, same_key
from .words import IDENTIFIER, INDEX, LABEL_EXACT, LABEL_STRONG, fits

_TITLE = 5  # lines that a title may have
_NARROW = 4  # columns: a title that was split at its comma
_LEAST = 0.3  # of the rows, or of the patients, that must match
_DIFFERENT, _NAMED = 0.9, 0.5  # of the rows must differ; if the column is named like an identifier


@dataclass(frozen=True, eq=False)
class Chosen:
    """The table of a cohort.

    Args:
        table: None if there is none, or if it is not clear which.
        identifier: name of its column with the patients.
        doubts: sentences about what could not be told.
    """

    table: Table | None = None
    identifier: str = ""
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Match:
    """A table that names patients of the images, and how many."""

    table: Table
    identifier: str
    doubts: tuple[str, ...]
    matched: int


def read_tables(files: Sequence[Path]) -> tuple[list[Table], list[str]]:
    """Read every sheet of every file; return the tables, and a sentence about each file that cannot be read."""
    tables: list[Table] = []
    problems: list[str] = []
    for file in files:
        try:
            tables += _read_sheets(file, problems.append)
        except DataError as error:
            problems.append(str(error))
    return tables, problems


def _read_sheets(file: Path, report: Report) -> list[Table]:
    sheets = _list_sheets(file) if file.suffix.lower() == ".xlsx" else []
    if len(sheets) < 2:
        return [_as_table(_read_below_title(file, None, report), None)]
    return [_as_table(_read_below_title(file, sheet, report), sheet) for sheet in sheets]


def _read_below_title(file: Path, sheet: str | None, report: Report) -> TextTable:
    """Read a table whose header may lie below lines with a title."""
    said: list[str] = []
    try:
        table = read_text_table(file, sheet, report=said.append)
    except DataError:
        if sheet is not None or (short := _read_below_short_lines(file, report)) is None:
            raise
        return short
    known = any(fits(kind, name) for kind in (IDENTIFIER, LABEL_EXACT, LABEL_STRONG) for name in table.columns)
    if len(table.columns) <= _NARROW and not known and (short := _read_below_short_lines(file, report)) is not None:
        return short
    for _, values in table.rows[:_TITLE] if said else ():
        with suppress(DataError):
            below = read_text_table(file, sheet, next(filter(None, values), None), report)
            if len(below.columns) > len(table.columns):
                return below
    for text in said:
        report(text)
    return table


def _read_below_short_lines(file: Path, report: Report) -> TextTable | None:
    """Return the table of a text file below title lines, which have fewer values than it; None if there is none.

    Its headings are all different, none is empty or a number, and twice as many as the values of any line above.
    """
    with suppress(ValueError, OSError):
        lines = [line for line in decode(read_table_bytes(file), lambda _: None).splitlines() if line.strip(" ,;\t|")]
        for separator in ";\t,|":
            cells = [[one.strip(' "') for one in line.split(separator)] for line in lines[: _TITLE + 1]]
            filled = [sum(map(bool, line)) for line in cells]
            for k, names in enumerate(cells[1:], 1):
                headings = [name for name in names if name]
                is_header = len(set(names)) == len(headings) > 1 and not any(map(_is_number, headings))
                if is_header and 2 * max(filled[:k]) <= filled[k]:
                    with suppress(DataError):
                        return read_text_table(file, None, headings[0], report)
    return None


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").lstrip("+-").isdigit()


def _list_sheets(file: Path) -> list[str]:
    """Return the names of the shown sheets that have cells; none if they cannot be read, which reading reports."""
    try:
        with Workbook(file) as book:
            return [name for name, visible in book.sheets().items() if visible and book.read(name).cells]
    except (ValueError, KeyError, OSError):
        return []


def _as_table(table: TextTable, sheet: str | None) -> Table:
    columns = {name: [values[k] for _, values in table.rows] for k, name in enumerate(table.columns)}
    return Table(table.file, sheet, columns)


def choose_table(tables: Sequence[Table], images: Sequence[Image]) -> Chosen:
    """Find the table, and in it the column, whose values are the patients that the images' paths name."""
    found = [match for table in tables if (match := _match_table(table, images)) is not None]
    if not found:
        shown = ", ".join(table.name for table in tables)
        doubt = f"no column of {shown} has the patients of the images; name table and patient_id"
        return Chosen(doubts=(doubt,) if tables else ())
    labelled = [match for match in found if _has_label(match.table)] or found
    most = max(match.matched for match in labelled)
    best = [match for match in labelled if match.matched == most]
    if len(best) > 1:
        names = ", ".join(match.table.name for match in best)
        return Chosen(doubts=(f"{len(best)} tables name the patients: {names}; write one of them as table",))
    doubts = best[0].doubts
    if others := ", ".join(match.table.name for match in found if match is not best[0]):
        doubts = (*doubts, f"{others}: not used; a cohort has one table, so copy columns that you need into it")
    return Chosen(best[0].table, best[0].identifier, doubts)


def _match_table(table: Table, images: Sequence[Image]) -> _Match | None:
    """Return the column with the patients; None if there is none."""
    scored, patients = [], len({one.patient for one in place_patients(images)})
    for name, cells in table.columns.items():
        texts = [text for text in cells if text.strip()]
        rank = _rank(name)
        for keys in (frozenset(map(same_key, texts)), frozenset(map(number_of, texts))):
            different = len(keys) >= (_NAMED if rank == 2 else _DIFFERENT) * len(texts) > 0
            matched = count_matches(images, keys) if different else 0
            if matched and matched >= _LEAST * min(len(keys), patients):
                exact = len({text.strip() for text in cells} & _parts(images))
                scored.append((matched, exact, rank, name))
                break
    if not scored:
        return None
    scored.sort(key=lambda one: one[:3], reverse=True)
    best = scored[0]
    rows = list(map(same_key, table.columns[best[3]]))
    same = [one for one in scored[1:] if one[0] == best[0] and list(map(same_key, table.columns[one[3]])) != rows]
    if not same:
        return _Match(table, best[3], (), best[0])
    names = ", ".join(one[3] for one in same)
    if any(one[:3] == best[:3] for one in same):
        doubt = f"{best[3]} and {names} could both name the patients; write one as patient_id into columns"
        return _Match(table, "", (doubt,), best[0])
    return _Match(table, best[3], (f"{names} could name the patients, too; {best[3]} is taken",), best[0])


def _rank(name: str) -> int:
    """Return 2 for a column that is named like an identifier, 0 for one named like a running number, else 1."""
    return 2 if fits(IDENTIFIER, name) else 0 if fits(INDEX, name) else 1


def rename_identifiers(cells: Sequence[str], patients: Sequence[str]) -> dict[str, str]:
    """Return the identifiers of a table that are written in a different way than those of the images, with the latter.

    Those that differ only in case or leading zeros need no change: reading a cohort compares them so.
    """
    known = {number_key(name) for name in patients}
    found = {}
    for key in (same_key, number_of):
        by_key = defaultdict(list)
        for name in patients:
            by_key[key(name)].append(name)
        texts = [text.strip() for text in cells if text.strip() and number_key(text) not in known]
        counts = Counter(map(key, texts))
        for text in texts:
            if text not in found and counts[key(text)] == len(by_key[key(text)]) == 1:
                found[text] = by_key[key(text)][0]
    return found


def number_of(identifier: str) -> str:
    """Return the last number of an identifier, without leading zeros; the identifier if it has none."""
    numbers = [word for word in tokens(identifier) if word.isdigit()]
    return numbers[-1].lstrip("0") or "0" if numbers else identifier


def _parts(images: Sequence[Image]) -> frozenset[str]:
    return frozenset(part for image in images for part in image.parts)


def _has_label(table: Table) -> bool:
    return any(fits(pattern, name) for name in table.columns for pattern in (LABEL_EXACT, LABEL_STRONG))
