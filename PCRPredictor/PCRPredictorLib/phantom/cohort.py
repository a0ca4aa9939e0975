"""The phantom: synthetic breast DCE-MRI whose probability of complete response is known.

`patient` makes exams in memory; `write_cohort` writes a folder in the MAMA-MIA layout. Patients differ in
anatomy, kinetics and clinical variables (`traits` holds the label model), sites in their scanners.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..exam import PHANTOM
from ..writing import whole_folder, write_csv, write_nifti
from .patient import Patient, make_patient
from .site import Site

TABLE = "clinical_and_imaging_info.csv"


def write_cohort(
    out: Path,
    patients: int,
    site: Site,
    seed: int = 0,
    full: bool = False,
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

    Raises:
        DataError: if `out` is in use or cannot be written, or there are no patients.
    """
    if patients < 1:
        raise DataError(f"patients must be 1 or more, got {patients}; ask for at least one patient")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise DataError(f"{out} already exists and is not an empty folder; choose a new folder for the cohort")
    with whole_folder(out) as folder:
        (folder / "segmentations" / "expert").mkdir(parents=True)
        rows = list(_write_patients(folder, patients, site, seed, full))
        write_csv(list(rows[0]), (list(row.values()) for row in rows), folder / TABLE)


def _write_patients(folder: Path, patients: int, site: Site, seed: int, full: bool) -> Iterator[dict[str, object]]:
    """Write patients 1 to n and yield their table rows in that order."""

    def write(index: int) -> dict[str, object]:
        patient = make_patient(site, index, seed, full)
        write_patient(folder, patient)
        return table_row(patient, site)

    with ThreadPoolExecutor(1 if full else 2) as pool:  # a full-size exam takes some GB
        try:
            yield from pool.map(write, range(1, patients + 1))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def write_patient(folder: Path, patient: Patient) -> None:
    """Write a patient's phases and mask into a cohort folder, in eight bits if the grey levels fit."""
    exam, name = patient.exam, str(patient.exam.provenance.patient_id)
    images = folder / "images" / name
    images.mkdir(parents=True)
    stored = np.uint8 if max(phase.max() for phase in exam.phases) < 256 else np.int16
    for number, phase in enumerate(exam.phases):
        write_nifti(phase.astype(stored), exam.geometry, images / f"{name.lower()}_{number:04d}.nii.gz", PHANTOM)
    if exam.mask is not None:
        write_nifti(exam.mask, exam.geometry, folder / "segmentations" / "expert" / f"{name.lower()}.nii.gz")


def table_row(patient: Patient, site: Site) -> dict[str, object]:
    """Return a patient's row of the table, with MAMA-MIA's column names and codes."""
    columns, rows, slices = patient.exam.geometry.size
    in_plane, _, thickness = patient.exam.geometry.spacing
    return {
        "patient_id": patient.exam.provenance.patient_id,
        "dataset": "PHANTOM",
        "pcr": patient.label,
        **{name: patient.exam.clinical[name] for name in ("age", "hr", "her2", "menopause")},
        "tumor_subtype": patient.traits.subtype,
        "site": site.name,
        "manufacturer": site.manufacturer,
        "view": site.orientation,
        "num_phases": len(patient.exam.phases),
        "image_rows": rows,
        "image_columns": columns,
        "num_slices": slices,
        "pixel_spacing": f"[{in_plane:g}, {in_plane:g}]",
        "slice_thickness": thickness,
        "acquisition_times": "[" + ", ".join(f"{seconds:g}" for seconds in site.phase_times) + "]",
        "true_probability": round(patient.probability, 6),
    }
