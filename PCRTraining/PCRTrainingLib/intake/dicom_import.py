"""The DICOM of many patients turned into a cohort in the MAMA-MIA layout, patient by patient.

images/<ID>/<id>_000k.nii.gz               every phase of the dynamic acquisition
segmentations/expert/<id>.nii.gz           tumour
clinical_and_imaging_info.csv              see `import_table`
identifiers.csv                            private: which number is which PatientID
import/<ID>.json                           a record: what was taken, what was left aside

With visits, the images of each lie in images/<ID>/T0 and so on, and masks have T0 and so on in their names.

Patients are imported side by side. A patient's record is written last. One that is there, of the same files and
settings, is not imported again, so an import that was stopped at any moment continues where it was.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from filelock import FileLock, Timeout
from PCRPredictorLib.engine.engine import Engine
from PCRPredictorLib.engine.many import Place, run_again
from PCRPredictorLib.engine.opening import open_engine
from PCRPredictorLib.engine.passing import may_pass
from PCRPredictorLib.engine.tasks import Killing
from PCRPredictorLib.errors import DataError, of_one_patient, sentence_of
from PCRPredictorLib.exam import VISITS, Geometry, Provenance
from PCRPredictorLib.formatting import count
from PCRPredictorLib.writing import remove_leftovers, whole_file, whole_folder, write_nifti

from ..cohort.check import identifier_hash
from ..progress import Progress
from .dicom_exam import EACH, FoundExam, find_exam, find_visits, read_phases
from .dicom_files import DicomPatient, list_files, read_dicom_folder
from .dicom_masks import FoundMask, find_mask, masks_of, share_masks
from .import_table import GivenTable, read_given_table, write_import_table
from .records import NUMBER, Record, mask_path, name_patients, read_record, remove_patient

_OF_VISIT = ("day", "acquisition_times")  # columns that each visit has
_WRITERS = 2  # phases that are compressed at once in a single process
_SECONDS = 0.005  # that reading and writing takes per file
_SPARING = 20  # times as long as it took, the table is not written again


@dataclass(frozen=True)
class Settings:
    """What is asked of an import.

    Args:
        ids: what names a patient, `records.NUMBER` or `records.PATIENT_ID`.
        study: of several studies, `dicom_exam.FIRST` or `LAST`, or `EACH` as a visit; None refuses them.
        labels: of the tumour in a mask with several segments.
    """

    ids: str = NUMBER
    study: str | None = None
    labels: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class Imported:
    """What an import did: patients in the cohort, with a mask, unchanged since before; and sentences about the rest."""

    patients: int
    masks: int
    unchanged: int
    problems: tuple[str, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Task:
    """A patient to be imported, see `import_patient`.

    Args:
        writers: phases that are compressed at once.
    """

    patient: DicomPatient
    masks: tuple[Path, ...]
    name: str
    cohort: Path
    settings: Settings
    writers: int = 1


@dataclass(frozen=True)
class Outcome:
    """What became of a patient: what was taken, or why it was not imported, and whether that may pass."""

    name: str
    taken: str = ""
    new: bool = True
    problem: str = ""
    passing: bool = False

    def describe(self) -> str:
        """Return a line."""
        if self.problem:
            return f"{self.name}: not imported: {self.problem}"
        return f"{self.name}: {self.taken}{'' if self.new else '; unchanged'}"


def import_dicom_folder(
    folder: Path,
    cohort: Path,
    settings: Settings,
    progress: Progress,
    table: Path | None = None,
    place: Place = Place(),  # noqa: B008
) -> Imported:
    """Import every patient; one that cannot be read is reported and does not stop the others.

    Args:
        table: with the label and clinical variables, by PatientID.

    Raises:
        DataError: if the folder has no DICOM, or the table or the cohort cannot be used.
    """
    folder, cohort = folder.absolute(), cohort.absolute()
    if table is not None and not table.is_file():  # seen before the archive is read, which takes long
        raise DataError(f"--table must be a file, got {table}; give the table with the PatientIDs")
    files = list_files(folder, cohort)
    with open_engine(place.cluster, place.workers_for(len(files), _SECONDS), say=progress.say) as engine:
        found = read_dicom_folder(folder, files, engine)
        patients, masks = found.patients, share_masks(found.patients, found.images, folder)
        with _locked(cohort):
            remove_leftovers(cohort / "images")
            remove_leftovers(mask_path(cohort, "").parent)
            names = name_patients(cohort, patients, settings.ids)
            given = read_given_table(table, names) if table is not None else GivenTable()
            writers = _WRITERS if engine.workers == 1 else 1
            tasks = (
                Task(each, tuple(masks[each.key]), names[each.key], cohort, settings, writers) for each in patients
            )
            progress.start("Importing", len(patients))
            outcomes = _import_all(engine, tasks, cohort, given, progress)
            records = [known.has_mask for name in names.values() if (known := read_record(cohort, name))]
    problems = [each.describe() for each in outcomes if each.problem]
    remarks = [*given.remarks]
    unused = [*found.lost, *(set(found.images) - {file for files in masks.values() for file in files})]
    if unused:
        remarks.append(f"{count(len(unused), 'file')} of no patient, such as {sorted(unused)[0].name}: not used")
    if passing := sum(each.passing for each in outcomes):
        remarks.append(f"{passing} not imported for a reason that may pass: run the same command again")
    return Imported(len(records), sum(records), sum(not each.new for each in outcomes), tuple(problems), tuple(remarks))


def _import_all(
    engine: Engine, tasks: Iterable[Task], cohort: Path, given: GivenTable, progress: Progress
) -> list[Outcome]:
    """Import patients; their table is written now and then, and at any end, from the records on the disk."""
    outcomes, due = [], 0.0
    try:
        for done in run_again(
            engine, import_one, tasks, lambda done: done.value is None or done.value.passing, progress.say
        ):
            passing = not isinstance(done.error, Killing)
            failed = Outcome(done.task.name, problem=sentence_of(done.error), passing=passing)
            outcomes.append(done.value or failed)
            progress.say(outcomes[-1].describe())
            if time.monotonic() >= due:
                start = time.monotonic()
                write_import_table(cohort, given)
                due = time.monotonic() + _SPARING * (time.monotonic() - start)
            progress.advance()
    finally:
        write_import_table(cohort, given)
    return outcomes


def import_one(task: Task, _report: Callable[..., None]) -> Outcome:
    """Return what became of a patient; whatever its files raise, it does not stop the others."""
    patient = task.patient
    try:
        with of_one_patient():
            record, new = import_patient(patient, task.masks, task.name, task.cohort, task.settings, task.writers)
    except DataError as error:
        return Outcome(task.name, problem=patient.without_names(str(error)), passing=may_pass(error))
    return Outcome(task.name, record.taken, new)


@contextmanager
def _locked(cohort: Path) -> Iterator[None]:
    try:
        cohort.mkdir(parents=True, exist_ok=True)
        with FileLock(cohort / ".import.lock", timeout=0):
            yield
    except Timeout:
        raise DataError(f"{cohort}: a different import writes into it; wait for its end") from None
    except OSError as error:
        raise DataError(f"{cohort}: cannot be written ({error.strerror or error}); choose a different folder") from None


def import_patient(
    patient: DicomPatient, masks: Sequence[Path], name: str, cohort: Path, settings: Settings, writers: int = 1
) -> tuple[Record, bool]:
    """Import one patient, or return its record if it is complete and unchanged.

    Args:
        masks: images that may be its mask.
        name: identifier in the cohort.
        writers: phases that are compressed at once.

    Returns:
        The record, and True if it was imported now.

    Raises:
        DataError: if the files hold no exam that can be used, or the cohort cannot be written.
    """
    facts = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in masks]
    signature = patient.signature(facts, settings)
    record = read_record(cohort, name)
    if record is not None and record.signature == signature and record.is_complete(cohort):
        return record, False
    remove_patient(cohort, name)
    with TemporaryDirectory(prefix="pcr-import-") as place:
        if settings.study == EACH:
            exams = find_visits(patient, Path(place))
        else:
            exams = {"": find_exam(patient, settings.study, Path(place))}
        parts = {
            visit: _import_exam(patient, masks, name, cohort, settings, visit, found, writers)
            for visit, found in exams.items()
        }
    record = replace(_join(parts), signature=signature)
    record.write(cohort)
    return record, True


def _import_exam(
    patient: DicomPatient,
    masks: Sequence[Path],
    name: str,
    cohort: Path,
    settings: Settings,
    visit: str,
    found: FoundExam,
    writers: int,
) -> Record:
    """Write an exam and its mask; return its record without a signature.

    Args:
        visit: of the exam, "" if it is the patient's only one.
    """
    folder = cohort / "images" / name / visit if visit else cohort / "images" / name
    geometry, source = _write_phases(folder, name, found, writers)
    own = patient if found.study is None else replace(patient, masks=masks_of(patient, found.study))
    mask = find_mask(own, masks, geometry, settings.labels)
    place = mask_path(cohort, name, visit)
    if mask.mask is not None:
        _write_mask(mask.mask, geometry, place)
    written = [*(file for file in folder.iterdir() if file.is_file()), *([place] if mask.mask is not None else [])]
    sizes = {file.relative_to(cohort).as_posix(): file.stat().st_size for file in sorted(written)}
    return replace(_record(patient, name, found, source, mask), files=sizes)


def _join(parts: Mapping[str, Record]) -> Record:
    """Return one record of the exams of a patient's visits; of a single exam, its own."""
    if list(parts) == [""]:
        return parts[""]
    row: dict[str, str] = {}
    for visit, part in parts.items():
        later = {f"{column}_{visit}": value for column, value in part.row.items() if column in _OF_VISIT}
        row |= part.row if visit == VISITS[0] else later
    first = next(iter(parts.values()))
    return replace(
        first,
        row={column: value for column, value in row.items() if value and column != "day"},
        taken=" | ".join(f"{visit}: {part.taken}" for visit, part in parts.items()),
        left_aside=[aside for part in parts.values() for aside in part.left_aside],
        notices=[f"{visit}: {text}" for visit, part in parts.items() for text in part.notices],
        files={file: size for part in parts.values() for file, size in part.files.items()},
    )


