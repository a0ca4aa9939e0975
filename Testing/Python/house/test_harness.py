"""The harness: it must refuse what Slicer refuses, or the tests of the panels prove nothing."""

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")


@pytest.fixture
def qt(slicer_session):
    import qt

    return qt


def test_attribute_that_qt_lacks_is_found(panel):
    from harness.pythonqt import stray_attributes

    panel.ui.predictButton.enable = True
    assert stray_attributes(panel.parent) == ["predictButton.enable"]
    del panel.ui.predictButton.enable


def test_properties_are_not_called(qt):
    label = qt.QLabel("seen")
    assert label.text == "seen"
    with pytest.raises(TypeError):
        label.text()


@pytest.mark.parametrize("signature", ["pressedHard(bool)", "clicked(int)", "clicked"])
def test_signal_that_does_not_exist_cannot_be_connected(qt, signature):
    with pytest.raises(ValueError, match="no signal"):
        qt.QPushButton().connect(signature, print)


def test_connected_function_receives_as_many_arguments_as_it_accepts(qt):
    got = []
    button = qt.QPushButton()
    button.connect("clicked(bool)", lambda: got.append("none"))
    button.connect("clicked(bool)", lambda checked: got.append(checked))
    button.click()
    assert got == ["none", False]
    button.disconnect("clicked(bool)")
    button.click()
    assert len(got) == 2


def test_widget_without_a_stand_in_is_an_error(qt, tmp_path):
    path = tmp_path / "panel.ui"
    path.write_text(
        '<ui version="4.0"><widget class="QWidget" name="a"><widget class="ctkUnheardOf" name="b"/></widget></ui>'
    )
    file = qt.QFile(str(path))
    file.open(qt.QFile.ReadOnly)
    with pytest.raises(Exception, match="ctkUnheardOf"):
        qt.QUiLoader().load(file)


def test_node_selector_follows_the_scene(slicer_session):
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes, selector.noneEnabled = ["vtkMRMLTableNode"], True
    selector.setMRMLScene(slicer.mrmlScene)
    told = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", told.append)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "table")
    selector.setCurrentNode(node)
    slicer.mrmlScene.RemoveNode(node)
    assert selector.currentNode() is None
    assert [t.GetName() if t else None for t in told] == ["table", None]
    selector.setMRMLScene(None)


def test_node_selector_tells_of_no_other_node_of_the_same_name(slicer_session):
    import slicer

    selector, told = slicer.qMRMLNodeComboBox(), []
    selector.nodeTypes, selector.noneEnabled = ["vtkMRMLTableNode"], True
    selector.setMRMLScene(slicer.mrmlScene)
    nodes = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "table") for _ in range(2)]
    selector.connect("currentNodeChanged(vtkMRMLNode*)", told.append)
    for node in nodes:
        selector.setCurrentNode(node)
        assert selector.currentNode() is node
    assert told == nodes[:1]
    selector.setCurrentNodeID("not there")
    assert selector.currentNode() is None
    selector.setMRMLScene(None)
    for node in nodes:
        slicer.mrmlScene.RemoveNode(node)


def test_cleared_path_emits_a_different_signal(qt):
    import ctk

    field, paths, valid = ctk.ctkPathLineEdit(), [], []
    field.connect("currentPathChanged(QString)", paths.append)
    field.connect("validInputChanged(bool)", valid.append)
    field.currentPath = "/a"
    field.currentPath = "/b"
    field.currentPath = ""
    assert paths == ["/a", "/b"]
    assert valid == [True, False]


def test_parameter_out_of_range_is_refused(panel):
    with pytest.raises(ValueError, match="2"):
        panel.scene.parameters.opacity = 2.0


def test_truth_of_a_layout_or_widget_is_refused(qt):
    with pytest.raises(TypeError, match="compare it with None"):
        bool(qt.QFormLayout())
    with pytest.raises(TypeError, match="compare it with None"):
        bool(qt.QWidget())


