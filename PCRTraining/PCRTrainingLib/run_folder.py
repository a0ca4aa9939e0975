"""A run folder: every path in it, its lock, and the command's options. Only this file contains these names.

No torch here, for the Slicer module.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.formatting import as_line
from PCRPredictorLib.writing import write_whole_json

from .config import TrainingConfig, config_to_json, parse_config
from .run_files import check_kinds, read_content, refusing_damage

_LOCK_TIMEOUT_S = 3  # children of a killed run take a moment to end


class _Entry:
    """The path of one file or folder."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, folder: StepFolder | FoldFolder | RunFolder, owner: type) -> Path:
        return folder.path / self._name


@dataclass(frozen=True)
class StepFolder:
    """One step of one fold: `fold_k/<step>`."""

    path: Path

    weights = _Entry("weights.safetensors")
    history = _Entry("history.csv")  # a row per epoch
    predictions = _Entry("predictions.csv")  # of the held-out patients; written last
    checkpoint = _Entry("checkpoint.pt")  # only while the step is trained


@dataclass(frozen=True)
class FoldFolder:
    """What the steps of one fold share: `fold_k`."""

    path: Path

    lock = _Entry(".lock")
    pretrained = _Entry("pretrained.safetensors")  # what the first step starts from, if there was a pretraining
    pretraining = _Entry("pretraining.csv")  # a row per epoch of it


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run: it explains itself and can be resumed after any interruption.

    `pcr train` fills it; `pcr experiment` and `pcr select` keep one per seed and per configuration inside their own.
    """

    path: Path

    lock = _Entry(".lock")
    config = _Entry("config.json")
    kind = _Entry("kind.json")  # the command, and its options beside the configuration
    clinical_rows = _Entry("clinical_rows.csv")  # labelled rows without images, if there were any
    cache = _Entry("cache")  # the cohort on the model grid; of an experiment, a folder per cohort
    quarantine = _Entry("quarantine.csv")  # patients left out, and why
    schema = _Entry("schema.json")  # clinical variables
    origin = _Entry("run.json")  # cohort and versions
    sessions = _Entry("sessions.json")  # seconds of each time that the run was started
    splits = _Entry("splits.csv")  # who is held out in which fold
    out_of_fold = _Entry("oof.csv")  # predictions of the last step for held-out patients, calibrated
    card = _Entry("card.json")  # texts of the model card, if there were any
    summary = _Entry("summary.json")
    report = _Entry("report.html")  # of every kind of run, and of an evaluation
    report_text = _Entry("report.md")  # the same as Markdown, of experiments and evaluations
    failures = _Entry("failures.png")
    bundle = _Entry("bundle")
    base = _Entry("base")  # the bundle that a fine-tuning run starts from
    site_bundles = _Entry("bundles")  # one per site that was left out, for runs and experiments that leave sites out

    experiment = _Entry("experiment.json")  # of an experiment
    predictions = _Entry("predictions.csv")  # per patient: of an experiment, by row and seed; of an evaluation

    candidates = _Entry("candidates.csv")  # these two of a selection: each configuration in each outer fold
    selection = _Entry("selection.json")  # the choices and the nested result

    evaluation = _Entry("evaluation.json")  # of an evaluation

    def fold(self, number: int) -> FoldFolder:
        """Return the folder of a fold."""
        return FoldFolder(self.path / f"fold_{number}")

    def step(self, fold: int, name: str) -> StepFolder:
        """Return the folder of a step of a fold."""
        return StepFolder(self.fold(fold).path / name)

    def trained_steps(self) -> list[StepFolder]:
        """Return every step of every fold that has finished an epoch."""
        return [StepFolder(path.parent) for path in sorted(self.path.glob("fold_*/*/history.csv"))]

    def seed(self, number: int) -> RunFolder:
        """Return the run of one seed of an experiment."""
        return RunFolder(self.path / f"seed_{number}")

    def seeds(self) -> list[RunFolder]:
        """Return the runs of an experiment by seed; empty for any other run."""
        return [RunFolder(path) for path in sorted(self.path.glob("seed_*"), key=lambda path: (len(path.name), path))]

    def inner(self, outer: int, name: str) -> RunFolder:
        """Return the run of one configuration of a selection, on the patients that an outer fold trains on."""
        return RunFolder(self.path / f"outer_{outer}" / name)

    def pair(self, one: int, other: int, name: str) -> RunFolder:
        """Return the run of one configuration of a selection by sites, without the sites of two outer folds."""
        return RunFolder(self.path / f"without_{one}_{other}" / name)

    @property
    def chosen(self) -> RunFolder:
        """The run of the configurations that a selection has chosen, on its outer folds."""
        return RunFolder(self.path / "chosen")

    @property
    def control(self) -> RunFolder:
        """The fair controls of the configurations that a selection has chosen, on its outer folds."""
        return RunFolder(self.path / "control")

    def schema_of(self, name: str) -> Path:
        """Return the file of a selection with the clinical variables of one configuration."""
        return self.schema.with_name(f"{name}-{self.schema.name}")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create and lock the folder; errors of the file system become one sentence.

        Raises:
            DataError: if a different run holds it, it holds anything but a run, or it cannot be written.
        """
        if self.path.is_dir():
            self._check_own()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with FileLock(self.lock, timeout=_LOCK_TIMEOUT_S):
                yield
        except Timeout:
            raise DataError(
                f"{self.path}: another run is writing here; wait for it or choose a different folder"
            ) from None
        except OSError as error:
            raise DataError(
                f"{self.path}: cannot be written ({error.strerror or error}); free some space or choose a folder that "
                "you may write to, then resume it with --resume"
            ) from error

    @property
    def command(self) -> str:
        """The command that fills it: train, select or experiment; "" if it does not say so.

        Raises:
            DataError: if that cannot be read.
        """
        stored = read_json(self.kind) if self.kind.is_file() else {}
        return str(stored.get("kind", "")) if isinstance(stored, dict) else ""

    @property
    def is_locked(self) -> bool:
        """True if a process holds the folder."""
        try:
            with FileLock(self.lock, timeout=0):
                return False
        except Timeout:
            return True
        except OSError:
            return False

    def start(
        self, kind: str, config: TrainingConfig, options: Mapping[str, Any], *, resume: bool
    ) -> tuple[TrainingConfig, dict[str, Any]]:
        """Record what a new run was asked for; a run to be resumed keeps its own.

        Args:
            kind: the command: train, select or experiment.
            options: of the command beside the configuration, plain values.

        Returns:
            Configuration and options as they stand in the folder.

        Raises:
            DataError: if there is a run that is not to be resumed, a run of a different command, or any other file.
        """
        self.refuse_begun(resume=resume)
        if self.config.is_file() and resume:
            return self.read_started(kind, options)
        write_whole_json({"kind": kind, **options}, self.kind)
        write_whole_json(config_to_json(config), self.config)
        return config, dict(options)

    def _check_own(self) -> None:
        """Refuse a folder with files that are not of a run.

        Raises:
            DataError: naming the first one.
        """
        others = [path.name for path in self.path.iterdir() if path not in (self.lock, self.kind, self.sessions)]
        if others and not self.config.is_file():  # with it, a run ended before anything was trained
            raise DataError(
                f"{self.path}: must be a new or empty folder, got {sorted(others)[0]} in it; choose a different one"
            )

    def refuse_begun(self, *, resume: bool) -> None:
        """Refuse a folder with other files, or with a run that is not to be resumed, before anything is loaded or read.

        Raises:
            DataError: saying what to do.
        """
        if self.path.is_dir():
            self._check_own()
        if not resume and self.config.is_file() and self._has_begun:
            raise DataError(f"{self.path}: holds a run already; resume it with --resume, or choose a different folder")

    @property
    def _has_begun(self) -> bool:
        """True if folds were drawn: there may be something to lose."""
        return any(run.splits.is_file() for run in (self, *self.seeds()))

    def read_started(self, kind: str, options: Mapping[str, Any]) -> tuple[TrainingConfig, dict[str, Any]]:
        """Return the configuration and options that a run was started with.

        Args:
            kind: the command that resumes the run: train, select or experiment.
            options: its options now, for those that the run does not record.

        Raises:
            DataError: if the run is of a different command, or cannot be read.
        """
        stored: dict[str, Any] = {"kind": kind}
        with refusing_damage(self.kind):
            stored |= read_json(self.kind) if self.kind.is_file() else {}
        if (before := as_line(str(stored["kind"]), 40)) != kind:
            raise DataError(
                f"{self.path}: holds a run of pcr {before}, got pcr {kind}; resume it with pcr {before}, or choose a "
                "different folder"
            )
        if isinstance(stored.get("clinical_rows", []), str | None):  # an earlier version kept one path, or none
            stored["clinical_rows"] = [stored["clinical_rows"]] if stored["clinical_rows"] else []
        check_kinds(self.kind, stored, options)
        return self.read_config(), {**options, **stored}

    def read_config(self) -> TrainingConfig:
        """Return the configuration that a run was started with.

        Raises:
            DataError: if it cannot be read.
        """
        try:
            with refusing_damage(self.config):
                return parse_config(self.config.read_text(encoding="utf-8"), str(self.config))
        except FileNotFoundError:
            raise DataError(f"{self.path}: no longer holds a run; choose the folder of a run") from None


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Return the content of a run's JSON file.

    Raises:
        DataError: if it cannot be read.
    """
    try:
        return read_content(path, "resume the run, which writes it again")
    except FileNotFoundError:
        raise DataError(f"{path}: is missing; resume the run, which writes it again") from None
