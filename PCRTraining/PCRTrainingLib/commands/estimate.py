"""`pcr estimate`: time and memory of a run."""

import os

from PCRPredictorLib.commands.options import console

from .options import CohortArgument, ConfigOption, ProcessesOption, read_config


def estimate(cohort: CohortArgument, config: ConfigOption = "full", processes: ProcessesOption = None) -> None:
    """Estimate time and memory of a training run on this machine, from a few batches of each step."""
    from ..training.estimate import estimate_cohort

    found = estimate_cohort(cohort, read_config(config), processes or os.cpu_count() or 1)
    console.print(f"about {max(found.seconds / 60, 1):.0f} min of training, {found.megabytes / 1024:.1f} GB of memory")
