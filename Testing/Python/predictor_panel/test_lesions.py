"""The panel's tumour: undone, made again, saved, loaded, and several lesions."""

import numpy as np
import pytest

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
import slicer
from PCRPredictorLib.finding.find import Candidate
from PCRPredictorLib.finding.grow import Grown
from PCRPredictorLib.mrml.segments import Tumour, put_segments
from PCRPredictorLib.phantom.patient import make_exam
from support.examples import tiny_exam, two_lesions
from support.panel_help import brightest, choose, choose_tiny, click, pick, predict, wait


@pytest.fixture(scope="module")
def exam():
    return make_exam(seed=1, full=False)


def mask_of(panel):
    """Return the tumour that would be predicted; None without one."""
    return None if panel.scene.segmentation is None else panel.scene.read().exam.mask


def test_a_click_is_undone_and_made_again_in_place_of_an_expert_s_segmentation(panel, exam):
    nodes = choose(panel, exam)
    expert = nodes["segmentation"]
    click(panel, brightest(exam))
    clicked = panel.scene.segmentation
    grown = mask_of(panel)
    assert clicked is not expert
    panel.ui.undoButton.click()
    assert panel.scene.segmentation is expert
    assert np.array_equal(mask_of(panel), exam.mask)
    assert not panel.ui.undoButton.enabled
    panel.ui.redoButton.click()
    assert panel.scene.segmentation is clicked
    assert np.array_equal(mask_of(panel), grown)


def test_the_first_click_without_a_segmentation_is_undone_to_nothing(panel, exam):
    nodes = choose(panel, exam)
    slicer.mrmlScene.RemoveNode(nodes["segmentation"])
    click(panel, brightest(exam))
    assert mask_of(panel).any()
    panel.ui.undoButton.click()
    assert not mask_of(panel).any()


def test_a_stroke_in_the_segment_editor_is_undone_here(panel):
    exam, nodes = choose_tiny(panel)
    changed = np.array(exam.mask)
    changed[0, 0, :5] = 1
    put_segments(nodes["segmentation"], [Tumour.of_mask(changed)], exam.geometry, nodes["early"])  # as the editor does
    assert panel.ui.undoButton.enabled
    panel.ui.undoButton.click()
    assert np.array_equal(mask_of(panel), exam.mask)


def test_a_click_adds_to_hand_edits_if_the_user_wants_it(panel, exam):
    choose(panel, exam)
    click(panel, brightest(exam))
    edited = mask_of(panel).copy()
    edited[0, 0, :5] = 1
    early = panel.scene.volumes[1]
    slicer.util.updateSegmentBinaryLabelmapFromArray(edited, panel.scene.segmentation, "tumour", early)
    panel.ui.clickModeSelector.setCurrentIndex(1)
    click(panel, brightest(exam))
    assert mask_of(panel)[0, 0, :5].all()
    panel.ui.clickModeSelector.setCurrentIndex(0)
    click(panel, brightest(exam))
    assert "changed by hand" in panel.ui.questionLabel.text
    assert (panel.ui.growAnywayButton.text, panel.ui.leaveButton.text) == ("Replace it", "Keep it")
    assert mask_of(panel)[0, 0, :5].all()
    panel.ui.growAnywayButton.click()
    assert not mask_of(panel)[0, 0, :5].any()
    panel.ui.undoButton.click()
    assert mask_of(panel)[0, 0, :5].all()


def test_a_click_on_a_vessel_asks(panel, exam, monkeypatch):
    nodes = choose(panel, exam)
    grown = Grown(np.ones_like(exam.mask), "vessel", 1.0, (1.0, 1.0, 1.0), "1.0 ml, 1 × 1 × 1 mm", "A vessel?")
    monkeypatch.setattr("PCRPredictorLib.session.tumour.grow_tumour", lambda *_args, **_options: grown)
    click(panel, brightest(exam))
    assert not panel.ui.questionFrame.isHidden()
    assert panel.ui.questionLabel.text == "A vessel?"
    panel.ui.leaveButton.click()
    assert panel.ui.questionFrame.isHidden()
    assert panel.scene.segmentation is nodes["segmentation"]
    click(panel, brightest(exam))
    panel.ui.growAnywayButton.click()
    assert mask_of(panel).all()
    assert panel.ui.statusLabel.text == "1.0 ml, 1 × 1 × 1 mm"


