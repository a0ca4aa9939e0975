"""The whole package: what importing it loads, and the lists of its files."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from PCRTrainingLib.command_line import app

ROOT = Path(__file__).parents[3]


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    "module",
    ["PCRPredictorLib", "PCRPredictorLib.command_line", "PCRPredictorLib.model.bundle", "PCRTrainingLib.settings"],
)
def test_importing_loads_neither_torch_nor_monai(module):
    loaded = run_python(
        f"import sys, {module}; print([m for m in ('torch', 'monai', 'slicer', 'vtk') if m in sys.modules])"
    )
    assert loaded == "[]"


def test_importing_the_package_itself_loads_the_standard_library_only():
    code = "import sys; before = set(sys.modules); import PCRPredictorLib; print(*(set(sys.modules) - before))"
    assert run_python(code) == "PCRPredictorLib"


def test_help_loads_no_subcommand():
    code = "import sys; from PCRTrainingLib.command_line import run, app; run(app, ['--help'])"
    loaded = run_python(f"{code}; print(*(m for m in ('numpy', 'SimpleITK', 'pydantic') if m in sys.modules))")
    assert loaded.endswith("╯")


def test_matrix_products_of_a_command_use_one_thread():
    code = """
        import atexit, sys
        from PCRTrainingLib.command_line import main
        def count():
            import numpy, threadpoolctl
            print(*(pool["num_threads"] for pool in threadpoolctl.threadpool_info()))
        sys.argv[1:], _ = ["--version"], atexit.register(count)
        main()
    """
    assert run_python(dedent(code)).splitlines()[-1] == "1"


@pytest.mark.parametrize("name", app.commands)
def test_every_subcommand_is_summarised_as_it_describes_itself(name):
    command = app.commands[name]
    assert command.loaded.help.partition("\n\n")[0].replace("\n", " ") == command.help


def test_only_the_room_mrml_imports_slicer_and_vtk():
    library = ROOT / "PCRPredictor" / "PCRPredictorLib"
    importing = {
        file.relative_to(library).parts[0]
        for file in library.rglob("*.py")
        if re.search(r"^\s*(import|from) (slicer|vtk)\b", file.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert importing == {"mrml"}


@pytest.mark.parametrize("module", ["PCRPredictor", "PCRTraining"])
def test_cmake_lists_the_files_of_a_module_and_no_others(module):
    listed = re.findall(r"^ +(\S+\.py)$", (ROOT / module / "CMakeLists.txt").read_text(encoding="utf-8"), re.MULTILINE)
    files = [file.relative_to(ROOT / module).as_posix() for file in (ROOT / module).rglob("*.py")]
    assert files
    assert listed == sorted(f for f in files if not f.startswith("Testing/"))


@pytest.mark.parametrize("module", ["PCRPredictor", "PCRTraining"])
def test_cmake_lists_the_resources_of_a_module_and_no_others(module):
    lists = (ROOT / module / "CMakeLists.txt").read_text(encoding="utf-8")
    listed = re.findall(r"^ +(\S+/\S+)$", lists.partition("set(MODULE_PYTHON_RESOURCES")[2], re.MULTILINE)
    folders = [ROOT / module / "Resources", *(ROOT / module).rglob("templates")]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert len(folders) > 1
    assert listed == sorted(file.relative_to(ROOT / module).as_posix() for file in files)


_SLICER = """
set(Slicer_USE_FILE ${CMAKE_CURRENT_LIST_DIR}/nothing.cmake)
set(Slicer_EXTENSION_GENERATE_CONFIG ${Slicer_USE_FILE})
set(Slicer_EXTENSION_CPACK ${Slicer_USE_FILE})
set(Slicer_QTSCRIPTEDMODULES_LIB_DIR lib/Slicer-5.12/qt-scripted-modules)
set(Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR ${Slicer_QTSCRIPTEDMODULES_LIB_DIR})
macro(slicerMacroBuildScriptedModule)
  message(STATUS "module: ${ARGN}")
endmacro()
"""


@pytest.mark.skipif(shutil.which("cmake") is None or shutil.which("cc") is None, reason="needs CMake and a compiler")
def test_build_tree_has_the_models_beside_the_library_and_generic_tests(tmp_path):
    (tmp_path / "SlicerConfig.cmake").write_text(_SLICER)
    (tmp_path / "nothing.cmake").touch()
    command = ["cmake", "-S", str(ROOT), "-B", str(tmp_path / "build"), f"-DSlicer_DIR={tmp_path}"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    library = tmp_path / "build/lib/Slicer-5.12/qt-scripted-modules/PCRPredictorLib"
    shipped = {path.relative_to(ROOT / "Resources") for path in (ROOT / "Resources/Models").rglob("*")}
    assert {path.relative_to(library) for path in library.rglob("*")} - {Path("Models")} == shipped
    assert [line.split(";")[-1] for line in output.splitlines() if "module: NAME" in line] == ["WITH_GENERIC_TESTS"] * 2


def test_requirements_are_named_after_the_extension_as_modules_of_a_slicer_share_the_folder():
    names = [path.name for path in (ROOT / "PCRPredictor/Resources").iterdir() if path.is_file()]
    assert names == ["BreastPCR-requirements.txt"]
