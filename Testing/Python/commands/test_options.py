"""Options that take several words."""

from typing import Annotated

import typer
from PCRPredictorLib.commands.options import GROUP, ManyValues, console, print_line, words_of
from rich.table import Table
from typer.testing import CliRunner

app = typer.Typer()


@app.command(cls=ManyValues)
def show(
    visit: Annotated[list[str], typer.Option(metavar=f"{GROUP} PATH...")] = [],  # noqa: B006
    plain: Annotated[list[str], typer.Option()] = [],  # noqa: B006
    flag: Annotated[bool, typer.Option("--flag")] = False,
) -> None:
    print(words_of(visit), plain, flag)


def output(*words):
    return CliRunner().invoke(app, words).output.strip()


def test_words_of_a_group_stay_together_even_if_one_is_named_like_a_visit():
    words = ("--visit", "T0", "T0", "--visit", "T1", "a b", "c", "--flag", "--plain", "x", "y")
    assert output(*words) == "[['T0', 'T0'], ['T1', 'a b', 'c']] ['x', 'y'] True"


def test_a_group_without_words_is_empty():
    assert output("--visit", "--visit", "T1") == "[[''], ['T1']] [] False"
    assert output("--flag", "--visit") == "[['']] [] True"


def test_a_dash_alone_is_a_word():
    assert output("--plain", "T0", "-", "T1") == "[] ['T0', '-', 'T1'] False"


def test_text_from_outside_is_printed_as_it_is_without_markup_or_escape_sequences(capsys):
    table = Table("[bold]model", show_header=True)
    table.add_row("[/red] [link=file:///x]here[/link] :smile: \x1b[31m")
    console.print(table)
    print_line("Written to [/tmp]/\u202ea\nb")
    out = capsys.readouterr().out
    assert "[bold]model" in out and "[/red] [link=file:///x]here[/link] :smile: \\x1b[31m" in out
    assert "Written to [/tmp]/\\u202ea b" in out
