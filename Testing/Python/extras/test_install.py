"""The lines that install optional parts: from a checkout, from a wheel, and in Slicer."""

import sys
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from PCRPredictorLib.extras import install
from PCRPredictorLib.extras.install import EXTRAS, install_line, package_line
from support.documentation import ROOT

tomllib = pytest.importorskip("tomllib", reason="Python 3.10 cannot read the project's TOML")
OURS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]


def requirements_of(extra):
    """Return the packages of an extra; where it names an extra of this project, those of that one."""
    for line in map(Requirement, OURS[extra]):
        yield from requirements_of(*line.extras) if line.name == "breastpcr" else [str(line)]


@pytest.fixture(autouse=True)
def outside_slicer(monkeypatch):
    """The panel's tests, in the same process, leave a stand-in for Slicer's application."""
    monkeypatch.delitem(sys.modules, "slicer", raising=False)


@pytest.fixture(params=["python", "another"])
def installed(monkeypatch, request):
    """A wheel that was installed into a new environment, whose Python may be that of the path or not."""
    python = "/venv/bin/python"
    monkeypatch.setattr(install, "_CHECKOUT", ROOT / "Resources")
    monkeypatch.setattr(install, "_origin", lambda: {"url": "file:///tmp/breastpcr-0.3.0-py3-none-any.whl"})
    monkeypatch.setattr(install.sys, "executable", python)
    monkeypatch.setattr(install.shutil, "which", lambda _name: python if request.param == "python" else None)
    return "python" if request.param == "python" else python


@pytest.mark.parametrize("extra", [name for name in OURS if name != "dev"])
def test_extras_are_those_of_the_project(extra):
    assert sorted(map(str, map(Requirement, EXTRAS[extra]))) == sorted(requirements_of(extra))


def test_no_line_takes_the_project_itself_from_an_index(installed):
    for extra in EXTRAS:
        assert "breastpcr" not in install_line(extra)


def test_beside_a_wheel_the_packages_are_named_for_the_python_that_runs(installed):
    assert install_line("dicom") == f'{installed} -m pip install "highdicom>=0.25" "dicomweb-client>=0.60"'


def test_a_checkout_is_installed_by_its_path_with_its_versions():
    line = install_line("view")
    assert line.endswith(f'"{ROOT}[view]"')
    assert f"-c {ROOT / 'constraints.txt'}" in line


def test_a_library_that_was_installed_from_a_checkout_names_it(installed, monkeypatch):
    monkeypatch.setattr(install, "_origin", lambda: {"url": ROOT.as_uri(), "dir_info": {"editable": True}})
    assert install_line("view").endswith(f'-m pip install -c {ROOT / "constraints.txt"} -e "{ROOT}[view]"')


def test_slicer_installs_through_its_own_function(monkeypatch):
    monkeypatch.setitem(sys.modules, "slicer", SimpleNamespace(app=SimpleNamespace(applicationName="Slicer")))
    assert install_line("swin") == "slicer.util.pip_install('einops>=0.8')"
    assert package_line(["asyncssh"]) == "slicer.util.pip_install('asyncssh')"


def test_an_environment_of_uv_has_no_pip(installed, monkeypatch):
    monkeypatch.setattr(install, "find_spec", lambda _name: None)
    monkeypatch.setattr(install.shutil, "which", lambda name: f"/bin/{name}")
    assert install_line("swin") == 'uv pip install --python /venv/bin/python "einops>=0.8"'


def test_no_other_file_forms_such_a_line():
    elsewhere = {"install.py", "dependencies.py"}  # the second is for a Slicer without internet
    files = [file for top in ("PCRPredictor", "PCRTraining") for file in (ROOT / top).rglob("*.py")]
    found = [file.name for file in files if "pip install" in file.read_text(encoding="utf-8")]
    assert set(found) <= elsewhere
