"""One input tried: intact inputs copied, spoiled, read in a child, judged."""

import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from .format import LISTING, Face, Format
from .judge import judge, snapshot
from .sandbox import Ending, read_in_child


@dataclass(frozen=True)
class Trial:
    """An input that was tried.

    Args:
        finding: what is wrong, "" if nothing is.
        ending: of the reader.
    """

    finding: str
    ending: Ending


def try_input(kind: Format, intact: Path, spoil: Callable[[Path], None], face: Face, work: Path) -> Trial:
    """Spoil a copy of intact inputs, read it with a face, and judge the ending.

    Args:
        kind: of the inputs.
        intact: folder that `kind.make` wrote.
        spoil: changes the copy.
        face: of the format.
        work: folder that is replaced.
    """
    shutil.rmtree(work, ignore_errors=True)
    (work / "tmp").mkdir(parents=True)
    shutil.copytree(intact, work / "in", symlinks=True)
    with warnings.catch_warnings(action="ignore"):  # of pydicom, about what is written on purpose
        spoil(work / "in")
    before = snapshot(work, kind.beside)
    ending = read_in_child(face, work, kind.memory, kind.seconds)
    finding = judge(ending, work, before, kind, lists=face in LISTING) or kind.check(
        work / "in", work / "out", ending.code
    )
    return Trial(finding, ending)


def try_seed(kind: Format, intact: Path, seed: int, work: Path) -> tuple[str, Trial]:
    """Try the input of a seed; return the name of the face that read it, and the trial."""
    rng = Random(f"{kind.name} {seed}")
    name = rng.choice(sorted(kind.faces))
    return name, try_input(kind, intact, lambda folder: kind.spoil(rng, folder), kind.faces[name], work)
