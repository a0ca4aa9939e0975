"""The schema of a run: centre, scale and range of its variables in the patients that it has, and how tables agree."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PCRPredictorLib.bundles.bounds import check_schema
from PCRPredictorLib.clinical import ClinicalSchema, Number, Value
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.identifiers import number_key
from PCRPredictorLib.writing import write_whole_json

from ..cohort.cache import GridCache, index_records
from ..progress import Progress
from ..run_files import refusing_damage
from ..run_folder import read_json
from ..schema import fit_scaling, measure_agreement
from .clinical_rows import read_cells


def fit_schema(schema: ClinicalSchema, cache: GridCache, table: Path, progress: Progress) -> ClinicalSchema:
    """Return the schema scaled to the patients of a run, with the agreement of table and exam; both are reported.

    Args:
        cache: patients with images.
        table: kept clinical rows of the run folder, see `keep_clinical_rows`; it may be missing.
    """
    rows, known = read_cells(table), index_records(cache.records)
    more = [_parse(schema, row) for row in rows if _key_of(row) not in known]
    values = [schema.complete(schema.parse(record.row), record.quantities) for record in cache.records]
    fitted, sentences = fit_scaling(schema, [*values, *more])
    for sentence in sentences:
        progress.say(sentence)
    return _with_agreement(fitted, cache, rows, progress)


def write_schema(schema: ClinicalSchema, file: Path) -> None:
    """Write the fitted schema of a new run."""
    write_whole_json(schema.to_json(), file)


def read_schema(file: Path) -> ClinicalSchema:
    """Return the schema as it was when the run began; that of an older version is not clipped.

    Raises:
        DataError: if it is damaged.
    """
    content = read_json(file)
    with refusing_damage(file):
        check_schema(content)
        return ClinicalSchema.from_json(content)


def _key_of(row: Mapping[str, str]) -> tuple[str, str]:
    return row["cohort"], number_key(row["patient_id"])


def _parse(schema: ClinicalSchema, row: Mapping[str, str]) -> dict[str, Value]:
    """Return the values of a row; a row of a different configuration may have some that this schema cannot read."""
    try:
        return schema.parse_row(row)
    except DataError:
        return {}


def _with_agreement(
    schema: ClinicalSchema, cache: GridCache, rows: Sequence[Mapping[str, str]], progress: Progress
) -> ClinicalSchema:
    known = index_records(cache.records)
    given = {known[key].patient_id: row for row in rows if (key := _key_of(row)) in known}
    pairs = [(given.get(r.patient_id, {}), r.row, r.quantities) for r in cache.records]
    found = []
    for variable in schema.variables:
        if isinstance(variable, Number) and variable.measured:
            variable, sentence = measure_agreement(variable, *_both(variable, pairs))
            if sentence:
                progress.say(sentence)
        found.append(variable)
    return ClinicalSchema(tuple(found))


def _both(
    variable: Number, pairs: Sequence[tuple[Mapping[str, str], Mapping[str, str], Mapping[str, float]]]
) -> tuple[list[float], list[float]]:
    """Return table and exam values of the patients that have both."""
    alone = ClinicalSchema((variable,))
    table, exam = [], []
    for given, own, quantities in pairs:
        values = {**_parse(alone, own), **_parse(alone, given)}
        if (value := values.get(variable.name)) is not None:
            table.append(float(value))
            exam.append(quantities[variable.name])
    return table, exam
