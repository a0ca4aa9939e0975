"""The phantom: synthetic breast DCE-MRI whose probability of complete response is known.

`patient` makes exams in memory, `visits` those of a patient under treatment; `write_cohort` and `write_courses` write
folders in the MAMA-MIA layout. Patients differ in
anatomy, kinetics and clinical variables (`traits` holds the label model), sites in their scanners.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np

from ..errors import DataError
from ..exam import PHANTOM, VISITS, Exam
from ..writing import whole_folder, write_csv, write_nifti
from .patient import Patient, make_patient
from .site import Site
from .traits import Traits
from .treatment import SHRINKAGES, Shrinkage
from .visits import TRUTH_COLUMNS, make_course, truth_row

TABLE = "clinical_and_imaging_info.csv"
TRUTH = "visits_truth.csv"
Row = dict[str, object]
T = TypeVar("T")
See = Callable[[int], object]


def write_cohort(
    out: Path,
    patients: int,
    site: Site,
    seed: int = 0,
    full: bool = False,
    see: See = lambda _written: None,
) -> None:
    """Write a cohort in the MAMA-MIA layout, whole or not at all.

    `out/images/<ID>/<id>_000k.nii.gz` (k = 0 pre, 1 early, 2 late), `out/segmentations/expert/<id>.nii.gz` and
    `out/clinical_and_imaging_info.csv`. Its column `true_probability` is the probability that the label was drawn with.

    Args:
        out: new or empty folder.
        patients: number of patients; the first n do not depend on it.
        site: of the scanner.
        seed: of the cohort.
        full: full-size exams (about 26 MB each, and 2.2 GB of memory) instead of small ones (below 1 MB).
        see: called with the number of patients that are written, after each.

    Raises:
        DataError: if `out` is in use or cannot be written, or there are no patients.
    """
    with _new_cohort(out, patients) as folder:
        _write_rows(
            list(_in_turn(patients, full, lambda index: _write_one(folder, index, site, seed, full), see)), folder
        )


def write_courses(
    out: Path,
    patients: int,
    site: Site,
    seed: int = 0,
    full: bool = False,
    visits: int = 3,
    shrinkage: Shrinkage = "concentric",
    see: See = lambda _written: None,
) -> None:
    """Write a cohort of patients under treatment with several visits each, whole or not at all.

    `out/images/<ID>/T0/<id>_000k.nii.gz`, `out/segmentations/expert/<id>_T0.nii.gz` (empty if the tumour is gone), the
    table with `day_T1` and `acquisition_times_T1`, and `out/visits_truth.csv` with the true values of each visit. The
    exams of T0 are those of `write_cohort`.

    Args:
        out: new or empty folder.
        patients: number of patients; the first n do not depend on it.
        site: of the scanner.
        seed: of the cohort.
        full: full-size exams.
        visits: number of visits, 1 to 4.
        shrinkage: "concentric" or "pieces".
        see: as of `write_cohort`.

    Raises:
        DataError: see `write_cohort`; or if there is no such number of visits or kind of shrinkage.
    """
    if not 1 <= visits <= len(VISITS):
        raise DataError(
            f"visits must be 1 to {len(VISITS)}, got {visits}; ask for the first ones of {', '.join(VISITS)}"
        )
    if shrinkage not in SHRINKAGES:
        raise DataError(f"shrinkage must be one of {', '.join(SHRINKAGES)}, got {shrinkage!r}; choose one of them")
    with _new_cohort(out, patients) as folder:

        def write(index: int) -> tuple[Row, list[Sequence[object]]]:
            course = make_course(site, index, seed, full, visits, shrinkage)
            for visit in course.visits:
                write_exam(folder, visit.exam, visit.state.visit)
            row = table_row(course.visits[0].exam, course.traits, site)
            for visit in course.visits[1:]:
                row |= {f"day_{visit.state.visit}": visit.state.day}
                row |= {f"acquisition_times_{visit.state.visit}": row["acquisition_times"]}
            return row, [truth_row(str(row["patient_id"]), visit) for visit in course.visits]

        written = list(_in_turn(patients, full, write, see))
        _write_rows([row for row, _ in written], folder)
        write_csv(TRUTH_COLUMNS, (truth for _, truths in written for truth in truths), folder / TRUTH)


@contextmanager
def _new_cohort(out: Path, patients: int) -> Iterator[Path]:
    """Give a folder to write a cohort into, that is put in its place when all is written."""
    if patients < 1:
        raise DataError(f"patients must be 1 or more, got {patients}; ask for at least one patient")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise DataError(f"{out} already exists and is not an empty folder; choose a new folder for the cohort")
    with whole_folder(out) as folder:
        (folder / "segmentations" / "expert").mkdir(parents=True)
        yield folder


def _write_rows(rows: list[Row], folder: Path) -> None:
    write_csv(list(rows[0]), (list(row.values()) for row in rows), folder / TABLE)


def _write_one(folder: Path, index: int, site: Site, seed: int, full: bool) -> Row:
    patient = make_patient(site, index, seed, full)
    write_patient(folder, patient)
    return table_row(patient.exam, patient.traits, site)


def _in_turn(patients: int, full: bool, write: Callable[[int], T], see: See) -> Iterator[T]:
    """Write patients 1 to n and yield what is returned of each in that order; `see` is told how many are written."""
    with ThreadPoolExecutor(1 if full else 2) as pool:  # a full-size exam takes some GB
        try:
            for number, found in enumerate(pool.map(write, range(1, patients + 1)), 1):
                see(number)
                yield found
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def write_patient(folder: Path, patient: Patient) -> None:
    """Write a patient's phases and mask into a cohort folder, in eight bits if the grey levels fit."""
    write_exam(folder, patient.exam)


def write_exam(folder: Path, exam: Exam, visit: str = "") -> None:
    """Write the phases and the mask of an exam into a cohort folder, in eight bits if the grey levels fit.

    Args:
        visit: name of the visit, "" for a cohort with one exam per patient.
    """
    name = str(exam.provenance.patient_id)
    images = folder / "images" / name / visit
    images.mkdir(parents=True)
    stored = np.uint8 if max(phase.max() for phase in exam.phases) < 256 else np.int16
    for number, phase in enumerate(exam.phases):
        write_nifti(phase.astype(stored), exam.geometry, images / f"{name.lower()}_{number:04d}.nii.gz", PHANTOM)
    if exam.mask is not None:
        ending = f"_{visit}.nii.gz" if visit else ".nii.gz"
        write_nifti(exam.mask, exam.geometry, folder / "segmentations" / "expert" / f"{name.lower()}{ending}")


def table_row(exam: Exam, traits: Traits, site: Site) -> Row:
    """Return a patient's row of the table, with MAMA-MIA's column names and codes."""
    columns, rows, slices = exam.geometry.size
    in_plane, _, thickness = exam.geometry.spacing
    return {
        "patient_id": exam.provenance.patient_id,
        "dataset": "PHANTOM",
        "pcr": traits.pcr,
        **{name: exam.clinical[name] for name in ("age", "hr", "her2", "menopause")},
        "tumor_subtype": traits.subtype,
        "site": site.name,
        "manufacturer": site.manufacturer,
        "view": site.orientation,
        "num_phases": len(exam.phases),
        "image_rows": rows,
        "image_columns": columns,
        "num_slices": slices,
        "pixel_spacing": f"[{in_plane:g}, {in_plane:g}]",
        "slice_thickness": thickness,
        "acquisition_times": "[" + ", ".join(f"{seconds:g}" for seconds in site.phase_times) + "]",
        "true_probability": round(traits.probability, 6),
    }
