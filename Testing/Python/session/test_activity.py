"""What a session says of the work that is running."""

from PCRPredictorLib.errors import DataError
from support.examples import tiny_exam


def broken():
    raise DataError("no image")


def test_the_exam_that_is_opened_is_named_until_it_is_shown(desk):
    heard, activity = [], desk.session.activity
    activity.on_change.append(lambda: heard.append((desk.session.title, activity.opening)))
    desk.session.open(tiny_exam, "the next one")
    desk.queue.run()
    assert set(heard) - {("an exam", "the next one"), ("the next one", "the next one")} == {("the next one", "")}
    desk.session.open(broken, "a third one")
    assert activity.opening == "a third one"
    desk.queue.run()
    assert activity.opening == ""
    desk.session.open(tiny_exam, "a fourth one")
    desk.session.cancel()
    assert activity.opening == ""
