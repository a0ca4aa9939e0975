"""The table of a cohort: its columns for identifier, label and clinical variables, and what their cells mean."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PCRPredictorLib.clinical import Category, Number, find_doubtful_cells, is_missing
from PCRPredictorLib.formatting import first_few
from PCRPredictorLib.reading.labels import LABEL
from PCRPredictorLib.variables.receptors import ER, HR, PR

from ..schema import KNOWN, USUAL
from .words import COLUMNS, LABEL_EXACT, LABEL_STRONG, LABEL_WEAK, denies, fits, read_answer, read_category, simple

_SHOWN = 5  # values or patients in a sentence
_AS_IS = ("0", "1", "0.0", "1.0")  # labels that need no meaning
ODD = "odd labels"  # the key of doubts about single cells
_MEANT = {"1": "pCR", "0": "no pCR", None: "unknown"}
_UNREAD = 0.2  # of the cells: with more, a column is not the variable that its name says


@dataclass(frozen=True, eq=False)
class Table:
    """A table as text: its file, its sheet if it has several, and the cells of each column."""

    file: Path
    sheet: str | None
    columns: Mapping[str, Sequence[str]]

    @property
    def name(self) -> str:
        """Return file and sheet, for messages."""
        return f"{self.file.name} (sheet {self.sheet})" if self.sheet else self.file.name


@dataclass
class Columns:
    """What was found in a table, for `cohort.json`.

    Args:
        columns: our name to the table's.
        values: our column name to the meaning of its cells.
        notes: sentences about what was taken.
        doubts: sentences about what could not be told, by our column name.
    """

    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubts: dict[str, str] = field(default_factory=dict)


def describe_columns(table: Table, identifier: str) -> Columns:
    """Find the label and the clinical variables among the columns; of two that could be one, none is taken.

    Args:
        identifier: name of the column with the patients.
    """
    found = Columns({"patient_id": identifier})
    others = {name: cells for name, cells in table.columns.items() if name != identifier}
    _find_label(others, found, table.columns[identifier])
    taken = {*found.columns.values()}
    for ours, pattern in COLUMNS.items():
        names = [name for name in others if name not in taken and fits(pattern, name)]
        _find_variable(ours, {name: others[name] for name in names}, found)
    absent = [name for name in USUAL if name not in found.columns and name not in found.doubts]
    if HR in absent and not {ER, PR}.isdisjoint(found.columns):
        absent.remove(HR)
        found.notes.append("hr: not in the table; positive if er or pr is, negative if both are, else unknown")
    if absent:
        found.notes.append(f"not in the table: {', '.join(absent)}")
    return found


def _find_label(columns: Mapping[str, Sequence[str]], found: Columns, patients: Sequence[str]) -> None:
    tiers = [
        {name: cells for name, cells in columns.items() if fits(pattern, name) and _is_label(cells)}
        for pattern in (LABEL_EXACT, LABEL_STRONG, LABEL_WEAK)
    ]
    candidates = next(filter(None, tiers), {})
    if len(candidates) > 1:
        shown = "; ".join(f"{name} ({_values(cells)})" for name, cells in candidates.items())
        found.doubts[LABEL] = f"{len(candidates)} columns could be pCR: {shown}; name one in columns"
        return
    if not candidates:
        rcb = next((f" ({name}: 0 is pCR, the others are not)" for name in columns if "rcb" in simple(name)), "")
        found.doubts[LABEL] = (
            f"no column could be told to be pCR; name it in columns, and its values in values{rcb}{_possible(columns)}"
        )
        return
    ((name, cells),) = candidates.items()
    others = sorted({other for tier in tiers for other in tier} - {name})
    answers = {text: read_answer(text) for text in dict.fromkeys(map(str.strip, cells)) if not is_missing(text)}
    found.columns[LABEL] = name
    odd = _odd_cells(cells)
    if denies(name) or None in {answer for text, answer in answers.items() if text not in odd}:
        why = "what its values mean, as its name denies it" if denies(name) else "which of them is pCR"
        found.doubts[LABEL] = (
            f"{name} may be pCR, but it could not be told {why} ({_values(cells)}); write into values what each means: "
            '"1" for pCR, "0" for none'
        )
        return
    found.values[LABEL] = {text: answer or "" for text, answer in answers.items() if text not in _AS_IS}
    counts = Counter(answers[text.strip()] for text in cells if not is_missing(text))
    meant = ", ".join(f"{text} = {_MEANT[answer]}" for text, answer in answers.items())
    more = f"; also {', '.join(others)}, not used" if others else ""
    found.notes.append(f"pcr: {name} ({counts['1']} with pCR, {counts['0']} without; {meant}){more}")
    if odd:
        pairs = zip(patients, map(str.strip, cells), strict=True)
        rows = first_few([f"{who.strip()} has {text!r}" for who, text in pairs if text in odd])
        found.doubts[ODD] = (
            f"{name}: {rows}, neither pCR nor none, so that the label counts as unknown; correct the table, or say in "
            "values what it means"
        )


def _possible(columns: Mapping[str, Sequence[str]]) -> str:
    """Return the columns that may be the label: named like it, or with two values and not named like a variable."""
    weak = [name for name in columns if fits(LABEL_STRONG, name) or fits(LABEL_WEAK, name)]
    others = [name for name in columns if not any(fits(pattern, name) for pattern in COLUMNS.values())]
    names = weak or [name for name in others if _is_label(columns[name])]
    shown = "; ".join(f"{name} ({_values(columns[name])})" for name in names[:_SHOWN])
    return f". It may be {shown}" if shown else ""


def _is_label(cells: Sequence[str]) -> bool:
    """Return True for two values, or for any number of ways to write yes and no; a few odd cells aside."""
    texts = {simple(text) for text in cells if not is_missing(text)}
    return len(texts) == 2 or (len(texts) > 0 and None not in map(read_answer, texts)) or bool(_odd_cells(cells))


def _odd_cells(cells: Sequence[str]) -> set[str]:
    """Return the few cells, as text, that say neither yes nor no in a column that says both.

    Whole numbers are none of them: with a 2, the column's 0 and 1 may be another coding.
    """
    filled = [text.strip() for text in cells if not is_missing(text)]
    answers = {text: read_answer(text) for text in filled}
    odd = {text for text, answer in answers.items() if answer is None}
    number = sum(text in odd for text in filled)
    few = 0 < number <= _UNREAD * len(filled) and {"0", "1"} <= {*answers.values()}
    return odd if few and not find_doubtful_cells(filled) else set()


def _find_variable(ours: str, columns: Mapping[str, Sequence[str]], found: Columns) -> None:
    read = {name: _read_cells(ours, cells) for name, cells in columns.items()}
    usable = [name for name, (_, unread) in read.items() if _share(columns[name], unread) < _UNREAD]
    exact = [name for name in usable if simple(name) == simple(ours)]
    chosen = exact if len(exact) == 1 else usable
    if len(chosen) > 1:
        found.doubts[ours] = f"{len(chosen)} columns could be {ours}: {', '.join(chosen)}; name one in columns"
    elif chosen:
        (name,) = chosen
        meanings, unread = read[name]
        found.columns[ours] = name
        if meanings:
            found.values[ours] = meanings
        if unread:
            found.doubts[ours] = f"{name} has cells that are not {ours} ({_quote(unread)}); correct or empty them"
        known = sum(not is_missing(text) for text in columns[name])
        meant = ", ".join(f"{text} = {value or 'unknown'}" for text, value in meanings.items())
        found.notes.append(
            f"{ours}: {name} ({known} of {len(columns[name])} rows filled{'; ' if meant else ''}{meant})"
        )
    elif filled := [name for name in read if read[name][1]]:
        shown = "; ".join(f"{name} ({_quote(read[name][1])})" for name in filled)
        found.doubts[ours] = f"the name of {shown} is that of {ours}, but its cells are not; not taken"


def _read_cells(ours: str, cells: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the meanings of cells that need one, and the cells that are not of the variable."""
    texts = list(dict.fromkeys(text.strip() for text in cells if not is_missing(text)))
    variable = KNOWN.get(ours)
    if isinstance(variable, Category):
        return read_category(variable, texts)
    return {}, [text for text in texts if isinstance(variable, Number) and not _is_number(variable, text)]


def _share(cells: Sequence[str], unread: Sequence[str]) -> float:
    """Return the fraction of filled cells that could not be read; 1 if none is filled."""
    filled = [text.strip() for text in cells if not is_missing(text)]
    return sum(text in unread for text in filled) / len(filled) if filled else 1.0


def _is_number(variable: Number, text: str) -> bool:
    try:
        variable.parse(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _quote(texts: Sequence[str]) -> str:
    return ", ".join(map(repr, texts[:_SHOWN])) + (", ..." if len(texts) > _SHOWN else "")


def _values(cells: Sequence[str]) -> str:
    counts = Counter(text.strip() for text in cells if not is_missing(text))
    shown = ", ".join(
        f"{text!r} {'once' if number == 1 else f'{number} times'}" for text, number in counts.most_common(_SHOWN)
    )
    return shown + (", ..." if len(counts) > _SHOWN else "")
