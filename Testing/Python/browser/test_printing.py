"""Reports on A4: no table is cut off, and no page but the last is half empty."""

import io
from dataclasses import replace
from functools import partial

import pytest
from PCRPredictorLib.errors import Notice
from PCRPredictorLib.follow.page import Pictures, render_follow_up
from PCRPredictorLib.report.page import render_report
from PCRPredictorLib.report.rendering import render
from PCRTrainingLib.evaluation.report import TEMPLATES
from PIL import Image
from support.examples import tiny_exam, tiny_prediction
from support.follow.examples import CARD, tiny_course
from support.follow.examples import tiny_prediction as tiny_response
from support.pages.printing import filled_pages, list_cut, needs_pdftoppm, open_report

EXAM = tiny_exam()
LEAST = 0.6  # of a page that another one follows
INTERVAL = "−0.123 (−0.234 to +0.345)"


def picture(width=1440, height=960):
    file = io.BytesIO()
    Image.new("RGB", (width, height), "gray").save(file, "PNG")
    return file.getvalue()


def patient_report(warnings):
    notice = Notice("example", "The exam was acquired in a way that differs from the training patients'. " * 2)
    return render_report(EXAM, tiny_prediction(EXAM, notices=(notice,) * warnings), picture())


def cohort_report(rows=8, columns=9):
    table = {
        "title": "Comparisons on the same patients",
        "head": ["Model", *(f"Balanced accuracy {n}" for n in range(columns))],
        "rows": [["clinical values and functional tumour volume", *[INTERVAL] * columns]] * rows,
        "note": "A note.",
    }
    drawn = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 3"/>'
    plot = {"alt": "a plot", "caption": "A plot.", "svg": drawn, "kind": "image/svg+xml"}
    section = {"title": "Out of fold", "text": "", "tables": [table] * 3, "figures": [plot] * 4}
    values = {"purpose": "", "headline": "A headline.", "config": "", "versions": {}}
    return render("cohorts.html.j2", TEMPLATES, title="Evaluation", sections=[section] * 2, **values)


def follow_report():
    course, chart = tiny_course(3), '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 46 52"/>'
    return render_follow_up(course, tiny_response(course), Pictures(chart, picture()), card=CARD)


@needs_pdftoppm
@pytest.mark.parametrize("make", [*(partial(patient_report, n) for n in (0, 2, 3, 9)), follow_report, cohort_report])
def test_no_page_but_the_last_is_half_empty_and_no_table_is_cut_off(browser, tmp_path, make):
    page = open_report(browser, make())
    assert not list_cut(page)
    *before, _last = filled_pages(page, tmp_path)
    assert before
    assert min(before) > LEAST, before
    page.context.close()


def test_a_reason_against_a_decision_is_given_once():
    blocking = Notice("example", "No tumour can be measured.", blocks_decision=True)
    text = render_report(EXAM, replace(tiny_prediction(EXAM), notices=(blocking,)), picture())
    assert text.count(blocking.message) == 1
