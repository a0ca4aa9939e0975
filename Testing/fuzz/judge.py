"""What every command must hold, whatever it reads."""

import csv
import json
import re
import unicodedata
from collections.abc import Collection
from pathlib import Path

from .format import Format
from .sandbox import Ending

_SCRIPT = re.compile(r"<script>alert|href=.?javascript:|(?<!\\)\]\(javascript:", re.IGNORECASE)
_FORMULA = re.compile(r"[\t\r\n ]*[=+\-@]|[\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_LONGEST = 4000  # characters of a sentence, or of a line of output

Snapshot = dict[str, tuple[int, int]]


def snapshot(work: Path, beside: Collection[str] = ()) -> Snapshot:
    """Return size and time of every file and folder outside `work/out`, and of no file `beside` the inputs."""
    found = {}
    for path in sorted(work.rglob("*")):
        name = path.relative_to(work).as_posix()
        if name == "out" or name.startswith("out/") or name.removeprefix("in/") in beside:
            continue
        stat = path.lstat()
        found[name] = (stat.st_size, stat.st_mtime_ns) if path.is_file() else (0, 0)
    return found


def judge(ending: Ending, work: Path, before: Snapshot, kind: Format, *, lists: bool = False) -> str:
    """Return what is wrong with an ending, "" if nothing is.

    Args:
        ending: of a reader.
        work: its folder.
        before: of the folder, from `snapshot`.
        kind: of the input.
        lists: the reader reports problems in a list, and needs no sentence for exit code 1.
    """
    told = kind.resumes or "the column 'error' of" in ending.err  # without any prediction the table of reasons stays
    return (
        _of_the_end(ending)
        or ("" if lists and ending.code == 1 and ending.out and not ending.err else _of_the_sentence(ending))
        or _of_characters(ending)
        or (f"uses {ending.megabytes:.0f} MB" if ending.megabytes > kind.memory else "")
        or _of_the_folder(before, snapshot(work, kind.beside))
        or (_of_results(work / "out") if ending.code == 0 else "")
        or ("leaves results of an error" if ending.code and not told and _files(work / "out") else "")
    )


def _of_the_end(ending: Ending) -> str:
    if "Traceback" in ending.err:
        return f"a trace: {ending.err.strip().splitlines()[-1][:300]}"
    if ending.code < 0:
        return f"ended by signal {-ending.code} after {ending.seconds:.0f} s of CPU"
    return "" if ending.code in (0, 1, 2) else f"exit code {ending.code}"


def _of_the_sentence(ending: Ending) -> str:
    lines = [line for line in ending.err.split("\n") if line.strip()]
    if ending.code == 1 and (len(lines) != 1 or not lines[0].startswith("pcr: ")):
        return f"{len(lines)} lines on standard error: {ending.err[:300]!r}"
    if ending.code == 0 and lines:
        return f"words on standard error of a success: {ending.err[:300]!r}"
    if ending.code == 2 and not ending.err.startswith("Usage: "):
        return f"exit code 2 without usage: {ending.err[:300]!r}"
    longest = max(map(len, (ending.err + "\n" + ending.out).split("\n")))
    return f"a line of {longest} characters" if longest > _LONGEST else ""


def _of_characters(ending: Ending) -> str:
    """Find characters that control a terminal, or turn or hide what follows."""
    text = (ending.out + ending.err).replace("\n", "")
    bad = sorted({c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cs") and c != "\xad"})
    return f"control characters in the output: {bad!r}" if bad else ""


def _of_the_folder(before: Snapshot, after: Snapshot) -> str:
    changed = sorted({name for name in before | after if before.get(name) != after.get(name)})
    return f"wrote outside of the output folder: {changed[:3]}" if changed else ""


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []


def _of_results(out: Path) -> str:
    """Find JSON that is none, formulas in tables, scripts in pages."""
    for file in _files(out):
        if file.suffix == ".json":
            try:
                json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse)
            except ValueError as error:
                return f"{file.name}: {error}"
        if file.suffix == ".csv":
            with file.open(newline="", encoding="utf-8") as lines:
                cells = [cell for row in csv.reader(lines) for cell in row]
            if bad := [c for c in cells if _FORMULA.match(c) and not _NUMBER.fullmatch(c)]:
                return f"{file.name}: a cell that a spreadsheet computes: {bad[0][:60]!r}"
        if file.suffix in (".html", ".md", ".svg"):
            found = _SCRIPT.search(file.read_text(encoding="utf-8"))
            if found and (found[0][0] != "]" or file.suffix == ".md"):
                return f"{file.name}: holds a script"
    return ""


def _refuse(text: str) -> float:
    raise ValueError(f"holds {text}")
