"""Small screens and dark styles: what matters is in sight, and what is coloured can be read."""

import re

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
from support.panel_help import choose_tiny, predict

SHORT = 500  # pixels of the module panel on a screen of 1366 x 768
WINDOW = 700  # and of Slicer's window there


@pytest.fixture
def frame(panel):
    """The panel in Slicer's module panel on a screen of 1366 x 768."""
    from harness.desk import ModulePanel

    frame = ModulePanel(panel.parent)
    frame.resize(420, SHORT)
    yield frame
    frame.takeWidget()
    panel.parent.setParent(None)


def _bottom(panel, widget):
    from PySide6 import QtCore, QtWidgets

    for _ in range(6):
        QtWidgets.QApplication.processEvents()
    return widget.mapTo(panel.parent, QtCore.QPoint(0, widget.height)).y()


def test_predict_is_in_sight_on_a_short_screen(panel, frame):
    choose_tiny(panel)
    panel.fit_screen(WINDOW)
    frame.show()
    assert _bottom(panel, panel.ui.predictButton) <= SHORT


def test_patient_stays_open_on_a_tall_screen(panel):
    panel.fit_screen(1010)
    assert not panel.ui.patientSection.collapsed


def test_closed_patient_shows_how_many_values_are_known(panel):
    assert panel.ui.patientSection.text == "Patient (0 of 5 values known)"
    panel.session.enter({"age": 50, "hr": "positive"})
    assert panel.ui.patientSection.text == "Patient (2 of 5 values known)"


@pytest.mark.parametrize("style", ["light", "dark"])
def test_colours_in_the_texts_of_a_result_stand_out_in_both_styles(panel, style):
    from harness.palettes import COLOURS, contrast

    choose_tiny(panel)
    predict(panel)
    panel.session.enter({"age": 70})  # hypothetical, until the next prediction
    html = " ".join(label.text for name, label in vars(panel.ui).items() if name.endswith("Label"))
    assert not re.search(r"color: *[a-z]", html)  # a name has one meaning only in one of the styles
    colours = set(re.findall(r"#[0-9a-f]{6}", html))
    assert len(colours) >= 3
    assert min(contrast(colour, COLOURS[style]["Window"]) for colour in colours) >= 3  # of graphics: WCAG 1.4.11


def test_wrapped_text_that_changes_later_is_whole(panel, frame):
    from harness.desk import cut_texts
    from PySide6 import QtWidgets

    frame.show()
    panel.ui.warningLabel.visible = True
    for count in (60, 5, 90):
        panel.ui.warningLabel.text = "word " * count
        for _ in range(6):
            QtWidgets.QApplication.processEvents()
        assert cut_texts(panel.parent) == []
        assert (
            panel.ui.warningLabel.minimumHeight >= panel.ui.warningLabel.heightForWidth(panel.ui.warningLabel.width) > 0
        )
