"""Missing packages: how the panel names and installs them."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.panel_help import MODULE


def test_package_that_is_too_old_counts_as_missing(panel, tmp_path):
    from PCRPredictorPanel.dependencies import missing_packages

    requirements = tmp_path / "requirements.txt"
    requirements.write_text("numpy>=99\nrich>=1\n")
    assert missing_packages(requirements) == ["numpy"]


def test_missing_packages_are_named_with_advice(panel, monkeypatch, absent):
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)  # as in 5.10
    monkeypatch.setattr(panel.packages, "requirements", absent)
    panel.packages.check()
    assert not panel.ui.setupFrame.isHidden()
    assert "surely-not-installed" in panel.ui.setupLabel.text
    assert "Without internet" in panel.ui.setupLabel.text
    panel.ui.diagnosticsButton.click()
    import qt

    assert "surely-not-installed missing" in qt.QApplication.clipboard().text()


@pytest.fixture
def absent(tmp_path):
    """Return a file of requirements that are not met."""
    path = tmp_path / "requirements.txt"
    path.write_text("surely-not-installed>=1\n")
    return path


@pytest.fixture(params=["5.10", "5.12"])
def pip(request, panel, monkeypatch):
    """Replace Slicer's pip; return the list of what it was asked to install, with the constraints."""
    calls = []

    def install(arguments):  # 5.10
        assert arguments[0] == "-c"
        calls.append((arguments[2:], Path(arguments[1]).read_text().split()))

    def ensure(lines, constraints, prompt_install, requester):  # 5.12
        assert (prompt_install, requester) == (False, "BreastPCR")
        calls.append((lines, constraints.read_text().split()))

    monkeypatch.setattr(slicer.util, "pip_install", install)
    packaging = SimpleNamespace(pip_ensure=ensure) if request.param == "5.12" else None
    monkeypatch.setitem(sys.modules, "slicer.packaging", packaging)
    return calls


def test_installation_keeps_torch_and_what_slicer_is_built_on(pip, absent):
    from PCRPredictorPanel import dependencies

    with pytest.raises(RuntimeError, match="Not installed"):
        dependencies.install(absent)
    ((wanted, constraints),) = pip
    assert wanted == ["surely-not-installed>=1"]
    assert constraints == [f"{name}=={version(name)}" for name in ("torch", "numpy", "SimpleITK", "vtk")]


def test_nothing_is_installed_without_consent(pip, panel, absent, monkeypatch):
    asked = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, *_: asked.append(text) or False)
    monkeypatch.setattr(panel.packages, "requirements", absent)
    panel.ui.installButton.click()
    assert len(asked) == 1
    assert "surely-not-installed" in asked[0]
    assert pip == panel.messages == []


def test_failed_installation_is_reported_with_advice(panel, absent, monkeypatch):
    def fail(_arguments):
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_args: True)
    monkeypatch.setattr(slicer.util, "pip_install", fail)
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    monkeypatch.setattr(panel.packages, "requirements", absent)
    assert panel.ui.setupFrame.isHidden()
    with pytest.raises(RuntimeError, match=r"pip failed; .* Without internet"):
        panel.packages._install()
    assert not panel.ui.setupFrame.isHidden()
    assert "Install the missing packages" in panel.ui.predictButton.toolTip


def test_oldest_torch_is_the_one_that_the_oldest_monai_accepts(panel):
    from PCRPredictorPanel.dependencies import TORCH_AT_LEAST, read_requirements

    project = (MODULE.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"torch{TORCH_AT_LEAST}"' in project
    assert "monai>=1.6" in read_requirements(panel.packages.requirements)  # 1.5 accepts no torch above 2.6
    assert '"monai>=1.6"' in project


def test_torch_is_installed_by_its_extension_only(panel, monkeypatch):
    from PCRPredictorPanel import dependencies

    monkeypatch.setattr(dependencies, "_version", lambda name: None if name == "torch" else "1")
    with pytest.raises(RuntimeError, match="get PyTorch in the Extensions Manager"):
        dependencies.install(panel.packages.requirements)


def test_nothing_is_missing_here(panel):
    assert panel.ui.setupFrame.isHidden()
