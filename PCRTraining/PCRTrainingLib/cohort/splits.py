"""Splits by patient: who is trained on and who is held out. No patient is ever on both sides."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.reading.identifiers import identifier_key, match_identifiers
from PCRPredictorLib.reading.text_table import read_text_table
from PCRPredictorLib.writing import write_whole_csv
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, StratifiedShuffleSplit, train_test_split

from ..config import SplitConfig
from ..run_files import read_kept_rows, refusing_damage

NEVER = -1  # the fold of patients that are always trained on
EXCLUDED = -2  # the fold of patients that take no part


def assign_folds(
    config: SplitConfig, ids: Sequence[str], labels: np.ndarray, column: np.ndarray, seed: int
) -> np.ndarray:
    """Return the fold in which each patient is held out, (N,) from 0; `NEVER` for patients that are always trained on.

    Args:
        ids: patient identifiers.
        labels: (N,) 0 or 1.
        column: (N,) text of the table's column `config.column`.
        seed: of the shuffle.

    Raises:
        DataError: if there are too few patients, only one class, no groups, or the given list does not fit.
    """
    if not len(labels):
        raise DataError("the cohort has no patient that can be used; run pcr check to see why")
    if labels.min() == labels.max():
        raise DataError(
            f"the cohort must have patients with and without pCR, got {count_classes(labels)}; check the column "
            "pcr of its table"
        )
    folds = _draw_folds(config, ids, labels, column, seed)
    held_out = labels[folds >= 0]
    fewest = int(min(held_out.sum(), (1 - held_out).sum()))
    if fewest < 2:
        raise DataError(
            f"two patients with pCR and two without must be held out to measure anything, got {fewest} of one kind; "
            "hold out more, or change the list"
        )
    return folds


def _draw_folds(
    config: SplitConfig, ids: Sequence[str], labels: np.ndarray, column: np.ndarray, seed: int
) -> np.ndarray:
    if config.kind == "given":
        folds = _read_given(Path(str(config.file)), ids)
        for k in range(folds.max() + 1):
            if len(set(labels[folds != k])) < 2:
                raise DataError(
                    f"{config.file}: the patients that fold {k} is trained on must be with and without pCR, got one "
                    "kind only; change the list"
                )
        return folds
    if config.kind == "groups":
        return _by_group(config, labels, column, seed)
    if config.kind == "holdout":
        return _hold_out(config.share, labels, column, seed)
    fewest = int(min(labels.sum(), (1 - labels).sum()))
    if fewest < 2:
        raise DataError(f"folds need two patients of each class or more, got {count_classes(labels)}; add patients")
    if fewest < config.folds:
        raise DataError(
            f"folds must be at most the {fewest} patients of the smaller class, got {config.folds}; set split.folds to "
            f'{fewest} or less ({{"split": {{"folds": {fewest}}}}} in a file for --config), or add patients'
        )
    splitter = StratifiedKFold(config.folds, shuffle=True, random_state=seed)
    return _folds_of(splitter.split(ids, _strata(labels, column, config.folds)), len(ids))


def count_classes(labels: np.ndarray) -> str:
    """Return how many patients each class has, in words; labels are (N,) 0 or 1."""
    return f"{int(labels.sum())} with pCR and {int((1 - labels).sum())} without"


def inner_validation(train: np.ndarray, labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide a fold's training patients: return (a,) to train on and (b,) that early stopping validates on.

    Args:
        train: (n,) positions.
        labels: (N,) of all patients.
        share: of the second part; 0 leaves it empty.

    Raises:
        DataError: if the patients are too few for both classes on both sides.
    """
    if not share:
        return train, train[:0]
    try:
        fitted, validation = train_test_split(train, test_size=share, random_state=seed, stratify=labels[train])
    except ValueError:  # fewer than two patients of a class
        fitted, validation = train, train[:0]
    if any(len(set(labels[side].tolist())) < 2 for side in (fitted, validation)):
        raise DataError(
            f"validation must leave patients with and without pCR on both sides, got {share:g} of {len(train)} patients"
            f", {int(labels[train].sum())} with pCR; set it higher, or to 0 to train without early stopping"
        )
    return np.sort(fitted), np.sort(validation)


def not_in_list(config: SplitConfig, ids: Sequence[str]) -> list[str]:
    """Return the patients whom the list of a split does not have; none if the split has no list.

    Raises:
        DataError: if the list cannot be read.
    """
    if config.kind != "given":
        return []
    path = Path(str(config.file))
    known = match_identifiers(ids, _read_list(path), str(path))
    return [name for name in ids if name not in known]


def write_splits(path: Path, ids: Sequence[str], labels: np.ndarray, folds: np.ndarray) -> None:
    """Write `splits.csv`: patient_id, label, fold (empty if always trained on); arrays of the same shape, (N,)."""
    shown = ["" if fold == NEVER else fold for fold in folds]
    write_whole_csv(["patient_id", "label", "fold"], zip(ids, labels, shown, strict=True), path)


