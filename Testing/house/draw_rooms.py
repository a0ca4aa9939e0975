"""Draw the rooms and their imports as `Resources/Docs/rooms.svg`: `make rooms`.

A room stands above the rooms that it imports. A long arrow passes between the boxes of the layers on its way; arrows to
one room join.
"""

import ast
import re
from html import escape
from itertools import pairwise
from textwrap import wrap

from support.documentation import ROOT

from house.room_graph import FILES, Room, room_imports, rooms

PICTURE = ROOT / "Resources" / "Docs" / "rooms.svg"
WIDTH, BOX, LINE, GAP, MOST = 1000, 214, 15, 50, 4  # pixels; most boxes of a layer
COLOURS = {
    "PCRPredictorLib": ("#e3eefb", "#1f5fa8"),
    "PCRTrainingLib": ("#e0f2e4", "#24733a"),
    "PCRPredictorView": ("#f1e6f8", "#7a3a9c"),
    "": ("#fdeeda", "#a65f00"),  # the Slicer modules and their panels
}
Stop = tuple[Room, bool]  # a room; or, if True, the place in a layer at which arrows to it pass


def layers_of(below: dict[Room, set[Room]]) -> dict[Room, int]:
    """Return the layer of every room, 0 at the bottom, at most four rooms in a layer."""
    layer: dict[Room, int] = {}
    while len(layer) < len(below):
        ready = [room for room in below if room not in layer and below[room] <= layer.keys()]
        lowest = {room: max((layer[other] + 1 for other in below[room]), default=0) for room in ready}
        room = min(ready, key=lambda room: (lowest[room], room))
        layer[room] = next(n for n in range(lowest[room], len(below)) if [*layer.values()].count(n) < MOST)
    for room in sorted(layer, key=layer.__getitem__, reverse=True):  # up to those that import it, if these are more
        above = [layer[other] for other in below if room in below[other]]
        if len(above) > len(below[room]) > 0:
            free = [n for n in range(layer[room], min(above)) if [*layer.values()].count(n) < MOST]
            layer[room] = max([layer[room], *free])
    filled = sorted(set(layer.values()))  # a layer whose only room went up is left out
    return {room: filled.index(n) for room, n in layer.items()}


def segments_of(below: dict[Room, set[Room]], layer: dict[Room, int]) -> list[tuple[int, Stop, Stop]]:
    """Return the parts of all arrows: the layer that a part starts from, its start, and its end one layer below."""
    parts = set()
    for upper, others in below.items():
        for lower in others:
            stops = [(upper, False), *[(lower, True)] * (layer[upper] - layer[lower] - 1), (lower, False)]
            parts |= {(layer[upper] - k, *pair) for k, pair in enumerate(pairwise(stops))}
    return sorted(parts)


def places_of(layer: dict[Room, int], parts: list[tuple[int, Stop, Stop]]) -> list[dict[Stop, float]]:
    """Return the middle in x of every stop, layer by layer, each near those that it is joined to."""
    rows: list[dict[Stop, float]] = [{} for _ in range(max(layer.values()) + 1)]
    for room, n in sorted(layer.items()):
        rows[n][room, False] = WIDTH / 2
    for n, start, end in parts:
        rows[n].setdefault(start, WIDTH / 2)
        rows[n - 1].setdefault(end, WIDTH / 2)
    for sweep in range(60):
        for n in range(len(rows)) if sweep % 2 else reversed(range(len(rows))):
            wish = {}
            for stop, place in rows[n].items():
                joined = [rows[n - 1][end] for m, start, end in parts if (m, start) == (n, stop)]
                joined += [rows[m][start] for m, start, end in parts if (m - 1, end) == (n, stop)]
                wish[stop] = sum(joined) / len(joined) if joined else place
            rows[n] = spread(wish)
    return rows


def spread(wish: dict[Stop, float]) -> dict[Stop, float]:
    """Return places in the order of the wishes and near them, without overlap and inside the picture."""
    order = sorted(wish, key=lambda stop: (round(wish[stop], 3), stop))
    half = {stop: 7 if stop[1] else BOX / 2 + 7 for stop in order}
    place, edge = dict(wish), 4.0
    for stop in order:
        place[stop] = edge = max(place[stop], edge + half[stop])
        edge += half[stop]
    edge = WIDTH - 4.0
    for stop in reversed(order):
        place[stop] = min(place[stop], edge - half[stop])
        edge = place[stop] - half[stop]
    return place


