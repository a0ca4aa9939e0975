"""The whole command `pcr`: prediction's commands and what training adds. No logic here."""

from __future__ import annotations

import os
import shlex
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from PCRPredictorLib.command_line import (
    DEFAULT_MODEL,
    ManyValues,
    ModelOption,
    app,
    console,
    load_predictor,
    run,
    show_result,
)
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from rich.table import Table

from .progress_bar import ProgressBar

if TYPE_CHECKING:
    from .config import TrainingConfig
    from .training.workers import Worker

CohortArgument = Annotated[Path, typer.Argument(help="Folder of a cohort: MAMA-MIA layout, or with a cohort.json.")]
ConfigOption = Annotated[str, typer.Option(help="quick, full, or a JSON file with any part of a run's config.json.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")]
ClinicalRowsOption = Annotated[
    Path | None, typer.Option(help="Table with labels of more patients, for the fit of the clinical branch.")
]
ProcessesOption = Annotated[
    int | None,
    typer.Option(min=1, help="Folds trained at once; default: one per CPU core, one on a GPU. Ignored under torchrun."),
]
DEFAULT_PORT = 8080
DeviceOption = Annotated[str, typer.Option(help="cpu or cuda.")]


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the exam and the results.")] = Path("pcr-demo"),
    model: ModelOption = "phantom",
    seed: Annotated[int, typer.Option(help="Which phantom patient.")] = 1,
) -> None:
    """Make a full-size phantom exam and predict it with the model that was trained on phantoms."""
    from PCRPredictorLib.demo import write_demo

    predictor = load_predictor(load_bundle(find_bundle(model)))
    prediction = write_demo(out, predictor, model, seed, report=partial(console.print, soft_wrap=True))
    console.print("In a browser: pcr view " + shlex.join([str(out), "--model", model]), soft_wrap=True)
    show_result(prediction, out)
    asked = sys.stdin.isatty() and sys.stdout.isatty()
    if asked and typer.confirm("Open it in a browser now?", default=False):
        view([out], model=model, port=0)


