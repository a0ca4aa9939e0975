"""The section "Follow-up": the visits of one patient, what was measured, how it changed, and the probability."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.follow.words import describe_when
from PCRPredictorLib.response.course import VISITS
from PCRPredictorLib.session.course.analysis import Analysis
from PCRPredictorLib.session.course.comparison import Comparison
from PCRPredictorLib.session.course.follow_up import Study
from PCRPredictorLib.session.course.reading import studies_in, study_of
from PCRPredictorLib.session.course.rows import rows_of
from PCRPredictorLib.session.course.words import describe_answer
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from ..serving.uploads import UPLOADED, uploaded_entry, uploaded_visit
from ..work import Work
from .fields import COMPACT, checkbox

USES = {  # of `VisitEntry`: what counts as the tumour, in words
    "drawn": "as it is drawn",
    "gone": "gone: no tumour is left",
    "baseline": "inside the first tumour's outline",
}
_BUTTON = "v-btn v-btn--size-small v-btn--variant-tonal"
_FILES = {
    "pre": "Pre-contrast",
    "early": "Early phase",
    "late": "Late phase",
    "series": "Or one file with all phases",
    "mask": "Tumour, if segmented",
}


@dataclass
class FollowUpState:
    """What the section shows.

    Args:
        rows: as `rows.VisitRow`.
        visit: that is added next.
        question: titles of several studies.
        answers: the visit of each, "" for none.
        text: what follows from the visits, rich text.
        chart: as the address of a picture.
        reason: why nothing can be predicted.
        unmeasurable: why nothing can be measured.
        models: names of the response models.
        compared: visits that can be shown beside the first one.
    """

    rows: list[dict[str, object]] = field(default_factory=list)
    visit: str = VISITS[0]
    question: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    text: str = ""
    chart: str = ""
    reason: str = ""
    unmeasurable: str = ""
    models: list[str] = field(default_factory=list)
    model: str = ""
    one_patient: bool = False
    can_save: bool = False
    compared: list[str] = field(default_factory=list)
    compare: str = ""
    registered: bool = True
    mip: bool = False
    is_compared: bool = False
    comparison: str = ""


class FollowUpSection:
    """Choose the visits of a patient, predict from them, and compare two of them.

    Args:
        analysis: with the visits.
        comparison: of two of them.
        models: folders of response models by name.
    """

    def __init__(
        self, server: Server, work: Work, analysis: Analysis, comparison: Comparison, models: dict[str, Path]
    ) -> None:
        self._analysis, self._comparison, self._models = analysis, comparison, models
        self._visits = analysis.visits
        self._pictured: object = None
        self.state = TypedState(server.state, FollowUpState)
        name = self.state.name
        self.state.data.models, self.state.data.model = list(models), next(iter(models), "")
        if models:
            analysis.choose_model(next(iter(models.values())))
        work.watch(
            self.state,
            {
                name.model: lambda chosen: analysis.choose_model(models.get(chosen)),
                name.one_patient: analysis.allow_headers_to_differ,
                name.compare: lambda visit: self._change(visit=visit),
                name.registered: lambda on: self._change(registered=on),
                name.mip: lambda on: self._change(mip=on),
            },
        )

    def refresh(self) -> None:
        """Show what the session holds."""
        data, visits, comparison = self.state.data, self._visits, self._comparison
        if data.rows and not visits.entries:  # begin again
            data.visit = VISITS[0]
        data.rows = [asdict(row) for row in rows_of(self._analysis)]
        if data.visit in visits.entries:
            data.visit = visits.next_visit or data.visit
        if (titles := [study.title for study in visits.question]) != data.question:
            data.question, data.answers = titles, [study.visit for study in visits.question]
        data.text, data.can_save = describe_answer(self._analysis), self._analysis.can_save
        is_idle = bool(visits.entries) and not visits.session.activity.doing
        data.reason = (self._analysis.problem(with_model=True) or "") if is_idle else ""
        data.unmeasurable = (self._analysis.problem() or "") if is_idle else ""
        data.compared, data.compare, data.is_compared = comparison.choices, comparison.visit, comparison.is_shown
        data.comparison = comparison.words
        if self._analysis.answer is not self._pictured:
            self._pictured = self._analysis.answer
            data.chart = _address(self._analysis.answer.chart) if self._analysis.answer is not None else ""

    def open_upload(self, folder: Path) -> None:
        """Add what a browser sent as a visit; of files that were read, only headers that results need are kept."""
        visit = uploaded_visit(folder)
        if self._visits.session.activity.doing:
            shutil.rmtree(folder, ignore_errors=True)
        self._visits.ask(partial(_studies, folder, visit))

    def _change(self, **values: object) -> None:
        """Change the comparison, unless the page only shows what it is already."""
        shown = {"visit": self._comparison.visit}
        now = asdict(self._comparison.settings) | shown
        if any(now[name] != value for name, value in values.items()):
            self._comparison.change(**values)

    def _answer(self, is_read: bool) -> None:
        self._visits.answer(self.state.data.answers if is_read else ())

    def build(self, busy: str) -> None:
        """Write the section's part of the page."""
        name, off = self.state.name, f"!!{busy}"
        html.Div("Exams of one patient before and during treatment.", classes="text-caption", id="follow-hint")
        self._build_rows(off)
        self._build_adding(off)
        self._build_question(off)
        with html.Div(v_if=(f"{name.rows}.length > 0",)):
            models = {"v_model": (name.model,), "items": (name.models,), "id": "follow-model"}
            v3.VSelect(label="Response model", classes="my-1", **models, **COMPACT)
            checkbox(name.one_patient, "One patient, although headers differ", "follow-one-patient")
            html.Div(
                f"{{{{ {name.reason} }}}}", v_if=(name.reason,), classes="text-caption text-warning", id="follow-reason"
            )
            with html.Div(classes="my-1"):
                for text, click, why, key in (
                    ("Measure", self._analysis.measure, name.unmeasurable, "follow-measure"),
                    ("Predict from the visits", self._analysis.predict, name.reason, "follow-predict"),
                ):
                    cannot = f"{off} || !!{why}"
                    v3.VBtn(text, click=click, disabled=(cannot,), size="small", classes="mr-2", id=key)
        self._build_result()
        self._build_comparison(off)

    def _build_rows(self, off: str) -> None:
        """Write the table of the visits, each with what can be done."""
        name, visits = self.state.name, self._visits
        with html.Div(
            v_for=f"row in {name.rows}", key="row.name", classes="follow-visit border-b py-1", style="font-size: 0.8rem"
        ):
            with html.Div(classes="d-flex align-center"):
                html.B("{{ row.name }}", classes="mr-2")
                html.Span("{{ row.when }}", classes="mr-2 text-medium-emphasis")
                html.Span("{{ row.is_open ? 'open' : '' }}", classes="text-medium-emphasis")
                v3.VSpacer()
                html.B("{{ row.probability ? 'pCR ' + row.probability : '' }}")
            measured = (
                "[row.volume && row.volume + (row.change ? ' (' + row.change + ')' : ''), row.diameter, row.title]"
            )
            html.Div(f"{{{{ {measured}.filter(Boolean).join(' · ') }}}}", classes="text-truncate")
            with html.Div(classes="d-flex align-center"):
                uses = [{"title": text, "value": use} for use, text in USES.items()]
                used = {"update_modelValue": (visits.use, "[row.name, $event]"), "items": ("follow_uses", uses)}
                cannot = f"{off} || !row.can_show"
                v3.VSelect(
                    model_value=("row.use",), disabled=(cannot,), label="Tumour", classes="mr-1", **used, **COMPACT
                )
                renames = {
                    "items": ("follow_names", list(VISITS)),
                    "update_modelValue": (visits.rename, "[row.name, $event]"),
                }
                v3.VSelect(
                    model_value=("row.name",),
                    disabled=(off,),
                    style="max-width: 92px",
                    classes="mr-1",
                    **renames,
                    **COMPACT,
                )
                shown = {"click": (visits.show, "[row.name]"), "disabled": (f"{off} || row.is_open || !row.can_show",)}
                v3.VBtn("Open", size="x-small", variant="tonal", classes="follow-open mr-1", **shown)
                gone = {"click": (visits.remove, "[row.name]"), "title": "Take this visit off the list"}
                v3.VBtn(icon="mdi-close", size="x-small", variant="text", disabled=(off,), **gone)

    def _build_adding(self, off: str) -> None:
        """Write the ways to add a visit: the open exam, and a form."""
        name = self.state.name
        items = [{"title": f"{visit}, {describe_when(visit)}", "value": visit} for visit in VISITS]
        with html.Div(classes="d-flex align-center my-1"):
            v3.VSelect(
                v_model=(name.visit,), items=("follow_visits", items), label="Visit", id="follow-visit", **COMPACT
            )
            add = {"click": (self._visits.add_open, f"[{name.visit}]"), "disabled": (off,), "id": "follow-add-open"}
            v3.VBtn("Add the open exam", size="small", classes="ml-2", **add)
        form = {"action": "upload", "method": "post", "enctype": "multipart/form-data", "target": "sent"}
        with html.Details(classes="text-caption my-1", id="follow-files"):
            html.Summary("Add an exam from files")
            with html.Form(id="upload-visit", **form):
                html.Input(type="hidden", name="visit", value=(name.visit,))
                for key, text in _FILES.items():
                    html.Label(text, classes="d-block")
                    accept = ",".join((*UPLOADED, ".gz", *((".dcm",) if key == "mask" else ())))
                    html.Input(type="file", name=key, accept=accept, classes="mb-1", style="width: 100%")
                html.Label("Or a DICOM folder, also with several studies", classes="d-block")
                html.Input(type="file", name="dicom", webkitdirectory=True, multiple=True, style="width: 100%")
                html.Button("Add", type="submit", disabled=(off,), classes=_BUTTON, id="send-visit")
        with html.Div(v_if=(f"{name.rows}.length > 0",)):
            clear = {"click": self._visits.clear, "title": "Take all visits off the list, for a different patient"}
            v3.VBtn("Start over", size="x-small", variant="text", disabled=(off,), id="follow-clear", **clear)

    def _build_question(self, off: str) -> None:
        """Write the question which visit each of several studies is."""
        name = self.state.name
        items = [{"title": "not a visit", "value": ""}, *({"title": visit, "value": visit} for visit in VISITS)]
        with v3.VAlert(
            v_if=(f"{name.question}.length > 0",), type="info", density="compact", classes="my-2", id="follow-question"
        ):
            html.Div("Several studies were found. Which visit is each?")
            with html.Div(v_for=f"(title, number) in {name.question}", key="number", classes="d-flex align-center"):
                html.Span("{{ title }}", classes="mr-2")
                changed = f"{name.answers} = {name.answers}.map((old, k) => k === number ? $event : old)"
                answer = {"model_value": (f"{name.answers}[number]",), "update_modelValue": changed}
                v3.VSelect(items=("follow_answers", items), style="max-width: 130px", **answer, **COMPACT)
            for text, is_read, key in (("Read these visits", True, "follow-read"), ("Cancel", False, "follow-leave")):
                click = partial(self._answer, is_read)
                v3.VBtn(text, click=click, disabled=(off,), size="small", classes="mt-1 mr-2", id=key)

    def _build_result(self) -> None:
        name = self.state.name
        html.Div(v_html=(name.text,), v_if=(name.text,), classes="text-caption my-2", id="follow-text")
        html.Img(
            v_if=(name.chart,), src=(name.chart,), style="width: 100%", alt="Chart over the visits", id="follow-chart"
        )
        with html.Div(v_if=(name.can_save,), classes="my-1"):
            for text, file, key in (
                ("Report", "follow.html", "follow-report"),
                ("All files", "follow.zip", "follow-all"),
            ):
                html.A(text, href=file, download=f"pcr-{file}", classes=f"{_BUTTON} mr-2", id=key)

    def _build_comparison(self, off: str) -> None:
        name = self.state.name
        with html.Div(v_if=(f"{name.compared}.length > 0",), classes="my-2"):
            with html.Div(classes="d-flex align-center"):
                compared = {
                    "v_model": (name.compare,),
                    "items": (name.compared,),
                    "label": "Compare the first visit with",
                }
                v3.VSelect(id="follow-compare", **compared, **COMPACT)
                show = {"click": self._comparison.show, "disabled": (off,), "id": "follow-side-by-side"}
                v3.VBtn("Side by side", size="small", classes="ml-2", **show)
            with html.Div(classes="d-flex align-center"):
                checkbox(name.registered, "Registered", "follow-registered")
                checkbox(name.mip, "MIP", "follow-mip")
                hide = {"click": self._comparison.hide, "v_if": (name.is_compared,), "id": "follow-usual"}
                v3.VBtn("Usual views", size="small", variant="text", **hide)
            html.Div(f"{{{{ {name.comparison} }}}}", classes="text-caption", id="follow-comparison")


def _address(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}" if picture else ""


def _studies(folder: Path, visit: str) -> Sequence[Study]:
    """Return what a browser sent as studies; an error is reported without the folder's name."""
    try:
        source = uploaded_entry(folder, "uploaded exam")
        found = studies_in(folder / "dicom", visit) if (folder / "dicom").is_dir() else [study_of(source, visit)]
        if len(found) == 1:  # its mask and choice of phases count
            found = [study_of(source, visit)]
        return [replace(study, read=partial(_read, study, folder, len(found) == 1)) for study in found]
    except DataError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise DataError(str(error).replace(str(folder), "the upload")) from None


def _read(study: Study, folder: Path, is_only: bool) -> Exam:
    """Return the exam of a study; if it is the only one, its files are deleted but for headers that results need."""
    try:
        exam = study.read()
    except DataError as error:
        raise DataError(str(error).replace(str(folder), "the upload")) from None
    if is_only:
        for path in [path for path in folder.rglob("*") if path.is_file() and path not in exam.provenance.files]:
            path.unlink(missing_ok=True)
    return exam
