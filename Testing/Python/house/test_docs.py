"""The documentation: its links lead somewhere, its commands exist with their options, its files are there.

`test_docs_commands.py` runs the commands.
"""

import ast
import json
import re
import shlex
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from PCRPredictorLib import __version__
from PCRPredictorLib.archive.rows import COHORT_COLUMNS
from support.browser_help import CHROMIUM, chromium
from support.documentation import BLOCK, COMMANDS, PAGES, ROOT, blocks, code
from support.examples import tiny_exam, tiny_prediction

TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def anchors(page):
    """Return the names of a page's headings in links."""
    titles = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


NAMED = re.compile(r"breastpcr[-:](\d+\.\d+\.\d+)")  # wheel and container


def ids(path):
    return path.name


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_to_existing_files(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


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


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_site_is_built_without_a_warning(site):
    assert (site / "Docs" / "model.html").is_file()


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_named_files_exist(page):
    for line in code(page):
        if re.fullmatch(r"(Resources|Testing|PCRPredictor|PCRTraining|\.github)/[\w./-]+", line):
            assert (ROOT / line).exists(), line


def texts_of_the_code():
    """Return all string literals of libraries, panels and page, with spaces for values and line ends."""
    found = []
    for file in [file for top in ("PCRPredictor", "PCRTraining") for file in sorted((ROOT / top).rglob("*.py"))]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(part.value if isinstance(part, ast.Constant) else " " for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r'"\s*\+\s*"', "", node.value))  # of a script in the page
    return re.sub(r"\s+", " ", "\n".join(found))


def test_quoted_messages_are_messages_of_the_code():
    texts = texts_of_the_code()
    for page in PAGES:
        cells = re.findall(r'^\| (".+?") \|', page.read_text(encoding="utf-8"), re.MULTILINE)
        quoted = [part.strip() for cell in cells for text in re.findall(r'"(.+?)"', cell) for part in text.split("...")]
        assert [part for part in quoted if part not in texts] == [], page.name


def test_page_about_files_lists_every_key_column_and_warning():
    page = (ROOT / "Resources" / "Docs" / "files.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)`", page))
    library = ROOT / "PCRPredictor" / "PCRPredictorLib"
    codes = {
        code for file in library.rglob("*.py") for code in re.findall(r'Notice\(\s*"(\w+)"', file.read_text("utf-8"))
    }
    keys = tiny_prediction(tiny_exam()).to_json().keys() - {"disclaimer"}
    assert codes
    assert {*codes, *keys, *COHORT_COLUMNS} <= told


def test_changelog_and_citation_have_the_version_of_the_software():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", changelog, re.MULTILINE).group(1) == __version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {__version__}\n" in citation
    date = re.search(r"^date-released: (.+)", citation, re.MULTILINE).group(1)
    assert f"## {__version__} ({date})\n" in changelog
    assert {version for page in PAGES for version in NAMED.findall(page.read_text(encoding="utf-8"))} == {__version__}


def test_page_of_limits_has_the_numbers_of_the_card():
    page = (ROOT / "Resources/Docs/limits.md").read_text(encoding="utf-8")
    card = json.loads((ROOT / "Resources/Models/ispy2/configs/metadata.json").read_text(encoding="utf-8"))["card"]
    point = card["metrics"]["balanced point"]
    above = round(100 * point["share_above"])
    with_pcr = {key: round(100 * share) for key, share in point["ppv"].items()}
    below = {key: round(100 * (1 - share)) for key, share in point["npv"].items()}
    assert f"| {above} | {with_pcr['value']} % ({with_pcr['low']} to {with_pcr['high']}) |" in page
    assert f"| {100 - above} | {below['value']} % ({below['high']} to {below['low']}) |" in page


LOOKED_UP = {"index.md", "glossary.md", "method.md", "security.md", "attacks.md", "troubleshooting.md", "developers.md"}


def test_page_ends_with_what_can_go_wrong():
    nav = re.findall(r"- (?:Docs/)?([\w-]+\.md)", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = [page for page in PAGES if page.name in set(nav) - LOOKED_UP]
    ends = {page.name: re.findall(r"^## (.+)", page.read_text(encoding="utf-8"), re.MULTILINE)[-1] for page in pages}
    assert {name: end for name, end in ends.items() if end != "What can go wrong"} == {}


def test_site_can_be_edited_and_installs_as_the_readme_does():
    site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert f"edit_uri: edit/main/{re.search(r'docs_dir: (.+)', site).group(1)}/\n" in site
    assert blocks(ROOT / "Resources/index.md")[0] in blocks(ROOT / "README.md")


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_site_finds_an_option_where_it_is_explained_and_shows_the_current_page_in_its_menu(site):
    served = partial(SimpleHTTPRequestHandler, directory=site)
    with ThreadingHTTPServer(("127.0.0.1", 0), served) as server, chromium() as browser:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{address}/search.html?q=--find-tumour")
        assert (
            page.locator("#mkdocs-search-results h3").first.inner_text().startswith("On the command line: pcr predict")
        )
        page.goto(f"{address}/Docs/training.html")
        search, current = (page.locator(at).first.bounding_box() for at in (".wy-side-nav-search", "li.current > a"))
        assert current["y"] >= search["y"] + search["height"]
        server.shutdown()
