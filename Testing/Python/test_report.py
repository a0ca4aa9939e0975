import pytest
from examples import tiny_exam, tiny_prediction
from PCRPredictorLib.prediction import Notice
from PCRPredictorLib.report import describe_position, render_report

EXAM = tiny_exam()


def report(**options):
    notices = options.pop("notices", ())
    return render_report(EXAM, tiny_prediction(EXAM, notices=notices), b"picture", **options)


def test_result_comes_before_everything_else():
    text = report()
    assert text.index("62%") < text.index("<img") < text.index("Trained on")
    assert "at or above the threshold of 45%" in text


def test_patient_is_named_only_when_asked():
    assert "SECRET-1" not in report()
    assert "SECRET-1" in report(show_patient_id=True)


def test_report_asks_nothing_of_other_hosts():
    text = report()
    assert "<script" not in text
    assert "http" not in text


def test_warnings_are_shown_as_text_and_not_as_html():
    text = report(notices=[Notice("x", "<b>odd</b> & strange")])
    assert "&lt;b&gt;odd&lt;/b&gt; &amp; strange" in text
    assert "Please note" not in report()


def test_it_says_research_use_only_and_which_values_were_unknown():
    assert "Research use only" in report()
    assert "<th>Hormone receptors</th><td>unknown</td>" in report()


@pytest.mark.parametrize(("point", "words"), [((12, -30, 5), "L 12, A 30, S 5 mm"), ((-1, 2, -3), "R 1, P 2, I 3 mm")])
def test_position_is_given_in_patient_directions(point, words):
    assert describe_position(point) == words