def test_collapsible_button_is_as_wide_as_what_it_holds(qt):
    import ctk
    from PySide6 import QtWidgets

    parent, section, label = qt.QWidget(), ctk.ctkCollapsibleButton(), qt.QLabel("word " * 40)
    QtWidgets.QVBoxLayout(parent).addWidget(section)
    QtWidgets.QVBoxLayout(section).addWidget(label)
    label.wordWrap = True
    assert parent.minimumSizeHint().width() > label.minimumSizeHint().width()


def test_text_that_is_cut_is_found(qt):
    from harness.desk import cut_texts
    from PySide6 import QtWidgets

    parent, label = qt.QWidget(), qt.QLabel("a long line of text")
    QtWidgets.QVBoxLayout(parent).addWidget(label)
    parent.resize(400, 60)
    parent.show()
    assert cut_texts(parent) == []
    label.setFixedWidth(20)
    QtWidgets.QApplication.processEvents()
    assert len(cut_texts(parent)) == 1


def test_path_field_remembers_only_what_was_added(qt):
    import ctk

    first, second = ctk.ctkPathLineEdit(), ctk.ctkPathLineEdit()
    first.settingKey = "Test/Path"
    first.currentPath = "/a"
    second.settingKey = "Test/Path"
    assert second.currentPath == ""
    first.addCurrentPathToHistory()
    second.retrieveHistory()
    assert second.currentPath == "/a"


def test_nodes_that_are_imported_are_listed_at_the_end_and_none_is_chosen(slicer_session, tmp_path):
    import slicer

    scene = slicer.mrmlScene
    scene.AddNewNodeByClass("vtkMRMLTableNode", "imported")
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    scene.Clear(False)
    selector, during = slicer.qMRMLNodeComboBox(), []
    selector.nodeTypes, selector.noneEnabled = ["vtkMRMLTableNode"], True
    selector.setMRMLScene(scene)
    selector.setCurrentNode(scene.AddNewNodeByClass("vtkMRMLTableNode", "mine"))
    tag = scene.AddObserver(scene.NodeAddedEvent, lambda *_: during.append(selector.count))
    assert scene.ReadFromMRB(path, False)
    scene.RemoveObserver(tag)
    assert set(during) == {2}  # "None" and the one that was there
    assert selector.count == 3
    assert selector.currentNode() is None
    selector.setMRMLScene(None)
    scene.Clear(False)


def test_nodes_of_a_scene_arrive_before_its_parameters(panel, tmp_path):
    """As in Slicer: the parameter node is whole only when the import has ended."""
    import slicer
    from support.panel_help import choose_tiny

    choose_tiny(panel)
    path = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(False)
    seen = []

    def look(*_args):
        parameters = panel.logic.getParameterNode()
        seen.append((slicer.mrmlScene.IsImporting(), parameters.earlyVolume is not None))

    tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeAddedEvent, look)
    assert slicer.mrmlScene.ReadFromMRB(path, True)
    slicer.mrmlScene.RemoveObserver(tag)
    assert (True, False) in seen
    assert panel.logic.getParameterNode().earlyVolume is not None


def test_module_panel_cuts_a_wrapped_text_in_a_section_as_ctk_does(qt):
    import ctk
    from harness.desk import ModulePanel, cut_texts
    from PySide6 import QtWidgets

    panel, section, label = qt.QWidget(), ctk.ctkCollapsibleButton(), qt.QLabel("word " * 80)
    QtWidgets.QVBoxLayout(panel).addWidget(section)
    QtWidgets.QVBoxLayout(section).addWidget(label)
    label.wordWrap = True
    label.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Preferred)  # as in the panels' .ui files
    frame = ModulePanel(panel)
    frame.resize(420, 60)  # less than the contents: the least height counts, that of a line or two
    frame.show()
    for _ in range(6):
        QtWidgets.QApplication.processEvents()
    assert len(cut_texts(panel)) == 1


def test_error_in_a_slot_is_noticed(panel, monkeypatch):
    import sys

    raised = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: raised.append(error))
    panel.ui.saveButton.connect("clicked(bool)", lambda: 1 / 0)
    panel.ui.saveButton.enabled = True
    monkeypatch.setattr(panel.results, "save_into", print)
    monkeypatch.setattr("qt.QFileDialog.getExistingDirectory", lambda *_: "")
    panel.ui.saveButton.click()
    assert [type(error) for error in raised] == [ZeroDivisionError]
