"""Sites: the hospitals, scanners or trials that patients come from, named by a column of each cohort's table.

A model must hold up at a site that it has not seen, so sites are left out one at a time, and training gives each the
same weight. "cohort" names a whole cohort as one site.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PCRPredictorLib.clinical import is_missing
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import count
from PCRPredictorLib.reading.identifiers import clean

from ..config import TrainingConfig
from .splits import EXCLUDED, NEVER, assign_folds

WHOLE = "cohort"  # instead of a column: all patients of a cohort are one site
OTHERS = "others"  # the sites that are too small to measure anything, together
UNKNOWN = ""  # the site of a patient whose table has no value
LEAST = 2  # patients of each class that a site needs at least


@dataclass(frozen=True, eq=False)
class Sites:
    """The sites of N patients.

    Args:
        columns: name of a cohort to the column of its table that names the site.
        names: (N,) text, `UNKNOWN` if the table has no value.
        measured: the sites that can be measured, sorted; `OTHERS` may be among them.
        known: spelling that is compared, of each site with images, to its name.
        remarks: sentences about small sites and missing values.
    """

    columns: Mapping[str, str]
    names: np.ndarray
    measured: tuple[str, ...]
    known: Mapping[str, str]
    remarks: tuple[str, ...]

    def of_row(self, cohort: str, row: Mapping[str, str]) -> str:
        """Return the site of a row without images; `OTHERS` if no patient with images is of its site."""
        name = _name(self.columns, cohort, row)
        return name and self.known.get(_key(name), OTHERS)

    @property
    def folds(self) -> np.ndarray:
        """(N,), the position in `measured` of each patient's site, -1 if it is not there."""
        return np.array([self.measured.index(name) if name in self.measured else -1 for name in self.names], int)


def site_columns(config: TrainingConfig, cohorts: Sequence[str]) -> dict[str, str]:
    """Return the column that names the sites of each cohort, `WHOLE` for the cohort itself.

    Args:
        cohorts: names, in the order of `config.sites`.

    Raises:
        DataError: if the configuration names columns for a different number of cohorts.
    """
    if config.sites:
        if len(config.sites) != len(cohorts):
            raise DataError(
                f"sites must name one column per cohort, in their order, got {len(config.sites)} for "
                f"{count(len(cohorts), 'cohort')}; write {WHOLE} for a cohort that is one site"
            )
        return dict(zip(cohorts, config.sites, strict=True))
    alone = len(cohorts) == 1 and config.split.kind == "sites"
    return dict.fromkeys(cohorts, config.split.column if alone else WHOLE)


def find_sites(
    columns: Mapping[str, str],
    patients: Sequence[tuple[str, Mapping[str, str]]],
    labels: np.ndarray,
    least: int = LEAST,
) -> Sites:
    """Return the sites of patients. Sites with too few patients of a class are taken together as `OTHERS`.

    Args:
        columns: see `site_columns`.
        patients: name of the cohort, and row of the table.
        labels: (N,) 0 or 1.
        least: patients of each class that a site needs.

    Raises:
        DataError: if a table lacks its column.
    """
    _check_columns(columns, patients)
    written = [_name(columns, cohort, row) for cohort, row in patients]
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for name in filter(None, written):
        spellings[_key(name)][name] += 1
    known = {key: found.most_common(1)[0][0] for key, found in spellings.items()}
    names = np.array([name and known[_key(name)] for name in written], dtype=object)
    small = [name for name in sorted(set(known.values())) if not _can_be_measured(labels[names == name], least)]
    remarks = _about_missing(names, columns)
    if small and len(known) > 1:
        inside = np.isin(names, small)
        names[inside] = OTHERS
        known = {key: OTHERS if name in small else name for key, name in known.items()}
        remarks.append(_about_small(small, labels[inside], least))
    sites = sorted(set(known.values()) - {OTHERS}) + [OTHERS] * (OTHERS in known.values())
    measured = tuple(name for name in sites if _can_be_measured(labels[names == name], least))
    return Sites(dict(columns), names.astype(str), measured, known, tuple(remarks))


def _name(columns: Mapping[str, str], cohort: str, row: Mapping[str, str]) -> str:
    column = columns.get(cohort)
    if column is None:
        return f"rows of {cohort}"
    if column == WHOLE:
        return cohort or WHOLE
    value = row.get(column.lower(), "")
    if is_missing(value):
        return UNKNOWN
    return f"{cohort}: {clean(value)}" if len(columns) > 1 else clean(value)


def _key(name: str) -> str:
    return name.casefold()


def _can_be_measured(labels: np.ndarray, least: int) -> bool:
    return bool(min(labels.sum(), (1 - labels).sum()) >= least)


def _check_columns(columns: Mapping[str, str], patients: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    for cohort, column in columns.items():
        rows = [row for name, row in patients if name == cohort]
        if column != WHOLE and rows and not any(column.lower() in row for row in rows):
            has = ", ".join(list(rows[0])[:40])
            raise DataError(f"{cohort}: its table must have the column {column} to name the sites; it has {has}")


def _about_missing(names: np.ndarray, columns: Mapping[str, str]) -> list[str]:
    without = int(np.count_nonzero(names == UNKNOWN))
    if not without:
        return []
    wanted = ", ".join(f"{column} ({cohort})" for cohort, column in columns.items() if column != WHOLE)
    return [
        f"{count(without, 'patient')} without a site, as the table has no value of {wanted}; while sites are left out, "
        "they take no part, as they may be of any"
    ]


def _about_small(small: Sequence[str], labels: np.ndarray, least: int) -> str:
    shown = ", ".join(small[:10]) + (f" and {len(small) - 10} more" if len(small) > 10 else "")
    whole = "" if _can_be_measured(labels, least) else "; they are always trained on"
    return (
        f"{count(len(small), 'site')} with fewer than {least} patients of a class, together called {OTHERS} "
        f"({count(len(labels), 'patient')}, {int(labels.sum())} with pCR){whole}: {shown}"
    )


def leave_sites_out(sites: Sites) -> np.ndarray:
    """Return the fold of each patient, (N,): its site; `NEVER` if that is too small to measure, `EXCLUDED` if unknown.

    Raises:
        DataError: if fewer than two sites can be measured.
    """
    if len(sites.measured) < 2:
        found = ", ".join(sites.measured) or "none"
        columns = ", ".join(f"{column} of {cohort}" for cohort, column in sites.columns.items())
        raise DataError(
            f"two sites or more must have enough patients of each class to leave one out, got {found} by {columns}; "
            "give more cohorts, or name a different column with --sites"
        )
    folds = np.where(sites.folds < 0, NEVER, sites.folds)
    return np.where(sites.names == UNKNOWN, EXCLUDED, folds)


def divide(
    config: TrainingConfig, sites: Sites, ids: Sequence[str], labels: np.ndarray, column: np.ndarray, seed: int
) -> np.ndarray:
    """Return new folds of patients, (N,), see `assign_folds`; those of several cohorts are stratified by site.

    Args:
        sites: of the patients.
        ids: identifiers.
        labels: (N,) 0 or 1.
        column: (N,) text of the table's column `config.split.column`.
        seed: of the draw.

    Raises:
        DataError: if they cannot be divided.
    """
    if config.split.kind == "sites":
        return leave_sites_out(sites)
    several = len(sites.columns) > 1 and config.split.kind in ("folds", "holdout")
    return assign_folds(config.split, ids, labels, sites.names if several else column, seed)
