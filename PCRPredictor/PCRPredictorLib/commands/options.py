"""Options, output and error handling that the subcommands of `pcr` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from ..model.bundle import Bundle
    from ..model.predictor import Predictor

DEFAULT_MODEL = "ispy2"
ModelOption = Annotated[str, typer.Option("--model", help="Bundle folder, or the name of a bundled model.")]
DeviceOption = Annotated[str, typer.Option(help="cpu or cuda.")]
console = Console(highlight=False)


class ManyValues(typer.core.TyperCommand):
    """A command whose list options take every word up to the next option: `--phases PRE EARLY LATE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  typer keeps its type private
        """Repeat the option before each of its words."""
        many = {name for option in self.params if getattr(option, "multiple", False) for name in option.opts}
        expanded, current, first = [], "", False
        for word in args:
            if word.startswith("--"):
                current, first = (word, True) if word in many else ("", False)
                expanded.append(word)
            else:
                expanded += [current, word] if current and not first else [word]
                first = False
        return super().parse_args(ctx, expanded)


def print_line(text: object) -> None:
    """Print one line that the terminal does not wrap, such as a path."""
    console.print(text, soft_wrap=True, markup=False)


def load_predictor(bundle: Bundle, device: str = "cpu") -> Predictor:
    """Return a predictor; torch is loaded here, and not before."""
    from ..model.predictor import Predictor

    return Predictor(bundle, device)
