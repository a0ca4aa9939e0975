"""The panel's sections "Patient" and "Model", and what it says when packages are missing."""

import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from PCRPredictorLib.model.bundle import export_bundle

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.panel_help import MODULE, choose_tiny, predict

SHIPPED = ["ispy2 (bundled)", "phantom (bundled)"]


def listed(panel):
    return [panel.ui.modelSelector.itemText(k) for k in range(panel.ui.modelSelector.count)]


def fields(panel):
    return [name for name in panel.patient._fields]


def test_bundled_model_is_there_with_its_card(panel):
    assert listed(panel) == SHIPPED
    for word in ("Trained on", "Performance", "AUC", "Licence", "Not for"):
        assert word in panel.ui.cardLabel.text
    assert not panel.ui.removeModelButton.enabled


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_own_model_is_added_used_and_removed(panel, bundle, tmp_path, monkeypatch, kind):
    source = bundle.path
    if kind == "zip":
        source = tmp_path / "own model.zip"
        export_bundle(bundle.path, source)
    panel.models.add(source)
    assert panel.messages == []
    assert len(listed(panel)) == 3
    assert "tiny" in panel.ui.cardLabel.text
    assert fields(panel) == ["age", "hr"]
    choose_tiny(panel)
    predict(panel)
    assert panel.session.result.prediction.model.name == "tiny"
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda *_args, **_options: True)
    panel.ui.removeModelButton.click()
    assert listed(panel) == SHIPPED
    assert fields(panel) == ["age", "hr", "her2", "menopause"]


def test_models_of_runs_are_called_by_their_runs(panel, bundle, tmp_path):
    for run in ("run a", "run b"):
        panel.models.add(shutil.copytree(bundle.path, tmp_path / run / "bundle"))
    assert panel.messages == []
    assert listed(panel) == [*SHIPPED, "run a", "run b"]


def test_model_is_not_removed_without_consent(panel, bundle, monkeypatch):
    panel.models.add(bundle.path)
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda *_args, **_options: False)
    panel.ui.removeModelButton.click()
    assert len(listed(panel)) == 3


def test_damaged_model_is_refused_with_one_message(panel, bundle, tmp_path):
    damaged = shutil.copytree(bundle.path, tmp_path / "damaged")
    next(damaged.glob("models/*.safetensors")).write_bytes(b"nothing")
    panel.models.add(damaged)
    assert len(panel.messages) == 1
    assert listed(panel) == SHIPPED


def test_package_that_is_too_old_counts_as_missing(panel, tmp_path):
    from PCRPredictorPanel.dependencies import missing_packages

    requirements = tmp_path / "requirements.txt"
    requirements.write_text("numpy>=99\nrich>=1\n")
    assert missing_packages(requirements) == ["numpy"]


def test_every_clinical_value_starts_unknown_and_can_become_so_again(panel):
    assert panel.session.clinical.values == {}
    panel.session.enter({"age": 50, "hr": "positive"})
    panel.session.enter({})
    assert panel.session.clinical.values == {}
    assert panel.patient._fields["age"].text == "unknown"


def test_values_of_a_table_are_kept_to_their_digits(panel):
    panel.session.enter({"age": 52.7})
    assert panel.session.clinical.values == {"age": 52.7}
    assert panel.patient._fields["age"].text == "52.7 years"
    panel.session.enter({"age": 53})
    assert panel.patient._fields["age"].text == "53 years"


def test_device_is_offered(panel):
    assert panel.ui.deviceSelector.currentData == "automatic"
    panel.ui.deviceSelector.setCurrentIndex(1)
    assert panel.session.model.device == "cpu"


def test_missing_packages_are_named_with_what_to_do(panel, monkeypatch, absent):
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
    """Requirements that are not met."""
    path = tmp_path / "requirements.txt"
    path.write_text("surely-not-installed>=1\n")
    return path


@pytest.fixture(params=["5.10", "5.12"])
def pip(request, panel, monkeypatch):
    """Slicer's way to pip; notes what is installed under which constraints."""
    told = []

    def install(arguments):  # 5.10
        assert arguments[0] == "-c"
        told.append((arguments[2:], Path(arguments[1]).read_text().split()))

    def ensure(lines, constraints, prompt_install, requester):  # 5.12
        assert (prompt_install, requester) == (False, "BreastPCR")
        told.append((lines, constraints.read_text().split()))

    monkeypatch.setattr(slicer.util, "pip_install", install)
    packaging = SimpleNamespace(pip_ensure=ensure) if request.param == "5.12" else None
    monkeypatch.setitem(sys.modules, "slicer.packaging", packaging)
    return told


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


def test_failed_installation_says_what_to_do_and_the_panel_looks_again(panel, absent, monkeypatch):
    def fail(_arguments):
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_args: True)
    monkeypatch.setattr(slicer.util, "pip_install", fail)
    monkeypatch.setitem(sys.modules, "slicer.packaging", None)
    monkeypatch.setattr(panel.packages, "requirements", absent)
    assert panel.ui.setupFrame.isHidden()
    with pytest.raises(RuntimeError, match=r"pip has failed; .* Without internet"):
        panel.packages._install()
    assert not panel.ui.setupFrame.isHidden()
    assert "Install the missing packages" in panel.ui.predictButton.toolTip


def test_least_torch_is_what_the_least_monai_takes(panel):
    from PCRPredictorPanel.dependencies import TORCH_AT_LEAST, read_requirements

    project = (MODULE.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"torch{TORCH_AT_LEAST}"' in project
    assert "monai>=1.6" in read_requirements(panel.packages.requirements)  # 1.5 takes no torch above 2.6
    assert '"monai>=1.6"' in project


def test_torch_comes_through_its_extension_only(panel, monkeypatch):
    from PCRPredictorPanel import dependencies

    monkeypatch.setattr(dependencies, "_version", lambda name: None if name == "torch" else "1")
    with pytest.raises(RuntimeError, match="get PyTorch in the Extensions Manager"):
        dependencies.install(panel.packages.requirements)


def test_nothing_is_missing_here(panel):
    assert panel.ui.setupFrame.isHidden()
