"""The page: its sections, what happens when, and how it is laid out."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.outputs import write_prediction
from PCRPredictorLib.prediction import RESEARCH_USE_ONLY, Prediction
from PCRPredictorLib.reading.sources import Source
from trame.ui.vuetify3 import VAppLayout
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_slicer.core import SlicerApp
from vtkmodules.vtkCommonCore import vtkLogger, vtkOutputWindow

from .exam_scene import ExamScene
from .exam_section import ExamSection
from .overlay_section import OverlaySection
from .prediction_section import PredictionSection
from .tumour_section import TumourSection
from .views import Views
from .work import Work

_ON_TOP = "position: sticky; top: 0; z-index: 2; background: rgb(var(--v-theme-surface))"  # of what is scrolled
_PANEL = "panel_shown"  # state of the browser's alone; None is what suits the window
_NARROW = 900  # pixels of a window, below which the panel lies over the views and is folded at first
_ICON = (  # a disc with a bright spot, as attention
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='7.5' "
    "fill='rgb(60,60,60)'/><circle cx='9' cy='7' r='3.5' fill='rgb(250,160,30)'/></svg>"
)


class Page:
    """Everything that one browser sees.

    Args:
        server: trame's, not started yet.
        entries: exams in the list; the first one is opened by `begin`.
        model: name or folder of the model that is chosen first.
        folder: of the page's own, for results.
    """

    def __init__(self, server: Server, entries: Sequence[Source], model: str, folder: Path) -> None:
        self._server, self._entries, self._folder = server, entries, folder
        self._written: Prediction | None = None  # whose files are in the folder
        self._writing = asyncio.Lock()
        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)  # it speaks of files that the wheel lacks
        slicer = SlicerApp()
        vtkOutputWindow.GetInstance().SetDisplayModeToNever()
        self.work = Work(server)
        self.scene = ExamScene(slicer, self._on_edit)
        self.views = Views(server, self.work, slicer, self.scene)
        self.tumour = TumourSection(server, self.work, self.scene, self.views)
        self.overlay = OverlaySection(server, self.work, slicer, self.scene, self.views)
        self.prediction = PredictionSection(server, self.work, self.scene, model, self._on_predicted)
        self.exams = ExamSection(server, self.work, entries, self._on_opened, self.prediction.predictor)
        chosen = self.prediction.state
        self.work.watch(chosen, {chosen.name.model: self._on_model})
        self._build()

    def begin(self) -> None:
        """Open the first exam."""
        if self._entries:
            self.work.begin(self.exams.open(0))

    def open_upload(self, folder: Path) -> None:
        """Open what a browser sent; returns at once."""
        self.work.begin(self.exams.open_upload(folder))

    def receiving(self) -> None:
        """A browser has begun to send an exam."""
        self.work.forget_problem()
        self.exams.receive(True)

    def complain(self, problem: str) -> None:
        """Say why what a browser sent was refused."""
        self.exams.receive(False)
        self.work.complain(problem)

    async def write_result(self, name: str) -> None:
        """Put the report, or an archive of every file of the result, into the page's folder.

        Raises:
            DataError: if there is no result, or it cannot be written.
        """
        async with self._writing:
            if self.prediction.result is None:
                raise DataError("there is no result to write; predict first")
            exam, prediction, _bundle = self.prediction.result
            if self._written is not prediction or not (self._folder / name).is_file():
                await self.work.share(partial(_write, exam, prediction, self._folder))
                self._written = prediction

    def _on_opened(self, exam: Exam) -> None:
        self.scene.open(exam)
        self.prediction.begin(exam)
        self.tumour.begin()
        self.overlay.begin()

    def _on_model(self, _model: str) -> None:
        """Another model was chosen: what the list and the views show is not its word."""
        self.exams.forget_results()
        self.scene.forget_prediction()
        self.overlay.forget()

    def _on_edit(self) -> None:
        before = self.tumour.state.data.volume
        with self._server.state:
            self.tumour.update()
            self.prediction.update()
        if self.tumour.state.data.volume != before:  # the last word of a stroke may come after a click on Predict
            self.work.forget_problem()

    def _on_predicted(self, prediction: Prediction) -> None:
        self.overlay.show(prediction)
        self.exams.note(self.exams.state.data.chosen, f"{prediction.probability:.0%}")

    def _build(self) -> None:
        state = self._server.state
        state.trame__title = "BreastPCR"
        state.trame__favicon = _ICON
        work, title = self.work.state.name, self.exams.state.name.title
        with VAppLayout(self._server) as layout:
            layout.root.theme = "dark"
            with v3.VAppBar(density="compact"):
                v3.VAppBarNavIcon(click=f"{_PANEL} = !{_PANEL}", title="Show or hide the panel", id="fold")
                with html.Div(style="line-height: 1.1; min-width: 0", classes="mx-2"):
                    with html.Div(classes="d-flex align-baseline"):
                        html.Span(
                            "BreastPCR", classes="text-subtitle-1 font-weight-bold mr-3", style="line-height: 1.1"
                        )
                        html.Span(f"{{{{ {title} }}}}", classes="text-truncate", id="title")
                    html.Div(RESEARCH_USE_ONLY, style="font-size: 0.7rem", id="research")
                v3.VProgressLinear(
                    v_if=(work.busy,), indeterminate=True, absolute=True, location="bottom", color="primary", id="busy"
                )
            with (
                v3.VNavigationDrawer(
                    v_model=(_PANEL, None), mobile_breakpoint=(f"{_NARROW}",), width=400, style="max-width: 92vw"
                ),
                html.Div(classes="pa-3", id="panel"),
            ):
                with html.Div(style=_ON_TOP):
                    doing = f"{work.busy} || ({self.exams.state.name.sending} ? 'Receiving the exam' : 'Ready.')"
                    html.Div(f"{{{{ {doing} }}}}", classes="text-caption", id="status")
                    v3.VAlert(
                        v_if=(work.problem,),
                        text=(work.problem,),
                        type="error",
                        density="compact",
                        closable=True,
                        click_close=f"{work.problem} = ''",
                        classes="my-2",
                        id="problem",
                    )
                for heading, build in (
                    ("Exam", self.exams.build),
                    ("Tumour", self.tumour.build),
                    ("Patient", self.prediction.build_patient),
                    ("Model", self.prediction.build_model),
                    ("Result", self.prediction.build_result),
                    ("Views", self.overlay.build),
                ):
                    html.Div(heading, classes="text-subtitle-1 font-weight-bold mt-3 mb-1")
                    build()
            with v3.VMain(), html.Div(style="height: calc(100dvh - 48px);", id="views"):
                self.views.build(layout)


def _write(exam: Exam, prediction: Prediction, folder: Path) -> None:
    """The files of `pcr predict`, the report apart, and all of them packed; a browser may still be reading the last."""
    result, packed, report = folder / "result", folder / "result.zip.new", folder / "report.html.new"
    write_prediction(exam, prediction, result, scene=False)
    stored = zipfile.ZIP_STORED  # pictures and gzip are packed already
    with zipfile.ZipFile(packed, "w", stored) as archive:
        for path in sorted(result.iterdir()):
            archive.write(path, f"pcr-result/{path.name}")
    report.write_bytes((result / "report.html").read_bytes())
    for path in (packed, report):
        path.replace(path.with_suffix(""))
