"""The known attacks: tried on every face of their format, and listed for the documentation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .format import Attack, Format
from .sandbox import Ending
from .trial import try_input

PAGE = Path(__file__).parents[2] / "Resources" / "Docs" / "attacks.md"
_HEAD = """# Attacks

Every known attack on what the commands read, by format. Each is tried on every face of its format: a command, or the
part of the library that panel and page share. This page is written by `python -m fuzz --page`, and a test holds it to
the code; `python -m fuzz --attacks` tries all of them, with the limits and the judge of
[the fuzzer](security.md#how-it-is-tested).

"""


@dataclass(frozen=True)
class Tried:
    """An attack that was tried.

    Args:
        kind, name, face: what was attacked, how, and who read it.
        finding: what is wrong, "" if nothing is.
        ending: of the reader.
    """

    kind: str
    name: str
    face: str
    finding: str
    ending: Ending


def attacks_of(kind: Format) -> dict[str, Attack]:
    """Return the attacks of a format by name, those with tests elsewhere included."""
    return {**kind.attacks, **kind.more}


def try_attacks(kind: Format, intact: Path, work: Path) -> Iterator[Tried]:
    """Yield every attack of a format on each of its faces.

    Args:
        intact: folder that `kind.make` wrote.
        work: folder that is replaced.
    """
    for name, attack in attacks_of(kind).items():

        def spoil(folder: Path, attack: Attack = attack) -> None:
            attack(folder)
            kind.seal(folder)

        for face, read in kind.faces.items():
            trial = try_input(kind, intact, spoil, read, work)
            yield Tried(kind.name, name, face, trial.finding, trial.ending)


def describe(kinds: Iterable[Format]) -> str:
    """Return the page of all attacks in Markdown."""
    kinds = sorted(kinds, key=lambda kind: kind.name)
    total = sum(len(attacks_of(kind)) for kind in kinds)
    rows = [
        f"| {_link(kind)} | {', '.join(kind.faces)} | {len(attacks_of(kind)) or 'random input only'} |"
        for kind in kinds
    ]
    table = ["| format | read by | attacks |", "|---|---|---|", *rows, f"| together | | {total} |"]
    parts = [f"## {kind.name}\n\n{_names(kind)}" for kind in kinds if attacks_of(kind)]
    return _HEAD + "\n".join(table) + "\n\n" + "\n".join(parts)


def _link(kind: Format) -> str:
    return f"[{kind.name}](#{kind.name})" if attacks_of(kind) else kind.name


def _names(kind: Format) -> str:
    return "".join(f"- {_as_text(name)}\n" for name in attacks_of(kind))


def _as_text(name: str) -> str:
    """Return a name for Markdown: what could be markup is marked as none."""
    return "".join(f"\\{letter}" if letter in "*_[]<>`|#" else letter for letter in name)
