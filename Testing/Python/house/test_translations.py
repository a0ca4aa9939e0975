"""Every sentence of the panels goes through Slicer's translation; those of a DataError stay English (developers.md)."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = [
    ROOT / "PCRPredictor/PCRPredictor.py",
    ROOT / "PCRTraining/PCRTraining.py",
    *sorted((ROOT / "PCRPredictor/PCRPredictorPanel").rglob("*.py")),
    *sorted((ROOT / "PCRTraining/PCRTrainingPanel").rglob("*.py")),
]
TRANSLATORS = {"_", "translate"}
NOT_SHOWN = {"error", "info", "warning", "delayDisplay", "compile"}  # logs, the module's own test, patterns
NAMES = {"BreastPCR contributors"}
SENTENCE = re.compile(r"[A-Z][a-z]+ .*[a-z]|[a-z]+ [a-z]+ [a-z]+")


def untranslated(code):
    """Return the sentences of Python code that no translator takes, with their lines."""
    tree = ast.parse(code)
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in TRANSLATORS | NOT_SHOWN:
                skipped.update(id(part) for argument in node.args for part in ast.walk(argument))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [
        f"{node.lineno}: {node.value}"
        for node in found
        if id(node) not in skipped and node.value not in NAMES and SENTENCE.search(node.value)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_sentences_of_the_panels_are_translated(path):
    assert untranslated(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ('label.text = "Choose a folder."', 1),
        ('label.text = f"Saved into {path} now"', 1),
        ('label.text = _("Choose a folder.")', 0),
        ('"""Choose a folder."""', 0),
        ('show(_("Saved into {path}.").format(path=path), "No folder")', 1),
        ('logging.error("Choose a folder.")', 0),
    ],
)
def test_sentence_without_a_translator_is_found(code, count):
    assert len(untranslated(code)) == count
