"""Options, output and error handling that the subcommands of `pcr` share."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from rich.console import Console
from rich.text import Text

from ..bundles.folder import DEFAULT_MODEL as DEFAULT_MODEL
from ..calls.place import OUT, describe_replaced
from ..calls.place import check_out as check_out
from ..calls.words import check_values, explain_number, tidy_words
from ..engine.waiting import lines_elsewhere
from ..errors import CallError
from ..formatting import as_line, make_visible

if TYPE_CHECKING:
    from rich.table import Table

    from ..model.bundle import Bundle
    from ..model.predictor import Predictor

ModelOption = Annotated[str, typer.Option("--model", help="Bundle folder, or the name of a bundled model.")]


def _check_device(device: str) -> str:
    """Refuse a word that is no device, before anything is read; whether the device is there is seen with torch."""
    if re.fullmatch(r"cpu|cuda(:\d+)?", device) is None:
        raise typer.BadParameter(f"must be cpu or cuda, got {as_line(device)}")
    return device


DeviceOption = Annotated[str, typer.Option(help="cpu or cuda.", callback=_check_device)]
_LONGEST, _WIDEST = 3000, 10_000  # characters of a line, and of a table's row
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Processes; default: one per CPU core if that pays, one on a GPU.")
]
ClusterOption = Annotated[
    str | None,
    typer.Option(help="Instead of this machine: address of a Dask scheduler, or file with the settings of a cluster."),
]
_USAGE: Any = typer.BadParameter.__mro__[1]  # of any wrong call; typer keeps its name private
GROUP = "VISIT"  # start of the metavar of an option whose words belong together
_SEPARATOR = "\0"  # no word of a command line holds it


class PlainConsole(Console):
    """A console that shows text as it is: brackets are no markup, and no character controls the terminal."""

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401
        """Return text to print, of a line, a cell or a status."""
        return super().render_str(make_visible(text), **{**options, "markup": False, "emoji": False})


console = PlainConsole(highlight=False)


@contextmanager
def call_errors(context: Any = None) -> Iterator[None]:  # noqa: ANN401  typer keeps its type private
    """Report a call that is at fault as typer reports one, with exit code 2."""
    try:
        yield
    except CallError as error:
        raise typer.BadParameter(str(error), context) from None


@contextmanager
def _visible_words() -> Iterator[None]:
    """Show the characters of a wrong call that would control the terminal."""
    try:
        yield
    except _USAGE as error:
        error.message = make_visible(str(error.message))
        raise


def takes(words: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command take the options that the fields of a dataclass are; it gets them as one argument, `words`.

    typer reads the options of a command from its signature.
    """
    hints = get_type_hints(words, include_extras=True)
    shared = []
    for each in fields(words):
        default = each.default if each.default_factory is MISSING else each.default_factory()
        shared.append(Parameter(each.name, Parameter.KEYWORD_ONLY, default=default, annotation=hints[each.name]))

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [one for one in signature(command, eval_str=True).parameters.values() if one.name != "words"]

        @wraps(command)
        def call(**given: Any) -> None:  # noqa: ANN401
            command(words=words(**{one.name: given.pop(one.name) for one in shared}), **given)

        call.__signature__ = Signature([*own, *shared])  # type: ignore[attr-defined]
        return call

    return decorate


