"""`pcr import`: the DICOM of many patients as a cohort."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import ClusterOption, WorkersOption, check_out, console, print_line

from ..progress import ProgressBar


class Ids(str, Enum):
    """What names a patient in the cohort."""

    number = "number"
    patient_id = "patient-id"


class Which(str, Enum):
    """Which study of a patient with several: one of them, or each as a visit."""

    first = "first"
    last = "last"
    visits = "visits"


def import_dicom(
    folder: Annotated[Path, typer.Argument(help="Folder with the DICOM files of all patients, in any order.")],
    cohort: Annotated[Path, typer.Argument(help="Folder of the cohort; new, or one to continue.")],
    table: Annotated[Path | None, typer.Option(help="Table with pCR and clinical variables, by PatientID.")] = None,
    ids: Annotated[Ids, typer.Option(help="Names of the patients: numbers (P001), or their PatientIDs.")] = Ids.number,
    study: Annotated[
        Which | None, typer.Option(help="Which study of a patient with several exams: one, or each as a visit.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="Segment of the tumour in masks with several, by number or name.")
    ] = None,
    workers: WorkersOption = None,
    cluster: ClusterOption = None,
) -> None:
    """Turn a folder with the DICOM of many patients into a cohort. Run it again to continue after a stop."""
    from PCRPredictorLib.engine.many import Place

    from ..intake.dicom_import import Settings, import_dicom_folder

    check_out({"out": cohort, "resume": True, "table": table}, "the folder of the cohort")
    settings = Settings(ids.value, study.value if study else None, tuple(label or ()))
    with ProgressBar(console) as progress:
        done = import_dicom_folder(folder, cohort, settings, progress, table, Place(cluster, workers))
    for line in done.remarks:
        print_line(line)
    total = done.patients + len(done.problems)
    print_line(f"{done.patients} of {total} patients are in {cohort}, {done.masks} with a mask")
    print_line(f"Next: pcr check {cohort}")
    if ids is Ids.number:
        print_line(f"{cohort / 'identifiers.csv'} says which PatientID is which patient; keep it private")
    raise typer.Exit(1 if done.problems else 0)
