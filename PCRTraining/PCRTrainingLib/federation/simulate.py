"""`pcr federate simulate`: all hospitals on one machine, each in a process of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.writing import write_whole_json

from ..cohort.sites import WHOLE
from ..evaluation.evaluate import cohort_names
from ..progress import Progress
from .division import divide_cohort, refuse_few_sites
from .folder import FederationFolder, Plan
from .optional import require_flare
from .processes import run_process
from .rounds import left_out_sites
from .settings import ENVIRONMENT, RESERVED, SiteSettings


def simulate(
    folder: FederationFolder, plan: Plan, sites: Mapping[str, SiteSettings], progress: Progress
) -> FederationFolder:
    """Run a federation with FLARE's simulator, or go on with it.

    Raises:
        DataError: if it cannot be run, or ended before the last round.
    """
    require_flare()
    folder.begin(plan)
    if not folder.is_done():
        settings, module = folder.path / "sites.json", "PCRTrainingLib.federation.flare.job"
        write_whole_json({name: asdict(each) for name, each in sites.items()}, settings)
        words = [str(folder.path.resolve()), str(plan.least), *sites]
        more = {ENVIRONMENT: str(settings.resolve())}
        run_process(module, words, folder.path / "simulator.log", folder.log, progress, more)
    for each in sites.values():
        if each.no_bundle.is_file():
            progress.say(each.no_bundle.read_text(encoding="utf-8"))
    check_finished(folder, progress)
    return folder


def check_finished(folder: FederationFolder, progress: Progress) -> None:
    """Say who was left out of what.

    Raises:
        DataError: if the federation has not reached its end, or no bundle was made of it.
    """
    state = folder.read_state()
    for sentence in left_out_sites(state.rows):
        progress.say(sentence)
    if not state.finished:
        raise DataError(
            f"{folder.path}: ended after {state.done} exchanges; {folder.log.name} and {folder.rounds.name} there say "
            "why; mend that and repeat the call, which goes on from there"
        )
    if state.refused:
        raise DataError(state.refused)


def simulated_sites(
    folder: FederationFolder,
    cohorts: Sequence[Path],
    columns: Sequence[str],
    plan: Plan,
    device: str,
    progress: Progress,
) -> dict[str, SiteSettings]:
    """Return the settings of each site: a cohort, or the patients with one value of a column of its table.

    Args:
        columns: one for each cohort; none, or "cohort" for a cohort that is one site.

    Raises:
        DataError: if they do not fit, or there are fewer than two sites.
    """
    if columns and len(columns) != len(cohorts):
        raise DataError(f"--sites must name a column for each cohort, got {len(columns)} for {len(cohorts)}; add them")
    names, found = cohort_names(cohorts), dict[str, SiteSettings]()
    least = max(plan.least, 2)
    named = dict(zip(names, zip(cohorts, columns or [WHOLE] * len(cohorts), strict=True), strict=True))
    refuse_few_sites(named, plan.config, least)
    for name, (cohort, column) in named.items():
        if column == WHOLE:
            own = own_name(name, found, progress)
            found[own] = SiteSettings(own, str(cohort.resolve()), "", name, device=device)
            continue
        divided = divide_cohort(cohort, name, column, folder.caches, plan.config, progress)
        for site, cache in divided.items():
            own = own_name(f"{name}-{site}" if len(cohorts) > 1 else site, found, progress)
            found[own] = SiteSettings(own, str(cohort.resolve()), "", name, str(cache.resolve()), device=device)
    if len(found) < least:
        raise DataError(
            f"a federation needs {least} sites or more, got {', '.join(found) or 'none'}; give more cohorts"
        )
    return {
        name: replace(each, folder=str(folder.site(name).resolve()), keep_anyway=plan.keep_anyway)
        for name, each in found.items()
    }


def own_name(name: str, taken: Iterable[str], progress: Progress) -> str:
    """Return a name that FLARE accepts and that no other site has, also if case does not count; say if it differs."""
    known = {each.casefold() for each in taken} | RESERVED
    plain = safe_name(name)
    choices = itertools.chain([plain], (f"{plain}-{number}" for number in itertools.count(2)))
    own = next(each for each in choices if each.casefold() not in known)
    if own != name:
        progress.say(f"{name} takes part as {own}: names have letters, digits and hyphens, and each one site")
    return own


def safe_name(name: str) -> str:
    """Return a name that FLARE accepts: letters, digits and hyphens."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name).strip("-")
    return plain or "site"
