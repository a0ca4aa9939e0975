"""What describes a cohort: its table as text or workbook, `cohort.json`, entered labels, a journal to resume."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from support.hostile.mappings import IMAGES, MASK
from support.hostile.mappings import KINDS as MAPPINGS
from support.hostile.tables import CSV, TEXTS, WORKBOOKS, XLSX, workbook

from ..format import Attack, Face, Format, pcr
from ..mutate import TEXTS as WORDS
from ..mutate import mutate_bytes
from .exams import predict_cohort


def _make(change: Callable[[Path], object] = lambda _: None) -> Callable[[Path], None]:
    """Return the maker of a cohort of three with a model; `change` is called with its folder."""

    def write(folder: Path) -> None:
        from support.models.tiny import write_tiny_bundle
        from support.training_cohort import write_cohort

        write_tiny_bundle(folder / "bundle")
        write_cohort(folder / "cohort", 3)
        change(folder / "cohort")

    return write


def _put_workbook(cohort: Path) -> None:
    """Put a workbook in place of the table, which is kept beside the cohort for attacks to begin with."""
    shutil.copy(cohort / CSV, cohort.parent / CSV)
    workbook()(cohort)


def _on_workbook(spoil: Callable[[Path], None]) -> Attack:
    def attack(folder: Path) -> None:
        (folder / "cohort" / XLSX).unlink()
        shutil.copy(folder / CSV, folder / "cohort" / CSV)
        spoil(folder / "cohort")

    return attack


def _map(cohort: Path) -> None:
    import json

    content = {
        "phases": IMAGES,
        "mask": [MASK],
        "table": CSV,
        "columns": {"patient_id": "patient_id", "pcr": "pcr", "age": "age", "hr": "hr"},
        "values": {"hr": {"0": "negative", "1": "positive"}},
        "label": 1,
    }
    (cohort / "cohort.json").write_text(json.dumps(content), encoding="utf-8")


def _enter(cohort: Path) -> None:
    from PCRTrainingLib.cohort.labels import enter_label
    from PCRTrainingLib.cohort.review import mark_reviewed

    for name, label in (("P0", "yes"), ("P1", "no"), ("P2", "yes")):
        enter_label(cohort, name, label, "A")
        mark_reviewed(cohort, name, "A")


def _make_journal(folder: Path) -> None:
    """Write a cohort, and the results of a prediction that can be resumed."""
    import contextlib
    import io

    from PCRTrainingLib.command_line import app, run

    _make()(folder)
    words = [str(word) for word in predict_cohort(folder, folder / "results")]
    with contextlib.redirect_stdout(io.StringIO()):
        assert run(app, words) == 0


def _resume(inputs: Path, out: Path) -> int:
    """Go on with results that lie beside the cohort, in a copy."""
    shutil.copytree(inputs / "results", out)
    return pcr(lambda inputs, out: [*predict_cohort(inputs, out), "--resume"])(inputs, out)


def _mutate_lines(rng: Random, path: Path) -> None:
    """Change a line of JSON as a file of its own, or bytes."""
    from ..mutate import mutate_json

    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or rng.random() < 0.3:
        mutate_bytes(rng, path)
        return
    number, part = rng.randrange(len(lines)), path.with_suffix(".json")
    part.write_text(lines[number], encoding="utf-8")
    mutate_json(rng, part)
    lines[number] = part.read_text(encoding="utf-8", errors="replace").replace("\n", " ")
    part.unlink()
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogatepass")


def _line(text: str) -> Attack:
    """Return the attack that puts a line behind the first one of a journal."""

    def attack(folder: Path) -> None:
        path = folder / "results" / "predictions.jsonl"
        first, *rest = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join([first, *rest, text]) + "\n", encoding="utf-8")

    return attack


JOURNAL_ATTACKS: dict[str, Attack] = {
    "a line of 200,000 brackets": _line("[" * 200_000),
    "a patient without rows": _line('{"patient": "P1", "rows": [], "inputs": "x"}'),
    "a patient that is a list": _line('{"patient": [], "rows": [{}], "inputs": "x"}'),
    "rows that are a text": _line('{"patient": "P1", "rows": "x", "inputs": "x"}'),
    "inputs that are a number": _line('{"patient": "P1", "rows": [{}], "inputs": 5}'),
    "a number of 5,000 digits": _line('{"patient": "P1", "rows": [{}], "passing": ' + "9" * 5000 + "}"),
    "a formula": _line('{"patient": "=1+1", "rows": [{"patient_id": "=1+1"}]}'),
    "half a line": lambda folder: (
        (folder / "results" / "predictions.jsonl").write_bytes(
            (folder / "results" / "predictions.jsonl").read_bytes()[:-40]
        )
        and None
    ),
    "a first line of 200,000 brackets": lambda folder: (
        (folder / "results" / "predictions.jsonl").write_text("[" * 200_000 + "\n") and None
    ),
    "a first line that is a number": lambda folder: (
        (folder / "results" / "predictions.jsonl").write_text("5\n") and None
    ),
}


def _lists(content: bytes) -> Attack:
    """Return the attack on the list of entered labels, and on that of reviews."""

    def attack(folder: Path) -> None:
        for file in (folder / "cohort").rglob("*.csv"):
            if file.name != CSV:
                file.write_bytes(content)

    return attack


LABELS_ATTACKS: dict[str, Attack] = {
    "a field of 200,000 letters": _lists(b"patient_id,pcr,who,when,mask\nP0,yes," + b"a" * 200_000 + b",,\n"),
    "a quote that never ends": _lists(b'patient_id,pcr,who,when,mask\n"P0' + b",yes\n" * 50_000),
    "zeros": _lists(bytes(100_000)),
    "half a character": _lists(b"patient_id,pcr,who,when,mask\nP0,yes,\xc3,,\n"),
    "other columns": _lists(b"a,b\n1,2\n"),
    "more cells than columns": _lists(b"patient_id,pcr,who,when,mask\n" + b"P0,yes,A,,,,,,,\n" * 9),
}


def _mutate_workbook(rng: Random, path: Path) -> None:
    """Change the text of a part of a workbook, or bytes of the archive."""
    if rng.random() < 0.3 or not zipfile.is_zipfile(path):
        mutate_bytes(rng, path)
        return
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(sorted(parts))
        parts[name] = _change_xml(rng, parts[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _change_xml(rng: Random, content: bytes) -> bytes:
    """Return XML with a number, a text, an element or a few bytes changed."""
    import re

    kind = rng.randrange(5)
    spans = [found.span() for found in re.finditer((rb"\d+", rb">[^<]+<", rb"<[^>]+>")[min(kind, 2)], content)]
    if kind > 2 or not spans:
        place = rng.randrange(len(content) + 1)
        return (
            content[:place] + rng.choice(WORDS).encode("utf-8", "surrogatepass") + content[place + rng.randrange(9) :]
        )
    start, end = rng.choice(spans)
    if kind == 0:
        return content[:start] + rng.choice((b"0", b"-1", b"1048577", b"9" * 30, b"16385", b"1e9")) + content[end:]
    if kind == 1:
        text = rng.choice(WORDS).encode("utf-8", "surrogatepass").replace(b"<", b"&lt;")
        return content[: start + 1] + text + content[end - 1 :]
    piece = content[start:end] * rng.choice((0, 2, 1000))
    return content[:start] + piece + content[end:]


def _check(inputs: Path, out: Path) -> list[object]:
    return ["check", inputs / "cohort"]


def _on_cohort(spoil: Callable[[Path], None]) -> Attack:
    return lambda folder: spoil(folder / "cohort")


def _write_mapping(content: str | bytes) -> Attack:
    data = content if isinstance(content, bytes) else content.encode()
    return lambda folder: (folder / "cohort" / "cohort.json").write_bytes(data) and None


_BOTH: dict[str, Face] = {"predict": pcr(predict_cohort), "check": pcr(_check, lists=True)}
FORMATS = (
    Format(
        "table",
        _make(),
        faces=_BOTH,
        more={name: _on_cohort(spoil) for name, spoil in TEXTS.items()},
        targets=("cohort/*.csv",),
    ),
    Format(
        "workbook",
        _make(_put_workbook),
        faces=_BOTH,
        more={name: _on_workbook(spoil) for name, spoil in WORKBOOKS.items()},
        targets=("cohort/*.xlsx",),
        mutate=_mutate_workbook,
    ),
    Format(
        "cohort",
        _make(_map),
        faces=_BOTH,
        more={name: _write_mapping(content) for name, content in MAPPINGS.items()},
        targets=("cohort/cohort.json",),
    ),
    Format(
        "labels",
        _make(_enter),
        faces={"check": pcr(_check, lists=True)},
        attacks=LABELS_ATTACKS,
        targets=("cohort/**/*.csv",),
    ),
    Format(
        "journal",
        _make_journal,
        faces={"predict --resume": _resume},
        attacks=JOURNAL_ATTACKS,
        targets=("results/predictions.jsonl",),
        mutate=_mutate_lines,
        resumes=True,
    ),
)
