"""What each visit, each quantity and each further variable is worth: the tables of the documentation.

    python -m PCRTrainingLib.response.experiment VISITS.csv CLINICAL.csv --out FOLDER [--image-logits FILE]

Every row is nested cross-validation on the same folds as the run of the model, see `validate`. `--image-logits` is a
CSV with patient_id and image_logit of networks that did not see the patient: whether an image network adds anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import format_value
from PCRPredictorLib.reading.identifiers import number_key
from PCRPredictorLib.response.course import QUANTITIES
from PCRPredictorLib.writing import read_csv, write_whole_json, write_whole_text
from rich.console import Console
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ..evaluation.layout import Table
from ..formats import EXPERIMENT
from ..progress import Progress, ProgressBar
from ..statistics.calibration import calibration_slope
from ..statistics.operating import Outcome
from ..visit_tables.patients import VisitPatients, read_visit_tables
from .config import ResponseConfig, choose_config
from .fit import ROWS, SETS, folds_of
from .measure import compare_repeated, repeated_auc, repeated_slope
from .validate import ALL, Part, mean_outcome, validate

_FURTHER = ("menopause", "mammaprint", "nac_agent")
_LABELS = {quantity.name: quantity.label.lower() for quantity in QUANTITIES}


def run_experiment(patients: VisitPatients, config: ResponseConfig, out: Path, progress: Progress) -> None:
    """Write `experiment.md` and `experiment.json` into a folder.

    Args:
        patients: of the tables; those without a label are left out.
        config: of the model.
        out: folder.
        progress: is told of each fold.

    Raises:
        DataError: if there are too few patients.
    """
    patients = patients.labelled()
    known = [q for q in config.quantities if _is_known(patients, q)]
    parts = [*_sets(), *_quantities(known), *_without(known)]
    folds = config.folds * config.repeats
    progress.start("Visits and quantities", folds)
    outcomes = validate(patients.courses, patients.labels, config, parts, progress).outcomes
    tables = [_table(title, rows, outcomes, patients.labels) for title, rows in _titles(known).items()]
    tables.append(_further(patients, config, outcomes, progress))
    out.mkdir(parents=True, exist_ok=True)
    write_whole_text("\n\n".join(map(_markdown, tables)) + "\n", out / "experiment.md")
    write_whole_json({"format": EXPERIMENT, "tables": [vars(table) for table in tables]}, out / "experiment.json")


def _is_known(patients: VisitPatients, quantity: str) -> bool:
    return any(visit.values.get(quantity) is not None for course in patients.courses for visit in course)


def _sets() -> list[Part]:
    return [Part(" + ".join(seen) or "clinical values", seen) for seen in SETS]


def _quantities(known: Sequence[str]) -> list[Part]:
    alone = [(q,) for q in known] + [tuple(q for q in known if q != left) for left in known] + [tuple(known[:2])]
    kept = dict.fromkeys(each for each in alone if 0 < len(each) < len(known))
    return [Part(_name(row, kept_here), row, kept_here) for kept_here in kept for row in ROWS]


def _name(row: Sequence[str], quantities: Sequence[str]) -> str:
    return f"{' + '.join(row)}: {', '.join(_LABELS[q] for q in quantities)}"


def _without(known: Sequence[str]) -> list[Part]:
    return [
        Part(f"{' + '.join(row)} without {_LABELS[q]} at {visit}", row, ALL, (q, visit))
        for row in ROWS
        for visit in row
        for q in known
    ]


def _titles(known: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return the tables: title to the names of rows and of the rows that they are compared with."""
    sets = {"Sets of visits": [(part.name, "clinical values") for part in _sets()]}
    only = [(part.name, " + ".join(part.visits)) for part in _quantities(known)]
    missing = [(part.name, " + ".join(part.visits)) for part in _without(known)]
    return {**sets, "Quantities alone and left out": only, "One value unknown": missing}


def _table(title: str, rows: Sequence[tuple[str, str]], outcomes: Mapping[str, Outcome], labels: np.ndarray) -> Table:
    cells = [_row(name, outcomes[name], outcomes[other] if name != other else None, labels) for name, other in rows]
    note = "AUC: mean of the repeats with its interval; the difference is to the row with all that it lacks."
    return Table(title, ("Known", "AUC", "Slope", "Difference", "p"), cells, note)


def _row(name: str, outcome: Outcome, other: Outcome | None, labels: np.ndarray) -> list[str]:
    auc, slope = repeated_auc(outcome, labels), repeated_slope(outcome, labels, calibration_slope)
    cells = [name, format_value(auc.to_json(), 3), format_value(slope.to_json())]
    if other is None:
        return [*cells, "", ""]
    pair: dict[str, Any] = compare_repeated(outcome, other, labels)
    return [*cells, format_value(pair["auc_difference"], 3, signed=True), format_value(pair["p"], 3)]


