"""A cohort on disk: in the MAMA-MIA layout, in the variants that copies of it have, or as `cohort.json` says.

    images, segmentations                        phases and masks, see `layouts.mama_mia`
    clinical_and_imaging_info.{csv,xlsx}         one row per patient (sheet `dataset_info`), optional
    entered_labels.csv                           labels entered by hand, which replace the table's (see `labels`)
    cohort.json                                  names of table and files, if they differ (see `mapping`)

Source: Garrucho et al., Scientific Data 2025 (MAMA-MIA).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..clinical import is_missing
from ..errors import DataError, Notice
from ..exam import VISITS, Exam, LeftAside
from ..files.names import does_not_exist, files_in, stem_of
from ..formatting import count, first_few
from ..lesion.parts import with_separate_lesions
from ..phases import may_be_phase, parse_times
from .identifiers import identifier_key, match_identifiers
from .images import read_header, read_series
from .labels import ENTERED, LABEL, entered_cells
from .layouts.mama_mia import REVIEWED as REVIEWED
from .layouts.mama_mia import find_layout_patients, find_masks, visits_of_layout
from .layouts.mama_mia import folder_of as folder_of
from .mapped import MappedFiles, Rows, find_mapped
from .mapping import CohortMapping, read_mapping, resolve
from .mask import add_mask
from .patterns import PATIENT
from .table import Rows as TableRows
from .table import read_rows
from .text_table import Report

TABLE = "clinical_and_imaging_info"
NO_IMAGES = "have no images"
_TIMES = "acquisition_times"
_OUTCOMES = {  # columns of MAMA-MIA, and of phantoms, that tell what became of the patient: in no exam
    *(LABEL, "true_probability", "mastectomy_post_nac"),
    *(f"days_to_{event}" for event in ("follow_up", "recurrence", "metastasis", "death")),
}
_ACQUISITION = {  # columns of MAMA-MIA that are no clinical variables
    *("patient_id", "dataset", "site", "manufacturer", "scanner_model", "field_strength", "tcia_series_uid"),
    *("view", "bilateral_mri", "num_phases", "fat_suppressed", "image_rows", "image_columns", "num_slices"),
    *("pixel_spacing", "slice_thickness", "high_bit", "window_center", "window_width"),
    *("echo_time", "repetition_time", "acquisition_date"),
}


@dataclass(frozen=True)
class CohortPatient:
    """The files of one patient and its row in the table.

    Args:
        patient_id: name of the images' folder.
        phases: every phase found, in order.
        mask: tumour mask, or None.
        row: of the table, column to text; empty if the patient is not in the table.
        problem: why the files cannot be used, as a sentence; "" if they can.
        others: images in the patient's folder that are no phases, by their names.
        notices: warnings about how the patient was found.
        pick: positions of pre, early and late among the phases, from 0; see `pick_phases` for the default.
        labels: of the tumours in the mask, see `read_masks`.
        each_lesion: every tumour of the mask is a lesion of its own.
        place_of_mask: where the mask is looked for; "" for the place in the layout of MAMA-MIA.
        renamed: columns of the row that are there under our names, too, in lower case.
    """

    patient_id: str
    phases: tuple[Path, ...]
    mask: Path | None
    row: Mapping[str, str]
    problem: str = ""
    others: tuple[LeftAside, ...] = ()
    notices: tuple[Notice, ...] = ()
    pick: tuple[int, ...] = ()
    labels: tuple[int | str, ...] = ()
    each_lesion: bool = False
    place_of_mask: str = ""
    renamed: frozenset[str] = frozenset()


def find_patients(cohort: Path, report: Report = lambda _: None, visit: str = "") -> list[CohortPatient]:
    """Return the patients that have images, in the order of their identifiers.

    Args:
        report: called with each sentence about what was guessed or left aside.
        visit: of a cohort with visits, whose exams are returned; by default the first, and that is reported.

    Raises:
        DataError: if the folder is not a cohort, or its table or mapping cannot be read.
    """
    if not cohort.exists():
        raise DataError(does_not_exist(cohort))
    if not cohort.is_dir():
        raise DataError(f"{cohort}: not a folder; give the folder of a cohort")
    mapping, table = read_mapping(cohort), read_table(cohort, report)
    if not visit and (visits := visits_of(cohort)):
        visit = visits[0]
        report(f"the cohort has visits ({', '.join(visits)}); only the exams of {visit} are used here")
    patients = _patients_at(cohort, mapping, table, visit)
    patients = _with_entered(cohort, _with_rows(cohort, patients, table, report), report)
    patients = [replace(patient, row=_row_at(patient.row, visit)) for patient in patients]
    renamed = frozenset(theirs.lower() for name, theirs in mapping.columns.items() if theirs.lower() != name.lower())
    options = {
        "pick": mapping.pick,
        "labels": mapping.labels,
        "each_lesion": mapping.lesions == "each",
        "renamed": renamed,
    }
    patients = [replace(patient, **options) for patient in patients]  # type: ignore[arg-type]
    used = {identifier_key(patient.row["patient_id"]) for patient in patients if patient.row}
    if without := [row["patient_id"] for key, row in table.items() if key not in used]:
        report(f"{len(without)} of {len(table)} rows of the table {NO_IMAGES}: {first_few(without)}")
    return patients


def find_patient(cohort: Path, patient_id: str) -> CohortPatient:
    """Return one patient of a cohort.

    Raises:
        DataError: if the patient is not in the cohort.
    """
    for patient in find_patients(cohort):
        if patient.patient_id == patient_id:
            return patient
    raise DataError(f"{patient_id}: is not in the cohort {cohort} any more; check the cohort again")


def visits_of(cohort: Path) -> tuple[str, ...]:
    """Return the names of the visits that a cohort has, in the order of time; empty if it has one exam per patient.

    Raises:
        DataError: if its mapping or table cannot be read.
    """
    mapping = read_mapping(cohort)
    if not mapping.images:
        return visits_of_layout(cohort)
    if not mapping.has_visits:
        return ()
    table = read_table(cohort)
    return tuple(visit for visit in VISITS if find_mapped(cohort, mapping.at(visit), table))


def _patients_at(cohort: Path, mapping: CohortMapping, table: Rows, visit: str) -> list[CohortPatient]:
    """Return the patients that have at least one phase at a visit, "" for their only one, without their rows."""
    if not mapping.images:
        place = f"segmentations/expert/{{}}_{visit}.nii.gz" if visit else ""
        return [_as_patient(files, place.format(files.patient_id)) for files in find_layout_patients(cohort, visit)]
    mapping = mapping.at(visit) if visit else mapping
    found = find_mapped(cohort, mapping, table)
    keys = {files.patient_id: f"{files.patient_id}_{visit}" if visit else files.patient_id for files in found}
    reviewed = find_masks(folder_of(cohort, "segmentations"), [REVIEWED], list(keys.values()))
    patients = []
    for files in found:
        mask, problem = reviewed.get(keys[files.patient_id], (files.mask, ""))
        files = replace(files, mask=mask, problem=files.problem or problem)
        patients.append(_as_patient(files, mapping.mask[-1].replace(PATIENT, files.patient_id)))
    return sorted(patients, key=lambda patient: patient.patient_id)


def _as_patient(files: MappedFiles, place_of_mask: str) -> CohortPatient:
    patient = CohortPatient(files.patient_id, files.phases, files.mask, {}, files.problem, files.others, files.notices)
    return replace(patient, place_of_mask=place_of_mask)


def _row_at(row: Mapping[str, str], visit: str) -> Mapping[str, str]:
    """Return a row of the table with the times of the phases of a visit; those of a later one have its name."""
    if not visit or not row:
        return row
    own = row.get(f"{_TIMES}_{visit.lower()}", row.get(_TIMES, "") if visit == VISITS[0] else "")
    return {**row, _TIMES: own}


def _with_rows(
    cohort: Path, patients: Sequence[CohortPatient], table: TableRows, report: Report
) -> list[CohortPatient]:
    """Return the patients with their rows of the table; an identifier that lost leading zeros there is reported."""
    names = [*table, *table.doubts]
    keys = match_identifiers([patient.patient_id for patient in patients], names, f"{cohort}: the table")
    found, by_number = [], 0
    for patient in patients:
        key = keys.get(patient.patient_id, "")
        row, problem = table.get(key, {}), patient.problem or table.doubts.get(key, "")
        by_number += bool(row) and identifier_key(row["patient_id"]) != identifier_key(patient.patient_id)
        found.append(replace(patient, row=row, problem=problem))
    if by_number:
        report(f"the table names {count(by_number, 'patient')} without the leading zeros; they were matched by number")
    return found


def _with_entered(cohort: Path, patients: Sequence[CohortPatient], report: Report) -> list[CohortPatient]:
    """Return the patients with the labels that were entered by hand in their rows; their number is reported."""
    cells = entered_cells(cohort)
    found = []
    for patient in patients:
        key = identifier_key(patient.patient_id)
        row = patient.row or {"patient_id": patient.patient_id}
        found.append(replace(patient, row={**row, LABEL: cells[key]}) if key in cells else patient)
    keys = {identifier_key(patient.patient_id) for patient in patients}
    if known := cells.keys() & keys:
        report(f"{count(len(known), 'label')} entered by hand in {ENTERED} used instead of the table's")
    if others := sorted(cells.keys() - keys):
        report(f"{ENTERED} has labels of patients that are not here: {first_few(others)}")
    return found


def read_patient(patient: CohortPatient, *, need_mask: bool = True) -> Exam:
    """Read the exam of one patient: phases, mask and the table's row as clinical variables.

    Of more than three phases, early and late are picked by the table's `acquisition_times` (see `pick_phases`). If the
    table has times of more phases than there are files, only that of the first phase after contrast is known.

    Args:
        need_mask: refuse a patient without a mask.

    Raises:
        DataError: if anything is missing or cannot be read.
    """
    if patient.problem:
        raise DataError(f"{patient.patient_id}: {patient.problem}")
    count = read_header(patient.phases[0]).volumes if len(patient.phases) == 1 else len(patient.phases)
    if count < 3:
        raise DataError(f"{patient.patient_id}: must have at least 3 phases, got {count}; add the files")
    if patient.mask is None and need_mask:
        raise DataError(f"{patient.patient_id}: has no tumour mask; add {missing_mask(patient)}")
    times, notices = _times(patient, count)
    exam = read_series(patient.phases, patient.pick, times if len(times) == count else ())
    first_post = exam.provenance.first_post
    if len(times) > 1 and len(times) != count:
        first_post = times[1] - times[0]
    clinical, acquisition = _divide_row({k: cell for k, cell in patient.row.items() if k not in patient.renamed})
    provenance = replace(
        exam.provenance,
        table=acquisition,
        clinical_from=dict.fromkeys((name.strip().lower() for name in clinical), "table"),
        first_post=first_post,
        patient_id=patient.patient_id,
        left_aside=(*exam.provenance.left_aside, *(_compare(other, patient, exam) for other in patient.others)),
        notices=(*exam.provenance.notices, *patient.notices, *notices),
    )
    exam = replace(exam, clinical=clinical, provenance=provenance)
    if patient.mask is None:
        return exam
    exam = add_mask(exam, patient.mask, patient.labels)
    return with_separate_lesions(exam) if patient.each_lesion else exam


def _divide_row(row: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return a row's clinical variables, and its columns about the acquisition; the outcome is in neither."""
    known = {name: cell for name, cell in row.items() if name not in _OUTCOMES}
    about = {name for name in known if name in _ACQUISITION or name.startswith(_TIMES)}
    clinical = {name: cell for name, cell in known.items() if name not in about}
    return clinical, {name: known[name] for name in known if name in about}


