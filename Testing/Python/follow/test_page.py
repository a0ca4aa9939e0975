"""The report of a follow-up."""

import re
from dataclasses import replace

from PCRPredictorLib.errors import Notice
from PCRPredictorLib.exam import LeftAside, Provenance
from PCRPredictorLib.follow.page import Pictures, render_follow_up
from PCRPredictorLib.follow.words import list_warnings
from PCRPredictorLib.response.course import Course
from support.examples import BLOCKING
from support.follow.examples import CARD, SECRET_DATE, tiny_course, tiny_exams, tiny_prediction

COURSE = tiny_course(2)
PREDICTION = tiny_prediction(COURSE)
PICTURES = Pictures("<svg>", b"picture")


def report(course=COURSE, prediction=PREDICTION, pictures=PICTURES, **options):
    return render_follow_up(course, prediction, pictures, card=CARD, **options)


def test_what_changed_comes_first():
    text = report()
    places = [
        text.index(part)
        for part in (
            "volume 12.4 ml to 3.1 ml, −75 %", "Probability of pCR after T1: 46 %", "Other phase times.",
            "T0 31 %, T1 46 %", "Not for: stopping", "Measurements</h2>", "Why this probability after T1",
            "image/svg", "image/png", "Intended use", "one trial",
        )
    ]  # fmt: skip
    assert places == sorted(places)


def test_without_a_decision_the_reason_comes_before_the_number():
    text = report(prediction=tiny_prediction(COURSE, (BLOCKING,)))
    assert text.index("No decision") < text.index(BLOCKING.message) < text.index("Not to be relied on")
    assert 'class="probability"' not in text


def test_the_reason_for_no_decision_is_given_once_and_those_of_earlier_visits_are_kept():
    earlier = replace(PREDICTION.visits[0], notices=(BLOCKING,))
    prediction = replace(tiny_prediction(COURSE, (BLOCKING,)), notices=(BLOCKING,))
    assert report(prediction=prediction).count(BLOCKING.message) == 1
    course = replace(COURSE, visits={**COURSE.visits, "T0": replace(COURSE.visits["T0"], notices=(BLOCKING,))})
    assert list_warnings(course, replace(PREDICTION, visits=(earlier, PREDICTION.last)))[0] == ("T0", BLOCKING)


def test_report_loads_nothing_and_runs_no_script():
    text = report()
    assert "default-src 'none'" in text
    assert not any(word in text for word in ("<script", "http://", "https://", "@import", "url("))


def test_neither_date_nor_name_is_shown_unless_asked_for():
    text = report()
    assert "SECRET" not in text
    assert str(SECRET_DATE.year) not in text
    assert "Patient SECRET-7" in report(show_patient_id=True)


def test_pictures_have_texts():
    found = re.findall(r'<img [^>]*alt="([^"]+)"', report())
    assert len(found) == 2
    assert "T1 3.1 ml" in found[0]
    assert "dashed" in found[1]


def test_a_missing_comparison_has_a_reason():
    text = report(pictures=Pictures("<svg>", None, "No pictures: one visit."))
    assert "No pictures: one visit." in text
    assert "image/png" not in text


def test_a_tumour_that_is_gone_and_a_visit_left_out_are_explained():
    course = tiny_course(4, skip=("T2",))
    text = report(course, tiny_prediction(course))
    assert "no proof of a pathological complete response" in text
    assert "No exam at T2" in text


def test_images_of_each_visit_and_what_was_not_used_are_described():
    exams = tiny_exams(2)
    exams[1] = replace(exams[1], provenance=Provenance("dicom", left_aside=(LeftAside("series 5", "has 4 slices"),)))
    course = tiny_course(2, exams)
    text = report(course, tiny_prediction(course))
    assert '<th scope="row">Voxel size</th><td>1.5 × 1.5 × 3 mm</td><td>1.5 × 1.5 × 3 mm</td>' in text
    assert "series 5" in text
    assert "Voxel size" not in report()


def test_without_a_prediction_the_measurements_stand_alone():
    text = report(prediction=None)
    assert "Measurements without a prediction." in text
    assert "−75 %" in text


def test_every_warning_is_reported_once_with_its_visit():
    course = tiny_course(3)
    prediction = replace(tiny_prediction(course, (Notice("clipped", "Clipped."),)), notices=(Notice("age", "No age."),))
    found = list_warnings(course, prediction, (Notice("order", "Odd order."),))
    assert [(visit, notice.code) for visit, notice in found] == [
        ("", "order"), ("T1", "example"), ("", "age"), ("T2", "clipped"),
    ]  # fmt: skip


def test_a_warning_that_names_its_visit_has_no_visit_before_it():
    visits = [replace(visit, notices=()) for visit in tiny_course(2)]
    gone = Notice("tumour_gone", "The tumour is gone at T1: the model reads no value.")
    found = list_warnings(Course({"T0": visits[0], "T1": replace(visits[1], notices=(gone,))}), None)
    assert found == [("", gone)]


def test_a_warning_of_several_visits_names_them_all():
    alike = (Notice("background_unknown", "One breast."),)
    visits = {visit.name: replace(visit, notices=alike) for visit in tiny_course(3)}
    assert list_warnings(Course(visits), None) == [("T0, T1 and T2", alike[0])]


def test_all_text_is_escaped():
    odd = "<b>odd</b>"
    model = replace(PREDICTION.model, name=odd, training_data=odd, intended_use=odd)
    text = report(prediction=replace(PREDICTION, model=model, clinical={odd: odd}), notices=(Notice("x", odd),))
    assert "<b>odd" not in text
    assert text.count("&lt;b&gt;odd") >= 6
