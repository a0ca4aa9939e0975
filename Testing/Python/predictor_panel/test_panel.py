"""The PCRPredictor module: its widgets, closing of the scene, reload."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.examples import tiny_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.panel_help import MODULE, ROLES, choose, choose_tiny, predict, view, wait

TESTING = Path(__file__).parents[2]
CODE = [MODULE, *(MODULE.parent / "PCRPredictorPanel").rglob("*.py")]


def test_every_widget_that_the_code_names_is_in_the_panel():
    code = "\n".join(file.read_text() for file in CODE)
    used = set(re.findall(r"\bui\.(\w+)", code)) - {"connect"}
    files = (MODULE.parent / "Resources/UI").glob("*.ui")
    named = {name for file in files for name in re.findall(r'name="(\w+)"', file.read_text())}
    assert used
    assert used <= named


def test_every_named_widget_has_a_tooltip_or_is_a_plain_label(panel):
    for name, widget in vars(panel.ui).items():
        if name.endswith(("Button", "Selector", "Check", "Slider", "Path")):
            assert widget.toolTip, name


def test_opening_the_module_loads_neither_torch_nor_monai():
    code = (
        "import sys; from harness import session; session.start(); "
        f"session.open_module({str(MODULE)!r}); print([m for m in ('torch', 'monai') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=TESTING, capture_output=True, text=True)
    assert done.stdout.strip().endswith("[]"), done.stderr


def test_predict_shows_what_is_missing_until_everything_is_chosen(panel):
    nodes = choose(panel, tiny_exam())
    assert panel.ui.predictButton.enabled
    for role in ROLES:
        getattr(panel.ui, f"{role}Selector").setCurrentNode(None)
        assert not panel.ui.predictButton.enabled
        assert role in panel.ui.predictButton.toolTip.lower()
        getattr(panel.ui, f"{role}Selector").setCurrentNode(nodes[role])
    panel.ui.lateSelector.setCurrentNode(nodes["early"])
    assert "different" in panel.ui.predictButton.toolTip


def test_scene_close_empties_the_panel_and_it_works_again(panel):
    choose_tiny(panel)
    predict(panel)
    slicer.mrmlScene.Clear(False)
    assert panel.session.result is None
    assert panel.scene.volumes == [None] * 3
    assert panel.ui.segmentSelector.count == 0
    assert not panel.ui.predictButton.enabled
    assert panel.ui.volumeLabel.text == "-"
    choose_tiny(panel)
    predict(panel)
    assert panel.session.result is not None
    assert panel.messages == []


def test_scene_close_during_a_prediction_shows_nothing(panel):
    choose_tiny(panel)
    panel.ui.predictButton.click()
    slicer.mrmlScene.Clear(False)
    wait(panel)
    assert panel.session.result is None
    assert panel.messages == []


def test_module_reload_keeps_the_choice_and_predicts(panel, slicer_session):
    choose_tiny(panel)
    predict(panel)
    slicer_session.close_module(panel)
    again = slicer_session.open_module(MODULE)
    wait(again)
    assert again.session.result is not None  # the scene has kept it
    assert again.session.problem() is None
    predict(again)
    assert again.session.result is not None
    slicer_session.close_module(again)
    panel.exit = panel.cleanup = lambda: None  # closed already


def test_reload_reads_sections_and_library_again(training_panel, monkeypatch):
    reloaded = []
    monkeypatch.setattr(slicer.util, "reloadScriptedModule", reloaded.append)
    monkeypatch.setattr(sys, "modules", dict(sys.modules))  # those of the other tests stay
    training_panel.predictor.onReload()
    training_panel.onReload()
    assert reloaded == ["PCRPredictor", "PCRTraining"]
    assert not [name for name in sys.modules if re.match("PCR(Predictor|Training)(Panel|Lib)", name)]


def test_panel_that_is_reloaded_while_it_is_open_follows_the_scene(panel):
    from types import SimpleNamespace

    from PCRPredictor import PCRPredictorWidget

    assert PCRPredictorWidget(SimpleNamespace(isEntered=True, layout=lambda: None))._entered
    assert not PCRPredictorWidget(panel.parent)._entered


def test_help_of_both_modules_links_to_docs_and_tutorial(training_panel):
    from types import SimpleNamespace

    from PCRPredictor import DOCS, PCRPredictor
    from PCRTraining import PCRTraining

    for module, own in ((PCRPredictor, "predictor.md"), (PCRTraining, "training.md")):
        parent = SimpleNamespace(path=str(MODULE))
        module(parent)
        pages = re.findall(rf'href="{DOCS}/([^"]+)"', parent.helpText)
        assert pages == [own, "tutorial.md"]
        assert all((MODULE.parents[1] / "Resources" / "Docs" / page).is_file() for page in pages)


def test_sample_data_and_self_test(panel, monkeypatch):
    import SampleData

    from PCRPredictor import PCRPredictorTest

    opened = []
    monkeypatch.setattr(slicer.util, "selectModule", opened.append, raising=False)
    nodes = SampleData.SampleDataLogic.click("BreastPCR phantom")
    assert opened == ["PCRPredictor"]
    assert [node.GetName() for node in nodes[:3]] == ["Pre-contrast", "Early phase", "Late phase"]
    assert view().composite.GetBackgroundVolumeID() == nodes[1].GetID()
    with pytest.raises(IndexError):  # as in Slicer, which asks for files only; scripts call load_sample
        SampleData.SampleDataLogic().downloadSample("BreastPCR phantom")
    slicer.mrmlScene.Clear(False)
    PCRPredictorTest().runTest()


def test_scene_that_closes_in_a_different_module_is_followed_on_return(panel):
    choose_tiny(panel)
    panel.exit()
    slicer.mrmlScene.Clear(False)
    assert panel._gui_tag is None
    panel.enter()
    choose_tiny(panel)
    predict(panel)
    assert panel.session.result is not None
