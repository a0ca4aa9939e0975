"""What a run would refuse, by tables and names of files alone: before any image is read, or anything is written."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PCRPredictorLib.clinical import ClinicalSchema
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import first_few
from PCRPredictorLib.reading.cohort import find_patients

from ..cohort.cache import GridCache, report_left_out
from ..cohort.promised import promised_patients
from ..cohort.sites import Sites, divide, find_sites, site_columns
from ..cohort.splits import not_in_list
from ..config import TrainingConfig
from ..progress import Progress
from ..schema import build_schema
from .folds import Prepared


def foresee(
    cohorts: Mapping[str, Path],
    config: TrainingConfig,
    progress: Progress = Progress(),  # noqa: B008
    schema: ClinicalSchema | None = None,
) -> Prepared:
    """Return the patients of a run with their folds, as far as they are known before images are read.

    Args:
        cohorts: name to folder.
        progress: is told who cannot be used, if the others cannot be divided.
        schema: of a model to start from; None for that of the tables.

    Raises:
        DataError: if the run would be refused: patients, classes, folds, sites or cells of a table.
    """
    if schema is None:
        rows = [patient.row for path in cohorts.values() for patient in find_patients(path)]
        schema, _ = build_schema(config.clinical, rows)
    cache = promised_patients(cohorts, schema, config.grid)
    try:
        return _divide(cache, schema, config, list(cohorts), progress)
    except DataError:
        report_left_out(cache, progress)
        raise


def _divide(
    cache: GridCache, schema: ClinicalSchema, config: TrainingConfig, cohorts: Sequence[str], progress: Progress
) -> Prepared:
    labels, column, ids = cache.labels, cache.column(config.split.column), cache.ids
    sites = sites_of(cache, config, cohorts)
    if not_listed := not_in_list(config.split, ids):  # allowed only if their images cannot be used
        progress.say(f"{config.split.file} does not list {first_few(not_listed)}: refused unless they cannot be used")
        listed = tuple(record for record in cache.records if record.patient_id not in set(not_listed))
        return _divide(replace(cache, records=listed), schema, config, cohorts, progress)
    data = Prepared(cache, schema, divide(config, sites, ids, labels, column, config.seed), (), sites)
    data.check(config)
    return data


def sites_of(cache: GridCache, config: TrainingConfig, cohorts: Sequence[str]) -> Sites:
    """Return the sites of the cached patients.

    Args:
        cohorts: names, in the order that they were given.

    Raises:
        DataError: see `site_columns` and `find_sites`.
    """
    patients = [(record.cohort, record.row) for record in cache.records]
    return find_sites(site_columns(config, cohorts), patients, cache.labels, config.smallest_site)
