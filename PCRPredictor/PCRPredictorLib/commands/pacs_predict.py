"""`pcr pacs predict`: fetch a study of a PACS, predict it, and store the results."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..formatting import as_line
from ..pacs.configuration import VARIABLE, read_configuration
from ..pacs.connection import Connection, connect
from ..pacs.errors import PacsError
from ..pacs.predicting import StudyRequest, StudyResult, predict_study
from ..reading.clinical import read_clinical_words
from .options import PlainConsole, load_predictor, print_line, takes
from .predict import Words, print_candidates, print_found
from .scene_process import scene_beside

if TYPE_CHECKING:
    from ..model.predictor import Predictor
    from ..pacs.storing import Item

PacsOption = Annotated[
    Path | None, typer.Option("--pacs", help=f"File with the address of the PACS; default: that of {VARIABLE}.")
]
_notes = PlainConsole(stderr=True, highlight=False)


@takes(Words)
def predict(
    words: Words,
    study: Annotated[str, typer.Option(help="UID of the study; pcr pacs find lists them.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    pacs: PacsOption = None,
    series: Annotated[
        list[str], typer.Option(help="UIDs or numbers of the series with the phases; default: all MR images.")
    ] = [],  # noqa: B006
    segmentation: Annotated[
        str,
        typer.Option(help="UID or number of the series with the tumour mask; default: the study's own, if it has one."),
    ] = "",
    mask: Annotated[Path | None, typer.Option(help="File with the tumour mask, instead of one of the study.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep what is fetched in this folder.")] = None,
    store: Annotated[bool, typer.Option("--store", help="Send the results to the PACS.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what --store would send, and send nothing.")] = False,
) -> None:
    """Fetch a study, predict it and, with --store, send the results to the PACS. Without it nothing is sent."""
    _check_words(store, dry_run, mask, segmentation)
    _check_folders(keep, out)
    words.check_tumour(bool(mask or segmentation))
    connection, bundle = open_connection(pacs), words.load_bundle()
    request = StudyRequest(
        study=study,
        series=tuple(series),
        segmentation=segmentation,
        mask=mask,
        labels=tuple(words.label),
        find_tumour=words.find_tumour,
        place=tuple(words.click or words.box),
        anyway=words.click_anyway,
        clinical=read_clinical_words(words.clinical, bundle.schema, print_line),
        pick=tuple(words.pick),
        operating_point=words.operating_point,
        does_it_matter=words.does_it_matter,
        show_patient_id=words.show_patient_id,
        store=store,
        dry_run=dry_run,
        keep=keep,
    )
    found = predict_and_print(connection, request, load_predictor(bundle, words.device), out)
    print_items(found.items, connection.configuration.url)


def predict_and_print(connection: Connection, request: StudyRequest, predictor: Predictor, out: Path) -> StudyResult:
    """Predict a study and print the result, also one that the PACS does not take.

    Raises:
        PacsError: if the PACS does not do its part; the message says where a result is.
        DataError: if the study cannot be predicted.
    """
    written: list[StudyResult] = []
    try:
        with scene_beside() as scene_writer:
            found = predict_study(connection, request, predictor, out, scene_writer, written.append)
    except PacsError as problem:
        if written:
            _print_result(written[0], out)
            again = (
                f"{problem}. The results are in {out}; send what is missing with pcr pacs store {shlex.quote(str(out))}"
            )
            problem.args = (again,)
        raise
    _print_result(found, out)
    return found


def _print_result(found: StudyResult, out: Path) -> None:
    print_candidates(found.candidates)
    print_found(found.predicted, out)


def _check_folders(keep: Path | None, out: Path) -> None:
    """Refuse one folder for what is fetched and for the results."""
    if keep is not None and keep.resolve() == out.resolve():
        raise typer.BadParameter(f"--keep and --out must be different folders, got {out} for both; name a new one")


def _check_words(store: bool, dry_run: bool, mask: Path | None, segmentation: str) -> None:
    """Refuse options that do not go together."""
    if store and dry_run:
        raise typer.BadParameter("give one of --store and --dry-run")
    if mask and segmentation:
        raise typer.BadParameter("give one of --mask and --segmentation")


def open_connection(file: Path | None) -> Connection:
    """Return a connection to the PACS of a configuration file; what it does is printed on standard error."""
    return connect(read_configuration(file), print_note)


def print_note(text: str) -> None:
    """Print a line on standard error, which is not part of the result."""
    _notes.print(as_line(text), soft_wrap=True)


def print_items(items: Sequence[Item], place: str) -> None:
    """Print what was stored, what was there, and what would be sent."""
    for item in items:
        said = {"stored": "stored", "there": "there already", "missing": "would be sent"}[item.state]
        print_line(f"{said}: {item}" + (f" to {place}/studies/{item.study}" if item.state == "missing" else ""))
