"""The visits in the page: each with what can be done, ways to add one, and the question which study is which visit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PCRPredictorLib.follow.words import describe_when
from PCRPredictorLib.response.course import VISITS
from PCRPredictorLib.session.course.follow_up import FollowUp
from trame.widgets import html
from trame.widgets import vuetify3 as v3

from ..serving.uploads import UPLOADED
from .fields import COMPACT, EXAM_FILES

USES = {  # of `VisitEntry`: what counts as the tumour, in words
    "drawn": "as it is drawn",
    "gone": "gone: no tumour is left",
    "baseline": "inside the first tumour's outline",
}
_NAMES = [{"title": f"{visit}, {describe_when(visit)}", "value": visit} for visit in VISITS]
_BUTTON = "v-btn v-btn--size-small v-btn--variant-tonal"


class VisitList:
    """Write the list of the visits.

    Args:
        visits: of the patient.
        name: names of the fields of `FollowUpState` in the page.
        choose: called with the number of a study and its visit.
    """

    def __init__(self, visits: FollowUp, name: Any, choose: Callable[[int, str], object]) -> None:  # noqa: ANN401  trame makes its type
        self._visits, self._name, self._choose = visits, name, choose

    def build(self, off: str, read: Callable[[], object], leave: Callable[[], object]) -> None:
        """Write the list.

        Args:
            off: expression of the browser's that disables the buttons.
            read, leave: called with the answer to the question.
        """
        self._build_rows(off)
        self._build_adding(off)
        self._build_question(off, read, leave)

    def _set_day(self, name: str, text: str | None) -> None:
        word = str(text or "").strip()
        if word and not (word.isdecimal() and len(word) < 7):
            self._visits.session.activity.report_problem("the day of a visit must be a number of days, such as 22")
        elif name in self._visits.entries:
            self._visits.set_day(name, int(word) if word else None)

    def _build_rows(self, off: str) -> None:
        """Write the table of the visits, each with what can be done."""
        name, visits = self._name, self._visits
        with html.Div(
            v_for=f"row in {name.rows}", key="row.name", classes="follow-visit border-b py-1", style="font-size: 0.8rem"
        ):
            with html.Div(classes="d-flex align-center"):
                html.B("{{ row.name }}", classes="mr-2")
                html.Span("{{ row.when }}", classes="mr-2 text-medium-emphasis")
                html.Span("{{ row.is_open ? 'open' : '' }}", classes="text-medium-emphasis")
                v3.VSpacer()
                html.B("{{ row.probability ? 'pCR: ' + row.probability : '' }}")
            measured = (
                "[row.volume && 'functional volume ' + row.volume + (row.change ? ' (' + row.change + ')' : ''), "
                "row.diameter && 'longest diameter within a slice ' + row.diameter, row.title]"
            )
            html.Div(f"{{{{ {measured}.filter(Boolean).join(' · ') }}}}", classes="measured")
            with html.Div(classes="d-flex align-center"):
                uses = [{"title": text, "value": use} for use, text in USES.items()]
                used = {"update_modelValue": (visits.use, "[row.name, $event]"), "items": ("follow_uses", uses)}
                cannot = f"{off} || !row.can_show"
                v3.VSelect(
                    model_value=("row.use",), disabled=(cannot,), label="Tumour", classes="mr-1", **used, **COMPACT
                )
                shown = {"click": (visits.show, "[row.name]"), "disabled": (f"{off} || row.is_open || !row.can_show",)}
                v3.VBtn("Open", size="x-small", variant="tonal", classes="follow-open mr-1", **shown)
                gone = {"click": (visits.remove, "[row.name]"), "title": "Take this visit off the list"}
                v3.VBtn(icon="mdi-close", size="x-small", variant="text", disabled=(off,), **gone)
            with html.Div(classes="d-flex align-center mt-1"):
                rename = {"update_modelValue": (visits.rename, "[row.name, $event]"), "items": ("follow_names", _NAMES)}
                v3.VSelect(
                    model_value=("row.name",), label="Visit", disabled=(off,), classes="mr-1", **rename, **COMPACT
                )
                day = {"change": (self._set_day, "[row.name, $event.target.value]"), "label": "Day"}
                v3.VTextField(model_value=("row.day",), disabled=(off,), style="flex: 0 0 90px", **day, **COMPACT)

    def _build_adding(self, off: str) -> None:
        """Write the ways to add a visit: the open exam, and a form."""
        name = self._name
        with html.Div(classes="d-flex align-center my-1"):
            visit = {"items": ("follow_visits", _NAMES), "label": "Visit to add", "id": "follow-visit"}
            v3.VSelect(v_model=(name.visit,), **visit, **COMPACT)
            add = {"click": (self._visits.add_open, f"[{name.visit}]"), "disabled": (off,), "id": "follow-add-open"}
            v3.VBtn("Add the open exam", size="small", classes="ml-2", **add)
        form = {"action": "upload", "method": "post", "enctype": "multipart/form-data", "target": "sent"}
        with html.Details(classes="text-caption my-1", id="follow-files"):
            html.Summary("Add an exam from files")
            with html.Form(id="upload-visit", key=(f"{name.rows}.length",), **form):  # empty after each visit
                html.Input(type="hidden", name="visit", value=(name.visit,))
                html.Label("A DICOM folder, also with several studies", classes="d-block")
                html.Input(type="file", name="dicom", webkitdirectory=True, multiple=True, style="width: 100%")
                html.Div("Or files", classes="font-weight-bold mt-1")
                for key, text in EXAM_FILES.items():
                    html.Label(text, classes="d-block")
                    accept = ",".join((*UPLOADED, ".gz", *((".dcm",) if key == "mask" else ())))
                    html.Input(type="file", name=key, accept=accept, classes="mb-1", style="width: 100%")
                html.Button("Add", type="submit", disabled=(off,), classes=_BUTTON, id="send-visit")
        with html.Div(v_if=(f"{name.rows}.length > 0",)):
            clear = {"click": self._visits.clear, "title": "Take all visits off the list, for a different patient"}
            v3.VBtn("Start over", size="x-small", variant="text", disabled=(off,), id="follow-clear", **clear)

    def _build_question(self, off: str, read: Callable[[], object], leave: Callable[[], object]) -> None:
        """Write the question which visit each of several studies is."""
        name = self._name
        items = [{"title": "not a visit", "value": ""}, *({"title": visit, "value": visit} for visit in VISITS)]
        with v3.VAlert(
            v_if=(f"{name.question}.length > 0",), type="info", density="compact", classes="my-2", id="follow-question"
        ):
            html.Div("Several studies were found. Which visit is each?")
            html.Div(f"{{{{ {name.remark} }}}}", classes="text-caption", id="follow-remark")
            with html.Div(v_for=f"(title, number) in {name.question}", key="number", classes="d-flex align-center"):
                html.Span("{{ title }}", classes="mr-2")
                answer = {
                    "model_value": (f"{name.answers}[number]",),
                    "update_modelValue": (self._choose, "[number, $event]"),
                }
                v3.VSelect(items=("follow_answers", items), style="max-width: 130px", **answer, **COMPACT)
            for text, click, key in (("Read these visits", read, "follow-read"), ("Cancel", leave, "follow-leave")):
                v3.VBtn(text, click=click, disabled=(off,), size="small", classes="mt-1 mr-2", id=key)
