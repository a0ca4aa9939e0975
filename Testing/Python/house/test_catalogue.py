"""The rules of Slicer's Extensions Catalogue, and the content of the extension's package."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ENTRY = ROOT / "Resources" / "BreastPCR.json"
RAW = "https://raw.githubusercontent.com/BreastPCR/SlicerBreastPCR/main/"
LISTS = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")


def variable(name):
    return re.search(rf'set\({name} "([^"]+)"\)', LISTS).group(1)


def tracked():
    """Return every file of the repository."""
    git = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if git.returncode:
        pytest.skip("needs a git checkout")
    return [ROOT / name for name in git.stdout.splitlines()]


def test_entry_has_the_keys_and_the_category_of_the_catalogue():
    entry = json.loads(ENTRY.read_text(encoding="utf-8"))
    assert {"$schema", "category", "scm_url"} <= set(entry)
    optional = {"scm_revision", "scm_type", "build_dependencies", "build_subdirectory", "enabled", "tier"}
    assert set(entry) - {"$schema", "category", "scm_url"} <= optional | {"dicom_support_rule"}
    assert entry["category"] == "Quantification"
    assert entry["$schema"].endswith("/slicer-extension-catalog-entry-schema-v1.0.2.json#")
    assert re.fullmatch(r"https://github\.com/[^/]+/Slicer\w+\.git", entry["scm_url"])
    assert entry["build_dependencies"] == variable("EXTENSION_DEPENDS").split()


def test_names_agree_and_the_extension_does_not_begin_with_slicer():
    (name,) = re.findall(r"project\((\w+)\)", LISTS)
    assert name == ENTRY.stem
    assert not name.lower().startswith("slicer")
    assert json.loads(ENTRY.read_text())["scm_url"] == variable("EXTENSION_HOMEPAGE") + ".git"


@pytest.mark.parametrize("name", ["EXTENSION_ICONURL", "EXTENSION_SCREENSHOTURLS"])
def test_pictures_of_the_catalogue_are_in_the_repository(name):
    for url in variable(name).split():
        assert url.startswith(RAW)
        picture = (ROOT / url.removeprefix(RAW)).read_bytes()
        assert picture.startswith(b"\x89PNG")
        if name == "EXTENSION_ICONURL":
            assert struct.unpack(">II", picture[16:24]) == (128, 128)


def test_text_files_end_lines_with_lf_only():
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content:
            assert b"\r" not in content, path


def test_licence_is_in_the_root_and_the_clone_is_small():
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    # Each object of the history once: a store that holds some of them twice, loose and packed, makes no clone larger.
    history = ["git", "rev-list", "--objects", "--all", "HEAD", "--disk-usage"]
    size = subprocess.run(history, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert 0 < int(size) < 40_000_000
    assert sum(path.stat().st_size for path in tracked()) < 40_000_000


def test_description_is_for_people_who_do_not_know_the_field():
    assert 80 < len(variable("EXTENSION_DESCRIPTION")) < 400
    assert "Research use only" in variable("EXTENSION_DESCRIPTION")


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Install the extension as Slicer does, with stand-ins for Slicer's macros."""
    if not shutil.which("cmake") or not shutil.which("cc"):
        pytest.skip("needs cmake and a C compiler: apt-get install cmake gcc g++")
    build, installed = (tmp_path_factory.mktemp("cmake") / name for name in ("build", "installed"))
    for command in (
        ["cmake", "-S", ROOT, "-B", build, f"-DSlicer_DIR={ROOT / 'Testing' / 'cmake'}"],
        ["cmake", "--install", build, "--prefix", installed],
    ):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return installed / "lib" / "Slicer" / "qt-scripted-modules"


def test_extension_configures_and_its_package_has_both_modules(package):
    for name in ("PCRPredictor", "PCRTraining"):
        assert (package / f"{name}.py").is_file()
        assert (package / "Resources" / "UI" / f"{name}.ui").is_file()


def run_from(folder, cwd, *arguments):
    """Run `pcr` with this project's code from a folder and its dependencies from this environment."""
    return python_from([folder], cwd, "-m", "PCRTrainingLib.command_line", *arguments)


def python_from(folders, cwd, *words):
    """Run Python with the code of these folders and the installed packages, but without the repository."""
    site = next(Path(p) for p in sys.path if p.endswith("site-packages"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*folders, site]))}
    command = [sys.executable, "-S", *words]  # -S: without the link to the repository
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_models_are_found(folder, cwd):
    for model in ("ispy2", "phantom"):
        shown = run_from(folder, cwd, "bundle", "verify", model)
        assert str(folder) in shown
        assert "intact, 5 folds" in shown


def test_package_of_slicer_finds_its_models(package, tmp_path):
    assert_models_are_found(package, tmp_path)


def test_package_of_slicer_opens_both_modules(package, tmp_path):
    for name in ("slicer", "PySide6"):
        pytest.importorskip(name)
    from PCRPredictorView.opengl import opengl_missing

    if library := opengl_missing():
        pytest.skip(f"needs {library}: apt-get install libegl1 libgl1")
    names = ("PCRPredictor", "PCRTraining")
    code = (
        f"import sys; from harness import session; session.start(); folder = {str(package)!r}\n"
        f"for name in {names!r}: session.close_module(session.open_module(f'{{folder}}/{{name}}.py'))\n"
        "print(*{m.__file__ for n, m in sys.modules.items() if n.startswith('PCR')}, sep='\\n')"
    )
    shutil.copytree(ROOT / "Testing" / "harness", tmp_path / "harness")
    files = python_from([tmp_path], tmp_path, "-c", code).split()
    assert len(files) > 20
    assert all(file.startswith(str(package)) for file in files)


@pytest.mark.slow
def test_package_of_slicer_runs_the_demonstration_by_itself(package, tmp_path):
    code = (
        "from functools import partial\n"
        "from PCRPredictorLib.commands import demo\n"
        "from PCRTrainingLib import command_line\n"
        "demo.make_exam = partial(demo.make_exam, full=False)  # to be quick; all else is `pcr demo`\n"
        "command_line.main()"
    )
    assert "Written to demo" in python_from([package], tmp_path, "-c", code, "demo", "--out", "demo")
    expected = {"prediction.json", "attention.nii.gz", "overlay.png", "report.html"}
    assert expected <= {path.name for path in (tmp_path / "demo").iterdir()}


@pytest.mark.slow
def test_wheel_holds_everything_and_works_outside_the_repository(tmp_path):
    pip = [sys.executable, "-m", "pip", "--quiet"]
    source = tmp_path / "source"
    for path in tracked():
        (source / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, source / path.relative_to(ROOT))
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, source], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", tmp_path / "installed", wheel], check=True)
    assert_models_are_found(tmp_path / "installed", tmp_path)
    pcr = [tmp_path / "installed" / "bin" / "pcr", "--help"]  # "Scripts" on Windows, where slow tests are not run
    shown = subprocess.run(pcr, env={"PYTHONPATH": str(tmp_path / "installed")}, capture_output=True, text=True)
    assert "predict" in shown.stdout, shown.stderr
    assert "Written to demo" in run_from(tmp_path / "installed", tmp_path, "demo", "--out", "demo")