def read_splits(path: Path, ids: Sequence[str]) -> np.ndarray:
    """Return the folds that `write_splits` wrote, (N,).

    Raises:
        DataError: if the file is of different patients, or damaged.
    """
    rows = read_kept_rows(path, "patient_id", "fold")
    with refusing_damage(path):
        folds = _checked({row["patient_id"]: int(row["fold"] or NEVER) for row in rows})
    if set(folds) != set(ids):
        raise DataError(f"{path}: must list the cohort's patients, got different ones; start a run in a new folder")
    return np.array([folds[name] for name in ids])


def _checked(folds: dict[str, int]) -> dict[str, int]:
    """Return folds of patients that a run can have; else raise a ValueError."""
    if min(folds.values(), default=0) < EXCLUDED or max(folds.values(), default=0) > len(folds):
        raise ValueError("a fold that no run has")
    if folds and max(folds.values()) < 0:
        raise ValueError("no patient is held out")
    return folds


def _strata(labels: np.ndarray, column: np.ndarray, folds: int) -> np.ndarray:
    """Return label and column together; combinations too rare for every fold count as the label alone."""
    strata = np.array([f"{label} {value}" for label, value in zip(labels, column, strict=True)])
    count = Counter(strata)
    return np.array([s if count[s] >= folds else str(label) for s, label in zip(strata, labels, strict=True)])


def _folds_of(parts: Iterable[tuple[np.ndarray, np.ndarray]], count: int) -> np.ndarray:
    folds = np.full(count, NEVER)
    for k, (_, held_out) in enumerate(parts):
        folds[held_out] = k
    return folds


def _by_group(config: SplitConfig, labels: np.ndarray, column: np.ndarray, seed: int) -> np.ndarray:
    groups = sorted(set(column) - {""})
    if len(groups) < 2 or (column == "").any():
        raise DataError(
            f"the table's column {config.column} must name two groups or more and one for every patient, got "
            f"{len(groups)} and {np.count_nonzero(column == '')} patients without; choose a different split.column"
        )
    if not config.folds or config.folds >= len(groups):
        folds = np.array([groups.index(value) for value in column])
    else:
        splitter = StratifiedGroupKFold(config.folds, shuffle=True, random_state=seed)
        folds = _folds_of(splitter.split(column, labels, column), len(column))
    for k in range(folds.max() + 1):
        if len(set(labels[folds != k])) < 2:
            raise DataError(
                f"without the group {column[folds == k][0]} one class is left; choose a different split.column"
                + (", or set split.folds lower" if config.folds else "")
            )
    return folds


def _hold_out(share: float, labels: np.ndarray, column: np.ndarray, seed: int) -> np.ndarray:
    folds = np.full(len(labels), NEVER)
    splitter = StratifiedShuffleSplit(1, test_size=share, random_state=seed)
    try:
        _, held_out = next(splitter.split(labels, _strata(labels, column, 2)))
    except ValueError:
        raise DataError(f"{len(labels)} patients are too few to hold out {100 * share:.0f} %; add patients") from None
    folds[held_out] = 0
    return folds


def _read_given(path: Path, ids: Sequence[str]) -> np.ndarray:
    """Return the folds of patients in a list, see `_read_list`."""
    known = _read_list(path)
    keys = match_identifiers(ids, known, str(path))
    if missing := [name for name in ids if name not in keys]:
        raise DataError(f"{path}: must list every patient, {missing[0]} is missing ({len(missing)} in all); add them")
    folds = np.array([known[keys[name]] for name in ids])
    if set(folds) - {NEVER} != set(range(folds.max() + 1)) or folds.max() < 0:
        raise DataError(f"{path}: folds must be numbered from 0 without a gap, and a patient must be held out")
    return folds


def _read_list(path: Path) -> dict[str, int]:
    """Return patients with their folds, of a list with `patient_id, fold` or with MAMA-MIA's two columns."""
    table = read_text_table(path)
    table.check_columns()
    columns = {name.lower(): [values[k] for _, values in table.rows] for k, name in enumerate(table.columns)}
    if {"train_split", "test_split"} <= columns.keys():
        return _read_sides(path, columns["train_split"], columns["test_split"])
    if {"patient_id", "fold"} <= columns.keys():
        return _read_folds(path, columns["patient_id"], columns["fold"])
    raise DataError(f"{path}: must have the columns patient_id, fold or train_split, test_split")


def _read_sides(path: Path, train: Iterable[str], test: Iterable[str]) -> dict[str, int]:
    known = dict.fromkeys(filter(None, map(identifier_key, train)), NEVER)
    for name in filter(None, map(identifier_key, test)):
        if known.setdefault(name, 0) == NEVER:
            raise DataError(f"{path}: {name} must be on one side of the split, got both; keep it on one")
    return known


def _read_folds(path: Path, names: Sequence[str], folds: Sequence[str]) -> dict[str, int]:
    known: dict[str, int] = {}
    for name, text in zip(map(identifier_key, names), folds, strict=True):
        if not re.fullmatch(r"(\d{1,4}(\.0+)?)?", text):
            raise DataError(f"{path}: fold must be a whole number from 0, or empty, got {text!r}; correct it")
        fold = int(float(text)) if text else NEVER
        if known.setdefault(name, fold) != fold:
            raise DataError(f"{path}: {name} must be in one fold, got {known[name]} and {fold}; keep one row")
    return known