@app.command(cls=ManyValues)
def view(
    exams: Annotated[
        list[Path], typer.Argument(help="Folders: an exam as pcr demo writes it, DICOM, or a cohort.")
    ] = [],  # noqa: B006
    phases: Annotated[list[Path], typer.Option(help="Three files: PRE EARLY LATE (NIfTI, NRRD, MHA).")] = [],  # noqa: B006
    mask: Annotated[Path | None, typer.Option(help="Tumour mask, with --phases or one DICOM folder.")] = None,
    clinical: Annotated[list[str], typer.Option(help="A CSV or JSON file, or pairs: age=52 hr=positive.")] = [],  # noqa: B006
    model: ModelOption = DEFAULT_MODEL,
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond this machine a token is needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = DEFAULT_PORT,
    name: Annotated[
        list[str], typer.Option(help="Further host names that the server answers to, such as a proxy's.")
    ] = [],  # noqa: B006
    token: Annotated[bool, typer.Option("--token", help="Ask for a token on this machine, too.")] = False,
    upload_limit: Annotated[int, typer.Option(min=1, help="Largest upload from a browser, in MB.")] = 1024,
    pages: Annotated[int, typer.Option(min=1, help="Pages open at once.")] = 8,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Show exams, predictions and attention in a browser, drawn by Slicer's core on this machine."""
    from PCRPredictorView.opengl import check_possible

    check_possible()  # before what would fail to load
    from PCRPredictorView.command import ServerSettings, find_exams, view

    entries = find_exams(exams, phases, mask, clinical)
    settings = ServerSettings(host, port, tuple(name), token, upload_limit, pages)
    view(entries, model, settings, lambda address: _announce(address, browser))


@app.command()
def phantom(
    out: Annotated[Path, typer.Argument(help="New folder for the cohort.")],
    patients: Annotated[int, typer.Option(min=1, help="How many.")],
    site: Annotated[str, typer.Option(help="Which scanner: A, B or C.")] = "A",
    seed: Annotated[int, typer.Option(help="Another seed gives other patients.")] = 0,
    shortcut: Annotated[float, typer.Option(min=-1, max=1, help="Background enhancement that goes with pCR.")] = 0.0,
    full: Annotated[bool, typer.Option("--full", help="Full-size exams, 448 x 448 x 120 voxels.")] = False,
) -> None:
    """Write a synthetic cohort in the MAMA-MIA layout, with every patient's true probability in its table."""
    from PCRPredictorLib.phantom.cohort import find_site, write_cohort

    write_cohort(out, patients, find_site(site, shortcut), seed, full=full)
    console.print(f"Written to {out}", soft_wrap=True)


@app.command()
def check(cohort: CohortArgument, config: ConfigOption = "full") -> None:
    """List what is wrong with which patient; exit code 1 if anything is."""
    from .cohort.check import check_cohort

    patients, problems = check_cohort(cohort, ProgressBar(console), _read_config(config, None).clinical)
    table = Table("patient", "problem", box=None, padding=(0, 2, 0, 0))
    for problem in problems:
        table.add_row(problem.patient_id, problem.reason)
    if problems:
        console.print(table)
    console.print(f"{patients - len(problems)} of {patients} patients can be used for training")
    raise typer.Exit(1 if problems else 0)


@app.command()
def train(
    cohort: CohortArgument,
    out: Annotated[Path, typer.Option(help="Run folder; new, or one to be resumed.")],
    config: ConfigOption = "full",
    resume: ResumeOption = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Instead of the configuration's.")] = None,
    clinical_rows: ClinicalRowsOption = None,
    card: Annotated[Path | None, typer.Option(help="JSON with texts of the model card.")] = None,
    device: DeviceOption = "cpu",
    processes: ProcessesOption = None,
) -> None:
    """Train the curriculum on a cohort: global, attention, clinical. Leaves OUT/bundle; runs under torchrun."""
    from .runs.train import train as train_run

    settings = _read_config(config, seed)
    with workers(device, processes) as worker, ProgressBar(console, quiet=not worker.first) as progress:
        train_run(cohort, out, settings, worker, progress, resume=resume, clinical_rows=clinical_rows, card=card)
        if worker.first:
            progress.say(f"Report: {out / 'report.html'}")
            progress.say(f"Model: {out / 'bundle'}, for pcr predict --model")


@app.command(cls=ManyValues)
def select(
    cohort: CohortArgument,
    configs: Annotated[list[Path], typer.Option(help="JSON files, as for pcr train --config.")],
    out: Annotated[Path, typer.Option(help="Folder of the selection; new, or one to be resumed.")],
    inner: Annotated[int, typer.Option(min=2, help="Folds inside each fold's training patients.")] = 4,
    least_attention: Annotated[
        float, typer.Option(min=0, max=1, help="Share inside the tumour below which a configuration is not chosen.")
    ] = 0.6,
    resume: ResumeOption = False,
    clinical_rows: ClinicalRowsOption = None,
    device: DeviceOption = "cpu",
    processes: ProcessesOption = None,
) -> None:
    """Choose among configurations by nested cross-validation; the result is of patients no choice has seen."""
    from .runs.select import select as run_selection

    settings = {path.stem: _read_config(str(path), None) for path in configs}
    with workers(device, processes) as worker, ProgressBar(console, quiet=not worker.first) as progress:
        run_selection(
            cohort,
            settings,
            out,
            worker,
            progress,
            inner=inner,
            least_attention=least_attention,
            resume=resume,
            clinical_rows=clinical_rows,
        )
        if worker.first:
            progress.say(f"Written to {out / 'selection.json'}")


@app.command()
def estimate(cohort: CohortArgument, config: ConfigOption = "full", processes: ProcessesOption = None) -> None:
    """Estimate time and memory of a training run on this machine, from a few batches of each step."""
    from .training.estimate import estimate_cohort

    found = estimate_cohort(cohort, _read_config(config, None), processes or os.cpu_count() or 1)
    console.print(f"about {max(found.seconds / 60, 1):.0f} min of training, {found.megabytes / 1024:.1f} GB of memory")


@app.command(cls=ManyValues)
def evaluate(
    cohorts: Annotated[list[Path], typer.Argument(help="Folders of cohorts that no model was trained on.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    model: Annotated[list[str], typer.Option(help="Bundle folders or bundled models.")] = [DEFAULT_MODEL],  # noqa: B006
    device: DeviceOption = "cpu",
) -> None:
    """Evaluate models on cohorts: metrics with intervals, comparison, calibration, subgroups and attention."""
    from .evaluation.evaluate import write_evaluation

    bundles = [load_bundle(find_bundle(name)) for name in model]
    with workers(device) as worker, ProgressBar(console) as progress:
        write_evaluation(cohorts, bundles, out, worker.device, progress)
        progress.say(f"Written to {out}")


@app.command(cls=ManyValues)
def experiment(
    cohort: CohortArgument,
    out: Annotated[Path, typer.Option(help="Folder of the experiment; new, or one to be resumed.")],
    external: Annotated[list[Path], typer.Option(help="Cohorts of other hospitals.")] = [],  # noqa: B006
    config: ConfigOption = "full",
    seeds: Annotated[int, typer.Option(min=1, help="How many times everything is done.")] = 3,
    resume: ResumeOption = False,
    clinical_rows: ClinicalRowsOption = None,
    device: DeviceOption = "cpu",
    processes: ProcessesOption = None,
) -> None:
    """Compare baselines with the curriculum, step by step, with seeds and external cohorts: the table of the paper."""
    from .runs.experiment import run_experiment

    settings = _read_config(config, None)
    numbers = range(settings.seed, settings.seed + seeds)
    with workers(device, processes) as worker, ProgressBar(console, quiet=not worker.first) as progress:
        run_experiment(
            cohort, external, out, settings, numbers, worker, progress, resume=resume, clinical_rows=clinical_rows
        )
        if worker.first:
            progress.say((out / "experiment.md").read_text(encoding="utf-8"))
            progress.say(f"Written to {out}")


def _announce(address: str, browser: bool) -> None:
    """Say where the page is; the address stands alone on its line, so that it can be clicked."""
    console.print("Research use only. The page is at", soft_wrap=True)
    console.print(address, soft_wrap=True)
    console.print("Ctrl-C ends it.")
    if browser:
        webbrowser.open(address)


@contextmanager
def workers(device: str, processes: int | None = None) -> Iterator[Worker]:
    """This process among those of the run; torch is loaded here, and not before."""
    from .training.workers import workers

    with workers(device, processes) as worker:
        yield worker


def _read_config(name: str, seed: int | None) -> TrainingConfig:
    """The configuration, with another seed where one was asked for."""
    from .config import read_config

    config = read_config(name)
    return config if seed is None else replace(config, seed=seed)


def main() -> None:
    """Entry point of `pcr`."""
    sys.exit(run(app))


if __name__ == "__main__":
    main()
