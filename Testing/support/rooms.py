"""The rooms of the house, which may import which, and what their files import."""

import ast
from collections.abc import Iterator
from pathlib import Path

from support.documentation import ROOT

_NOUNS = {"PCRPredictorLib"}
_READING = _NOUNS | {"PCRPredictorLib/dicom", "PCRPredictorLib/reading"}
_MODEL = _NOUNS | {"PCRPredictorLib/model"}
_REPORT = _MODEL | {"PCRPredictorLib/report"}
_LOW = _READING | _REPORT | {"PCRPredictorLib/phantom"}
_OUTPUTS = _LOW | {"PCRPredictorLib/mrml", "PCRPredictorLib/outputs"}
_COMMANDS = _OUTPUTS | {"PCRPredictorLib/commands"}
_DATA = _LOW | {"PCRTrainingLib"}
_TRAINING = _DATA | {"PCRTrainingLib/cohort", "PCRTrainingLib/statistics"}
_EVALUATION = _TRAINING | {"PCRTrainingLib/training"}
_RUNS = _EVALUATION | {"PCRTrainingLib/evaluation"}
MAY_IMPORT = {
    "PCRPredictorLib": _NOUNS,
    "PCRPredictorLib/dicom": _NOUNS,
    "PCRPredictorLib/reading": _READING,
    "PCRPredictorLib/phantom": _NOUNS,
    "PCRPredictorLib/model": _NOUNS,
    "PCRPredictorLib/report": _REPORT,
    "PCRPredictorLib/mrml": _REPORT,
    "PCRPredictorLib/session": _LOW,
    "PCRPredictorLib/outputs": _OUTPUTS,
    "PCRPredictorLib/commands": _OUTPUTS,
    "PCRPredictorLib/command_line": _COMMANDS,
    "PCRTrainingLib": _LOW,
    "PCRTrainingLib/cohort": _DATA,
    "PCRTrainingLib/statistics": _DATA,
    "PCRTrainingLib/training": _TRAINING,
    "PCRTrainingLib/evaluation": _EVALUATION,
    "PCRTrainingLib/runs": _RUNS,
    "PCRTrainingLib/commands": _RUNS | {"PCRTrainingLib/runs", "PCRPredictorLib/commands"},
    "PCRTrainingLib/command_line": {
        "PCRTrainingLib/commands",
        "PCRPredictorLib/command_line",
        "PCRPredictorLib/commands",
        "PCRPredictorView",
    },
}
JOINING = {room for room in MAY_IMPORT if room.endswith(("/outputs", "/command_line"))}  # files that join the rooms


def folder_of(room: str) -> Path:
    """The folder of a room, such as "PCRPredictorLib/model"."""
    return ROOT / ("PCRPredictor" if room.startswith("PCRPredictor") else "PCRTraining") / room


def room_imports(room: str) -> Iterator[tuple[str, int, str]]:
    """File, line and room of every import of a file of the project, in functions, too."""
    folder = room.rsplit("/", 1)[0] if room in JOINING else room
    for file in sorted(folder_of(folder).glob("*.py")):
        if (f"{folder}/{file.stem}" in JOINING) != (room in JOINING) or (room in JOINING and file.stem not in room):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for module in imported_names(node, folder):
                if module.startswith("PCR"):
                    yield file.name, node.lineno, _room_of(module)


def imported_names(node: ast.AST, folder: str) -> list[str]:
    """Return what a node imports, each as a path such as "PCRPredictorLib/model/grid/GridSpec"."""
    if isinstance(node, ast.Import):
        return [alias.name.replace(".", "/") for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = folder.split("/")[: len(folder.split("/")) + 1 - node.level] if node.level else []
    base += (node.module or "").split(".") if node.module else []
    return ["/".join([*base, alias.name]) for alias in node.names]


def _room_of(module: str) -> str:
    """The innermost room on the way to a name."""
    parts = module.split("/")
    rooms = ("/".join(parts[:k]) for k in range(len(parts), 0, -1))
    return next(room for room in rooms if room in JOINING or folder_of(room).is_dir())
