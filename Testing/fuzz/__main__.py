"""`make fuzz`: try random inputs of every format for a time, and keep those that break what `judge` holds.

python -m fuzz --seconds 600 --formats bundle table     the time is shared by the formats
python -m fuzz --formats bundle --only 4711              one input again, kept in --out
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from .attacks import PAGE, attacks_of, describe, try_attacks
from .format import Format
from .formats import FORMATS
from .sandbox import load_program
from .trial import Trial, try_seed

_KEPT = 20  # findings of a format; more are counted
_SLICE = 20  # seconds that a format has before the next one's turn


def main() -> int:
    """Return 1 if there is a finding."""
    given = _arguments()
    if given.page:
        PAGE.write_text(describe(FORMATS.values()), encoding="utf-8")
        return 0
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    load_program()
    kinds = [FORMATS[name] for name in given.formats or FORMATS]
    if given.attacks:
        return _attack(kinds)
    tried, found, spent, peak = ({kind.name: 0.0 for kind in kinds} for _ in range(4))
    seeds = {kind.name: given.only if given.only is not None else given.seed for kind in kinds}
    with tempfile.TemporaryDirectory() as temporary:
        intact = {kind.name: _make(kind, Path(temporary)) for kind in kinds}
        end = time.monotonic() + given.seconds
        while time.monotonic() < end:
            for kind in kinds:
                begin = time.monotonic()
                turn = min(begin + min(_SLICE, given.seconds / len(kinds)), end)
                while time.monotonic() < turn:
                    seed = seeds[kind.name]
                    work = Path(temporary) / "work"
                    face, trial = try_seed(kind, intact[kind.name], seed, work)
                    tried[kind.name] += 1
                    peak[kind.name] = max(peak[kind.name], trial.ending.megabytes)
                    seeds[kind.name] += 1
                    if trial.finding or given.only is not None:
                        found[kind.name] += bool(trial.finding)
                        if found[kind.name] <= _KEPT:
                            _keep(kind, seed, face, trial, work, given.out)
                    if given.only is not None:
                        break
                spent[kind.name] += time.monotonic() - begin
            if given.only is not None:
                break
    for name in tried:
        text = f"{name}: {tried[name]:.0f} inputs in {spent[name]:.0f} s from seed {given.seed}"
        print(f"{text}, at most {peak[name]:.0f} MB, {found[name]:.0f} findings")
    return int(any(found.values()))


def _attack(kinds: list[Format]) -> int:
    """Try every known attack, and print the findings and a line of each format; return 1 if there is a finding."""
    bad = 0
    with tempfile.TemporaryDirectory() as temporary:
        for kind in kinds:
            tried = list(try_attacks(kind, _make(kind, Path(temporary)), Path(temporary) / "work"))
            found = [each for each in tried if each.finding]
            for each in found:
                print(
                    f"{each.kind}, {each.face}, {each.name}: {each.finding}".encode(
                        "ascii", "backslashreplace"
                    ).decode()
                )
            codes = Counter(each.ending.code for each in tried)
            peak = max((each.ending.megabytes for each in tried), default=0)
            ends = ", ".join(f"{number} with exit code {code}" for code, number in sorted(codes.items()))
            print(f"{kind.name}: {len(attacks_of(kind))} attacks, {len(tried)} tries: {ends or 'none'}; ", end="")
            print(f"at most {peak:.0f} MB, {len(found)} findings", flush=True)
            bad += len(found)
    return int(bad > 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600, help="for all formats together")
    parser.add_argument("--formats", nargs="*", choices=list(FORMATS), help=f"of {', '.join(FORMATS)}; default: all")
    parser.add_argument("--seed", type=int, default=0, help="of the first input; the others follow")
    parser.add_argument("--only", type=int, help="try the input of this seed, and no other")
    parser.add_argument("--attacks", action="store_true", help="try every known attack instead of random input")
    parser.add_argument("--page", action="store_true", help="write the page of the known attacks, and end")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="folder of findings")
    return parser.parse_args()


def _make(kind: Format, folder: Path) -> Path:
    intact = folder / "intact" / kind.name
    intact.mkdir(parents=True)
    kind.make(intact)
    return intact


def _keep(kind: Format, seed: int, face: str, trial: Trial, work: Path, out: Path) -> None:
    """Keep the input of a finding, and say what it is."""
    folder = out / f"{kind.name}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(work, folder, symlinks=True, ignore_dangling_symlinks=True)
    ending = trial.ending
    text = f"{kind.name} {face} seed {seed}: {trial.finding or 'nothing wrong'}\n"
    details = (
        f"exit code {ending.code}, {ending.megabytes:.0f} MB, {ending.seconds:.1f} s of CPU\n{ending.out}\n{ending.err}"
    )
    (folder / "finding.txt").write_text(text + details, encoding="utf-8", errors="replace")
    sys.stdout.write(text.encode("ascii", "backslashreplace").decode())
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
