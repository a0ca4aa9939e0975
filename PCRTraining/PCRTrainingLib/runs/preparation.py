"""A cohort made ready for training: cached grids, clinical schema and folds, made once and kept in the run folder.

Clinical rows are labelled patients without images, on whom the clinical branch alone is fitted.
"""

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError, Problem, group_problems
from PCRPredictorLib.reading.cohort import find_patients
from PCRPredictorLib.reading.identifiers import number_key
from PCRPredictorLib.reading.table import read_rows
from PCRPredictorLib.writing import whole_file, write_whole_csv

from ..cohort.cache import QUARANTINE, GridCache, open_or_build
from ..cohort.check import LABEL, parse_labels
from ..cohort.splits import assign_folds, read_splits, write_splits
from ..config import TrainingConfig
from ..progress import Progress
from ..run_folder import RunFolder
from ..schema import build_schema, kept_columns
from ..training.folds import Prepared, Run
from .job import Job
from .scaling import fit_schema, read_cells, read_schema, write_schema

Rows = dict[str, tuple[np.ndarray, int]]  # lower-case identifier to clinical vector and label


def prepare(job: Job, config: TrainingConfig, table: str | None = None) -> Run:
    """Return the run of a job's cohort; cached grids, splits and schema are made once and kept.

    Args:
        table: path of the table with clinical rows of a new run.

    Raises:
        DataError: if the cohort cannot be used or has changed since the run began.
    """
    folder = job.folder
    cache, schema = open_cohort(job.cohort, folder.cache, config, job.progress)
    _keep_quarantine(cache, folder, job.progress)

    def keep(folds: np.ndarray) -> None:
        Prepared(cache, schema, folds, {}).check(config)
        keep_clinical_rows(table, folder.clinical_rows, [schema], job.progress)
        write_schema(fit_schema(schema, cache, folder.clinical_rows, job.progress), folder.schema)
        job.write_origin()

    folds = keep_folds(folder, cache, config, config.seed, keep)
    schema, kept = read_schema(folder.schema), folder.clinical_rows
    return Run(folder, Prepared(cache, schema, folds, read_clinical_rows(kept, schema), read_cells(kept)), config)


def open_cohort(
    cohort: Path,
    folder: Path,
    config: TrainingConfig,
    progress: Progress,
    schema: ClinicalSchema | None = None,
) -> tuple[GridCache, ClinicalSchema]:
    """Return the cohort's cache in `folder` and its clinical schema.

    Args:
        schema: of the model, for a cohort that is not trained on; None to build it from the table.
    """
    patients = find_patients(cohort, progress.say)
    if schema is None:
        schema, absent = build_schema(config.clinical, [patient.row for patient in patients])
        if absent:
            progress.say(f"no patient has a value of {', '.join(absent)}; trained without")
    progress.start("Reading the cohort", len(patients))
    return open_or_build(cohort, folder, config.grid, schema, progress), schema


def keep_folds(
    folder: RunFolder, cache: GridCache, config: TrainingConfig, seed: int, keep: Callable[[np.ndarray], None]
) -> np.ndarray:
    """Return the folds of a run, (N,): drawn for a new one, read for one that is resumed.

    Args:
        seed: of the draw.
        keep: called with new folds before they are written, to check them and to write all other files first: the
            other processes wait for the folds.

    Raises:
        DataError: if the cohort cannot be divided, or the folds are of other patients.
    """
    if not folder.splits.is_file():
        column = cache.column(config.split.column)
        folds = assign_folds(config.split, cache.ids, cache.labels, column, seed)
        keep(folds)
        write_splits(folder.splits, cache.ids, cache.labels, folds)
    return read_splits(folder.splits, cache.ids)


def _keep_quarantine(cache: GridCache, folder: RunFolder, progress: Progress) -> None:
    if out := len(cache.quarantine):
        progress.say(f"{out} of {len(cache) + out} patients left out, see {folder.quarantine.name}")
        for group in group_problems(cache.quarantine):
            progress.say(f"  {group.describe(5)}")
    if not folder.quarantine.is_file():
        with whole_file(folder.quarantine) as part:
            shutil.copyfile(cache.folder / QUARANTINE, part)


def keep_clinical_rows(
    table: str | None,
    file: Path,
    schemas: Sequence[ClinicalSchema],
    progress: Progress,
    without: Collection[str] = (),
) -> None:
    """Keep the labelled rows of a table in the folder of a new run: a resumed run then has the same.

    Args:
        table: its path; None if there is none.
        file: of the run folder.
        schemas: a row is kept if any of them can use it; the number of others is reported.
        without: identifiers (`number_key`) of patients that must not be trained on.

    Raises:
        DataError: if it is not a table or no row can be used.
    """
    if table is None:
        file.unlink(missing_ok=True)  # of a run that ended before anything was trained
        return
    rows = read_rows(Path(table), report=progress.say)
    labels = _parse_row_labels(rows, Path(table))
    parsed = [_parse_rows(rows, labels, schema) for schema in schemas]
    usable = {name for found, _ in parsed for name in found}
    if not usable:
        raise DataError(f"{table}: no row has a label in the column {LABEL} and clinical values that can be used")
    if len(usable) < len(rows):
        progress.say(f"{len(usable)} of {len(rows)} rows of {Path(table).name} used; left out:")
        for group in group_problems(problem for problem in parsed[0][1] if problem.patient_id not in usable):
            progress.say(f"  {group.describe(5)}")
    columns = [LABEL, *kept_columns(schemas)]
    kept = (
        [name, labels[name], *(row.get(column.lower(), "") for column in columns[1:])]
        for name, row in rows.items()
        if name in usable and number_key(name) not in without
    )
    write_whole_csv(["patient_id", *columns], kept, file)


def read_clinical_rows(file: Path, schema: ClinicalSchema) -> Rows:
    """Return the rows that `keep_clinical_rows` kept, as far as the schema can use them.

    Returns:
        Lower-case identifier to clinical vector, (schema width,), and label; empty without a file.

    Raises:
        DataError: if the file is damaged.
    """
    if not file.is_file():
        return {}
    rows = read_rows(file)
    return _parse_rows(rows, _parse_row_labels(rows, file), schema)[0]


def _parse_row_labels(rows: Mapping[str, Mapping[str, str]], file: Path) -> dict[str, int | None]:
    """Return the label of every row, None if it has none; refuse a column in which one is not clear."""
    labels, reasons = parse_labels([row.get(LABEL, "") for row in rows.values()])
    names = list(rows)
    if reasons:
        groups = group_problems(Problem(names[k], reason) for k, reason in reasons.items())
        raise DataError(f"{file}: {groups[0].describe(3)}")
    return dict(zip(names, labels, strict=True))


def _parse_rows(
    rows: Mapping[str, Mapping[str, str]], labels: Mapping[str, int | None], schema: ClinicalSchema
) -> tuple[Rows, list[Problem]]:
    """Return the rows that have a label and values that the schema can read, and why the others have not."""
    names = list(rows)
    doubts = {names[k]: reason for k, reason in schema.find_doubts(list(rows.values())).items()}
    found: Rows = {}
    problems = []
    for name, row in rows.items():
        label = labels[name]
        try:
            if label is None or name in doubts:
                raise DataError(doubts.get(name, f"has no {LABEL}"))
            found[name] = schema.encode(schema.parse_row(row)), label
        except DataError as error:
            problems.append(Problem(name, str(error)))
    return found, problems