class ManyValues(typer.core.TyperCommand):
    """A command whose list options take every word up to the next option: `--phases PRE EARLY LATE`.

    An option whose metavar starts with `GROUP` is given several times, and its words are kept together each time:
    `--visit T0 FOLDER --visit T1 FOLDER`; `words_of` divides them.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  typer keeps its type private
        """Repeat the option before each of its words; the words of a group become one; refuse an unsafe `--out`."""
        with _visible_words():
            return self._parse(ctx, args)

    def _parse(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        options = [option for option in self.params if getattr(option, "multiple", False)]
        single = [param for param in self.params if not getattr(param, "multiple", True) and not is_flag(param)]
        with call_errors(ctx):
            args = tidy_words(args, {name for option in single for name in option.opts})
            if not ctx.resilient_parsing:
                valued = [param for param in self.params if not (is_flag(param) or is_group(param))]
                check_values(args, {name for param in valued for name in param.opts if name.startswith("--")})
        grouped = {name for option in options if is_group(option) for name in option.opts}
        many = {name for option in options for name in option.opts} - grouped
        expanded, current, first = [], "", False
        for word in _joined(args, grouped):
            if word.startswith("--"):
                current, first = (word, True) if word in many else ("", False)
                expanded.append(word)
            else:
                expanded += [current, word] if current and not first else [word]
                first = False
        if "--out" in args and "" in args[args.index("--out") :][1:2]:
            raise typer.BadParameter("--out must name a folder for the results, got none; name a new one", ctx)
        left = self._parsed(ctx, expanded)
        if ctx.resilient_parsing:  # words that are being completed
            return left
        with call_errors(ctx):
            name = "--out" if any("--out" in option.opts for option in self.params) else OUT.upper()
            check_out(ctx.params, name)
            if replaced := describe_replaced(str(ctx.info_name), ctx.params, name):
                print_line(replaced)
        return left

    def _parsed(self, ctx: Any, words: list[str]) -> list[str]:  # noqa: ANN401
        try:
            return super().parse_args(ctx, [*words])  # which takes its words away
        except _USAGE as error:
            text = str(getattr(error, "message", ""))
            if text.startswith("Input should be"):
                param = getattr(error, "param", None)
                names = set(getattr(param, "opts", ()))
                given = [after for word, after in pairwise(words) if word in names]
                raise typer.BadParameter(explain_number(text, given), ctx, param) from None
            if not text.startswith("Got unexpected extra argument"):
                raise
            word = text.rpartition("(")[2].rstrip(")").split(" ")[0]
            problem = f"{word} belongs to no option; write the option before it, {_advise(word, self.params)}"
            raise typer.BadParameter(problem, ctx) from None

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401
        """Run the command; words that do not go together are reported with its usage."""
        with _visible_words(), call_errors(ctx):
            return super().invoke(ctx)


def _advise(word: str, params: Sequence[Any]) -> str:
    """Return which option a folder or file may belong to, or where the options are listed."""
    known = {option for param in params for option in getattr(param, "opts", ())}
    try:
        is_folder, is_file = Path(word).is_dir(), Path(word).is_file()
    except (OSError, ValueError):  # too long for a name, for example
        is_folder = is_file = False
    if is_folder and known.issuperset(("--series", "--dicom", "--cohort")):
        return f"as in --series {word} for an exam in files, --dicom for DICOM, --cohort for many patients"
    if is_file and known.issuperset(("--series", "--mask")):
        return f"as in --series {word} for an exam in one file, --mask for a tumour"
    return "see --help"


def is_flag(param: Any) -> bool:  # noqa: ANN401  typer keeps its type private
    """Return True if an option has no value."""
    return bool(getattr(param, "is_flag", False))


def is_group(param: Any) -> bool:  # noqa: ANN401
    """Return True if the words of an option belong together; the command says which are missing."""
    return str(getattr(param, "metavar", None) or "").startswith(GROUP)


def words_of(groups: Sequence[str]) -> list[list[str]]:
    """Return the words of each time that a grouped option was given."""
    return [group.split(_SEPARATOR) for group in groups]


def _joined(args: Sequence[str], grouped: Collection[str]) -> list[str]:
    """Return the words with those after a grouped option joined into one."""
    joined: list[str] = []
    group: list[str] | None = None
    for word in (*args, None):
        if word is not None and not word.startswith("--"):
            (joined if group is None else group).append(word)
            continue
        if group is not None:
            joined.append(_SEPARATOR.join(group))
        group = [] if word in grouped else None
        joined += [] if word is None else [word]
    return joined


def print_line(text: object) -> None:
    """Print one line that the terminal does not wrap, such as a path; it may hold text from outside."""
    console.print(as_line(str(text), _LONGEST), soft_wrap=True)


def print_table(table: Table) -> None:
    """Print a table; into a file or another program, a row is a line, however long."""
    if console.is_terminal:
        console.print(table)
        return
    wide = PlainConsole(file=StringIO(), width=_WIDEST, highlight=False, color_system=None)
    wide.print(table)
    for line in wide.file.getvalue().splitlines():  # type: ignore[attr-defined]
        console.print(line.rstrip(), soft_wrap=True)


@contextmanager
def working(what: str) -> Iterator[Callable[[str], None]]:
    """Show what is being done during the block; yield a function that changes it.

    Args:
        what: such as "reading".
    """
    started, now = time.monotonic(), what
    with console.status(Text(make_visible(what))) as status:

        def change(text: str) -> None:
            nonlocal now
            now = text
            status.update(Text(make_visible(text)))

        with lines_elsewhere(console, lambda: f"{now} ({time.monotonic() - started:.0f} s)"):
            yield change


def load_predictor(bundle: Bundle, device: str = "cpu") -> Predictor:
    """Return a predictor; torch is loaded here, and not before."""
    from ..model.predictor import Predictor

    return Predictor(bundle, device)
