"""Messages of PCR Training: patients are links, what was not expected has details, the panel says what is missing."""

import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.reading.cohort import find_patients
from support.panel_help import check, column, wait


def test_a_click_on_a_problem_selects_and_opens_the_patient(ready, cohort, slicer_session):
    victim = find_patients(cohort)[4]
    victim.mask.unlink()
    check(ready, slicer_session)
    names = column(ready.ui.cohortTable, 0)
    row = names.index(victim.patient_id)
    ready.ui.cohortTable.cellClicked.emit(row, 6)
    wait(ready)
    assert ready.review.patient_id == victim.patient_id
    assert ready.cohort.selected == victim.patient_id
    assert not ready.ui.reviewSection.collapsed


def test_patient_in_the_message_of_a_failed_run_is_a_link(ready, cohort, slicer_session):
    patient = find_patients(cohort)[1].patient_id
    ready.run._end(1, f"pcr: {patient}: its <late> phase must be a picture; mend it")
    text = ready.ui.runLabel.text
    assert f'<a href="patient:{patient}">{patient}</a>: its &lt;late&gt; phase' in text
    assert "<a" not in ready.messages[0]
    ready.ui.runLabel.linkActivated.emit(f"patient:{patient}")
    wait(ready)
    assert ready.review.patient_id == patient


def test_only_patients_that_a_message_is_about_are_links(training_panel):
    from PCRTrainingPanel.patient_links import link_patients

    assert link_patients("AUC of A1: 0.7", ["A2"]) == "AUC of A1: 0.7"
    assert link_patients("XA1: gone", ["A1"]) == "XA1: gone"
    linked = link_patients("A10: one\nA1: two", ["A1", "A10"])
    assert linked == '<a href="patient:A10">A10</a>: one<br><a href="patient:A1">A1</a>: two'


def test_error_that_nobody_expected_has_details_without_what_it_says(ready, monkeypatch):
    shown = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, **more: shown.append((text, more)))

    def fail():
        raise KeyError("Anna Muster")

    ready.background.start(fail, print, ready.review._report_failure)
    wait(ready)
    ((_text, more),) = shown
    assert more["detailedText"].startswith("KeyError\n")
    assert "Anna" not in more["detailedText"]


def test_traceback_of_a_child_process_is_told_by_its_places(training_panel):
    from PCRPredictorPanel.toolkit.messages import trace_in

    output = (
        "Traceback (most recent call last):\n  File \"/home/anna/pcr/train.py\", line 7, in train\nKeyError: 'Anna'"
    )
    assert trace_in(output) == "KeyError\ntrain.py, line 7, in train"
    assert trace_in("pcr: A1: has no mask") == ""


def test_reason_why_start_is_off_is_under_it(training_panel):
    training_panel.update()
    assert training_panel.ui.startReasonLabel.text == "Choose the folder of a cohort."
    assert not training_panel.ui.startReasonLabel.isHidden()


def test_tables_that_are_empty_take_no_room(training_panel, tmp_path):
    training_panel.update()
    assert training_panel.ui.moreCohortsTable.isHidden()
    assert training_panel.ui.resultsTable.isHidden()
    training_panel.ui.moreCohortPath.currentPath = str(tmp_path)
    training_panel.ui.addCohortButton.click()
    assert not training_panel.ui.moreCohortsTable.isHidden()


def test_layouts_of_charts_are_known_before_the_panel_opens(training_panel):
    from PCRTrainingLib.charts import result_charts
    from PCRTrainingPanel.start_up import LAYOUTS, RESULTS_LAYOUT

    layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    for number, titles in LAYOUTS.items():
        described = layout.GetLayoutDescription(number)
        assert all(f'singletontag="{name}"' in described for name in titles)
    drawn = {f"PCR{chart.key}": chart.title for chart in result_charts([])}
    assert LAYOUTS[RESULTS_LAYOUT] == drawn
