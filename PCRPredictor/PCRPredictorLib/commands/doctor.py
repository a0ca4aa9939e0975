"""`pcr doctor`: what this machine has of what the program needs, and what to do about the rest."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from .options import print_line

FORMAT = 1
_SIGNS = {"ok": "ok      ", "missing": "optional", "wrong": "WRONG   "}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,
    paths: Annotated[bool, typer.Option("--paths", help="Also show folders, in which your name may be.")] = False,
) -> None:
    """Look at versions, packages, graphics, memory and models; exit code 1 if anything is wrong."""
    from ..machine.checks import MISSING, WRONG, check_machine

    found = check_machine(paths)
    wrong = sum(check.state == WRONG for check in found)
    if as_json:
        typer.echo(json.dumps({"format": FORMAT, "wrong": wrong, "checks": [asdict(check) for check in found]}))
        raise typer.Exit(1 if wrong else 0)
    width = max(len(check.name) for check in found)
    for check in found:
        print_line(f"{_SIGNS[check.state]}  {check.name.ljust(width)}  {check.found}")
        if check.advice:
            print_line(f"{'':8}  {'':{width}}  {check.advice}")
    if wrong:
        print_line(f"{wrong} wrong; see what to do above.")
    else:
        optional = any(check.state == MISSING for check in found)
        print_line("Everything that is needed is there." + " What is optional is not all there." * optional)
    raise typer.Exit(1 if wrong else 0)