def lines_of(room: Room, files: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines of a box: its purpose, from the docstring of its package or last file, and its files."""
    package, module = f"{room[0]}/__init__", f"{room[0]}/{files[-1]}"
    source = FILES[package if package in FILES and not room[1] else module if module in FILES else room[0]]
    about = re.split(r"\.\s|\n\n", ast.get_docstring(ast.parse(source.read_text("utf-8"))) or "")[0]
    return wrap(about.rstrip("."), 36), wrap(", ".join(files), 29)


def draw() -> str:
    """Return the picture as SVG."""
    below, files = room_imports(), rooms()
    layer = layers_of(below)
    parts = segments_of(below, layer)
    rows = places_of(layer, parts)
    lines = {room: lines_of(room, files[room]) for room in below}
    size = {room: 30 + LINE * (len(lines[room][0]) + len(lines[room][1])) for room in below}
    tall = [max(size[room] for room in below if layer[room] == n) for n in range(len(rows))]
    top = [24 + sum(tall[n + 1 :]) + GAP * (len(rows) - 1 - n) for n in range(len(rows))]
    out = [head(top[0] + tall[0] + 44)]

    def port(n: int, stop: Stop, other: Stop, down: bool) -> float:
        if stop[1]:
            return rows[n][stop]
        if down:
            ends = sorted((b for m, a, b in parts if (m, a) == (n, stop)), key=rows[n - 1].__getitem__)
        else:
            ends = sorted((a for m, a, b in parts if (m - 1, b) == (n, stop)), key=rows[n + 1].__getitem__)
        return rows[n][stop] + (ends.index(other) - (len(ends) - 1) / 2) * min(30, (BOX - 40) / len(ends))

    for n, start, end in parts:
        x1, x2 = port(n, start, end, True), port(n - 1, end, start, False)
        y1 = top[n] + (tall[n] if start[1] else size[start[0]])
        y2, m = top[n - 1], top[n] + tall[n]
        colour, arrow = colours(end[0])[1], "" if end[1] else f' marker-end="url(#{colours(end[0])[1][1:]})"'
        tail = f" V{y2 + tall[n - 1]:.0f}" if end[1] else ""
        out.append(
            f'<path d="M{x1:.0f} {y1:.0f} V{m:.0f} C{x1:.0f} {m + GAP * 0.6:.0f} {x2:.0f} {y2 - GAP * 0.6:.0f} '
            f'{x2:.0f} {y2 - (0 if end[1] else 7):.0f}{tail}" stroke="{colour}"{arrow}/>'
        )
    for room in sorted(below):
        out += box(room, rows[layer[room]][room, False] - BOX / 2, top[layer[room]], size[room], lines[room])
    note = "Full paths: PCRPredictor/PCRPredictorLib/..., PCRTraining/PCRTrainingLib/...; views and panels likewise."
    out.append(f'<text x="10" y="{top[0] + tall[0] + 30}" fill="#1a1a1a">{note}</text>')
    return "\n".join([*out, "</svg>", ""])


def colours(room: Room) -> tuple[str, str]:
    """Return fill and stroke of a room."""
    return next(pair for prefix, pair in COLOURS.items() if room[0].startswith(prefix))


def head(height: float) -> str:
    """Return the start of the picture: its size, its arrow heads, and a background of its own."""
    heads = "".join(
        f'<marker id="{stroke[1:]}" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        f'<path d="M0 0 L8 4 L0 8 Z" fill="{stroke}" stroke="none"/></marker>'
        for _fill, stroke in COLOURS.values()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" font-family="sans-serif" font-size="12" fill="none" stroke-width="1.6">\n'
        f"<title>The rooms of BreastPCR and their imports</title>\n<defs>{heads}</defs>\n"
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>'
    )


def box(room: Room, x: float, y: float, size: float, lines: tuple[list[str], list[str]]) -> list[str]:
    """Return a room's box with its name, its purpose and its files."""
    fill, stroke = colours(room)
    out = [f'<rect x="{x:.0f}" y="{y:.0f}" width="{BOX}" height="{size}" rx="6" fill="{fill}" stroke="{stroke}"/>']
    styles = ['font-weight="bold" font-size="13"', *['fill-opacity="0.75" font-size="11"'] * len(lines[0])]
    styles += ['font-family="monospace" font-size="11"'] * len(lines[1])
    for k, (style, line) in enumerate(zip(styles, [room[0], *lines[0], *lines[1]], strict=True)):
        out.append(f'<text x="{x + 10:.0f}" y="{y + 19 + LINE * k:.0f}" fill="#1a1a1a" {style}>{escape(line)}</text>')
    return out


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8", newline="\n")
