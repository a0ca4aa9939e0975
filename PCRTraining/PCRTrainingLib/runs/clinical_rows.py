"""Clinical rows: labelled patients of a table, on whom the clinical branch alone is fitted if they have no images.

Tables of the same patients are joined by identifier. A table belongs to the cohort whose patients it contains; its rows
have the sites of that cohort, so that those of a site that is left out are not fitted on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PCRPredictorLib.clinical import ClinicalSchema, is_missing
from PCRPredictorLib.errors import DataError, Problem, group_problems
from PCRPredictorLib.formatting import count
from PCRPredictorLib.reading.identifiers import number_key
from PCRPredictorLib.reading.table import read_rows
from PCRPredictorLib.writing import write_whole_csv

from ..cohort.check import LABEL, parse_labels
from ..cohort.sites import UNKNOWN, Sites
from ..progress import Progress
from ..run_files import read_kept_rows
from ..schema import kept_columns
from ..training.folds import ClinicalRow

Table = dict[str, dict[str, str]]  # identifier as compared to column and text
_OWN = ("patient_id", "cohort", "site")  # columns that the kept file adds


@dataclass(frozen=True)
class Owners:
    """What decides to which cohort and site a row belongs.

    Args:
        patients: name of a cohort to the identifiers (`number_key`) of its patients.
        sites: None if all patients are of one.
        leaves_out: sites are left out, so that a row of unknown site cannot be used.
    """

    patients: Mapping[str, Collection[str]]
    sites: Sites | None = None
    leaves_out: bool = False

    def cohort_of(self, table: Table, file: Path) -> str:
        """Return the cohort whose patients a table contains, "" if it has none of any.

        Raises:
            DataError: if it has patients of several.
        """
        keys = set(map(number_key, table))
        found = {name: len(keys & set(patients)) for name, patients in self.patients.items()}
        owners = [name for name, number in found.items() if number]
        if len(owners) > 1:
            shown = ", ".join(f"{found[name]} of {name}" for name in owners)
            raise DataError(f"{file}: must have patients of one cohort only, got {shown}; give one table per cohort")
        return owners[0] if owners else ""

    def site_of(self, cohort: str, row: Mapping[str, str], file: Path) -> str:
        """Return the site of a row."""
        if self.sites is None:
            return ""
        return self.sites.of_row(cohort, row) if cohort else f"rows of {file.stem}"


def keep_clinical_rows(
    tables: Sequence[str],
    file: Path,
    schemas: Sequence[ClinicalSchema],
    progress: Progress,
    owners: Owners | None = None,
    without: Collection[str] = (),
) -> None:
    """Keep the labelled rows of tables in the folder of a new run: a resumed run then has the same.

    Args:
        tables: their paths.
        file: of the run folder.
        schemas: a row is kept if any of them can use it; the number of others is reported.
        owners: None if all rows are of one site.
        without: identifiers (`number_key`) of patients that must not be trained on.

    Raises:
        DataError: if one is not a table, two contradict each other, or no row can be used.
    """
    if not tables:
        file.unlink(missing_ok=True)  # of a run that ended before anything was trained
        return
    columns = [LABEL, *kept_columns(schemas)]
    kept: list[list[str]] = []
    for cohort, (path, table) in _read_tables(tables, owners or Owners({}), progress).items():
        usable = _usable(table, path, schemas, progress)
        sites = {name: owners.site_of(cohort, row, path) if owners else "" for name, row in table.items()}
        if owners and owners.leaves_out and (unknown := [name for name in usable if sites[name] == UNKNOWN]):
            progress.say(f"{count(len(unknown), 'row')} of {path.name} without a site: not fitted on")
            usable = [name for name in usable if sites[name] != UNKNOWN]
        kept += [
            [name, cohort, sites[name], *(table[name].get(column.lower(), "") for column in columns)]
            for name in usable
            if number_key(name) not in without
        ]
    if not kept:
        raise DataError(
            f"{', '.join(tables)}: no row has a label in the column {LABEL} and clinical values that can be used"
        )
    write_whole_csv([*_OWN, *columns], kept, file)


def read_cells(file: Path) -> list[dict[str, str]]:
    """Return the kept clinical rows as they are, with `patient_id`, `cohort` and `site`; none without a file."""
    if not file.is_file():
        return []
    return [{"cohort": "", "site": "", **row} for row in read_kept_rows(file, "patient_id")]


def read_clinical_rows(file: Path, schema: ClinicalSchema) -> list[ClinicalRow]:
    """Return the rows that `keep_clinical_rows` kept, as far as the schema can use them; none without a file.

    Raises:
        DataError: if the file is damaged.
    """
    rows, found = read_cells(file), []
    for cohort in dict.fromkeys(row["cohort"] for row in rows):
        own = {row["patient_id"]: row for row in rows if row["cohort"] == cohort}
        parsed, _ = _parse_rows(own, _parse_row_labels(own, file), schema)
        found += [row._replace(cohort=cohort, site=row.cells["site"]) for row in parsed]
    return found


def _read_tables(tables: Sequence[str], owners: Owners, progress: Progress) -> dict[str, tuple[Path, Table]]:
    """Return the joined table of every cohort, with the path of its first file; "" for those of no cohort."""
    joined: dict[str, tuple[Path, Table]] = {}
    for path in map(Path, tables):
        table = read_rows(path, report=progress.say)
        cohort = owners.cohort_of(table, path)
        if owners.patients:
            progress.say(f"{path.name}: {count(len(table), 'row')} of {cohort or 'no cohort, a site of their own'}")
        first, known = joined.setdefault(cohort, (path, {}))
        names = {number_key(name): name for name in known}
        for name, row in table.items():
            key = names.get(number_key(name), name)
            known[key] = _merge(known.get(key, {}), row, f"{first.name} and {path.name}: {row['patient_id']}")
    return joined


def _merge(one: Mapping[str, str], other: Mapping[str, str], where: str) -> dict[str, str]:
    """Return the values of two rows of a patient.

    Raises:
        DataError: if they have different labels.
    """
    merged = {**other, **{column: value for column, value in one.items() if not is_missing(value)}}
    if (LABEL in one and LABEL in other) and not (is_missing(one[LABEL]) or is_missing(other[LABEL])):
        (first, second), _ = parse_labels([one[LABEL], other[LABEL]])
        if first != second:
            raise DataError(f"{where} has {LABEL} {one[LABEL]} in one and {other[LABEL]} in the other; correct one")
    return merged


def _usable(table: Table, path: Path, schemas: Sequence[ClinicalSchema], progress: Progress) -> list[str]:
    """Return the rows that a schema can use; report the others."""
    labels = _parse_row_labels(table, path)
    parsed = [_parse_rows(table, labels, schema) for schema in schemas]
    found = {row.patient_id for rows, _ in parsed for row in rows}
    if len(found) < len(table):
        progress.say(f"{len(found)} of {len(table)} rows of {path.name} used; left out:")
        for group in group_problems(problem for problem in parsed[0][1] if problem.patient_id not in found):
            progress.say(f"  {group.describe(5)}")
    return [name for name in table if name in found]


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
) -> tuple[list[ClinicalRow], list[Problem]]:
    """Return the rows that have a label and values that the schema can read, and why the others have not."""
    names = list(rows)
    doubts = {names[k]: reason for k, reason in schema.find_doubts(list(rows.values())).items()}
    found, problems = [], []
    for name, row in rows.items():
        label = labels[name]
        try:
            if label is None or name in doubts:
                raise DataError(doubts.get(name, f"has no {LABEL}"))
            found.append(ClinicalRow(schema.encode(schema.parse_row(row)), label, name, cells=row))
        except DataError as error:
            problems.append(Problem(name, str(error)))
    return found, problems
