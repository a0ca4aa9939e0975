"""What users choose for a run and for a recalibration: whether it can be done, and the command that does it.

No torch, no widgets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PCRPredictorLib.report.wording import Translate


@dataclass(frozen=True)
class TrainingChoices:
    """The choices for a run beside its settings.

    Args:
        kind: "train" or "experiment".
        cohorts: folders to train on, the first one of the panel.
        leave_site_out: leave out one site at a time.
        sites: columns that name the sites, one per cohort; empty for the default.
        start: bundle or bundled model to start from; None for random weights.
        rows: table with more labelled patients, None without.
        keep_anyway: make models also if their attention is at chance; a comparison makes those of left-out sites.
        translate: a sentence into the user's language.
    """

    kind: str
    cohorts: tuple[Path, ...]
    leave_site_out: bool = False
    sites: tuple[str, ...] = ()
    start: str | None = None
    rows: Path | None = None
    keep_anyway: bool = False
    translate: Translate = str

    @property
    def problem(self) -> str | None:
        """The reason that these choices do not go together, a sentence; None if they do."""
        _ = self.translate
        if self.start is not None and self.kind != "train":
            return _("A comparison trains from random weights; choose random weights, or train the curriculum.")
        if self.start is not None and self.rows is not None:
            return _("More labelled rows fit a clinical branch anew; leave them out, or choose random weights.")
        if len(set(self.cohorts)) < len(self.cohorts):
            return _("A cohort is chosen twice; take one of the two away.")
        if self.sites and len(self.sites) != len(self.cohorts):
            text = _("Sites must be one column per cohort ({cohorts}), got {columns}; write cohort for one site.")
            return text.format(cohorts=len(self.cohorts), columns=len(self.sites))
        if self.leave_site_out and self.sites == ("cohort",):
            return _("A single site cannot be left out; name a column of the table, or add a cohort.")
        return None

    def words(self, out: Path, device: str) -> list[str]:
        """Return the command that starts or resumes the run, without the options of a new one."""
        keep = ["--keep-anyway"] if self.keep_anyway else []
        return [self.kind, *map(str, self.cohorts), "--out", str(out), "--device", device, *keep]

    def estimate_words(self, config: Path) -> list[str]:
        """Return the command that estimates the run."""
        return ["estimate", *map(str, self.cohorts), "--config", str(config), *self._division()]

    def options(self, config: Path) -> list[str]:
        """Return the options of a new run."""
        words = ["--config", str(config), *self._division()]
        words += ["--from", self.start] if self.start is not None else []
        return words + (["--clinical-rows", str(self.rows)] if self.rows is not None else [])

    def _division(self) -> list[str]:
        """Return the options that divide patients into sites."""
        words = ["--leave-site-out"] if self.leave_site_out else []
        return words + (["--sites", *self.sites] if self.sites else [])


@dataclass(frozen=True)
class RecalibrationChoices:
    """The choices for a recalibration.

    Args:
        model: bundle or bundled model, None if not chosen yet.
        cohorts: folders that are chosen; a recalibration takes one.
        out: folder of the new bundle, None if not chosen yet.
        points: "promised" or "rechosen".
        busy: one is in progress.
        translate: a sentence into the user's language.
    """

    model: str | None
    cohorts: Sequence[Path]
    out: Path | None
    points: str = "promised"
    busy: bool = False
    translate: Translate = str

    @property
    def problem(self) -> str | None:
        """The reason that it cannot start, a sentence; None if it can."""
        _ = self.translate
        if self.busy:
            return _("A recalibration is in progress.")
        if not self.cohorts:
            return _("Choose the folder of a cohort.")
        if len(self.cohorts) > 1:
            return _("Recalibrate on one cohort; take the others away.")
        if self.model is None:
            return _("Choose a model.")
        if self.out is None:
            return _("Choose a new folder for the recalibrated model.")
        return None

    def words(self) -> list[str]:
        """Return the command."""
        words = ["bundle", "recalibrate", str(self.model), *map(str, self.cohorts), "--out", str(self.out)]
        return [*words, "--points", self.points]


def split_columns(text: str) -> tuple[str, ...]:
    """Return the columns that a user wrote, divided by commas, or by blanks if there is no comma."""
    parts = text.split(",") if "," in text else text.split()
    return tuple(part.strip() for part in parts if part.strip())
