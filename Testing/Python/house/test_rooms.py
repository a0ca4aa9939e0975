"""The rooms of the libraries: which imports are allowed, and how large folders, files and functions may be."""

import ast
from pathlib import Path

import pytest
from house.room_graph import FILES as MODULES
from house.room_graph import folder_of, imports
from support.documentation import ROOT
from support.rooms import JOINING, MAY_IMPORT

FILES = 16  # of a folder
LINES = 320  # of a file
FOLDERS = ["PCRPredictor", "PCRTraining", "Testing"]


def modules():
    return [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]


def room_of(module):
    return module if module in JOINING else folder_of(module)


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_a_room_imports_only_the_rooms_below_it(room):
    allowed = MAY_IMPORT[room] | {room}
    found = {(module, other) for module in MODULES if room_of(module) == room for other in imports(module)}
    assert [pair for pair in found if room_of(pair[1]) not in allowed] == []


def test_every_folder_of_the_libraries_is_a_room():
    tops = {file: file.parts[len(ROOT.parts) + 1] for file in modules()}
    folders = {file.parent for file, top in tops.items() if "Lib" in top or top == "breastpcr"}
    assert {folder.relative_to(ROOT).as_posix().split("/", 1)[1] for folder in folders} == MAY_IMPORT.keys() - JOINING


def test_no_folder_is_too_full():
    counts = {}
    for file in modules():
        counts[file.parent] = counts.get(file.parent, 0) + 1
    assert {str(folder): n for folder, n in counts.items() if n > FILES} == {}


@pytest.mark.parametrize("file", modules(), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_no_file_or_function_is_too_long(file: Path):
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno < 60, node.name


def test_tests_share_helpers_through_support_alone():
    for file in (ROOT / "Testing").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.startswith(("test_", "conftest", "Python"))], file
