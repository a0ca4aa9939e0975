"""What a kind of input is: intact examples, the commands that read them, known attacks, random mutations."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from .mutate import mutate_bytes, mutate_file

Face = Callable[[Path, Path], int]  # reads the inputs in a folder, writes to another one, returns an exit code
Attack = Callable[[Path], None]  # changes intact inputs in their folder


LISTING: set[Face] = set()  # faces that report problems in a list, with exit code 1, and need no sentence


def pcr(words: Callable[[Path, Path], list[object]], *, lists: bool = False) -> Face:
    """Return `pcr` with words that are made from the folders of the inputs and of the results.

    Args:
        lists: the command reports problems in a list, as `pcr check` does.
    """

    def run_command(inputs: Path, out: Path) -> int:
        from PCRTrainingLib.command_line import app, run

        return run(app, [str(word) for word in words(inputs, out)])

    if lists:
        LISTING.add(run_command)
    return run_command


def library(function: Callable[[Path, Path], object]) -> Face:
    """Return a function of the library as a face: its error is written and gives the code 1, as of the command."""

    def call(inputs: Path, out: Path) -> int:
        from PCRPredictorLib.errors import DataError

        try:
            function(inputs, out)
        except DataError as error:
            sys.stderr.write(f"pcr: {error}\n")
            return 1
        return 0

    return call


def _nothing(folder: Path) -> None:
    pass


def _no_finding(inputs: Path, out: Path, code: int) -> str:
    return ""


@dataclass(frozen=True)
class Format:
    """A kind of input.

    Args:
        name: for the command line.
        make: writes intact inputs into an empty folder; called once, then copied.
        faces: what reads them, by name; an attack is tried on each, a random input on one.
        attacks: known attacks by name.
        more: attacks of whose readers there are tests elsewhere; here they are tried on the commands, by `--attacks`.
        targets: patterns of the files that are mutated at random, in the folder of the inputs.
        mutate: changes one of these files.
        seal: called after an attack or mutation, for example to renew checksums.
        check: returns a finding, or "", about inputs, results and exit code, beyond those of every format.
        beside: names in the folder of the inputs that a face may write, as it is told to.
        resumes: the results of an error may stay, for the next start.
        memory: MB that a reader may use beyond what it starts with.
        seconds: of CPU that it may use.
    """

    name: str
    make: Callable[[Path], None]
    faces: Mapping[str, Face]
    attacks: Mapping[str, Attack] = field(default_factory=dict)
    more: Mapping[str, Attack] = field(default_factory=dict)
    targets: tuple[str, ...] = ("**/*",)
    mutate: Callable[[Random, Path], None] = mutate_file
    seal: Callable[[Path], None] = _nothing
    check: Callable[[Path, Path, int], str] = _no_finding
    beside: tuple[str, ...] = ()
    resumes: bool = False
    memory: int = 1500
    seconds: int = 30

    def files(self, folder: Path) -> list[Path]:
        """Return the files that may be mutated."""
        found = {file for pattern in self.targets for file in folder.glob(pattern) if file.is_file()}
        return sorted(found)

    def spoil(self, rng: Random, folder: Path) -> None:
        """Mutate intact inputs at random: sometimes after a known attack, mostly one or two files."""
        known = {**self.attacks, **self.more}
        if known and rng.random() < 0.15:
            known[rng.choice(sorted(known))](folder)
        if files := self.files(folder):
            for _ in range(rng.choice((1, 1, 1, 2))):
                file = rng.choice(files)
                if file.is_file():
                    try:
                        self.mutate(rng, file)
                    except Exception:  # an earlier mutation has left nothing of its kind
                        mutate_bytes(rng, file)
        self.seal(folder)
