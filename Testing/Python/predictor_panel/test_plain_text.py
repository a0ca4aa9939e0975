"""What comes from outside is shown as it is: no label, tool tip or dialog of the panels takes it for markup."""

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from support.panel_help import choose_tiny

EVIL = '<img src="file:///etc/passwd"><h1>x</h1>\nline & line'


def labels_of(widget):
    return slicer.util.findChildren(widget.parent, className="QLabel")


def test_labels_do_not_decide_by_the_looks_of_a_text_whether_it_is_markup(panel, training_panel):
    import qt

    found = [*labels_of(panel), *labels_of(training_panel)]
    assert len(found) > 80
    assert [label.objectName for label in found if label.textFormat == qt.Qt.AutoText] == []
    rich = {label.objectName for label in found if label.textFormat == qt.Qt.RichText}
    assert rich == {"examNotesLabel", "modelLabel", "probabilityLabel", "evidenceLabel", "warningLabel", "keysLabel"}


def test_name_that_is_markup_stays_a_name(panel):
    import qt

    choose_tiny(panel)
    segmentation = panel.ui.segmentationSelector.currentNode()
    segmentation.SetName(EVIL)
    panel.ui.segmentSelector.setItemText(0, EVIL)
    panel.session.activity.message = EVIL
    panel.session.update()
    assert panel.ui.statusLabel.text == EVIL
    assert panel.ui.statusLabel.textFormat == qt.Qt.PlainText
    shown = panel.ui.statusLabel.sizeHint().height()
    panel.ui.statusLabel.setTextFormat(qt.Qt.RichText)
    assert panel.ui.statusLabel.sizeHint().height() != shown  # the heading would be drawn


def test_clinical_variable_of_a_model_stays_text(panel):
    import qt

    names = [label for label in labels_of(panel) if label.text.endswith(":") and not label.objectName]
    assert names
    assert all(label.textFormat == qt.Qt.PlainText for label in names)


def test_message_with_links_is_followed_by_one_without_markup(training_panel):
    import qt
    from PCRPredictorPanel.toolkit.plain_text import show_text
    from PCRTrainingPanel.patient_links import show_linked

    label = training_panel.ui.runLabel
    show_linked(label, f"P1: {EVIL}", ["P1"])
    assert label.textFormat == qt.Qt.RichText
    assert "&lt;img" in label.text
    show_text(label, EVIL)
    assert (label.text, label.textFormat) == (EVIL, qt.Qt.PlainText)
    show_linked(label, EVIL, ["P1"])
    assert (label.text, label.textFormat) == (EVIL, qt.Qt.PlainText)


def test_tool_tip_shows_tags_as_text(panel):
    import qt
    from PCRPredictorPanel.toolkit.plain_text import literal

    document = qt.QTextDocument()
    document.setHtml(literal(EVIL))
    assert document.toPlainText() == EVIL
    assert literal("Predict the response.") == "Predict the response."
    assert literal(None) == ""


def test_dialog_shows_tags_as_text(panel, monkeypatch):
    import qt
    from PCRPredictorPanel.toolkit.messages import show_problem

    shown = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, **more: shown.append((text, more)))
    show_problem(EVIL, "title")
    assert shown == [(EVIL, {"windowTitle": "title", "textFormat": qt.Qt.PlainText})]
