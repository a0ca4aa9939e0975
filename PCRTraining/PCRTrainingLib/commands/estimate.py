"""`pcr estimate`: time and memory of a run."""

import os

from PCRPredictorLib.commands.options import console

from . import options


def estimate(
    cohorts: options.CohortsArgument,
    config: options.ConfigOption = "full",
    leave_site_out: options.LeaveSiteOutOption = False,
    sites: options.SitesOption = [],  # noqa: B006
    processes: options.ProcessesOption = None,
) -> None:
    """Estimate time and memory of a training run on this machine, from a few batches of each step."""
    from ..training.estimate import estimate_cohorts

    settings = options.divide_by_site(options.read_config(config), leave_site_out, sites)
    found = estimate_cohorts(options.name_cohorts(cohorts), settings, processes or os.cpu_count() or 1)
    console.print(f"about {max(found.seconds / 60, 1):.0f} min of training, {found.megabytes / 1024:.1f} GB of memory")
