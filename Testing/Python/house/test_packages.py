"""What is handed out: sources, container and the release workflow name files that exist, and leave nothing out."""

import json
import os
import re
import shutil
import subprocess
from fnmatch import fnmatch

import pytest
from PCRPredictorLib import __version__
from support.documentation import ROOT

CONTAINER = ROOT / "Resources" / "Container" / "Containerfile"
SCRIPTS = ("build_packages", "check_package", "check_container", "pack_extension")
RELEASE = ROOT / ".github" / "workflows" / "release.yml"


def words_after(instruction):
    """Return the words of each line of the container recipe that begins with an instruction."""
    text = CONTAINER.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.split()[1:] for line in text.splitlines() if line.startswith(f"{instruction} ")]


def test_the_container_copies_every_folder_that_is_installed_and_nothing_that_is_not_there():
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 cannot read the project's TOML")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    copied = {source for *sources, _ in words_after("COPY") for source in sources}
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert set(project["tool"]["setuptools"]["package-dir"].values()) <= copied
    assert {"constraints.txt", "pyproject.toml", "README.md", "LICENSE"} <= copied
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert not [source for source in copied if source.split("/")[0] in ignored]


def test_the_container_has_the_libraries_of_make_and_its_command_can_be_called():
    from PCRTrainingLib.command_line import app

    packages = re.search(r"SYSTEM_PACKAGES := (.*)", (ROOT / "Makefile").read_text(encoding="utf-8")).group(1).split()
    assert set(packages) <= {word for words in words_after("RUN") for word in words}
    (text,) = re.findall(r"^CMD \[(.*)\]$", CONTAINER.read_text(encoding="utf-8"), re.MULTILINE)
    program, command, *words = re.findall(r'"([^"]+)"', text)
    assert program == "pcr"
    context = app.commands[command].make_context("pcr", words)
    assert context.params["host"] == "0.0.0.0"
    assert context.params["name"] == ["localhost", "127.0.0.1"]
    assert context.params["browser"] is False


def test_the_documentation_builds_the_container_from_its_recipe():
    for page in (ROOT / "README.md", CONTAINER):
        lines = re.findall(r"podman build .*?-f (\S+) \.", page.read_text(encoding="utf-8"))
        assert lines == ["Resources/Container/Containerfile"], page


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_of_the_release_can_be_read_by_bash_and_are_called(name):
    if os.name == "nt" or not shutil.which("bash"):
        pytest.skip("needs bash")
    subprocess.run(["bash", "-n", str(ROOT / ".ci" / name)], check=True)
    assert os.access(ROOT / ".ci" / name, os.X_OK)
    assert f".ci/{name}" in RELEASE.read_text(encoding="utf-8")


def test_the_sources_hold_every_file_of_the_checkout():
    if not (ROOT / ".git").exists():
        pytest.skip("needs a checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    words = [line.split() for line in (ROOT / "MANIFEST.in").read_text(encoding="utf-8").splitlines() if line]
    grafts = {word for first, *rest in words if first == "graft" for word in rest}
    files = [word for first, *rest in words if first == "include" for word in rest]
    own = {"pyproject.toml", "LICENSE"}  # setuptools takes these
    left_out = [
        name
        for name in listed
        if name.split("/")[0] not in grafts | own and not any(fnmatch(name, pattern) for pattern in files)
    ]
    assert left_out == []


def test_the_page_about_versions_names_each_of_them():
    from PCRPredictorLib.model.card import FORMAT

    page = (ROOT / "Resources" / "Docs" / "versions.md").read_text(encoding="utf-8")
    for text in ("`pcr --version`", "`pcr bundle list`", "`breastpcr_format`", "`response_format`", "`format`"):
        assert text in page
    metadata = json.loads((ROOT / "Resources/Models/ispy2/configs/metadata.json").read_text(encoding="utf-8"))
    assert metadata["breastpcr_format"] == FORMAT
    assert metadata["version"] != __version__


def test_the_release_is_built_for_tags_and_its_jobs_are_checked():
    yaml = pytest.importorskip("yaml")
    content = yaml.safe_load(RELEASE.read_text(encoding="utf-8"))
    assert content[True]["push"]["tags"] == ["v*"]  # YAML reads "on" as true
    assert set(content["jobs"]) == {"packages", "container", "slicer"}


@pytest.mark.skipif(not shutil.which("cmake") or not shutil.which("cc"), reason="needs CMake and a compiler")
def test_the_package_of_the_extension_has_libraries_and_models(tmp_path):
    import tarfile

    archive = tmp_path / "extension.tar.gz"
    subprocess.run([str(ROOT / ".ci" / "pack_extension"), str(archive)], check=True, capture_output=True)
    with tarfile.open(archive) as file:
        names = [name.rpartition("qt-scripted-modules/")[2] for name in file.getnames()]
    assert {"PCRPredictor.py", "PCRTraining.py", "breastpcr/__init__.py", "PCRTrainingLib/calls/train.py"} <= {*names}
    assert len([name for name in names if name.endswith(".safetensors")]) == len(
        [*(ROOT / "Resources" / "Models").rglob("*.safetensors")]
    )
