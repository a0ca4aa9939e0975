"""The label of a patient in a table, pCR or not, as people write it."""

import re
from collections.abc import Sequence

from ..answers import fold, read_word
from ..clinical import explain_cell, find_doubtful_cells, is_missing
from ..errors import DataError

LABEL = "pcr"
_NO_PCR = re.compile(r"n(o|on|ot|ein|icht)?[- ]?pcr|kein pcr|pas de pcr")


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