def missing_mask(patient: CohortPatient) -> str:
    """Return where in the cohort a patient's mask is looked for."""
    return patient.place_of_mask or f"segmentations/expert/{patient.patient_id.lower()}.nii.gz"


def _compare(other: LeftAside, patient: CohortPatient, exam: Exam) -> LeftAside:
    """Return an image that was not used; on the grid of the phases it looks like one of them."""
    try:
        same = read_header(patient.phases[0].parent / other.name).geometry.matches(exam.geometry)
    except DataError:
        same = False
    return replace(other, looks_like_phase=same and may_be_phase(stem_of(other.name)))


def read_table(cohort: Path, report: Report = lambda _: None) -> TableRows:
    """Read the clinical table by patient (`identifier_key`), every value as text; empty if there is no table.

    Args:
        report: called with each sentence about what was guessed or left aside.

    Raises:
        DataError: if it cannot be read or has no `patient_id`.
    """
    mapping = read_mapping(cohort)
    if mapping.table is not None:
        return read_rows(resolve(cohort, mapping.table, {}, mapping.follow_links), mapping, report)
    files = {file.name.lower(): file for file in files_in(cohort)}
    found = [files[name] for ending in (".csv", ".xlsx") if (name := TABLE + ending) in files]
    if len(found) > 1:
        report(f"{found[0].name} was read; left aside: {found[1].name}")
    return read_rows(found[0], mapping, report) if found else TableRows()


def _times(patient: CohortPatient, count: int) -> tuple[list[float], tuple[Notice, ...]]:
    """Return the times of the phases in s, empty if they are unknown, and a warning if they cannot be used."""
    text = str(patient.row.get("acquisition_times", "")).strip()
    times = parse_times(text)
    if not times and not is_missing(text):
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        reason = f"must be a list of rising seconds, got {shown}; they count as unknown"
    elif times and len(times) != count > 3:
        reason = f"must be as many as the {count} phases, got {len(times)}; they count as unknown"
    else:
        return times, ()
    return times, (Notice("phase_times_invalid", f"The table's acquisition_times {reason}."),)
