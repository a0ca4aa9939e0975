"""The section "Follow-up": visits from nodes and files, measured, predicted, compared in the views, saved."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.dicom.identity import SeveralStudies
from PCRPredictorLib.session.course.study import Study
from PCRPredictorLib.writing import write_nifti

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.mrml.follow import VISIT_VIEWS
from support.examples import tiny_exam
from support.follow_up.response_model import write_tiny_response
from support.panel_help import MODULE, choose, choose_tiny, column, view, wait


def second_exam():
    """Return an exam of the same tumour, smaller, at a different place on the table."""
    exam = tiny_exam()
    mask = np.zeros_like(exam.mask)
    k, j, i = np.nonzero(exam.mask)
    near = abs(i - i.mean()) < 3
    mask[k[near], j[near], i[near]] = 1
    early = np.where((exam.mask != 0) & (mask == 0), exam.pre, exam.early) + 5
    geometry = replace(exam.geometry, origin=tuple(np.array(exam.geometry.origin) + (4.0, -3.0, 6.0)))
    return replace(exam, early=early.astype(np.int16), mask=mask, geometry=geometry)


def write_exam(folder, exam, mask=True):
    """Write the phases of an exam, and its mask, as `pcr predict` reads them; return the folder."""
    folder.mkdir()
    arrays = {"pre": exam.pre, "early": exam.early, "late": exam.late} | ({"tumour": exam.mask} if mask else {})
    for name, array in arrays.items():
        write_nifti(np.asarray(array), exam.geometry, folder / f"{name}.nii.gz")
    return folder


@pytest.fixture
def ui(panel, tmp_path):
    """The section's widgets, with the tiny response model and the tiny exam open."""
    choose_tiny(panel)
    panel.follow_up.analysis.choose_model(write_tiny_response(tmp_path / "response"))
    return panel.follow_up.controls._ui


@pytest.fixture
def two(panel, ui):
    """The same, with two visits from nodes."""
    ui.followAddOpenButton.click()
    choose(panel, second_exam())
    ui.followAddOpenButton.click()
    assert panel.messages == []
    return ui


def test_two_sets_of_nodes_are_measured_and_predicted(panel, two):
    assert column(two.followTable, 0) == ["T0", "T1"]
    two.followPredictButton.click()
    wait(panel)
    assert panel.messages == []
    assert column(two.followTable, 4)[1].startswith("−")
    assert all(text.endswith("%") for text in column(two.followTable, 6))
    assert "Probability of pCR after T1" in two.followBrowser.toPlainText()
    assert not two.followChartLabel.pixmap.isNull()


def test_an_edit_of_a_segment_makes_the_answer_stale(panel, two):
    two.followPredictButton.click()
    wait(panel)
    node = panel.scene.segmentation
    (key,) = node.GetSegmentation().GetSegmentIDs()
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, key, panel.scene.volumes[0]).copy()
    mask[0, 0, :3] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, key, panel.scene.volumes[0])
    panel.session.update()
    assert "Changed since this result" in two.followBrowser.toPlainText()
    assert column(two.followTable, 6) == ["", ""]


def test_the_nodes_of_a_visit_are_chosen_again(panel, two):
    first = panel.follow_up.visits.entries["T0"].key
    count = slicer.mrmlScene.GetNumberOfNodes()
    two.followTable.selectRow(0)
    two.followShowButton.click()
    assert panel.scene.volumes_key() == first
    assert panel.follow_up.visits.active == "T0"
    assert panel.session.tumour.lesions
    assert slicer.mrmlScene.GetNumberOfNodes() == count


def test_a_visit_from_files_without_a_mask_is_opened_and_can_be_gone(panel, ui, tmp_path):
    ui.followAddOpenButton.click()
    panel.follow_up.controls.add_from(write_exam(tmp_path / "second", second_exam(), mask=False))
    wait(panel)
    assert column(ui.followTable, 2) == ["as drawn", "mask needed"]
    assert "T1: no tumour is drawn" in ui.followReasonLabel.text
    assert not ui.followPredictButton.enabled
    ui.followTable.selectRow(1)
    ui.followUseSelector.setCurrentIndex(ui.followUseSelector.findData("gone"))
    ui.followUseSelector.activated.emit(ui.followUseSelector.currentIndex)
    ui.followPredictButton.click()
    wait(panel)
    assert panel.messages == []
    assert column(ui.followTable, 3)[1] == "0 ml"


