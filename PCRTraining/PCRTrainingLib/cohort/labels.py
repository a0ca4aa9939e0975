"""Enter the label of a patient by hand, and take an entry back; the cohort's table stays as it is."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from pathlib import Path

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import count
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.reading.identifiers import match_identifiers
from PCRPredictorLib.reading.labels import (
    ENTERED,
    LABEL,
    WORDS,
    EnteredLabel,
    parse_label,
    parse_labels,
    read_entered_labels,
)
from PCRPredictorLib.writing import write_whole_csv

_SHOWN = 5


@dataclass(frozen=True)
class Change:
    """A label that was entered or taken back.

    Args:
        patient_id: as the images name the patient.
        before, now: what counted before and counts now, one of `WORDS`.
    """

    patient_id: str
    before: str
    now: str

    def describe(self) -> str:
        """Return the change in a sentence."""
        return f"{self.patient_id}: pCR {self.now}, before {self.before}"


def enter_label(cohort: Path, patient_id: str, answer: str, who: str) -> Change:
    """Write an entry that counts instead of the table's cell.

    Args:
        patient_id: in any case, with or without leading zeros.
        answer: yes, no or unknown in any language, or 1 or 0.
        who: name of the person, free text.

    Raises:
        DataError: if the patient is not in the cohort, the answer is none of these, or the file cannot be written.
    """
    labels = labels_of(cohort)
    name = _find(cohort, list(labels), patient_id)
    word = parse_answer(answer)
    entry = EnteredLabel(name, word, " ".join(who.split()), datetime.now().isoformat(timespec="seconds"))
    _write(cohort, [*read_entered_labels(cohort), entry])
    return Change(name, labels[name], word)


def undo_label(cohort: Path) -> Change:
    """Take the last entry back: the one before it counts again, or the table.

    Raises:
        DataError: if nothing was entered, or the file cannot be written.
    """
    entries = read_entered_labels(cohort)
    if not entries:
        raise DataError(f"{cohort}: no label was entered by hand, so that there is nothing to take back")
    *kept, last = entries
    _write(cohort, kept)
    return Change(last.patient_id, last.pcr, labels_of(cohort).get(last.patient_id, WORDS[None]))


def labels_of(cohort: Path) -> dict[str, str]:
    """Return what counts for each patient of a cohort, one of `WORDS`: an entry, else the table; in doubt, unknown.

    Raises:
        DataError: if the cohort cannot be read.
    """
    patients = find_patients(cohort)
    labels, _ = parse_labels([str(patient.row.get(LABEL, "")) for patient in patients])
    return {patient.patient_id: WORDS[label] for patient, label in zip(patients, labels, strict=True)}


def describe_labels(cohort: Path) -> list[str]:
    """Return how many patients have which label, and the entries by hand, in sentences.

    Raises:
        DataError: if the cohort cannot be read.
    """
    labels = list(labels_of(cohort).values())
    counts = ", ".join(f"{labels.count(word)} {word}" for word in WORDS.values())
    entries = read_entered_labels(cohort)
    lines = [f"{count(len(labels), 'patient')}, pCR: {counts}"]
    return lines + [f"entered by hand: {e.patient_id} {e.pcr}, {e.who}, {e.when.replace('T', ' ')}" for e in entries]


def parse_answer(answer: str) -> str:
    """Return one of `WORDS`.

    Raises:
        DataError: if it says anything else.
    """
    try:
        return WORDS[parse_label(answer)]
    except DataError:
        raise DataError(f"{LABEL} must be yes, no or unknown, got {answer!r}") from None


def _find(cohort: Path, names: Sequence[str], patient_id: str) -> str:
    keys = {name.lower(): name for name in names}
    found = match_identifiers([patient_id], list(keys), str(cohort)).get(patient_id)
    if found is None:
        shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        raise DataError(f"{patient_id}: is not a patient of {cohort} with images; its patients are {shown or 'none'}")
    return keys[found]


def _write(cohort: Path, entries: Sequence[EnteredLabel]) -> None:
    if entries:
        write_whole_csv([f.name for f in fields(EnteredLabel)], map(astuple, entries), cohort / ENTERED)
        return
    try:
        (cohort / ENTERED).unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{cohort / ENTERED}: cannot be deleted ({error.strerror}); get the right to write") from None
