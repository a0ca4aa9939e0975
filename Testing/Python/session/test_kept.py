"""Results that the scene keeps with their exams, and gives back."""

from dataclasses import replace

from support.examples import tiny_exam


def _come_back(desk):
    """Leave the exam for a different one and come back, as if its volumes were chosen again."""
    exam, opened, lesions = desk.table.exam, desk.table.opened, desk.table.lesions
    desk.session.open(lambda: replace(tiny_exam(), pre=tiny_exam().pre + 1), "another")
    desk.queue.run()
    assert desk.session.result is None
    desk.table.exam, desk.table.opened, desk.table.lesions = exam, opened, lesions
    desk.session.update()
    desk.queue.run()


def test_result_is_back_with_its_exam(desk):
    before = desk.predict()
    _come_back(desk)
    found = desk.session.result
    assert found.prediction.probability == before.prediction.probability
    assert found.prediction.notices == before.prediction.notices
    assert not desk.session.is_stale
    assert "kept in the scene" in desk.session.status
    assert desk.table.shown is found.prediction


def test_tumour_that_was_changed_meanwhile_makes_it_stale(desk):
    desk.predict()
    desk.paint()
    _come_back(desk)
    assert desk.session.is_stale
    assert "predict again" in desk.session.status


def test_chosen_point_and_clinical_values_are_kept(desk):
    desk.session.enter({"age": 52.0})
    desk.predict()
    point = desk.session.model.points[-1]
    desk.session.choose_point(point.name)
    desk.session.enter({"age": 30.0})
    _come_back(desk)
    assert desk.session.result.prediction.operating_point == point
    assert desk.session.clinical.values["age"] == 52.0


def test_result_that_was_kept_says_that_it_does_not_answer_for_other_values(desk):
    desk.predict()
    _come_back(desk)
    desk.session.enter({"age": 30.0})
    assert desk.session.stale.startswith("A result kept in a scene cannot answer for other clinical values")


def test_result_that_cannot_be_read_is_reported_once_and_can_be_replaced(desk):
    desk.predict()
    desk.table.kept[desk.table.opened] = "{}"
    _come_back(desk)
    desk.session.update()
    desk.queue.run()
    assert [problem for problem in desk.problems if problem] == [
        "the result in the scene cannot be read: it must be a BreastPCR result; predict again, or open the scene with "
        "the version that saved it"
    ]
    assert desk.predict() is not None
    assert desk.table.kept[desk.table.opened] != "{}"


def test_result_of_a_model_that_is_gone_says_so(desk):
    desk.predict()
    text = desk.table.kept[desk.table.opened]
    checksum = desk.session.model.bundle.checksum
    desk.table.kept[desk.table.opened] = text.replace(checksum, "0" * 64)
    _come_back(desk)
    assert "is not on this computer" in desk.session.status
    desk.session.intervene()
    assert "different model" in desk.problems[-1]


def test_different_model_drops_what_was_kept(desk):
    from PCRPredictorLib.model.bundle import find_bundle

    desk.predict()
    assert desk.table.kept
    desk.session.choose_model(find_bundle("ispy2"))
    assert not desk.table.kept
