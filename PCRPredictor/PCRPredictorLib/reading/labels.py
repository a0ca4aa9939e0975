"""The label of a patient, pCR or not: in a table, as people write it, and entered by hand beside the table.

entered_labels.csv     in a cohort's folder: patient_id, pcr, who, when; a row per entry, the last of a patient counts
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from ..answers import fold, read_word
from ..clinical import explain_cell, find_doubtful_cells, is_missing
from ..errors import DataError
from ..writing import read_csv
from .identifiers import identifier_key

LABEL, ENTERED = "pcr", "entered_labels.csv"
WORDS = {1: "yes", 0: "no", None: "unknown"}  # clear beside numbers of any coding
_NO_PCR = re.compile(r"n(o|on|ot|ein|icht)?[- ]?pcr|kein pcr|pas de pcr")


@dataclass(frozen=True)
class EnteredLabel:
    """A label that was entered by hand.

    Args:
        patient_id: as the images name the patient.
        pcr: one of `WORDS`.
        who: name of the person, free text.
        when: local time, ISO 8601.
    """

    patient_id: str
    pcr: str
    who: str
    when: str


def read_entered_labels(cohort: Path) -> list[EnteredLabel]:
    """Return every entry, the oldest first; empty if nothing was entered.

    Raises:
        DataError: if the list cannot be read.
    """
    path = cohort / ENTERED
    try:
        found = [EnteredLabel(**{f.name: row[f.name] for f in fields(EnteredLabel)}) for row in read_csv(path)]
        if wrong := [entry for entry in found if entry.pcr not in WORDS.values()]:
            raise ValueError(wrong[0].pcr)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError):
        columns, words = ", ".join(f.name for f in fields(EnteredLabel)), ", ".join(WORDS.values())
        raise DataError(
            f"{path}: cannot be read; it must have the columns {columns}, and one of {words} as {LABEL}; correct it, "
            "or move it away to use the table alone"
        ) from None
    return found


def entered_cells(cohort: Path) -> dict[str, str]:
    """Return what stands for the table's cell of the patients with an entry, by `identifier_key`; "" is unknown.

    Raises:
        DataError: see `read_entered_labels`.
    """
    return {
        identifier_key(entry.patient_id): "" if entry.pcr == WORDS[None] else entry.pcr
        for entry in read_entered_labels(cohort)
    }


def parse_labels(cells: Sequence[str]) -> tuple[list[int | None], dict[int, str]]:
    """Return the labels of a column, None if empty or not clear, and why by position if not clear.

    A number other than 0 and 1 puts every number of the column in doubt, and "-" is read only beside "+".
    """
    reasons = {k: f"{LABEL} {reason}" for k, reason in find_doubtful_cells(cells).items()}
    labels: list[int | None] = []
    for k, cell in enumerate(cells):
        try:
            labels.append(None if k in reasons else 0 if read_word(cell) == "negative" else parse_label(cell))
        except DataError as error:
            labels.append(None)
            reasons[k] = str(error)
    return labels, reasons


def parse_label(text: str) -> int | None:
    """Return a label from the text of a table: 1, 0, or None if it is empty. Yes and no may be in any language.

    Raises:
        DataError: if it is none of them.
    """
    if is_missing(text):
        return None
    number, word = str(text).strip().removesuffix(".0").removesuffix(",0"), read_word(text)
    if number in ("0", "1"):
        return int(number)
    if word in ("yes", "positive"):
        return 1
    if word == "no" or (word == "negative" and fold(text).isalpha()):
        return 0
    if _NO_PCR.fullmatch(fold(text)) or fold(text) == LABEL:
        return int(fold(text) == LABEL)
    got = repr(text.strip()) + explain_cell(text.strip())
    raise DataError(
        f"{LABEL} must be 0, 1 or empty, got {got}; write 0 and 1, or map the values in cohort.json "
        f'("values": {{"{LABEL}": {{"...": "1", "...": "0"}}}}), 1 for a complete response and 0 for none'
    )