def _further(
    patients: VisitPatients, config: ResponseConfig, outcomes: Mapping[str, Outcome], progress: Progress
) -> Table:
    """Return what further clinical variables add to the model."""
    cells = []
    for name in _FURTHER:
        have = sum(name in course.clinical for course in patients.courses)
        if not have:
            continue
        progress.start(f"With {name}", config.folds * config.repeats)
        more = replace(config, clinical=(*config.clinical, name))
        parts = [Part(" + ".join(row), row) for row in ROWS]
        found = validate(patients.courses, patients.labels, more, parts, progress).outcomes
        for row in ROWS:
            plain = outcomes[" + ".join(row)]
            title = f"{' + '.join(row)} with {name} (known of {have})"
            cells.append(_row(title, found[" + ".join(row)], plain, patients.labels))
    return Table("Further variables", ("Known", "AUC", "Slope", "Difference", "p"), cells)


def image_table(patients: VisitPatients, config: ResponseConfig, file: Path, progress: Progress) -> Table:
    """Return what the logit of an image network at T0 adds in the patients that have one.

    The logit of the model, out of fold, and that of the image are combined by a logistic regression in folds of these
    patients, and so is the model's alone.

    Args:
        patients: of the tables.
        config: of the model.
        file: CSV with patient_id and image_logit, of networks that did not see the patient.
        progress: is told of each fold.

    Raises:
        DataError: if the file lacks a column or patients.
    """
    try:
        logits = {number_key(row["patient_id"]): float(row["image_logit"]) for row in read_csv(file)}
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{file}: must be a CSV with patient_id and image_logit ({error})") from None
    patients = patients.labelled()
    image = np.array([logits.get(number_key(course.patient_id or ""), np.nan) for course in patients.courses])
    has = np.isfinite(image)
    progress.start("With the image", config.folds * config.repeats)
    parts = [Part(" + ".join(row), row) for row in ROWS]
    outcomes = validate(patients.courses, patients.labels, config, parts, progress).outcomes
    labels, cells = patients.labels[has], []
    for part in parts:
        own = [draw.logit[has] for draw in outcomes[part.name].draws]
        alone = _combined(part.name, [logit[:, None] for logit in own], labels, config)
        both = _combined(part.name, [np.stack([logit, image[has]], 1) for logit in own], labels, config)
        cells.append(
            _row(f"{part.name}, model alone (n = {has.sum()}, {int(labels.sum())} with pCR)", alone, None, labels)
        )
        cells.append(_row(f"{part.name}, model and image", both, alone, labels))
    return Table("Image network at T0", ("Known", "AUC", "Slope", "Difference", "p"), cells)


def _combined(name: str, inputs: Sequence[np.ndarray], labels: np.ndarray, config: ResponseConfig) -> Outcome:
    """Return the outcome of a logistic regression on logits, in folds, once per repeat."""
    found = []
    for repeat, values in enumerate(inputs):
        fold, logit = folds_of(labels, config.folds, config.seed + repeat), np.zeros(len(labels))
        for k in np.unique(fold):
            fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(values[fold != k], labels[fold != k])
            logit[fold == k] = fitted.decision_function(values[fold == k])
        probability = expit(logit)
        found.append(
            Outcome(name, logit, probability, probability >= labels.mean(), probability, "base rate", part=fold)
        )
    return mean_outcome(found)


def _markdown(table: Table) -> str:
    lines = [f"### {table.title}", "", f"| {' | '.join(table.head)} |", f"|{' --- |' * len(table.head)}"]
    lines += [f"| {' | '.join(row)} |" for row in table.rows]
    return "\n".join([*lines, *(["", table.note] if table.note else [])])


def main(
    tables: Annotated[list[Path], typer.Argument(help="Tables with visits, labels and clinical values.")],
    out: Annotated[Path, typer.Option(help="Folder of the tables.")],
    config: Annotated[str, typer.Option(help="full, quick, or a JSON file.")] = "full",
    image_logits: Annotated[Path | None, typer.Option(help="CSV with patient_id and image_logit.")] = None,
) -> None:
    """Write what each visit, quantity and variable is worth.

    Raises:
        DataError: if the tables cannot be used.
    """
    patients, chosen = read_visit_tables(tables), choose_config(config)
    with ProgressBar(Console()) as progress:
        if image_logits is not None:
            table = image_table(patients, chosen, image_logits, progress)
            out.mkdir(parents=True, exist_ok=True)
            write_whole_text(_markdown(table) + "\n", out / "image.md")
            return
        run_experiment(patients, chosen, out, progress)


if __name__ == "__main__":
    typer.run(main)
