"""The panel in a language of its own: everything that the code writes is translated."""

import re
import sys

import pytest
from support.examples import tiny_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.panel_help import MODULE, choose, predict

WORDS = re.compile(r"[A-Za-z]{3,}[^<>]* [A-Za-z]{3,}")


@pytest.fixture
def foreign(slicer_session, tmp_path, monkeypatch):
    """The panel in a Slicer whose language puts every sentence into brackets."""
    import qt

    qt.QSettings().clear()
    monkeypatch.setenv("BREASTPCR_MODELS", str(tmp_path))
    monkeypatch.setattr(sys.modules["slicer.i18n"], "tr", lambda text: f"⟦{text}⟧")
    widget = slicer_session.open_module(MODULE)
    yield widget
    slicer_session.close_module(widget)
    slicer.mrmlScene.Clear(False)


def _written(panel, before):
    """Return the texts of labels and tooltips that the code has written, by widget."""
    found = {}
    for name, widget in vars(panel.ui).items():
        for kind in ("text", "toolTip"):
            text = getattr(widget, kind, None)
            if isinstance(text, str) and WORDS.search(text) and text != before.get((name, kind)):
                found[name, kind] = text
    return found


def test_what_the_panel_writes_is_in_the_users_language(foreign):
    before = {(n, k): getattr(w, k, None) for n, w in vars(_plain_ui()).items() for k in ("text", "toolTip")}
    foreign.session.update()
    assert "⟦" in foreign.ui.reasonLabel.text
    choose(foreign, tiny_exam())
    foreign.session.enter({"age": 50})
    predict(foreign)
    written = _written(foreign, before)
    assert {("probabilityLabel", "text"), ("decisionLabel", "text"), ("evidenceLabel", "text")} <= set(written)
    assert {key: text for key, text in written.items() if "⟦" not in text} == {}


def _plain_ui():
    """Return the widgets as the .ui file describes them; Qt translates those."""
    return slicer.util.childWidgetVariables(slicer.util.loadUI(str(MODULE.parent / "Resources/UI/PCRPredictor.ui")))
