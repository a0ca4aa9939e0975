"""Hormone receptors of patients whose table has oestrogen (ER) or progesterone receptors (PR) instead.

They are positive if ER or PR is, and negative if both are. ER alone can therefore show that they are positive, but
never that they are negative.

Source: Allison et al., J Clin Oncol 2020 (ASCO/CAP): ER and PR, each positive from 1 % of the nuclei.
"""

from collections.abc import Callable, Mapping, Sequence

from ..clinical import ClinicalSchema, find_doubtful_cells, is_missing
from ..formatting import count, first_few
from .category import Category
from .number import Number

Report = Callable[[str], object]

HR, ER, PR = "hr", "er", "pr"
POSITIVE, NEGATIVE = "positive", "negative"
_UNKNOWN = "one of er and pr is negative and the other not known, or its cell cannot be read"
RECEPTOR = {
    NEGATIVE: ["0", "neg", "-", "no", "false"],
    POSITIVE: ["1", "pos", "+", "yes", "true"],
}
RECEPTORS = ClinicalSchema(
    (Category(ER, "Oestrogen receptor", RECEPTOR), Category(PR, "Progesterone receptor", RECEPTOR))
)


def hormone_receptors(er: object, pr: object) -> str | None:
    """Return positive if either receptor is, negative if both are, None if that is not known."""
    if POSITIVE in (er, pr):
        return POSITIVE
    return NEGATIVE if er == pr == NEGATIVE else None


def describe_hormone_receptors(found: Mapping[str, str | None]) -> str:
    """Return what was derived and what was not, a sentence.

    Args:
        found: patient to `hormone_receptors`.
    """
    values = list(found.values())
    text = f"hr from er and pr: {values.count(POSITIVE)} positive, {values.count(NEGATIVE)} negative"
    if not (unknown := [name for name, value in found.items() if value is None]):
        return text
    return f"{text}; unknown for {count(len(unknown), 'patient')}, as {_UNKNOWN}: {first_few(unknown)}"


def add_hormone_receptors(rows: Sequence[dict[str, str]], report: Report) -> None:
    """Fill in the column `hr` of rows that have none, or an empty cell there, from `er` and `pr`; and report it.

    Args:
        rows: with columns in lower case and `patient_id`; they are changed.
    """
    receptors = {variable.name: _read(variable, rows) for variable in RECEPTORS.variables}
    found = {}
    for k, row in enumerate(rows):
        known = [row.get(name) for name in (ER, PR)]
        if is_missing(row.get(HR)) and not all(map(is_missing, known)):
            value = hormone_receptors(receptors[ER][k], receptors[PR][k])
            found[row["patient_id"]] = value
            row[HR] = value or ""
    if found:
        report(describe_hormone_receptors(found))


def with_hormone_receptors(values: Mapping[str, object], report: Report = lambda _: None) -> dict[str, object]:
    """Return the clinical values of one patient, with `hr` if they have `er` or `pr` instead."""
    names = {name.strip().lower(): name for name in values}
    row = {"patient_id": "the patient", **{key: str(values[names[key]]) for key in (HR, ER, PR) if key in names}}
    add_hormone_receptors([row], lambda _: report(f"hr is {row[HR] or f'unknown, as {_UNKNOWN}'} (from er and pr)"))
    return {**values, names.get(HR, HR): row[HR]} if row.get(HR) else {**values}


def _read(variable: Number | Category, rows: Sequence[Mapping[str, str]]) -> list[object]:
    """Return the values of a column, None for a cell that is missing, in doubt or not to be read."""
    name, schema = variable.name, ClinicalSchema((variable,))
    cells = [row.get(name, "") for row in rows]
    doubts = find_doubtful_cells(cells)
    return [None if k in doubts else schema.parse_each({name: cell})[0][name] for k, cell in enumerate(cells)]
