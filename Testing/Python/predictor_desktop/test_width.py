"""The panel in Slicer's module panel, 420 pixels wide: nothing is cut, and what matters is in sight."""

import pytest
from support.examples import tiny_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
from support.panel_help import choose, predict

WIDTH = 420
HEIGHT = 760  # of the module panel on a screen of 1080: less title bars, menu, tool bars, help and data probe
SECTIONS = ("examSection", "tumourSection", "patientSection", "predictFrame", "resultSection", "overlaySection")
SECTIONS += ("modelSection", "batchSection")


@pytest.fixture
def shown(panel):
    """Return a function that shows the panel at a width and returns the texts that are cut."""
    from harness.desk import ModulePanel, cut_texts
    from PySide6 import QtWidgets

    frame = ModulePanel(panel.parent)

    def show(width=WIDTH):
        frame.resize(width, HEIGHT)
        frame.show()
        for _ in range(6):
            QtWidgets.QApplication.processEvents()
        return cut_texts(panel.parent)

    yield show
    frame.takeWidget()
    panel.parent.setParent(None)


def _bottom(panel, widget):
    from PySide6 import QtCore

    return widget.mapTo(panel.parent, QtCore.QPoint(0, widget.height)).y()


def test_nothing_is_cut_and_predict_is_in_sight_before_a_prediction(panel, shown):
    assert shown() == []
    assert panel.parent.width <= WIDTH
    assert _bottom(panel, panel.ui.predictButton) < HEIGHT
    assert _bottom(panel, panel.ui.reasonLabel) < HEIGHT


@pytest.mark.parametrize("width", [WIDTH, 380, 700])
def test_nothing_is_cut_with_a_result_that_has_warnings(panel, shown, width):
    choose(panel, tiny_exam())
    panel.scene.volumes[1].SetName("DYN eTHRIVE SENSE 1st pass dynamic subtraction original very long " * 2)
    predict(panel)
    assert panel.ui.warningLabel.text
    assert shown(WIDTH) == []
    assert shown(width) == []
    assert panel.parent.width <= width
    assert _bottom(panel, panel.ui.predictButton) < HEIGHT


def test_sections_that_are_open_cut_nothing(panel, shown):
    for name in ("modelSection", "moreTumourSection", "batchSection"):
        getattr(panel.ui, name).collapsed = False
    assert shown() == []
    assert panel.parent.width <= WIDTH


def test_card_is_as_high_as_its_text_without_a_scroll_bar_that_would_come_and_go_for_ever(panel, shown):
    import qt

    panel.ui.modelSection.collapsed = False
    for width in (700, WIDTH, 380):
        shown(width)
        card = panel.ui.cardBrowser
        assert card.verticalScrollBarPolicy == qt.Qt.ScrollBarAlwaysOff
        assert card.height >= card.heightForWidth(card.width)


def test_sections_are_in_the_order_of_the_work(panel, shown):
    shown()
    tops = [_bottom(panel, getattr(panel.ui, name)) for name in SECTIONS]
    assert tops == sorted(tops)


def test_reason_why_predict_is_off_is_under_it(panel, shown):
    shown()
    assert panel.ui.reasonLabel.text == panel.session.problem()
    assert panel.ui.reasonLabel.isVisible()
    above = _bottom(panel, panel.ui.reasonLabel) - panel.ui.reasonLabel.height
    assert _bottom(panel, panel.ui.predictButton) <= above
    choose(panel, tiny_exam())
    assert not panel.ui.reasonLabel.isVisible()


def test_model_is_named_with_auc_and_a_limit_while_its_card_is_closed(panel, shown):
    shown()
    assert panel.ui.modelSection.collapsed
    for word in ("ispy2 2.0.0", "AUC 0.70", "At left-out sites"):
        assert word in panel.ui.modelLabel.text
    assert panel.ui.modelLabel.isVisible()
    assert "Licence" not in panel.ui.modelLabel.text
    assert "Licence" in panel.ui.cardBrowser.toPlainText()
