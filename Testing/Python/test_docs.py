"""The documentation: its links lead somewhere, its commands exist with their options, its files are there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from PCRTrainingLib.command_line import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "Resources" / "Docs").glob("*.md"))]
COMMANDS = typer.main.get_command(app).commands
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def code(page):
    """The lines of a page's code blocks, and its inline code."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```\w*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [line.strip() for block in blocks for line in block.splitlines()] + inline


def ids(path):
    return path.name


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_to_files_that_are_there(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http", "#")):
            assert (page.parent / target.split("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_commands_exist_with_their_options(page):
    for line in code(page):
        if not line.startswith("pcr "):
            continue
        words = shlex.split(line.split("  #")[0], comments=True)[1:]
        if words[0].startswith("-"):
            continue
        command = COMMANDS[words.pop(0)]
        if hasattr(command, "commands") and words:
            command = command.commands[words.pop(0).split("|")[0]]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_make_targets_exist(page):
    for line in code(page):
        if found := re.match(r"make ([\w-]+)", line):
            assert found.group(1) in TARGETS, line


def test_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "Docs" / "model" / "index.html").is_file()


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_files_that_are_named_are_there(page):
    for line in code(page):
        if re.fullmatch(r"(Resources|Testing|PCRPredictor|PCRTraining|\.github)/[\w./-]+", line):
            assert (ROOT / line).exists(), line
