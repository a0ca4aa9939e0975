"""Templates and their environment."""

import re
from dataclasses import replace

import pytest
from jinja2 import UndefinedError
from PCRPredictorLib.follow.page import TEMPLATES as FOLLOW_TEMPLATES
from PCRPredictorLib.report.rendering import TEMPLATES, render
from PCRTrainingLib.evaluation.report import TEMPLATES as TRAINING_TEMPLATES
from support.card_and_schema import CARD

STYLE = (TEMPLATES / "style.css").read_text(encoding="utf-8")


@pytest.fixture
def page(tmp_path):
    """Render one template of a folder of its own."""

    def render_text(name, content, /, **values):
        (tmp_path / name).write_text(content, encoding="utf-8")
        return render(name, tmp_path, **values)

    return render_text


def test_values_are_escaped_in_html_and_in_markdown(page):
    assert page("a.html.j2", "<p>{{ text }}</p>", text="<b>|") == "<p>&lt;b&gt;|</p>"
    assert page("a.md.j2", "{{ text | markdown }}", text="<b>|\n*") == r"&lt;b>\| \*"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("< 0.001 & up", "< 0.001 & up"),
        ("p<=40, >70", "p<=40, >70"),
        ("</b>", "&lt;/b>"),
        ("<!-- x", "&lt;!-- x"),
        ("<?x", "&lt;?x"),
        ("<https://a.b>", "&lt;https://a.b>"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("&#60;b", "&amp;#60;b"),
        ("> quoted", "&gt; quoted"),
        ("x<", "x&lt;"),
    ],
)
def test_signs_that_begin_nothing_in_markdown_can_be_read_in_the_file(page, text, shown):
    assert page("a.md.j2", "{{ text | markdown }}", text=text) == shown


def test_a_missing_value_of_a_template_is_an_error(page):
    with pytest.raises(UndefinedError, match="'text' is undefined"):
        page("a.html.j2", "{{ text }}")


def test_pages_of_every_folder_share_one_stylesheet(page):
    assert STYLE in page("a.html.j2", '{% extends "base.html.j2" %}', title="A page")
    assert not list(TRAINING_TEMPLATES.glob("*.css"))


def test_the_stylesheet_has_every_class_of_the_templates_and_no_other():
    folders = (TEMPLATES, FOLLOW_TEMPLATES, TRAINING_TEMPLATES)
    templates = [file.read_text() for folder in folders for file in folder.glob("*.html.j2")]
    used = " ".join(re.findall(r'class="?([a-z ]+)', "".join(templates))).split()
    assert set(re.findall(r"\.([a-z]+)[ ,{]", STYLE)) == {*used, "patient", "cohort"}


def test_numbers_and_pictures_have_filters(page):
    assert page("a.html.j2", "{{ 0.25 | percent }} {{ none | value }}") == "25 % –"
    assert page("a.html.j2", '{{ "x" | data_uri("image/png") }}') == "data:image/png;base64,eA=="


def test_a_card_from_outside_holds_no_link_and_no_script_in_the_readme():
    evil = "[x](javascript:alert(1))<script>alert(1)</script>\u202e"
    card = replace(CARD, name=evil, description=evil, failures=(evil,), metrics={evil: {"auc": 0.7}}, known_limits=evil)
    text = render("card.md.j2", TRAINING_TEMPLATES, card=card, performance=evil)
    assert text.count(r"\[x\](javascript:alert(1))&lt;script>") == 6
    assert not set("\u202e<") & set(text)
