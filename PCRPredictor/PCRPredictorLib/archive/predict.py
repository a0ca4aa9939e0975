"""Predict an archive: on all cores or a cluster, row by row, to be resumed after any end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..engine.engine import Done
from ..engine.many import Place, run_again
from ..engine.opening import GPU, open_engine
from ..engine.tasks import Killing
from ..errors import DataError
from ..formatting import count
from ..model.training_marks import TRAINED_ON_EXAM, TRAINED_ON_PATIENT
from ..outputs import RESULT, folder_name
from ..reading.sources import Source
from ..saved.records import from_plain
from ..shift.facts import PatientFacts
from ..writing import remove_leftovers
from .identity import identify
from .journal import JOURNAL, Entry, Journal, hold_folder, open_journal
from .patients import Request, Task, Unusable, identify_if_there, predict_patient
from .rows import error_row
from .table import TABLE, check_folder, entries, write_table

_SECONDS = 0.3  # that a small exam takes
_LARGEST = 1e12  # of a number that is known of a patient
Say = Callable[[str], None]


@dataclass(frozen=True)
class Predicted:
    """What became of an archive.

    Args:
        failed: reason why a patient was not predicted, by identifier, in the order of the cohort.
        passing: number of patients that failed for a reason that may pass.
        facts: what is known of each patient that was predicted, without labels; of several tumours, the largest's.
        known_images, known_names: those of `facts` that the model was trained on, by their images, or by identifier
            alone.
    """

    failed: dict[str, str]
    passing: int
    facts: dict[str, PatientFacts]
    known_images: frozenset[str] = frozenset()
    known_names: frozenset[str] = frozenset()


def predict_cohort(
    patients: Sequence[Source],
    request: Request,
    out: Path,
    place: Place = Place(),  # noqa: B008
    *,
    resume: bool = False,
    see: Callable[[Entry], object] = lambda _: None,
    say: Say = lambda _: None,
) -> Predicted:
    """Predict every patient and write `predictions.csv`; an error in one patient does not stop the others.

    The row of each patient is on the disk as soon as it is there, in `predictions.jsonl`.

    Args:
        resume: go on with a run that was stopped: patients that are there with the same model and inputs are kept.
        see: called with the entry of each patient, first with those that are kept.
        say: called with sentences for the user.

    Raises:
        DataError: if the folder cannot be used, or if every patient failed; then the table is still written.
    """
    _check_names(patients, request)
    names = [patient.name for patient in patients]
    with _hold(out, request, resume=resume) as journal:
        _predict(patients, request, journal, place, see, say)
        write_table(journal, names, out / TABLE)
        found = _summarise(entries(journal, names))
        if others := len(journal.places) - len(found.facts) - len(found.failed):
            say(f"{count(others, 'patient')} of an earlier run not in the cohort any more: not in the table")
    if not found.facts:
        raise DataError(f"no patient could be predicted; the column 'error' of {out / TABLE} says why")
    return found


def _summarise(found: Iterable[Entry]) -> Predicted:
    failed, facts, passing = {}, {}, 0
    known: dict[str, set[str]] = {TRAINED_ON_EXAM: set(), TRAINED_ON_PATIENT: set()}
    for entry in found:
        if entry.facts is None:
            failed[entry.patient] = entry.error
            passing += entry.passing
        else:
            facts[entry.patient] = PatientFacts(**entry.facts)
            codes = {code for row in entry.rows for code in row.get("warnings", "").split()}
            for code in known.keys() & codes:
                known[code].add(entry.patient)
    by_images, by_name = (frozenset(found) for found in known.values())
    return Predicted(failed, passing, facts, by_images, by_name - by_images)


def _predict(
    patients: Sequence[Source],
    request: Request,
    journal: Journal,
    place: Place,
    see: Callable[[Entry], object],
    say: Say,
) -> None:
    """Predict the patients that are not in the journal yet."""
    waiting = []
    for patient in patients:
        kept = _kept(journal, patient, request)
        if kept is None:
            waiting.append(patient)
        else:
            see(kept)
    if len(waiting) < len(patients):
        say(f"{count(len(patients) - len(waiting), 'patient')} done before, {len(waiting)} to do")
    if not waiting:
        return
    on_gpu = request.device != "cpu"
    workers = place.workers if on_gpu else place.workers_for(len(waiting), _SECONDS)
    resources = {GPU: 1.0} if on_gpu else {}
    try:
        with open_engine(place.cluster, workers, threads=1, resources=resources, say=say, apart=True) as engine:
            tasks = (Task(patient, request) for patient in waiting)
            for done in run_again(engine, predict_patient, tasks, _may_pass, say, lambda task: task.source.name):
                entry = _entry_of(done)
                journal.append(entry)
                see(entry)
    except KeyboardInterrupt:
        say(f"{len(journal.places)} of {count(len(patients), 'patient')} done")
        raise


def _may_pass(done: Done[Task, Entry]) -> bool:
    return done.value.passing if done.value is not None else not isinstance(done.error, Unusable)


def _entry_of(done: Done[Task, Entry]) -> Entry:
    """Return what is kept of a patient.

    Raises:
        Unusable: if no patient can be predicted.
    """
    if done.value is not None:
        return done.value
    if isinstance(done.error, Unusable):
        raise done.error
    source = done.task.source
    if isinstance(done.error, Killing):
        row = error_row(source.name, f"{done.error}; or predict this patient alone with pcr predict")
        return Entry(source.name, [row], inputs=identify_if_there(source) or "")
    return Entry(source.name, [error_row(source.name, str(done.error))], passing=True)


def _kept(journal: Journal, patient: Source, request: Request) -> Entry | None:
    """Return the entry of a patient that is done: its inputs are the same, and its files are there if wanted."""
    inputs = journal.inputs_of(patient.name)
    try:
        if not inputs or identify(patient) != inputs:
            return None
    except OSError:  # a file is not there: that is reported when the patient is read
        return None
    entry, folder = journal.read(patient.name), request.folder_of(patient.name)
    if entry is not None and not _are_facts(entry.facts):  # damaged, or changed by hand
        return None
    missing = folder is not None and entry is not None and not entry.error and not (folder / RESULT).is_file()
    return None if missing else entry


def _are_facts(facts: Mapping[str, object] | None) -> bool:
    """Return True for what is known of a patient, or None, in numbers that can be averaged."""
    try:
        found = PatientFacts() if facts is None else from_plain(PatientFacts, facts)
    except ValueError:
        return False
    return all(abs(number) < _LARGEST for number in (*found.numbers.values(), found.probability or 0.0))


@contextmanager
def _hold(out: Path, request: Request, *, resume: bool) -> Iterator[Journal]:
    """Lock the folder of the results and yield its journal."""
    with hold_folder(out):
        check_folder(out, resume=resume)
        remove_leftovers(out)
        with open_journal(out / JOURNAL, request.decisive()) as journal:
            yield journal


def _check_names(patients: Sequence[Source], request: Request) -> None:
    """Refuse two patients whose files would lie in one folder."""
    if request.folder is None:
        return
    shared = Counter(folder_name(patient.name).lower() for patient in patients)
    for patient in patients:
        if shared[folder_name(patient.name).lower()] > 1:
            others = [p.name for p in patients if folder_name(p.name).lower() == folder_name(patient.name).lower()]
            raise DataError(
                f"--each writes {' and '.join(others)} into one folder, {folder_name(patient.name)}; rename one of them"
            )
