"""`pcr view`: the subcommand. Neither trame nor Slicer's core is imported before they are known to work."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from PCRPredictorLib.commands.options import DEFAULT_MODEL, ModelOption, print_line, working
from PCRPredictorLib.pacs.configuration import VARIABLE

DEFAULT_PORT = 8080


def view(
    exams: Annotated[
        list[Path], typer.Argument(help="Folders: an exam as pcr demo writes it, DICOM, or a cohort; or a 4-D file.")
    ] = [],  # noqa: B006
    phases: Annotated[list[Path], typer.Option(help="Three files: PRE EARLY LATE (NIfTI, NRRD, MHA).")] = [],  # noqa: B006
    mask: Annotated[Path | None, typer.Option(help="Tumour mask, with --phases or one exam.")] = None,
    label: Annotated[list[str], typer.Option(help="Labels of the tumours in a mask of several, or all.")] = [],  # noqa: B006
    pick: Annotated[list[int], typer.Option(help="Indices (from 0) of the phases of one exam: 0 1 3.")] = [],  # noqa: B006
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
    pacs: Annotated[
        Path | None, typer.Option("--pacs", help=f"File with the address of a PACS; default: that of {VARIABLE}.")
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Show exams, predictions and attention in a browser, drawn by Slicer's core on this machine."""
    from .opengl import check_possible

    with working("loading libraries"):
        check_possible()  # before what would fail to load
        from .command import ServerSettings, find_exams, view

    def announce(address: str) -> None:
        print_line("Research use only. The page is at")
        print_line(address)  # alone on its line, so that it can be clicked
        print_line("Ctrl-C ends it.")
        if browser:
            webbrowser.open(address)

    entries = find_exams(exams, phases, mask, clinical, label, pick)
    for line in entries.said:
        print_line(line)
    view(entries, model, ServerSettings(host, port, tuple(name), token, upload_limit, pages), announce, pacs)
