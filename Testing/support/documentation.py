"""The pages of the documentation, and the code in them."""

import re
from pathlib import Path

from PCRTrainingLib.command_line import app

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "Resources/index.md",
    *sorted((ROOT / "Resources" / "Docs").glob("*.md")),
]
COMMANDS = {name: command.loaded for name, command in app.commands.items()}
BLOCK = re.compile(r"^```(?:\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page):
    """Return the code blocks of a page."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def inline(page):
    """Return the inline code of a page."""
    return re.findall(r"`([^`\n]+)`", BLOCK.sub("", page.read_text(encoding="utf-8")))


def code(page):
    """Return the lines of a page's code blocks and its inline code."""
    return [line.strip() for block in blocks(page) for line in block.splitlines()] + inline(page)