def test_visits_are_compared_side_by_side(panel, two):
    before = slicer.app.layoutManager().shown
    two.followCompareButton.click()
    wait(panel)
    assert slicer.app.layoutManager().shown == [
        ["VisitBaseline", "VisitFollowUp"],
        ["VisitBaselineSubtraction", "VisitFollowUpSubtraction"],
    ]
    assert two.followCompareLabel.text.startswith("T1")
    first, second = (view(name).composite.GetBackgroundVolumeID() for name in list(VISIT_VIEWS)[:2])
    assert first != second
    two.followViewsButton.click()
    assert slicer.app.layoutManager().shown == before
    assert two.followCompareLabel.text == ""


def test_editing_returns_to_the_views_of_the_open_exam(panel, two):
    two.followCompareButton.click()
    wait(panel)
    assert panel.follow_up.comparison.is_shown
    panel.ui.clickButton.checked = True
    assert not panel.follow_up.comparison.is_shown
    two.followCompareButton.click()
    wait(panel)
    assert not panel.ui.clickButton.checked


def test_a_dicom_folder_with_several_studies_that_is_opened_is_asked_about(panel, ui, monkeypatch, tmp_path):
    studies = [Study(f"day {day}", visit, lambda: second_exam()) for day, visit in ((0, "T1"), (60, "T2"))]
    monkeypatch.setattr("PCRPredictorLib.session.course.reading.studies_in", lambda *_: studies)
    panel.session.open(lambda: (_ for _ in ()).throw(SeveralStudies(tmp_path, "two")), "folder")
    wait(panel)
    assert not panel.ui.followUpSection.collapsed
    assert column(ui.followStudyTable, 0) == ["day 0", "day 60"]
    assert panel.messages == []
    ui.followLeaveStudiesButton.click()
    assert ui.followStudyFrame.isHidden()


def test_the_files_are_those_of_the_command(panel, two, tmp_path):
    assert not two.followSaveButton.enabled
    two.followPredictButton.click()
    wait(panel)
    panel.follow_up.controls.save_into(tmp_path / "out")
    wait(panel)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"follow.json", "report.html", "course.png", "visits.csv", "tumour_T0.nii.gz", "tumour_T1.nii.gz"} <= names


def test_several_exams_in_the_scene_are_asked_about(panel, ui):
    slicer.mrmlScene.Clear(False)
    for number, exam in enumerate((tiny_exam(), second_exam())):
        for role, node in choose(panel, exam).items():
            node.SetName(f"T{number} {role}")
    ui.followFindButton.click()
    assert [study.visit for study in panel.follow_up.visits.question] == ["T0", "T1"]
    assert not ui.followStudyFrame.isHidden()
    ui.followReadStudiesButton.click()
    wait(panel)
    assert column(ui.followTable, 2) == ["as drawn", "as drawn"]
    assert ui.followStudyFrame.isHidden()
    assert panel.messages == []


def test_a_closed_scene_takes_the_visits_with_it(panel, two):
    two.followCompareButton.click()
    wait(panel)
    slicer.mrmlScene.Clear(False)
    assert two.followTable.rowCount == 0
    choose_tiny(panel)
    two.followAddOpenButton.click()
    assert column(two.followTable, 0) == ["T0"]
    assert panel.messages == []


def test_visits_change_places_and_start_over(panel, two):
    two.followTable.selectRow(0)
    two.followNameSelector.setCurrentIndex(two.followNameSelector.findData("T2"))
    two.followNameSelector.activated.emit(two.followNameSelector.currentIndex)
    assert column(two.followTable, 0) == ["T1", "T2"]
    two.followClearButton.click()
    assert two.followTable.rowCount == 0


def test_every_button_of_the_section_has_a_tooltip(ui):
    for name, widget in vars(ui).items():
        if name.endswith(("Button", "Selector", "Check", "Path", "Table")):
            assert widget.toolTip, name
    assert MODULE.exists()


def test_nothing_is_cut_in_a_panel_of_420_pixels(panel, two):
    from harness.desk import ModulePanel, cut_texts
    from PySide6 import QtWidgets

    panel.ui.followUpSection.collapsed = False
    two.followPredictButton.click()
    wait(panel)
    frame = ModulePanel(panel.parent)
    frame.resize(420, 760)
    frame.show()
    for _ in range(6):
        QtWidgets.QApplication.processEvents()
    assert cut_texts(panel.parent) == []
    assert panel.parent.width <= 420
    frame.takeWidget()
    panel.parent.setParent(None)


def test_a_table_of_one_patient_is_taken_as_visits(panel, ui, tmp_path):
    table = tmp_path / "visits.csv"
    table.write_text("patient_id,age,ftv_ml_T0,ftv_ml_T1\nA1,52,12.0,3.0\n", encoding="utf-8")
    panel.follow_up.controls.add_from(table)
    wait(panel)
    assert column(ui.followTable, 0) == ["T0", "T1"]
    assert panel.messages == []
