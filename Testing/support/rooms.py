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
_TRAINING = _LOW | {"PCRTrainingLib"}
MAY_IMPORT = {
    # outputs, demo and command_line lie at the root, and join the rooms
    "PCRPredictorLib": _LOW | {"PCRPredictorLib/mrml"},
    "PCRPredictorLib/dicom": _READING,  # until the mask is read by those who call it
    "PCRPredictorLib/reading": _READING,
    "PCRPredictorLib/phantom": _NOUNS,
    "PCRPredictorLib/model": _NOUNS,
    "PCRPredictorLib/report": _REPORT,
    "PCRPredictorLib/mrml": _REPORT,
    "PCRTrainingLib": _LOW
    | {"PCRPredictorView"}  # whose command `pcr` has
    | {f"PCRTrainingLib/{room}" for room in ("cohort", "statistics", "training", "evaluation", "runs")},
    "PCRTrainingLib/cohort": _TRAINING,
    "PCRTrainingLib/statistics": _TRAINING,
    "PCRTrainingLib/training": _TRAINING | {"PCRTrainingLib/cohort", "PCRTrainingLib/statistics"},
    "PCRTrainingLib/evaluation": _TRAINING
    | {"PCRTrainingLib/cohort", "PCRTrainingLib/statistics", "PCRTrainingLib/training"},
    "PCRTrainingLib/runs": _TRAINING
    | {"PCRTrainingLib/cohort", "PCRTrainingLib/statistics", "PCRTrainingLib/training", "PCRTrainingLib/evaluation"},
}


def folder_of(room: str) -> Path:
    """The folder of a room, such as "PCRPredictorLib/model"."""
    return ROOT / ("PCRPredictor" if room.startswith("PCRPredictor") else "PCRTraining") / room


def room_imports(room: str) -> Iterator[tuple[str, int, str]]:
    """File, line and room of every import of a file of the project, in functions, too."""
    for file in sorted(folder_of(room).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for module in imported_names(node, room):
                if module.startswith("PCR"):
                    yield file.name, node.lineno, _room_of(module)


def imported_names(node: ast.AST, room: str) -> list[str]:
    """Return what a node imports, each as a path such as "PCRPredictorLib/model/grid"."""
    if isinstance(node, ast.Import):
        return [alias.name.replace(".", "/") for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = room.split("/")[: len(room.split("/")) + 1 - node.level] if node.level else []
    base += (node.module or "").split(".") if node.module else []
    return ["/".join([*base, alias.name]) for alias in node.names]


def _room_of(module: str) -> str:
    """The innermost folder on the way to a name."""
    path = folder_of(module)
    while not path.is_dir():
        path = path.parent
    return path.relative_to(path.parents[len(path.parts) - len(ROOT.parts) - 2]).as_posix()
