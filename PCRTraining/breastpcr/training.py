"""Train models on cohorts, and evaluate them on others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeVar

from PCRPredictorLib.errors import DataError, within_memory
from PCRTrainingLib.calls.evaluate import evaluate_on
from PCRTrainingLib.calls.train import Place as Where
from PCRTrainingLib.calls.train import Trained, Wanted, train_on
from PCRTrainingLib.run_folder import RunFolder, read_json

from .exams import Place
from .place import check_place
from .progress import opened

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Run:
    """A training run that has ended.

    Args:
        folder: of the run, which explains itself.
        kind: "image" for a model of one exam, "response" for one of several visits.
    """

    folder: Path
    kind: Literal["image", "response"]

    @property
    def bundle(self) -> Path:
        """Return the folder of the trained model, for `predict`, `follow` and `evaluate`."""
        return RunFolder(self.folder).bundle

    @property
    def report(self) -> Path:
        """Return the HTML report."""
        return RunFolder(self.folder).report

    @property
    def summary(self) -> dict[str, Any]:
        """Return the results out of fold, the content of `summary.json`."""
        return read_json(RunFolder(self.folder).summary)


@dataclass(frozen=True)
class Evaluation:
    """Models on cohorts that they were not trained on.

    Args:
        folder: of the results.
    """

    folder: Path

    @property
    def report(self) -> Path:
        """Return the HTML report."""
        return RunFolder(self.folder).report

    @property
    def results(self) -> dict[str, Any]:
        """Return metrics with intervals, calibration, subgroups and attention, the content of `evaluation.json`."""
        return read_json(RunFolder(self.folder).evaluation)


@within_memory()
def train(
    cohorts: Place | Sequence[Place],
    out: Place,
    *,
    config: Place = "full",
    resume: bool = False,
    seed: int | None = None,
    pretrain: int | None = None,
    clinical_rows: Sequence[Place] = (),
    leave_site_out: bool = False,
    sites: Sequence[str] = (),
    start: Place | None = None,
    card: Place | None = None,
    mapping: Place | None = None,
    units: Sequence[str] = (),
    keep_anyway: bool = False,
    device: str = "cpu",
    workers: int | None = 1,
    cluster: str | None = None,
    show_progress: bool = False,
) -> Run:
    """Train the curriculum (global, attention, clinical) on cohorts, as `pcr train` does.

    With tables of patients at several visits, or cohorts that have several, it trains a response model.

    Args:
        cohorts: folders in the MAMA-MIA layout or with a `cohort.json`, of which one run is made; or tables.
        out: run folder; new, or one to be resumed.
        config: "quick", "full", or a JSON file with any part of a run's `config.json`.
        resume, seed: go on with a run that was stopped; instead of the configuration's.
        pretrain, clinical_rows: epochs of self-supervised training before step 1; tables with labels of more patients.
        leave_site_out, sites: leave out one site at a time; column of the sites, one per cohort, in their order.
        start, card: a model whose networks are trained further; JSON with texts of the model card.
        mapping, units: for tables, JSON that names columns and units; units of columns whose names have none.
        keep_anyway, device: make a bundle also of a model whose attention is at chance; "cpu" or "cuda".
        workers: processes; None for one per core. With several, a script must start below `if __name__ == "__main__":`.
        cluster, show_progress: address of a Dask scheduler, or file with its settings; draw bars on the terminal.

    Returns:
        The run: `bundle` is the trained model, `report` its page, `summary` its results out of fold.

    Raises:
        CallError: if arguments do not go together.
        DataError: if cohorts or folder cannot be used (the run can be resumed), or the attention is at chance.

    Source: Caragliano et al., arXiv 2605.07561.

    Example:
        run = breastpcr.train("cohort", out="run", config="quick")
        prediction = breastpcr.predict(exam, run.bundle)
    """
    given, where, tables = _several(cohorts), Where(device, workers, cluster), tuple(map(Path, clinical_rows))
    check_place("train", {"out": Path(out), "cohorts": given, "tables": tables, "resume": resume})
    asked = (str(config), resume, seed, pretrain, tables, leave_site_out, tuple(sites))
    files = _optional(str, start), _optional(Path, card), _optional(Path, mapping)
    wanted = Wanted(*asked, *files, tuple(units), where, keep_anyway)
    with opened(show_progress) as progress:
        return _finished(train_on(given, Path(out), wanted, progress))


def _finished(trained: Trained) -> Run:
    if trained.refused:
        raise DataError(trained.refused)
    return Run(trained.folder.path, trained.kind)


@within_memory()
def evaluate(
    cohorts: Place | Sequence[Place],
    out: Place,
    *,
    model: Place | Sequence[Place] = (),
    maps: bool = False,
    leave_out_known: bool = False,
    mapping: Place | None = None,
    units: Sequence[str] = (),
    device: str = "cpu",
    workers: int | None = 1,
    cluster: str | None = None,
    show_progress: bool = False,
) -> Evaluation:
    """Evaluate models on cohorts that they were not trained on, as `pcr evaluate` does.

    Args:
        cohorts: folders of cohorts; for response models, tables of patients at several visits.
        out: folder for the results.
        model: bundle folders or names of models that ship, one or several; none for the default one.
        maps: also measure what the maps do, about a second per patient and network.
        leave_out_known: leave out patients that a model was trained on, instead of refusing the cohort.
        mapping, units: for tables, as in `train`.
        device, workers, cluster: as in `train`.
        show_progress: draw bars on the terminal.

    Returns:
        The evaluation: `results` has metrics with intervals, calibration, subgroups and attention, `report` is a page.

    Raises:
        CallError: if arguments do not go together.
        DataError: if a cohort cannot be used or shares patients with the training of a model, or the folder cannot be
            written.

    Example:
        evaluation = breastpcr.evaluate("elsewhere", model=["ispy2", run.bundle], out="evaluation")
    """
    given, place = _several(cohorts), Where(device, workers, cluster)
    check_place("evaluate", {"out": Path(out), "cohorts": given})
    names = [str(each) for each in ([model] if isinstance(model, str | PathLike) else model)]
    file = _optional(Path, mapping)
    with opened(show_progress) as progress:
        wanted = {"maps": maps, "leave_out_known": leave_out_known}
        folder = evaluate_on(given, Path(out), names, place, progress, **wanted, mapping=file, units=units)
    return Evaluation(folder.path)


def _optional(kind: Callable[[Place], Kind], place: Place | None) -> Kind | None:
    return None if place is None else kind(place)


def _several(places: Place | Sequence[Place]) -> list[Path]:
    return [Path(places)] if isinstance(places, str | PathLike) else [Path(place) for place in places]
