"""The rooms as a graph, read from the imports: which files lie in a room, and which rooms it imports."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter

from support.documentation import ROOT

FILES = {
    "/".join(file.relative_to(ROOT).with_suffix("").parts[1:]): file
    for top in ("PCRPredictor", "PCRTraining")
    for file in sorted((ROOT / top).rglob("*.py"))
}  # by module path, such as "PCRPredictorLib/model/grid"
Room = tuple[str, int]  # folder and level: a folder whose files import a room above others of its files has several


@cache
def imports(module: str) -> frozenset[str]:
    """Return the modules that a module imports, in functions, too."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    names = (name for node in ast.walk(tree) for name in _imported_names(node, folder_of(module)))
    return frozenset(found for name in names for found in _resolve(name) if found != module)


def _imported_names(node: ast.AST, folder: str) -> list[str]:
    """Return what a node imports, each as a path such as "PCRPredictorLib/model/grid/GridSpec"."""
    if isinstance(node, ast.Import):
        return [alias.name.replace(".", "/") for alias in node.names]
    if isinstance(node, ast.Constant) and re.fullmatch(r"PCR[\w.]+:\w+", str(node.value)):  # a deferred import
        return [re.sub("[.:]", "/", str(node.value))]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = folder.split("/")[: len(folder.split("/")) + 1 - node.level] if node.level else []
    base += (node.module or "").split(".") if node.module else []
    return ["/".join([*base, alias.name]) for alias in node.names]


def _resolve(name: str) -> Iterator[str]:
    """Yield the module that an imported name lies in; nothing for a name of a different project."""
    while name:
        for module in (name, f"{name}/__init__"):
            if module in FILES:
                yield module
                return
        name = name.rpartition("/")[0]


def folder_of(module: str) -> str:
    """Return the folder of a module; a Slicer module at the top is a folder of its own."""
    return module.rpartition("/")[0] or module


@cache
def _reached(module: str) -> frozenset[str]:
    """Return all modules that a module needs, itself included."""
    return frozenset({module}.union(*map(_reached, imports(module))))


@cache
def _level(module: str) -> int:
    """Count how often the imports leave the module's folder and come back to it."""
    folder, below = folder_of(module), [0]
    for other in imports(module):
        back = {other} if folder_of(other) == folder else {m for m in _reached(other) if folder_of(m) == folder}
        back = {m for m in back if not m.endswith("__init__")}
        below += [_level(m) + (folder_of(other) != folder) for m in back]
    return max(below)


def room_of(module: str) -> Room:
    """Return the room of a module."""
    return folder_of(module), _level(module)


def rooms() -> dict[Room, list[str]]:
    """Return the file names of every room, without `__init__`."""
    found: dict[Room, list[str]] = {}
    for module in FILES:
        if not module.endswith("__init__"):
            found.setdefault(room_of(module), []).append(module.rpartition("/")[2])
    return found


def room_imports() -> dict[Room, set[Room]]:
    """Return the rooms that each room imports, without those that it also reaches through a different room.

    Raises:
        graphlib.CycleError: if rooms import each other in a circle.
    """
    direct: dict[Room, set[Room]] = {room: set() for room in rooms()}
    for module in FILES:
        for other in imports(module):
            if not module.endswith("__init__") and not other.endswith("__init__"):
                direct[room_of(module)].add(room_of(other))
    for room, others in direct.items():
        others.discard(room)
    reached: dict[Room, set[Room]] = {}
    for room in TopologicalSorter(direct).static_order():
        reached[room] = direct[room].union(*(reached[other] for other in direct[room]))
    return {
        room: {other for other in others if not any(other in reached[third] for third in others)}
        for room, others in direct.items()
    }
