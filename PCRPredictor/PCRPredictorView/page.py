"""The page: its sections, and how it is laid out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.prediction import RESEARCH_USE_ONLY
from PCRPredictorLib.reading.sources import Source
from PCRPredictorLib.response.bundle import bundled_responses
from PCRPredictorLib.session.course.analysis import Analysis
from PCRPredictorLib.session.course.comparison import Comparison
from PCRPredictorLib.session.course.follow_up import FollowUp
from PCRPredictorLib.session.pacs.finding import StudySearch
from PCRPredictorLib.session.pacs.place import PacsPlace
from PCRPredictorLib.session.pacs.storing import StoreResult
from PCRPredictorLib.session.session import Session
from trame.ui.vuetify3 import VAppLayout
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState
from trame_slicer.core import SlicerApp
from vtkmodules.vtkCommonCore import vtkLogger, vtkOutputWindow

from .downloads import NAMES, Downloads
from .page_scene import PageScene
from .sections.exam import ExamSection
from .sections.follow_up import FollowUpSection
from .sections.model import ModelSection
from .sections.overlay import OverlaySection
from .sections.pacs import SearchSection, StoreSection
from .sections.patient import PatientSection
from .sections.reading import ReadingSection
from .sections.result import ResultSection
from .sections.tumour import TumourSection
from .serving.uploads import uploaded_mask, uploaded_visit
from .views import Views
from .work import Work

_ON_TOP = (  # of what is scrolled
    "position: sticky; top: 0; z-index: 2; background: rgb(var(--v-theme-surface)); max-height: 45vh; overflow-y: auto"
)
_COVER = (  # of the views, while they show a different exam than is opened
    "position: absolute; inset: 0; z-index: 3; display: grid; place-items: center; background: black; color: white"
)
_WITHOUT_EXAM = ("Exam", "From PACS", "Follow-up")  # sections that need no open exam
_WAITING = "Working on what was clicked or drawn; it will be shown."  # while the server has not answered
_LOST = "The last stroke or click did not arrive; repeat it."
_UNPLACED = (
    "The file does not place the exam in the patient (its grid is centred on zero): the letters at the edges of the "
    "views, positions and sides may be wrong."
)
_PANEL = "panel_shown"  # client-side only; None: the window's width decides
_NARROW = 900  # pixels of a window, below which the panel lies over the views and is folded at first
_ICON = (  # a disc with a bright spot, as attention
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='7.5' "
    "fill='rgb(60,60,60)'/><circle cx='9' cy='7' r='3.5' fill='rgb(250,160,30)'/></svg>"
)


class Section(Protocol):
    """A part of the page."""

    def refresh(self) -> None:
        """Show what the session holds."""

    def build(self, busy: str) -> None:
        """Write the section's part of the page; `busy` is the JavaScript expression for why its buttons are off."""


@dataclass
class PageState:
    """What is running, what went wrong, what was done, and why nothing can be done yet, each "" if nothing.

    Args:
        opening: title of the exam that is being read.
        preparing: what is written for a download, in words.
    """

    busy: str = ""
    opening: str = ""
    preparing: str = ""
    problem: str = ""
    message: str = ""
    closed: str = ""


