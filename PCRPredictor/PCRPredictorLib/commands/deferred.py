"""Subcommands that are imported when they are called: `pcr --help` needs their names and summaries only."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Any

import typer

from .options import ManyValues


class Deferred(typer.core.TyperCommand):
    """A subcommand, or a group of them, that is not imported yet.

    Args:
        name: on the command line.
        place: "module:attribute" of its function, or of its `typer.Typer` if it is a group.
        summary: its line in the help; the first sentence of its own.
    """

    def __init__(self, name: str, place: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self.place = place

    @cached_property
    def loaded(self) -> Any:  # noqa: ANN401  typer keeps its type private
        """Return the subcommand itself."""
        module, _, attribute = self.place.partition(":")
        found = getattr(import_module(module), attribute)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        alone = typer.Typer(add_completion=False)
        alone.command(self.name, cls=ManyValues)(found)
        return typer.main.get_command(alone)

    def make_context(self, *words: Any, **more: Any) -> Any:  # noqa: ANN401
        """Return the context of the subcommand itself, which then parses and runs."""
        return self.loaded.make_context(*words, **more)
