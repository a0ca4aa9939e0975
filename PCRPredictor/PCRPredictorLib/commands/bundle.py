"""`pcr bundle`: list, show, verify and export models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..formatting import format_value
from ..model.bundle import bundled_models, export_bundle, find_bundle, load_bundle
from .options import DEFAULT_MODEL, ModelOption, console, print_line

bundle = typer.Typer(help="List, show, verify and export models.", no_args_is_help=True)
ModelArgument = Annotated[str, typer.Argument(help="Bundle folder or bundled model.")]


@bundle.command("list")
def list_models() -> None:
    """List the models that come with this program."""
    for name, path in bundled_models().items():
        card = load_bundle(path).card
        print_line(f"{name} {card.version}: {card.description}")


@bundle.command()
def info(model: ModelArgument = DEFAULT_MODEL) -> None:
    """Show what a model is, what it was trained on and what it may be used for."""
    loaded = load_bundle(find_bundle(model))
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name in ("name", "version", "description", "training_data", "licence", "intended_use", "not_intended_use"):
        table.add_row(name.replace("_", " "), str(getattr(loaded.card, name)))
    table.add_row("times of the phases", loaded.card.timing or "unknown")
    table.add_row("known limits", loaded.card.known_limits)
    table.add_row("clinical", "\n".join(f"{v.name}: {v.allowed}" for v in loaded.schema.asked))
    points = [f"{p.name}: {p.threshold:.3f}" for p in loaded.settings.operating_points]
    rates = [(p.sensitivity, p.specificity) for p in loaded.settings.operating_points]
    for k, (sensitivity, specificity) in enumerate(rates):
        if sensitivity is not None and specificity is not None:
            points[k] += f" (sensitivity {sensitivity:.2f}, specificity {specificity:.2f})"
    table.add_row("operating points", "\n".join(points))
    metrics = [f"{name}: {format_value(value, 3)}" for name, value in loaded.card.metrics.items()]
    table.add_row("metrics", "\n".join(metrics))
    table.add_row("folds", str(len(loaded.folds)))
    console.print(table)
    print_line(f"checksum {loaded.checksum}")


@bundle.command()
def verify(model: ModelArgument = DEFAULT_MODEL) -> None:
    """Check that no file of a model is missing or changed, and that its weights load."""
    loaded = load_bundle(find_bundle(model))
    loaded.load_networks()
    print_line(f"{loaded.path}: intact, {len(loaded.folds)} folds, checksum {loaded.checksum}")


@bundle.command()
def export(
    archive: Annotated[Path, typer.Argument(help="Zip file to write.")], model: ModelOption = DEFAULT_MODEL
) -> None:
    """Pack a model into a zip file, to give it to somebody else."""
    export_bundle(find_bundle(model), archive)
    print_line(f"Written to {archive}")