def _write_phases(folder: Path, name: str, found: FoundExam, writers: int) -> tuple[Geometry, Provenance]:
    """Write every phase; return the geometry, and what is known of the source."""
    with whole_folder(folder, among_many=True) as staging, ThreadPoolExecutor(writers) as pool:
        for numbers, exam in read_phases(found):
            files = [staging / f"{name.lower()}_{k:04d}.nii.gz" for k in numbers]
            phases = [np.asarray(phase) for phase in exam.phases]
            list(pool.map(write_nifti, phases, [exam.geometry] * len(phases), files))
    return exam.geometry, exam.provenance


def _write_mask(mask: np.ndarray, geometry: Geometry, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error}); free some space") from None
    with whole_file(path, among_many=True) as part:
        write_nifti(mask, geometry, part)


def _record(patient: DicomPatient, name: str, found: FoundExam, source: Provenance, mask: FoundMask) -> Record:
    """Return the record without its signature and files."""
    exam = found.exam
    row = {"manufacturer": patient.manufacturer, "age": "" if exam.age is None else f"{exam.age:g}"}
    if found.day is not None:
        row["day"] = str(found.day)
    if None not in exam.times:
        row["acquisition_times"] = "[" + ", ".join(f"{time:g}" for time in exam.times) + "]"
    series = ", ".join(dict.fromkeys(phase.series for phase in exam.phases))
    parts = [f"{count(len(exam.phases), 'phase')} ({series})", found.remark, mask.remark]
    if source.left_aside:
        files = sum(aside.files for aside in source.left_aside)
        parts.append(f"left aside: {count(files, 'file')}, listed in import/{name}.json")
    notices = [notice.message for notice in source.notices]
    taken = "; ".join(filter(None, [*parts, *notices]))
    aside = [{**asdict(each), "name": patient.without_names(each.name)} for each in source.left_aside]
    return Record(name, identifier_hash(patient.key), row, patient.without_names(taken), aside, notices)