def test_a_saved_tumour_loads_again_and_gives_the_same_prediction(panel, exam, tmp_path):
    choose(panel, exam)
    click(panel, brightest(exam))
    panel.tumour.save_to(tmp_path / "mine.nii.gz")
    wait(panel)
    predict(panel)
    first = panel.session.result
    panel.ui.undoButton.click()
    assert panel.session.is_stale
    panel.tumour.load_from(tmp_path / "mine.nii.gz")
    wait(panel)
    assert not panel.session.is_stale
    predict(panel)
    assert panel.session.result.prediction.probability == first.prediction.probability
    assert panel.messages == []


def test_segments_are_lesions_and_one_of_them_can_be_shown(panel):
    exam = two_lesions()
    nodes = choose(panel, exam)
    assert nodes["segmentation"].GetSegmentation().GetNumberOfSegments() == 2
    predict(panel)
    found = panel.session.result.prediction
    assert [lesion.name for lesion in found.lesions] == ["right", "left"]
    assert panel.ui.resultLesionSelector.count == 2
    panel.ui.resultLesionSelector.setCurrentIndex(1)
    attention = slicer.util.arrayFromVolume(panel.scene.attention)
    assert np.array_equal(attention, found.lesions[1].prediction.attention)


def test_a_chosen_segment_is_predicted_alone_and_this_is_reported(panel):
    choose(panel, two_lesions())
    pick(panel.ui.segmentSelector, 1)
    predict(panel)
    prediction = panel.session.result.prediction
    assert prediction.lesions == ()
    assert "segments_left_aside" in {notice.code for notice in prediction.notices}


def test_a_new_lesion_is_begun_and_taken_away(panel, exam):
    choose(panel, exam)
    click(panel, brightest(exam))
    panel.ui.clickModeSelector.setCurrentIndex(2)
    click(panel, brightest(exam))
    assert panel.ui.lesionSelector.count == 2
    assert not panel.ui.lesionSelector.isHidden()
    assert panel.scene.segmentation.GetSegmentation().GetNumberOfSegments() == 2
    panel.ui.removeLesionButton.click()
    assert panel.scene.segmentation.GetSegmentation().GetNumberOfSegments() == 1
    panel.ui.undoButton.click()
    assert panel.ui.lesionSelector.count == 2


def test_opened_exam_with_lesions_has_a_segment_for_each(panel):
    panel.session.open(two_lesions, "an exam")
    wait(panel)
    assert panel.scene.segment_ids == ["tumour", "tumour 2"]
    assert panel.ui.lesionSelector.count == 2
    panel.session.open(tiny_exam, "another")
    wait(panel)
    assert panel.scene.segment_ids == ["tumour"]


def test_found_candidates_are_accepted_and_undone(panel, exam, monkeypatch):
    nodes = choose(panel, exam)
    mask = np.roll(exam.mask, 3, axis=1)
    one = Candidate(mask, 1.0, tuple(brightest(exam)), 2.0, (20.0, 18.0, 16.0), "left", "mass", ())
    monkeypatch.setattr("PCRPredictorLib.session.candidates.find_tumours", lambda *_args: (one,))
    panel.ui.findButton.click()
    wait(panel)
    assert panel.ui.candidateLabel.text == "1 of 1: left, 2.0 ml, 20 × 18 × 16 mm, looks like mass"
    assert not panel.ui.candidateFrame.isHidden()
    panel.ui.acceptCandidateButton.click()
    assert np.array_equal(mask_of(panel), mask)
    panel.ui.undoButton.click()
    assert panel.scene.segmentation is nodes["segmentation"]


@pytest.mark.parametrize("button", ["growDrawnButton", "growBoxButton"])
def test_what_is_painted_grows_into_the_tumour_and_comes_back(panel, button):
    exam, nodes = choose_tiny(panel)
    stroke = np.array(exam.mask)
    if button == "growDrawnButton":
        stroke[np.arange(len(stroke)) != int(np.argwhere(stroke)[:, 0].mean())] = 0  # in one slice
    else:
        stroke[stroke.nonzero()[0][0] + 1 : stroke.nonzero()[0][-1]] = 0  # in the first and the last one
    put_segments(nodes["segmentation"], [Tumour.of_mask(stroke)], exam.geometry, nodes["early"])  # as the editor does
    getattr(panel.ui, button).click()
    wait(panel)
    assert panel.messages == []
    assert mask_of(panel).sum() > 2 * stroke.sum()
    panel.ui.undoButton.click()
    assert np.array_equal(mask_of(panel), stroke)
