"""`pcr bundle`: list, show, verify and export models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from ..bundles.export import export_bundle
from ..bundles.folder import bundled_models, find_bundle, is_kind
from ..formatting import format_value
from ..model.bundle import Bundle, load_bundle
from ..model.card import ModelCard
from ..model.training_marks import describe_marks
from ..prediction import OperatingPoint
from ..report.wording import describe_auc
from ..response.bundle import load_response
from ..response.model import ResponseModel
from .options import DEFAULT_MODEL, ManyValues, print_line, print_table

bundle = typer.Typer(help="List, show, verify and export models.", no_args_is_help=True, add_completion=False)
ModelArgument = Annotated[str, typer.Argument(help="Bundle folder or bundled model.")]
_MODEL = "--model"


class OfModel(ManyValues):
    """A command on one model, which is its first word; `--model MODEL`, as other commands have it, is the same."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  typer keeps its type private
        """Put the model of `--model` first."""
        return super().parse_args(ctx, _model_first(args))


@bundle.command("list")
def list_models() -> None:
    """List the models that come with this program."""
    for name, path in bundled_models().items():
        loaded = _load(path)
        what = " (several visits, for pcr follow)" if isinstance(loaded, ResponseModel) else ""
        print_line(f"{name} {loaded.card.version}{what}: {loaded.card.description}")


@bundle.command(cls=OfModel)
def info(model: ModelArgument = DEFAULT_MODEL) -> None:
    """Show what a model is, what it was trained on and what it may be used for."""
    loaded = _load(find_bundle(model))
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name in ("name", "version", "description", "training_data", "licence", "intended_use", "not_intended_use"):
        table.add_row(name.replace("_", " "), str(getattr(loaded.card, name)))
    if isinstance(loaded, Bundle):
        table.add_row("times of the phases", loaded.card.timing or "unknown")
    table.add_row("performance", describe_auc(loaded.card))
    table.add_row("known limits", loaded.card.known_limits)
    if loaded.lacking:
        table.add_row("of an earlier version", "\n".join(loaded.lacking))
    table.add_row("clinical", "\n".join(f"{v.name}: {v.allowed}" for v in loaded.schema.asked))
    for name, text in (_image_rows(loaded) if isinstance(loaded, Bundle) else _response_rows(loaded)).items():
        table.add_row(name, text)
    table.add_row("metrics", _metrics(loaded.card))
    marks = loaded.training_hashes[1] if isinstance(loaded, Bundle) else loaded.training_patients
    table.add_row("identifiers", describe_marks(marks))
    print_table(table)
    print_line(f"checksum {loaded.checksum}")


@bundle.command(cls=OfModel)
def verify(model: ModelArgument = DEFAULT_MODEL) -> None:
    """Check that no file of a model is missing or changed, and that it loads."""
    loaded = _load(find_bundle(model))
    if isinstance(loaded, Bundle):
        loaded.load_networks()
    what = f"{len(loaded.folds)} folds" if isinstance(loaded, Bundle) else f"{len(loaded.settings.formulas)} formulas"
    print_line(f"{loaded.path}: intact, {what}, checksum {loaded.checksum}")


@bundle.command(cls=OfModel)
def export(
    model: ModelArgument, archive: Annotated[Path | None, typer.Argument(help="Zip file to write.")] = None
) -> None:
    """Pack a model into a zip file, to give it to somebody else."""
    if archive is None:  # as in 0.2, the file alone: of the default model
        model, archive = DEFAULT_MODEL, Path(model)
    if archive.suffix.lower() != ".zip":
        raise typer.BadParameter(f"the archive must end in .zip, got {archive}; such as model.zip")
    replaced = archive.is_file()
    export_bundle(find_bundle(model), archive)
    print_line(f"Written to {archive}" + (", in the place of the file that was there" if replaced else ""))


def _model_first(words: Sequence[str]) -> list[str]:
    """Return the words of a command with the value of `--model` first and without the option."""
    words = [part for word in words for part in (word.split("=", 1) if word.startswith(f"{_MODEL}=") else [word])]
    if _MODEL not in words:
        return words
    place = words.index(_MODEL)
    if words.count(_MODEL) > 1 or len(words) == place + 1:
        raise typer.BadParameter("--model must be given once, with a model after it; the first word is the same")
    return [words[place + 1], *words[:place], *words[place + 2 :]]


def _load(path: Path) -> Bundle | ResponseModel:
    """Return a model of any kind, read and verified."""
    return load_bundle(path) if is_kind(path, "image") else load_response(path)


def _image_rows(loaded: Bundle) -> dict[str, str]:
    points = "\n".join(map(_describe_point, loaded.settings.operating_points))
    return {"operating points": points, "folds": str(len(loaded.folds))}


def _response_rows(loaded: ResponseModel) -> dict[str, str]:
    settings = loaded.settings
    quantities = [f"{s.quantity}: {s.measure.label}" for s in settings.scales]
    formulas = [
        f"{' + '.join(formula.visits) or 'clinical values alone'}: {len(formula.fits)} fits; "
        + ", ".join(map(_describe_point, formula.operating_points))
        for formula in settings.formulas
    ]
    return {"quantities": "\n".join(quantities), "visits": "\n".join(formulas)}


def _describe_point(point: OperatingPoint) -> str:
    text = f"{point.name}: {point.threshold:.3f}"
    if point.sensitivity is None or point.specificity is None:
        return text
    return f"{text} (sensitivity {point.sensitivity:.2f}, specificity {point.specificity:.2f})"


def _metrics(card: ModelCard) -> str:
    return "\n".join(f"{name}: {format_value(value, 3)}" for name, value in card.metrics.items())
