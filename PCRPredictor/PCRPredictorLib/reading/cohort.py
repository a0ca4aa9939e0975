"""A cohort on disk in the MAMA-MIA layout, in the variants that copies of it have.

    images/<ID>/<id>_000k.nii.gz                 phase k; the case of names varies between copies
    segmentations/{reviewed,expert,automatic}/<id>.nii.gz tumour mask; the first of these that exists
    clinical_and_imaging_info.{csv,xlsx}         one row per patient (sheet `dataset_info`), optional
    entered_labels.csv                           labels entered by hand, which replace the table's (see `labels`)
    cohort.json                                  names of table and files, if they differ (see `mapping`)

Source: Garrucho et al., Scientific Data 2025 (MAMA-MIA).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..clinical import is_missing
from ..dicom.segmentation import is_dicom
from ..errors import DataError, Notice
from ..exam import Exam, LeftAside
from ..files.names import ending_of, files_in, folders_in, stem_of
from ..formatting import count
from ..lesion.parts import with_separate_lesions
from ..phases import may_be_phase, parse_times
from .identifiers import identifier_key, match_identifiers
from .images import read_header, read_series
from .labels import ENTERED, LABEL, entered_cells
from .mapped import Rows, find_mapped
from .mapping import CohortMapping, read_mapping, resolve
from .mask import add_mask
from .patterns import PATIENT
from .table import read_rows
from .text_table import Report

TABLE = "clinical_and_imaging_info"
REVIEWED, EXPERT, AUTOMATIC = "reviewed", "expert", "automatic"  # folders of masks, the best first
_PHASE = re.compile(r"_(\d{4})$")
_FROM_ONE = "The phases of every patient are numbered from 1; the first was taken as the one before contrast."


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


def find_patients(cohort: Path, report: Report = lambda _: None) -> list[CohortPatient]:
    """Return the patients that have images, in the order of their identifiers.

    Args:
        report: called with each sentence about what was guessed or left aside.

    Raises:
        DataError: if the folder is not a cohort, or its table or mapping cannot be read.
    """
    if not cohort.is_dir():
        raise DataError(f"{cohort}: not a folder; give the folder of a cohort")
    mapping, table = read_mapping(cohort), read_table(cohort, report)
    patients = _mapped_patients(cohort, mapping, table) if mapping.images else _mama_mia_patients(cohort)
    patients = _with_entered(cohort, _with_rows(cohort, patients, table), report)
    options = {"pick": mapping.pick, "labels": mapping.labels, "each_lesion": mapping.lesions == "each"}
    patients = [replace(patient, **options) for patient in patients]  # type: ignore[arg-type]
    used = {identifier_key(patient.row["patient_id"]) for patient in patients if patient.row}
    if without := [row["patient_id"] for key, row in table.items() if key not in used]:
        report(f"{len(without)} of {len(table)} rows of the table have no images: {', '.join(without[:5])}")
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


def _mapped_patients(cohort: Path, mapping: CohortMapping, table: Rows) -> list[CohortPatient]:
    """Return the patients that have at least one phase, without their rows."""
    found = find_mapped(cohort, mapping, table)
    reviewed = _masks(folder_of(cohort, "segmentations"), [REVIEWED], [files.patient_id for files in found])
    patients = []
    for files in found:
        mask, problem = reviewed.get(files.patient_id, (files.mask, ""))
        patient = CohortPatient(files.patient_id, files.phases, mask, {}, files.problem or problem)
        patients.append(replace(patient, place_of_mask=mapping.mask[-1].replace(PATIENT, files.patient_id)))
    return sorted(patients, key=lambda patient: patient.patient_id)


def _mama_mia_patients(cohort: Path) -> list[CohortPatient]:
    """Return the patients that have a folder of images, without their rows."""
    images = folder_of(cohort, "images")
    if not images.is_dir():
        raise DataError(
            f"{cohort}: not a cohort, no folder images and no phases in cohort.json; describe it with "
            f"pcr init, make a cohort of DICOM with pcr import, or arrange it as images/<patient>/<phases>, "
            f"segmentations/expert and {TABLE}.csv"
        )
    folders = folders_in(images)
    kinds = (AUTOMATIC, EXPERT, REVIEWED)
    masks = _masks(folder_of(cohort, "segmentations"), kinds, [folder.name for folder in folders])
    first = _first_number(folders)
    return [_patient_in(folder, *masks.get(folder.name, (None, "")), first) for folder in folders]


def _patient_in(folder: Path, mask: Path | None, problem: str, first: int) -> CohortPatient:
    """Return a patient with its phases, and why they cannot be used: a gap, a dead link, two files for one phase.

    Args:
        first: number of the first phase.
    """
    phases, others = _numbered(folder)
    if not phases and len(others) == 1:  # one file with all phases
        return CohortPatient(folder.name, (folder / others[0].name,), mask, {}, problem)
    files = [file for _, found in sorted(phases.items()) for file in found]
    for number in range(first, max(phases, default=-1) + 1):
        if number not in phases:
            problem = problem or f"has no phase _{number:04d}, but has {', '.join(f.name for f in files)}; add the file"
        elif len(phases[number]) > 1:
            names = " and ".join(file.name for file in phases[number])
            problem = problem or f"has two files for one phase, {names}; keep one"
    if dead := [file.name for file in files if not file.exists()]:
        problem = f"{dead[0]} is a link to a file that is not there; fetch or copy the file"
    notices = (Notice("phases_from_one", _FROM_ONE),) if first and files else ()
    return CohortPatient(folder.name, tuple(files), mask, {}, problem, tuple(others), notices)


def _numbered(folder: Path) -> tuple[dict[int, list[Path]], list[LeftAside]]:
    """Return the phases of a folder by number, and its other images."""
    phases, others = defaultdict(list), []
    for file in files_in(folder):
        if match := _PHASE.search(stem_of(file.name)):
            phases[int(match.group(1))].append(file)
        elif ending_of(file.name) or is_dicom(file):
            others.append(LeftAside(file.name, "its name does not end in the number of a phase, such as _0000"))
    return phases, others


def _first_number(folders: Iterable[Path]) -> int:
    """Return the number of the first phase: 1 if that of every patient is 1, else 0 as in MAMA-MIA."""
    lowest = [min(phases) for folder in folders if (phases := _numbered(folder)[0])]
    return 1 if len(lowest) > 1 and set(lowest) == {1} else 0


def _with_rows(
    cohort: Path, patients: Sequence[CohortPatient], table: Mapping[str, dict[str, str]]
) -> list[CohortPatient]:
    """Return the patients with their rows of the table; an identifier that lost leading zeros there is reported."""
    keys = match_identifiers([patient.patient_id for patient in patients], table, f"{cohort}: the table")
    found = []
    for patient in patients:
        row = table.get(keys.get(patient.patient_id, ""), {})
        notices: tuple[Notice, ...] = ()
        if row and identifier_key(row["patient_id"]) != identifier_key(patient.patient_id):
            text = "The table names the patient without the leading zeros, which a spreadsheet may have dropped."
            notices = (Notice("identifier_number", text),)
        found.append(replace(patient, row=row, notices=(*patient.notices, *notices)))
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
        report(f"{ENTERED} has labels of patients that are not here: {', '.join(others[:5])}")
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
        place = patient.place_of_mask or f"segmentations/expert/{patient.patient_id.lower()}.nii.gz"
        raise DataError(f"{patient.patient_id}: has no tumour mask; add {place}")
    times, notices = _times(patient, count)
    exam = read_series(patient.phases, patient.pick, times if len(times) == count else ())
    first_post = exam.provenance.first_post
    if len(times) > 1 and len(times) != count:
        first_post = times[1] - times[0]
    provenance = replace(
        exam.provenance,
        first_post=first_post,
        patient_id=patient.patient_id,
        left_aside=(*exam.provenance.left_aside, *(_compare(other, patient, exam) for other in patient.others)),
        notices=(*exam.provenance.notices, *patient.notices, *notices),
    )
    exam = replace(exam, clinical=patient.row, provenance=provenance)
    if patient.mask is None:
        return exam
    exam = add_mask(exam, patient.mask, patient.labels)
    return with_separate_lesions(exam) if patient.each_lesion else exam


def _compare(other: LeftAside, patient: CohortPatient, exam: Exam) -> LeftAside:
    """Return an image that was not used; on the grid of the phases it looks like one of them."""
    try:
        same = read_header(patient.phases[0].parent / other.name).geometry.matches(exam.geometry)
    except DataError:
        same = False
    return replace(other, looks_like_phase=same and may_be_phase(stem_of(other.name)))


def read_table(cohort: Path, report: Report = lambda _: None) -> dict[str, dict[str, str]]:
    """Read the clinical table by patient (`identifier_key`), every value as text; empty if there is no table.

    Args:
        report: called with each sentence about what was guessed or left aside.

    Raises:
        DataError: if it cannot be read, has no `patient_id` or has a patient twice.
    """
    mapping = read_mapping(cohort)
    if mapping.table is not None:
        return read_rows(resolve(cohort, mapping.table, {}, mapping.follow_links), mapping, report)
    files = {file.name.lower(): file for file in files_in(cohort)}
    found = [files[name] for ending in (".csv", ".xlsx") if (name := TABLE + ending) in files]
    if len(found) > 1:
        report(f"{found[0].name} was read; left aside: {found[1].name}")
    return read_rows(found[0], mapping, report) if found else {}


def folder_of(parent: Path, name: str) -> Path:
    """Return the folder with this lower-case name, however it is written on disk."""
    found = [path for path in parent.iterdir() if path.name.lower() == name] if parent.is_dir() else []
    return found[0] if found else parent / name


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


def _masks(segmentations: Path, kinds: Iterable[str], names: Sequence[str]) -> dict[str, tuple[Path | None, str]]:
    """Return the mask of each patient and why it cannot be used, "" if it can; the last kind that has one counts."""
    found: dict[str, tuple[Path | None, str]] = {}
    for kind in kinds:
        folder = folder_of(segmentations, kind)
        files = defaultdict(list)
        for file in files_in(folder):
            if file.suffix.lower() != ".csv":  # the list of reviews
                files[identifier_key(stem_of(file.name))].append(file)
        for name, key in match_identifiers(names, files, str(folder)).items():
            found[name] = files[key][0], _mask_problem(files[key])
    return found


def _mask_problem(files: Sequence[Path]) -> str:
    if len(files) > 1:
        return f"has two masks, {' and '.join(file.name for file in files)}; keep one"
    return "" if files[0].exists() else f"{files[0].name} is a link to a file that is not there; fetch or copy the file"