class Page:
    """Everything that one browser sees.

    Args:
        server: trame's, not started yet.
        sources: exams in the list; the first one is opened by `begin`.
        model: name or folder of the model that is chosen first.
        folder: of the page's own, for results.
        pacs: file with the configuration of a PACS, None without one.
    """

    def __init__(
        self, server: Server, sources: Sequence[Source], model: str, folder: Path, pacs: Path | None = None
    ) -> None:
        self._server = server
        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)  # it warns about files missing from the wheel
        slicer = SlicerApp()
        vtkOutputWindow.GetInstance().SetDisplayModeToNever()
        self.state = TypedState(server.state, PageState)
        self.work = Work(server, lambda sentence: self.session.activity.report_problem(sentence))
        self._scene = scene = PageScene(slicer)
        self.session = Session(scene, self.work)
        scene.on_edit = self.session.update
        views = Views(server, self.work, slicer, scene)
        self.exams = ExamSection(server, self.work, self.session, sources)
        self._result = ResultSection(server, self.work, self.session)
        self._tumour = TumourSection(server, self.work, self.session, scene, views)
        analysis = Analysis(FollowUp(self.session, scene))
        comparison = Comparison(analysis, views.visits)
        self._follow_up = FollowUpSection(server, self.work, analysis, comparison, bundled_responses())
        views.visits.on_show.append(self._tumour.release)  # a stroke would be in the baseline's space
        tool = self._tumour.state.name.tool
        self.work.watch(self._tumour.state, {tool: lambda chosen: self._leave_visits(chosen, comparison)})
        search, store = self._make_pacs(server, pacs, folder)
        self._sections: dict[str, Section] = {
            "Exam": self.exams,
            **search,
            "Tumour": self._tumour,
            "Patient": PatientSection(server, self.work, self.session),
            "Model": ModelSection(server, self.work, self.session, model),
            "Result": self._result,
            **store,
            "Overlay": OverlaySection(server, self.work, self.session, scene, views),
            "Reading": ReadingSection(server, self.session, scene, views),
            "Follow-up": self._follow_up,
        }
        self._downloads = Downloads(self.work, self.session, analysis, folder)
        self.session.activity.on_problem.append(self._show_problem)
        self.session.activity.on_change.append(self._refresh)
        self._refresh()
        self._build(views)

    def _make_pacs(
        self, server: Server, file: Path | None, folder: Path
    ) -> tuple[dict[str, Section], dict[str, Section]]:
        """Return the sections of a PACS by heading, those before and after the result; none without a PACS."""
        if file is None:
            return {}, {}
        self.exams.state.data.bring = False  # the form would push the search out of sight
        place = PacsPlace(self.session.activity, file)
        search = StudySearch(self.session, place, folder / "pacs")
        found = SearchSection(server, self.work, self.session, place, search)
        return {"From PACS": found}, {"Store result": StoreSection(server, StoreResult(self.session, place))}

    def begin(self) -> None:
        """Open the first exam, if there is one."""
        self.exams.list.open(0)

    def open_upload(self, folder: Path) -> None:
        """Open what a browser sent, an exam or the mask of the open one; return at once."""
        with self._server.state:
            if uploaded_visit(folder):
                self.exams.receive(False)
                self._follow_up.open_upload(folder)
            elif uploaded_mask(folder) is None:
                self.exams.open_upload(folder)
            else:
                self.exams.receive(False)
                self._tumour.open_mask(folder)

    async def write_result(self, name: str) -> None:
        """Write a file to be downloaded, see `Downloads.write`; what prevents it is reported on the page, too."""
        activity = self.session.activity
        with self._server.state:
            self.state.data.preparing = f"Preparing the download: {NAMES[name]}"
        try:
            size = await self._downloads.write(name)
        except DataError as error:
            with self._server.state:
                activity.report_problem(str(error))
            raise
        finally:
            with self._server.state:
                self.state.data.preparing = ""
        with self._server.state:
            activity.message = f"Ready: {NAMES[name]}, {size / 1e6:.1f} MB; your browser downloads it."
            activity.emit()

    def begin_upload(self) -> None:
        """Note that a browser has begun to send an exam."""
        with self._server.state:
            self.session.activity.forget_problem()
            self.exams.receive(True)

    def refuse_upload(self, problem: str) -> None:
        """Report why what a browser sent was refused."""
        with self._server.state:
            self.exams.receive(False)
            self.session.activity.report_problem(problem)

    @staticmethod
    def _leave_visits(tool: str, comparison: Comparison) -> None:
        """Return to the views of the open exam when a tool is taken."""
        if tool != "look":
            comparison.hide()

    def _refresh(self) -> None:
        with self._server.state:
            self.state.data.busy, self.state.data.message = self.session.activity.doing, self.session.activity.message
            self.state.data.opening = self.session.activity.opening
            self.state.data.closed = "" if self._scene.is_open else "Open an exam first."
            for section in self._sections.values():
                section.refresh()
            if self._scene.is_open and not self._scene.is_placed:
                self.exams.state.data.notes += f"<p>{_UNPLACED}</p>"

    def _show_problem(self, sentence: str) -> None:
        with self._server.state:
            self.state.data.problem = sentence

    def _build(self, views: Views) -> None:
        state = self._server.state
        state.trame__title = "BreastPCR"
        state.trame__favicon = _ICON
        with VAppLayout(self._server) as layout:
            layout.root.theme = "dark"
            self._build_bar()
            drawer = {"mobile_breakpoint": (f"{_NARROW}",), "width": 400, "style": "max-width: 92vw"}
            with v3.VNavigationDrawer(v_model=(_PANEL, None), **drawer), html.Div(classes="pa-3", id="panel"):
                self._build_status(views)
                name = self.state.name
                for heading, section in self._sections.items():
                    html.Div(heading, classes="text-subtitle-1 font-weight-bold mt-3 mb-1")
                    off = self.state.name.busy if heading in _WITHOUT_EXAM else f"({name.busy} || {name.closed})"
                    section.build(off)
            with v3.VMain(), html.Div(style="position: relative; height: calc(100dvh - 48px);", id="views"):
                views.build(layout)
                late, name = views.state.name.is_late, self.state.name.opening
                text = f"Loading {{{{ {name} || {self.exams.state.name.title} }}}} ..."
                html.Div(
                    text, v_show=(f"{name} || {late}",), style=_COVER, id="cover", raw_attrs=[f':data-late="{late}"']
                )

    def _build_bar(self) -> None:
        with v3.VAppBar(density="compact"):
            v3.VAppBarNavIcon(click=f"{_PANEL} = !{_PANEL}", title="Show or hide the panel", id="fold")
            with html.Div(style="line-height: 1.1; min-width: 0", classes="mx-2"):
                with html.Div(classes="d-flex align-baseline"):
                    html.Span("BreastPCR", classes="text-subtitle-1 font-weight-bold mr-3", style="line-height: 1.1")
                    html.Span(f"{{{{ {self.exams.state.name.title} }}}}", classes="text-truncate", id="title")
                html.Div(RESEARCH_USE_ONLY, style="font-size: 0.7rem", id="research")
            progress = {"indeterminate": True, "absolute": True, "location": "bottom", "color": "primary"}
            v3.VProgressLinear(v_if=(f"{self.state.name.busy} || {self.state.name.preparing}",), id="busy", **progress)

    def _build_status(self, views: Views) -> None:
        name = self.state.name
        with html.Div(style=_ON_TOP):
            idle = f"{name.preparing} || ({views.state.name.is_late} || {name.opening} ? 'Drawing the exam' : 'Ready.')"
            doing = f"{name.busy} || ({self.exams.state.name.sending} ? 'Receiving the exam' : {idle})"
            done = f"{name.message} && !{name.busy} && !{name.preparing} && !{name.problem}"
            with html.Div(classes="d-flex text-caption"):
                html.Div(f"{{{{ {doing} }}}}", v_show=(f"!({done})",), id="status")
                html.Div(f"{{{{ {name.message} }}}}", v_if=(done,), id="message")
                html.Div(classes="ml-2 text-medium-emphasis", id="elapsed")
            html.Div(_WAITING, classes="text-caption", id="waiting-for")
            html.Div(_LOST, classes="text-caption text-error", id="lost")
            is_idle = f"{name.closed} && !{name.busy} && !{self.exams.state.name.sending}"
            html.Div(f"{{{{ {name.closed} }}}}", v_if=(is_idle,), classes="text-caption", id="closed")
            alert = {"type": "error", "density": "compact", "closable": True, "id": "problem"}
            alert |= {"classes": "my-2 text-caption", "style": "overflow-wrap: anywhere"}
            close = f"{name.problem} = ''"
            v3.VAlert(v_if=(name.problem,), text=(name.problem,), click_close=close, **alert)
            self._tumour.build_question()
            self._result.build_headline()
            question = self._follow_up.state.name.question
            text = "Several studies were found: choose the visit of each under Follow-up."
            asked = f"{question}.length > 0 && {name.message} !== '{text}'"
            html.Div(text, v_if=(asked,), classes="text-caption text-info", id="several-studies")
