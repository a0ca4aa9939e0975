"""`pcr view`: check the words of the command, then serve. Call `opengl.check_possible` before importing this."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.pacs.configuration import configuration_file, read_configuration
from PCRPredictorLib.reading.clinical import read_clinical_words
from PCRPredictorLib.reading.sources import Source, Sources, find_sources, given_source

from .serving.logs import log_in_one_line
from .serving.pages import load_ahead, process_context
from .serving.server import ServerSettings, serve


def view(
    sources: Sequence[Source],
    model: str,
    settings: ServerSettings,
    ready: Callable[[str], None],
    pacs: Path | None = None,
) -> None:
    """Serve exams until interrupted.

    Args:
        sources: exams in the list of each page.
        model: name or folder of the model that is chosen first.
        settings: address and limits of the server.
        ready: called with the address to open.
        pacs: file with the configuration of a PACS; None for the one in the environment, if there is one.

    Raises:
        DataError: if the model or the configuration cannot be read, or the address is taken.
    """
    if (file := configuration_file(pacs)) is not None:
        read_configuration(file)
        file = file.absolute()
    load_bundle(find_bundle(model))
    log_in_one_line()

    def begin(address: str) -> None:
        load_ahead()
        ready(address)

    serve(settings, page_starter(sources, model, settings.pages, file), begin)


def find_exams(
    folders: Sequence[Path],
    phases: Sequence[Path],
    mask: Path | None,
    clinical: Sequence[str],
    labels: Sequence[str] = (),
    pick: Sequence[int] = (),
) -> Sources:
    """Return the list of a page from the words of a command.

    Args:
        folders: see `find_sources`.
        phases: three files, or empty.
        mask: of the tumour in `phases`, or in the only exam of the folders.
        clinical: files and pairs, of the same exam.
        labels: of the tumours in the mask.
        pick: positions of pre, early and late among the phases of that exam.

    Raises:
        DataError: if something is missing or cannot be read.
    """
    derived: list[str] = []
    values = read_clinical_words(clinical, report=derived.append)
    sources = find_sources(folders)
    said = (*sources.said, *derived)
    if phases:
        return Sources([given_source(phases).with_overrides(mask, values, labels, pick), *sources], said)
    if mask is None and not values and not labels and not pick:
        return sources
    if len(sources) != 1:
        raise DataError(
            "--mask, --label, --pick and --clinical are of one exam; give it with --phases, or one folder with one exam"
        )
    return Sources([sources[0].with_overrides(mask, values, labels, pick)], said)


def page_starter(
    sources: Sequence[Source], model: str, pages: int, pacs: Path | None = None
) -> Callable[[socket.socket, Path], BaseProcess]:
    """Return a function that starts the process of a page."""
    context = process_context("PCRPredictorView.serving.process")
    return partial(_start, context, (sources, model, pages, pacs))


def _start(
    context: BaseContext, wanted: tuple[Sequence[Source], str, int, Path | None], end: socket.socket, folder: Path
) -> BaseProcess:
    process = context.Process(target=_run_page, args=(end, folder, *wanted), daemon=True)  # type: ignore[attr-defined]
    process.start()
    return process


def _run_page(
    end: socket.socket, folder: Path, sources: Sequence[Source], model: str, pages: int, pacs: Path | None
) -> None:
    """Run a page in its own process: only there Slicer's core and torch are loaded."""
    from .serving.process import run_page

    run_page(end, folder, sources, model, pages, pacs)
