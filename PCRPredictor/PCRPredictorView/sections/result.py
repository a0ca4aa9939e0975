"""The section "Result": the prediction in words, the decision at an operating point, downloads."""

from __future__ import annotations

from dataclasses import dataclass, field

from PCRPredictorLib.prediction import RESEARCH_USE_ONLY
from PCRPredictorLib.session.result import ResultWords
from PCRPredictorLib.session.session import Session
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from ..work import Work
from .fields import COMPACT, NAMED, checkbox


@dataclass
class ResultState:
    """Beside the words of the result.

    Args:
        points: names of the model's operating points.
        point: the chosen one.
        stale: a sentence if the result is not of what the page shows, else "".
        lesions: number and line of each of several lesions.
        lesion: number of the one that is shown.
        is_from_dicom: true if the result can be written as DICOM.
        named: True if reports name the patient.
    """

    has_result: bool = False
    is_from_dicom: bool = False
    points: list[str] = field(default_factory=list)
    point: str = ""
    stale: str = ""
    lesions: list[dict[str, object]] = field(default_factory=list)
    lesion: int = 0
    named: bool = False


class ResultSection:
    """Show the result, and choose the operating point."""

    def __init__(self, server: Server, work: Work, session: Session) -> None:
        self._session = session
        self.state, self.words = TypedState(server.state, ResultState), TypedState(server.state, ResultWords)
        name = self.state.name
        work.watch(self.state, {name.point: self._choose, name.lesion: self._show_lesion, name.named: self._name})

    def refresh(self) -> None:
        """Show what the session holds."""
        session, data = self._session, self.state.data
        data.has_result, data.stale = session.result is not None, session.stale
        data.is_from_dicom = session.result is not None and session.result.is_from_dicom
        data.points = [point.name for point in session.model.points]
        data.point = session.model.point.name if session.model.point is not None else ""
        data.lesions = [{"number": n, "line": line} for n, line in enumerate(session.words.lesions)]
        data.lesion = session.result.shown if session.result is not None else 0
        self.words.set_dataclass(session.words)

    def _choose(self, name: str) -> None:
        point = self._session.model.point
        if point is not None and name != point.name:
            self._session.choose_point(name)

    def _name(self, named: bool) -> None:
        self._session.named = bool(named)

    def _show_lesion(self, number: int) -> None:
        if self._session.result is not None and number != self._session.result.shown:
            self._session.show_lesion(number)

    def build_headline(self) -> None:
        """Write what stays in sight while the panel is scrolled."""
        name, words = self.state.name, self.words.name
        with html.Div(v_if=(name.has_result,), classes="mb-1", id="headline"):
            html.Div(f"{{{{ {name.stale} }}}}", v_if=(name.stale,), classes="text-warning", id="stale")
            html.Div(v_html=(words.headline,), style="line-height: 1.3", id="probability")
            html.Div(f"{{{{ {words.doubt} }}}}", v_if=(words.doubt,), classes="text-caption text-warning", id="doubt")

    def build(self, busy: str) -> None:
        """Write the section's part of the page."""
        name, words = self.state.name, self.words.name
        html.Div(f"{{{{ {words.probability} }}}}", v_if=(f"!{name.has_result}",), classes="text-caption")
        with html.Div(v_if=(name.has_result,), id="result"):
            lesions = {"items": (name.lesions,), "item_title": "line", "item_value": "number", "id": "shown-lesion"}
            with html.Div(v_if=(f"{name.lesions}.length",), classes="my-1"):
                v3.VSelect(v_model=(name.lesion,), label="Lesion", **lesions, **COMPACT)
            point = {"v_model": (name.point,), "items": (name.points,), "id": "point"}
            v3.VSelect(label="Operating point", classes="my-1", **point, **COMPACT)
            html.Div(f"{{{{ {words.decision} }}}}", v_if=(words.decision,), classes="text-body-2", id="decision")
            html.Div(f"{{{{ {words.range} }}}}", classes="text-caption", id="range")
            html.Div(v_html=(words.others,), v_if=(words.others,), classes="text-caption pl-4", id="warnings")
            html.Div(f"{{{{ {words.model} }}}}", classes="text-caption", id="model-facts")
            html.Div(v_html=(words.evidence,), v_if=(words.evidence,), classes="my-2", id="evidence")
            matter = {"click": self._session.intervene, "disabled": (f"!!{busy}",), "id": "matter"}
            tip = "Erase the tumour, an equal patch elsewhere, and swap the background"
            v3.VBtn("Does the picture matter?", size="small", variant="text", title=tip, **matter)
            html.Div(f"{{{{ {words.matters} }}}}", v_if=(words.matters,), classes="text-caption", id="matters")
            html.Div(f"{{{{ {words.image_alone} }}}}", classes="text-caption")
            html.Div(f"{{{{ {words.attention} }}}}", classes="text-caption", id="attention")
            html.Div(f"{{{{ {words.measurements} }}}}", classes="text-caption", id="measurements")
            html.Div(f"{{{{ {words.name} }}}}", classes="text-caption", id="result-name")
            html.Div(RESEARCH_USE_ONLY, classes="text-caption font-italic my-1")
            button = "v-btn v-btn--size-small v-btn--variant-tonal mr-2"
            checkbox(name.named, NAMED, "named")
            for text, file, key in (("Report", "report.html", "report"), ("All files", "result.zip", "files")):
                html.A(text, href=file, download=f"pcr-{file}", classes=button, id=key)
            tip = "For a PACS: tumour as Segmentation, attention as Parametric Map, numbers as Structured Report"
            more = {"download": "pcr-dicom.zip", "classes": button, "title": tip, "id": "as-dicom"}
            html.A("As DICOM", href="dicom.zip", v_if=(name.is_from_dicom,), **more)
