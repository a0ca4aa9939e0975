"""Random changes of files: bytes, text, JSON and tables; the same seed gives the same change."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from random import Random

TEXTS = (
    "", " ", "[/]", "[red]x", "[link=file:///etc/passwd]x[/link]", "\x1b]0;title\x07", "\x1b[2J\x1b[31m", "\u202egnp",
    "<script>alert(1)</script>", "[x](javascript:alert(1))", '=HYPERLINK("http://x.example","y")', "+1+1", "-2+3",
    "@SUM(A1)", "\t=1", "\r=1", "a\0b", "nan", "inf", "-inf", "1e999", "1e-999", "-0", "0x10", "１２", "1,5", "../../x",
    "/", "~", "C:\\x", "{patient_id:>20000000000}", "{0.__class__}", "%s%n", "A" * 5000, "\ud7ff", "\ufeffx", "é", "ı",
    "\u2028x", "1_000", "9" * 400, "1" * 5000, "(" * 3000, "null", "true",
)  # fmt: skip
NUMBERS = (0, -1, 1, 2**31, -(2**31), 2**63, 2**64 - 1, 10**400, 0.5, 1e308, -1e308, 5e-324, 1e-12, 20000, 10**6, 10**9)
_INTEGERS = (b"\xff" * 8, b"\0" * 8, struct.pack("<q", 2**62), struct.pack("<i", 2**31 - 1), b"\x80", b"\x7f\xff")
_FLOATS = tuple(struct.pack("<f", value) for value in (float("nan"), float("inf"), -1.0, 1e38, 1e-38))


def mutate_file(rng: Random, path: Path) -> None:
    """Change a file by the kind that its name tells."""
    if path.suffix == ".json" and rng.random() < 0.8:
        mutate_json(rng, path)
    elif path.suffix in (".csv", ".tsv", ".txt") and rng.random() < 0.8:
        mutate_table(rng, path)
    else:
        mutate_bytes(rng, path)


def mutate_bytes(rng: Random, path: Path) -> None:
    """Change a few bytes: flipped, cut, repeated, removed, replaced by extreme numbers; headers more than the rest."""
    content = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        size = len(content)
        place = rng.randrange(min(size, 512) if rng.random() < 0.6 else size) if size else 0
        kind = rng.randrange(6)
        if kind == 0 and size:
            content[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del content[place:]
        elif kind == 2:
            content[place:place] = content[place : place + rng.choice((1, 8, 300))] * rng.choice((1, 2, 50))
        elif kind == 3:
            del content[place : place + rng.choice((1, 2, 8, 100))]
        elif kind == 4:
            piece = rng.choice((*_INTEGERS, *_FLOATS))
            content[place : place + len(piece)] = piece
        else:
            content[place:place] = rng.choice(TEXTS).encode("utf-8", "surrogatepass")
    path.write_bytes(content)


def mutate_json(rng: Random, path: Path) -> None:
    """Change values, names and structure of a JSON file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        mutate_bytes(rng, path)
        return
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        content = _change(rng, content)
    text = json.dumps(content)
    if rng.random() < 0.1:
        place = rng.randrange(len(text) + 1)
        text = text[:place] + rng.choice(("NaN", "[" * 200_000, "{", "\0", "1e999", '"')) + text[place:]
    path.write_text(text, encoding="utf-8", errors="surrogatepass")


def _change(rng: Random, content: object) -> object:
    """Return a JSON value with one place in it changed."""
    places = list(_places(content))
    if not places:
        return _nasty(rng, content)
    parent, key = rng.choice(places)
    kind = rng.randrange(6)
    if kind == 0:
        del parent[key]
    elif kind == 1 and isinstance(parent, list):
        parent *= rng.choice((2, 50))
    elif kind == 2 and isinstance(parent, dict):
        parent[rng.choice(TEXTS)] = parent.pop(key)
    else:
        parent[key] = _nasty(rng, parent[key])
    return content


def _places(content: object) -> "list[tuple]":
    found, waiting = [], [content]
    while waiting:
        parent = waiting.pop()
        keys = list(parent) if isinstance(parent, dict) else range(len(parent)) if isinstance(parent, list) else ()
        found += [(parent, key) for key in keys]
        waiting += [parent[key] for key in keys]
    return found


def _nasty(rng: Random, value: object) -> object:
    """Return a value of the same type with a bad content, or one of a different type."""
    if isinstance(value, int | float) and not isinstance(value, bool) and rng.random() < 0.6:
        return rng.choice((*NUMBERS, -value, value * 1000, float("nan"), float("inf")))
    if isinstance(value, str) and rng.random() < 0.7:
        return rng.choice((rng.choice(TEXTS), value + rng.choice(TEXTS)))
    others: tuple[object, ...] = (None, True, [], {}, [[]], {"": {}}, [value], {"x": value}, rng.choice(NUMBERS))
    return rng.choice((*others, rng.choice(TEXTS), [value] * 300))


def mutate_table(rng: Random, path: Path, separator: str = ",") -> None:
    """Change cells, lines and columns of a text table."""
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = [line.split(separator) for line in text.splitlines()] or [[""]]
    for _ in range(rng.choice((1, 1, 2, 5))):
        row = rng.choice(lines)
        kind = rng.randrange(7)
        if kind == 0 and len(lines) > 1:
            lines.remove(row)
        elif kind == 1:
            lines.insert(rng.randrange(len(lines)), list(row))
        elif kind == 2:
            row += [rng.choice(TEXTS)] * rng.choice((1, 2000))
        elif kind == 3:
            for each in lines:
                del each[:1]
        else:
            place = rng.randrange(max(len(row), 1))
            row[place : place + 1] = [_cell(rng)]
    path.write_text("\n".join(separator.join(line) for line in lines), encoding="utf-8", errors="surrogatepass")


def _cell(rng: Random) -> str:
    choose: tuple[Callable[[], str], ...] = (
        lambda: rng.choice(TEXTS),
        lambda: f'"{rng.choice(TEXTS)}"',
        lambda: str(rng.choice(NUMBERS)),
        lambda: '"' + rng.choice(TEXTS),
    )
    return rng.choice(choose)()
