"""`pcr federate`: the curriculum across hospitals that share no patients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from PCRPredictorLib.commands.options import DeviceOption, ManyValues, console

from ..calls.train import read_config
from ..progress import ProgressBar
from . import options

if TYPE_CHECKING:
    from ..federation.folder import Plan

federate = typer.Typer(no_args_is_help=True, help="Train across hospitals that share no patients (NVIDIA FLARE).")
OutOption = Annotated[Path, typer.Option(help="Folder of the federation; new, or one to go on with.")]
RoundsOption = Annotated[int | None, typer.Option(min=1, help="Averages of each step; default: one after each epoch.")]
LeastOption = Annotated[int, typer.Option(min=1, help="Sites that a round needs.")]
ProxOption = Annotated[float, typer.Option(min=0, help="Weight of the proximal term (FedProx); 0 is FedAvg.")]
ClipOption = Annotated[
    float | None, typer.Option("--dp-clip", min=1e-9, help="Largest norm of what a site sends in a round.")
]
NoiseOption = Annotated[
    float, typer.Option("--dp-noise", min=0, help="Noise on what a site sends, as a multiple of --dp-clip.")
]


@federate.command(cls=ManyValues)
def simulate(
    cohorts: options.CohortsArgument,
    out: OutOption,
    sites: options.SitesOption = [],  # noqa: B006
    config: options.ConfigOption = "full",
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the configuration's.")] = None,
    rounds: RoundsOption = None,
    least: LeastOption = 2,
    prox: ProxOption = 0.0,
    clip: ClipOption = None,
    noise: NoiseOption = 0.0,
    keep_anyway: options.KeepAnywayOption = False,
    device: DeviceOption = "cpu",
) -> None:
    """Run all hospitals on one machine: each cohort is one, or each value of a column with --sites.

    Leaves OUT/bundle, and OUT/sites/NAME/bundle with the calibration of each site.
    """
    from ..federation.folder import FederationFolder
    from ..federation.optional import require_flare
    from ..federation.simulate import simulate, simulated_sites

    require_flare()
    folder = FederationFolder(out)
    folder.check_new()
    with ProgressBar(console) as progress:
        plan = _plan(config, seed, rounds, least, prox, clip, noise, keep_anyway)
        found = simulated_sites(folder, cohorts, sites, plan, device, progress)
        simulate(folder, replace(plan, sites=tuple(found)), found, progress)
        progress.say(f"Model of all sites: {folder.bundle}; calibrated at each site: {out / 'sites'}")


@federate.command(cls=ManyValues)
def serve(
    out: OutOption,
    sites: Annotated[list[str], typer.Option(help="Names of the hospitals; each gets a startup kit.")],
    host: Annotated[str, typer.Option(help="Name under which the hospitals reach this machine.")] = "localhost",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port for them; the only one that is opened.")] = 8002,
    config: options.ConfigOption = "full",
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the configuration's.")] = None,
    rounds: RoundsOption = None,
    least: LeastOption = 2,
    prox: ProxOption = 0.0,
    clip: ClipOption = None,
    noise: NoiseOption = 0.0,
    keep_anyway: options.KeepAnywayOption = False,
    grace: Annotated[
        float, typer.Option(min=1, help="Minutes that a round waits for the others once --least have answered.")
    ] = 30.0,
    wait: Annotated[
        float, typer.Option(min=0, help="Minutes to wait for all hospitals before the first round.")
    ] = 60.0,
) -> None:
    """Serve a federation: make certificates and kits, run the rounds, and write OUT/bundle at the end.

    The server needs no patients. A hospital that serves and takes part joins with its own kit, too.
    """
    from ..federation.folder import FederationFolder
    from ..federation.serve import serve
    from ..federation.settings import clash_of_names
    from ..federation.simulate import safe_name

    if wrong := [name for name in sites if name != safe_name(name)]:
        raise typer.BadParameter(f"--sites must be names of letters, digits and hyphens, got {wrong[0]!r}")
    if len(set(sites)) < max(least, 2) or len(set(sites)) < len(sites):
        raise typer.BadParameter(
            f"--sites must name {max(least, 2)} different hospitals or more, got {', '.join(sites)}"
        )
    if clash := clash_of_names(sites, host):
        raise typer.BadParameter(f"--sites must be names that differ, also without case: {clash}; choose another name")
    plan = _plan(config, seed, rounds, least, prox, clip, noise, keep_anyway, tuple(sites), 60 * grace)
    with ProgressBar(console) as progress:
        folder = FederationFolder(out)
        serve(folder, plan, host, port, 60 * wait, progress)
        progress.say(f"Model of all sites: {folder.bundle}; rounds: {folder.rounds}")


@federate.command(cls=ManyValues)
def join(
    kit: Annotated[Path, typer.Argument(help="Startup kit that the serving hospital made for this one.")],
    cohort: options.CohortArgument,
    out: Annotated[Path | None, typer.Option(help="Folder for the site's files; default: KIT/site.")] = None,
    keep_anyway: options.KeepAnywayOption = False,
    device: DeviceOption = "cpu",
) -> None:
    """Take part in a federation with the patients of COHORT, who stay here. Leaves OUT/bundle, calibrated here."""
    from ..federation.join import join, read_kit

    with ProgressBar(console) as progress:
        join(kit, read_kit(kit, cohort, out, device, keep_anyway), progress)


def _plan(
    config: str,
    seed: int | None,
    rounds: int | None,
    least: int,
    prox: float,
    clip: float | None,
    noise: float,
    keep_anyway: bool,
    sites: tuple[str, ...] = (),
    grace: float = 1800.0,
) -> Plan:
    """Return what was asked for.

    Raises:
        DataError: if the configuration is not one that a federation can follow.
        typer.BadParameter: if noise is asked for without a clip.
    """
    from ..federation.agreement import check_config
    from ..federation.folder import Plan

    if noise and clip is None:
        raise typer.BadParameter("--dp-noise needs --dp-clip, the norm that the noise is a multiple of")
    settings = read_config(config, seed)
    check_config(settings, rounds)
    epochs = min((n for step in settings.steps if (n := settings.epochs_of(step))), default=1)
    return Plan(settings, sites, rounds or epochs, least, prox, clip, noise, grace, keep_anyway=keep_anyway)
