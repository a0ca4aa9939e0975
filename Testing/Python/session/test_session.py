"""What a person does with an exam on the table, without a widget."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.evidence import Interventions
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.outputs import write_prediction
from PCRPredictorLib.session.overlay import OverlaySettings
from PCRPredictorLib.session.session import Session
from support.examples import tiny_exam, tiny_prediction, two_lesions


def fail(error):
    raise error


def test_prediction_is_shown_with_its_words(desk):
    desk.table.remark = "It was resampled."
    assert desk.session.words.probability == "No prediction yet."
    result = desk.predict()
    assert desk.table.shown is not None
    assert "62 %" in desk.session.words.probability
    assert desk.session.status == "Done. It was resampled."
    assert result.exam.clinical == {"age": 52.0}
    assert desk.problems == []


def test_a_reason_says_what_is_missing_until_everything_is_there(desk):
    session = Session(desk.table, desk.queue)
    assert session.problem() == "Choose a model that can be read."
    desk.session.predict()
    assert desk.session.problem() == "Wait until the running work is done, or cancel it."
    desk.queue.run()
    assert desk.session.problem() is None


def test_predict_reports_what_is_missing(desk):
    desk.table.exam = None
    desk.session.predict()
    assert desk.problems == ["Choose an exam."]
    assert desk.queue.waiting == []


def test_a_second_click_does_nothing(desk):
    desk.session.predict()
    desk.session.predict()
    assert len(desk.queue.waiting) == 1
    assert desk.problems == []


def test_a_clinical_value_makes_the_result_stale_until_it_is_back(desk):
    desk.predict()
    desk.session.enter({"age": "60"})
    assert desk.session.status == "Changed since this prediction; predict again."
    desk.session.enter({"age": "52.0"})
    assert not desk.session.is_stale


def test_a_stroke_makes_the_result_stale_until_it_is_undone(desk):
    desk.predict()
    desk.paint()
    assert desk.session.is_stale
    desk.session.tumour.undo()
    assert not desk.session.is_stale


def test_other_voxels_make_the_result_stale(desk):
    desk.predict()
    desk.table.exam = replace(desk.table.exam, early=desk.table.exam.early + 1)
    desk.session.update()
    assert desk.session.is_stale


def test_the_result_of_a_different_exam_is_not_shown(desk):
    desk.predict()
    desk.table.open_exam(tiny_exam())
    desk.session.update()
    assert desk.session.result is None
    assert desk.table.shown is None


def test_a_prediction_that_ends_beside_a_different_exam_is_not_shown(desk):
    desk.session.predict()
    desk.table.open_exam(tiny_exam())
    desk.queue.run()
    assert desk.session.result is None
    assert desk.problems == ["The exam was changed or deleted meanwhile; nothing is shown."]


def test_a_prediction_of_a_model_that_was_changed_meanwhile_is_not_shown(desk):
    desk.session.predict()
    desk.session.choose_model(find_bundle("ispy2"))
    desk.queue.run()
    assert desk.session.result is None
    assert desk.problems == ["The model was changed meanwhile; predict again."]


def test_a_cancelled_prediction_is_not_shown_and_the_next_one_is(desk):
    desk.session.predict()
    desk.session.cancel()
    assert desk.session.status == "Cancelled."
    desk.queue.run()
    assert desk.session.result is None
    assert desk.predict() is not None


def test_a_failed_prediction_leaves_everything_as_it_was(new_desk):
    errors = []
    desk = new_desk(predict=lambda exam, _bundle: fail(errors.pop()) if errors else tiny_prediction(exam))
    first = desk.predict()
    errors.append(DataError("the phases look swapped"))
    assert desk.predict() is first
    assert desk.table.shown is first.prediction
    assert desk.problems == ["the phases look swapped"]
    assert desk.session.status == "the phases look swapped"
    errors.append(MemoryError())
    desk.predict()
    assert "needs more memory" in desk.problems[-1]
    assert desk.predict() is not first
    assert desk.problems[-1] == ""  # withdrawn


def test_an_exam_that_cannot_be_read_now_is_reported(desk, monkeypatch):
    monkeypatch.setattr(desk.table, "read", lambda: fail(DataError("harden the transform")))
    desk.session.predict()
    assert desk.problems == ["harden the transform"]


def test_a_different_model_takes_the_result_away_and_keeps_the_patient(desk):
    desk.predict()
    desk.session.enter({"age": "60", "her2": "positive"})
    desk.session.choose_model(find_bundle("ispy2"))
    assert desk.session.result is None
    assert desk.table.shown is None
    assert desk.session.clinical.values == {"age": 60.0, "her2": "positive"}


def test_the_same_model_again_keeps_result_and_operating_point(desk):
    desk.session.choose_point("high specificity")
    first = desk.predict()
    desk.session.choose_model(find_bundle("phantom"))
    assert desk.session.result is first
    assert desk.session.model.point.name == "high specificity"


def test_a_model_that_cannot_be_read_is_no_model_and_its_card_says_why(desk, tmp_path):
    desk.session.choose_model(tmp_path)
    assert "not a model bundle" in desk.session.model.describe()
    assert desk.session.model.points == ()
    assert desk.session.problem() == "Choose a model that can be read."


def test_a_model_that_went_from_the_disk_is_reported(desk, bundle, tmp_path):
    import shutil

    copy = shutil.copytree(bundle.path, tmp_path / "copy")
    desk.session.choose_model(copy)
    shutil.rmtree(copy)
    desk.session.predict()
    assert "not a model bundle" in desk.problems[-1]
    assert desk.session.model.bundle is None


def test_the_operating_point_decides(desk):
    desk.predict()
    for point in load_bundle(find_bundle("phantom")).settings.operating_points:
        desk.session.choose_point(point.name)
        assert desk.session.result.prediction.operating_point == point
        assert f"the threshold of “{point.name}” ({100 * point.threshold:.1f} %)" in desk.session.words.decision


def test_files_are_written_at_the_chosen_operating_point(desk, tmp_path):
    desk.session.choose_point("high specificity")
    desk.predict()
    desk.session.save(tmp_path / "result", write_prediction, dicom=True)
    desk.queue.run()
    assert desk.session.status == f"Saved in {tmp_path / 'result'}"
    assert (
        json.loads((tmp_path / "result/prediction.json").read_text())["operating_point"]["name"] == "high specificity"
    )
    assert not (tmp_path / "result/dicom").exists()  # this exam is not from DICOM


def test_nothing_is_written_without_a_result(desk, tmp_path):
    desk.session.save(tmp_path / "result", write_prediction)
    assert desk.problems == ["There is no result to write; predict first."]


def test_overlay_settings_are_applied_at_once_and_to_the_next_result(desk):
    settings = OverlaySettings(opacity=0.9)
    desk.session.set_overlay(settings)
    assert desk.table.overlay is settings
    assert desk.table.changed == {"opacity"}
    desk.table.overlay = None
    desk.session.set_overlay(settings)
    assert desk.table.overlay is None  # nothing has changed
    desk.predict()
    assert desk.table.overlay is settings


def test_a_different_map_is_shown_at_once_and_with_the_next_result(desk):
    desk.predict()
    desk.table.shown = None
    desk.session.set_overlay(OverlaySettings(kind="evidence"))
    assert desk.table.shown is desk.session.result.prediction
    assert desk.table.kind == desk.table.overlay.kind == "evidence"
    desk.table.kind = ""
    desk.predict()
    assert desk.table.kind == "evidence"


def test_a_different_exam_brings_its_own_values_and_none_of_the_last_one(desk):
    desk.session.enter({"age": "60", "her2": "positive"})
    desk.session.open(lambda: replace(tiny_exam(), clinical={"Age": 30}), "the next one")
    desk.queue.run()
    assert desk.session.clinical.values == {"age": 30.0}
    assert desk.session.title == "the next one"


def test_a_value_that_cannot_be_read_is_reported_and_left_unknown(desk):
    desk.session.open(lambda: replace(tiny_exam(), clinical={"age": "abc", "her2": "positive"}))
    desk.queue.run()
    assert "age must be" in desk.problems[-1]
    assert desk.problems[-1].endswith("left unknown")
    assert desk.session.clinical.values == {"her2": "positive"}


@pytest.mark.parametrize(("value", "sentence"), [(0, "phase is constant (0 everywhere)"), (np.nan, "not finite")])
def test_phases_that_show_nothing_are_reported_when_they_are_opened(desk, value, sentence):
    exam = replace(tiny_exam(), mask=None)
    desk.session.open(lambda: replace(exam, pre=np.full(exam.pre.shape, value, np.float32)))
    desk.queue.run()
    assert desk.table.opened == 2
    assert sentence in desk.problems[-1]


def test_an_exam_that_cannot_be_opened_leaves_the_one_on_the_table(desk):
    first = desk.predict()
    desk.session.open(lambda: fail(DataError("no image")), "the next one")
    desk.queue.run()
    assert desk.problems == ["no image"]
    assert desk.session.result is first
    assert desk.session.title == "an exam"


def test_an_exam_is_not_opened_while_something_runs(desk):
    desk.session.predict()
    desk.session.open(tiny_exam)
    assert len(desk.queue.waiting) == 1
    assert "then open the exam again" in desk.problems[-1]


def test_the_attention_of_a_saved_scene_stays_until_something_is_opened(desk):
    desk.table.shown = "saved"
    desk.session.choose_model(find_bundle("ispy2"))
    assert desk.table.shown == "saved"
    desk.session.open(tiny_exam)
    desk.queue.run()
    assert desk.table.shown is None


def test_a_problem_is_in_the_status_before_a_dialog_shows_it(desk):
    log, activity = [], desk.session.activity
    activity.on_change.append(lambda: log.append(desk.session.status))
    activity.on_problem.append(lambda sentence: log.append(f"dialog: {sentence}"))
    activity.report_problem("no image")
    assert log == ["no image", "dialog: no image"]


def test_listeners_hear_of_every_change(desk):
    heard = []
    desk.session.activity.on_change.append(lambda: heard.append(desk.session.status))
    desk.predict()
    assert heard[0] == "Predicting..."
    assert heard[-1] == "Done."


def test_lesions_are_listed_and_each_can_be_shown(desk):
    desk.session.open(two_lesions)
    desk.queue.run()
    result = desk.predict()
    assert desk.session.words.lesions == ("right, 2.3 ml: 62 %", "left, 0.7 ml: 52 %")
    desk.session.show_lesion(1)
    assert desk.table.shown is result.prediction.lesions[1].prediction
    assert desk.table.position == desk.session.result.peak
    assert "52 %" in desk.session.words.probability
    assert not desk.session.is_stale


def with_effects(_exam, _bundle, prediction, _device):
    """Interventions of three folds, as a predictor would add them."""
    return replace(prediction, interventions=Interventions((-0.4,) * 3, (), ((0.0,) * 3,), "its own"))


def test_whether_the_picture_matters_is_found_out_on_demand(desk):
    desk.session.intervene()
    assert desk.problems == ["There is no result yet; predict first."]
    desk.predict()
    assert desk.session.words.matters == ""
    desk.session.runner.intervene = with_effects
    desk.session.intervene()
    desk.session.choose_point("high specificity")
    desk.queue.run()
    assert "Erasing the tumour" in desk.session.words.matters
    assert desk.session.result.prediction.operating_point.name == "high specificity"


def test_interventions_of_a_result_that_was_dropped_are_not_shown(desk):
    desk.predict()
    desk.session.runner.intervene = with_effects
    desk.session.intervene()
    desk.session.clear_result()
    desk.queue.run()
    assert desk.session.result is None
