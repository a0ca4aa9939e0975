"""Packages that only some users need, and packages that a different extension has loaded in an older version."""

import sys
from types import SimpleNamespace

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.panel_help import choose_tiny


@pytest.fixture
def asked(monkeypatch):
    """Answer every question with yes; return the questions."""
    questions = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, *_: questions.append(text) or True)
    return questions


@pytest.fixture
def restarted(monkeypatch):
    """Return a list that grows with each restart."""
    found = []
    monkeypatch.setattr(slicer.util, "restart", lambda: found.append(True), raising=False)
    return found


@pytest.fixture
def without_highdicom(panel, monkeypatch):
    """Hide highdicom until it is installed; return what was installed."""
    from PCRPredictorPanel import dependencies

    installed, version = [], dependencies._version
    monkeypatch.setattr(dependencies, "_install_packages", installed.extend)
    monkeypatch.setattr(
        dependencies, "_version", lambda name: None if name == "highdicom" and not installed else version(name)
    )
    return installed


def test_highdicom_is_offered_when_dicom_is_wanted(panel, asked, without_highdicom):
    panel.ui.dicomCheck.enabled = True
    panel.ui.dicomCheck.click()
    assert "highdicom" in asked[0]
    assert without_highdicom == ["highdicom>=0.25"]
    assert panel.ui.dicomCheck.checked


def test_declined_highdicom_leaves_the_box_empty(panel, without_highdicom, monkeypatch):
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_: False)
    panel.ui.dicomCheck.enabled = True
    panel.ui.dicomCheck.click()
    assert not panel.ui.dicomCheck.checked
    assert without_highdicom == panel.messages == []


def test_failed_installation_is_one_sentence(panel, asked, without_highdicom, monkeypatch):
    import subprocess

    from PCRPredictorPanel import dependencies

    def fail(_lines):
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(dependencies, "_install_packages", fail)
    panel.ui.dicomCheck.enabled = True
    panel.ui.dicomCheck.click()
    assert panel.messages[0].startswith("pip failed")
    assert not panel.ui.dicomCheck.checked


def test_nothing_is_asked_if_it_is_there(panel, asked):
    panel.ui.dicomCheck.enabled = True
    panel.ui.dicomCheck.click()
    assert panel.ui.dicomCheck.checked
    assert asked == []


@pytest.fixture
def old_torch(monkeypatch):
    """As if a different extension had loaded a torch that is too old, and a newer one were on the disk."""
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(__version__="2.1.0+cpu", cuda=None))


def test_older_torch_that_is_loaded_asks_for_a_restart(panel, old_torch, asked, restarted):
    choose_tiny(panel)
    panel.packages.check()
    panel.session.update()
    assert not panel.ui.setupFrame.isHidden()
    assert "torch" in panel.ui.setupLabel.text
    assert panel.ui.reasonLabel.text == "Restart Slicer first, see above."
    assert panel.ui.installButton.text == "Restart Slicer"
    panel.ui.installButton.click()
    assert "What is not saved is lost" in asked[0]
    assert restarted == [True]


def test_restart_that_is_declined_does_not_happen(panel, old_torch, restarted, monkeypatch):
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_: False)
    panel.packages.check()
    panel.ui.installButton.click()
    assert restarted == []


@pytest.mark.parametrize(("system", "installs"), [("Windows", False), ("Linux", True)])
def test_package_in_use_is_replaced_only_where_that_is_possible(
    panel, old_torch, asked, restarted, monkeypatch, system, installs
):
    from PCRPredictorPanel.controls import setup

    installed = []
    monkeypatch.setattr(setup, "missing_packages", lambda _path: [] if installed else ["torch"])
    monkeypatch.setattr(setup, "install", installed.append)
    monkeypatch.setattr(setup.platform, "system", lambda: system)
    panel.packages.check()
    panel.ui.installButton.click()
    assert bool(installed) == installs
    assert restarted == [True]


def test_editor_in_the_panel_shows_no_selectors_of_its_own(panel):
    choose_tiny(panel)
    panel.ui.editButton.checked = True
    (editor,) = panel.parent.findChildren(slicer.qMRMLSegmentEditorWidget)
    for name in ("segmentation selector", "source selector", "switch button"):
        assert editor.settings[name] is False
