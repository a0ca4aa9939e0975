"""The section "Follow-up": the visits of one patient, what was measured, how it changed, and the probability."""

from __future__ import annotations

import base64
import shutil
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from PCRPredictorLib.response.course import VISITS
from PCRPredictorLib.session.course.analysis import Analysis
from PCRPredictorLib.session.course.comparison import Comparison
from PCRPredictorLib.session.course.rows import rows_of
from PCRPredictorLib.session.course.words import describe_answer
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from ..serving.uploads import uploaded_visit
from ..serving.visit_uploads import uploaded_studies
from ..work import Work
from .fields import COMPACT, NAMED, checkbox
from .result import ResultState
from .visit_list import VisitList

_NO_DICOM = "'Without DICOM objects: not every visit comes from DICOM files.'"
_BUTTON = "v-btn v-btn--size-small v-btn--variant-tonal"


@dataclass
class FollowUpState:
    """What the section shows.

    Args:
        rows: as `rows.VisitRow`.
        visit: that is added next.
        question: titles of several studies.
        remark: about the place they were found in.
        answers: the visit of each, "" for none.
        text: what follows from the visits, rich text.
        chart: as the address of a picture.
        reason: why nothing can be predicted.
        unmeasurable: why nothing can be measured.
        models: names of the response models.
        points: names of the operating points.
        compared: visits that can be shown beside the first one.
    """

    rows: list[dict[str, object]] = field(default_factory=list)
    visit: str = VISITS[0]
    question: list[str] = field(default_factory=list)
    remark: str = ""
    answers: list[str] = field(default_factory=list)
    text: str = ""
    chart: str = ""
    reason: str = ""
    unmeasurable: str = ""
    models: list[str] = field(default_factory=list)
    model: str = ""
    points: list[str] = field(default_factory=list)
    point: str = ""
    one_patient: bool = False
    can_save: bool = False
    is_from_dicom: bool = False
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
        self._named = TypedState(server.state, ResultState).name.named  # one tick for all reports
        name = self.state.name
        self._list = VisitList(self._visits, name, self._choose_answer)
        self.state.data.models, self.state.data.model = list(models), next(iter(models), "")
        if models:
            analysis.choose_model(next(iter(models.values())))
        work.watch(
            self.state,
            {
                name.model: lambda chosen: analysis.choose_model(models.get(chosen)),
                name.point: self._choose_point,
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
            data.remark = visits.question[0].remark if visits.question else ""
            data.question, data.answers = titles, [study.visit for study in visits.question]
        data.text, data.can_save = describe_answer(self._analysis), self._analysis.can_save
        data.is_from_dicom = self._analysis.is_from_dicom
        is_idle = bool(visits.entries) and not visits.session.activity.doing
        data.reason = (self._analysis.problem(with_model=True) or "") if is_idle else ""
        data.unmeasurable = (self._analysis.problem() or "") if is_idle else ""
        data.points, data.point = self._analysis.points, self._analysis.point
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
        self._visits.ask(partial(uploaded_studies, folder, visit))

    def _change(self, **values: object) -> None:
        """Change the comparison, unless the page only shows what it is already."""
        shown = {"visit": self._comparison.visit}
        now = asdict(self._comparison.settings) | shown
        if any(now[name] != value for name, value in values.items()):
            self._comparison.change(**values)

    def _choose_point(self, name: str) -> None:
        if name and name != self._analysis.point:
            self._analysis.choose_point(name)

    def _choose_answer(self, number: int, visit: str) -> None:
        answers = list(self.state.data.answers)
        answers[number] = visit
        self.state.data.answers = answers

    def _answer(self, is_read: bool) -> None:
        self._visits.answer(self.state.data.answers if is_read else ())

    def build(self, busy: str) -> None:
        """Write the section's part of the page."""
        name, off = self.state.name, f"!!{busy}"
        html.Div("Exams of one patient before and during treatment.", classes="text-caption", id="follow-hint")
        self._list.build(off, partial(self._answer, True), partial(self._answer, False))
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

    def _build_result(self) -> None:
        name = self.state.name
        html.Div(v_html=(name.text,), v_if=(name.text,), classes="text-caption my-2", id="follow-text")
        point = {"v_model": (name.point,), "items": (name.points,), "id": "follow-point"}
        with html.Div(v_if=(f"{name.points}.length > 0",)):
            v3.VSelect(label="Operating point", classes="my-1", **point, **COMPACT)
        html.Img(
            v_if=(name.chart,), src=(name.chart,), style="width: 100%", alt="Chart over the visits", id="follow-chart"
        )
        with html.Div(v_if=(name.can_save,), classes="my-1"):
            checkbox(self._named, NAMED, "follow-named")
            for text, file, key in (
                ("Report", "follow.html", "follow-report"),
                ("All files", "follow.zip", "follow-all"),
            ):
                html.A(text, href=file, download=f"pcr-{file}", classes=f"{_BUTTON} mr-2", id=key)
            words = f"{name.is_from_dicom} ? 'All files include DICOM objects.' : {_NO_DICOM}"
            html.Div(f"{{{{ {words} }}}}", classes="text-caption", id="follow-dicom")

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
