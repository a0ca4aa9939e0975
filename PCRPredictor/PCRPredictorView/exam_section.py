"""The exams to choose from, with their probabilities, and a form to bring another."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from PCRPredictorLib.checks import check_exam
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.prediction import Prediction
from PCRPredictorLib.reading.sources import Source
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from .serving.uploads import UPLOADED, uploaded_entry
from .work import TOO_LARGE, Work

Predict = Callable[[Exam], Prediction]
_FEW = 8  # entries that are shown without a field to search in


@dataclass
class ExamState:
    """The list.

    Args:
        title: of the exam that is open.
        rows: name, probability in words or "", and why there is none, an entry each.
        chosen: number of the row that is open, -1 for an uploaded exam.
        search: part of a name.
        predicting_all: whether the list is being predicted.
        bring: whether the form for another exam is shown.
        sending: whether one is being received from the browser.
    """

    title: str = ""
    rows: list[dict[str, str]] = field(default_factory=list)
    chosen: int = -1
    search: str = ""
    predicting_all: bool = False
    bring: bool = False
    sending: bool = False


class ExamSection:
    """Opens exams.

    Args:
        server: of the page.
        work: where they are read.
        entries: of the list.
        opened: called with each exam that was read.
        predictor: gives what predicts, or raises DataError.
    """

    def __init__(
        self,
        server: Server,
        work: Work,
        entries: Sequence[Source],
        opened: Callable[[Exam], None],
        predictor: Callable[[], Predict],
    ) -> None:
        self._server, self._work, self._entries = server, work, entries
        self._opened, self._predictor = opened, predictor
        self._round = 0  # of predicting the list
        self._uploads = 0
        self.state = TypedState(server.state, ExamState)
        self.state.data.rows = [{"name": entry.name, "probability": "", "problem": ""} for entry in entries]
        self.state.data.bring = not entries

    async def open(self, number: int) -> None:
        """Open an entry of the list; nothing else that a browser may name."""
        if not isinstance(number, int) or not 0 <= number < len(self._entries):
            return
        if await self._open(self._entries[number]):
            with self._server.state:
                self.state.data.chosen = number

    async def open_upload(self, folder: Path) -> None:
        """Open what a browser sent; its files are deleted, read or not."""
        self._uploads += 1
        with self._server.state:
            self.state.data.sending = False
        try:
            if await self._open(uploaded_entry(folder, f"uploaded exam {self._uploads}"), folder):
                with self._server.state:
                    self.state.data.chosen, self.state.data.bring = -1, False
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def receive(self, sending: bool) -> None:
        """The browser has begun to send an exam, or what it sent was refused."""
        with self._server.state:
            self.state.data.sending = sending

    async def predict_all(self) -> None:
        """Predict one entry after the other; a second click stops it."""
        self._round += 1  # a loop that is still going on notices
        if self.state.data.predicting_all:
            self.state.data.predicting_all = False
            return
        try:
            predict = self._predictor()
        except DataError as error:
            self._work.complain(str(error))
            return
        self._work.forget_problem()
        with self._server.state:
            self.state.data.predicting_all = True
        this_round = self._round
        try:
            for number, entry in enumerate(self._entries):
                if not self.state.data.rows[number]["probability"]:
                    found = await self._work.share(partial(_predict, entry, predict))
                    if self._round != this_round:
                        return
                    self.note(number, **found)
        finally:
            if self._round == this_round:
                with self._server.state:
                    self.state.data.predicting_all = False

    def note(self, number: int, probability: str = "", problem: str = "") -> None:
        """Put a result into the list."""
        if number < 0:
            return
        with self._server.state:
            rows = list(self.state.data.rows)
            rows[number] = {**rows[number], "probability": probability, "problem": problem}
            self.state.data.rows = rows

    def forget_results(self) -> None:
        """Another model was chosen: what is in the list is not its word."""
        self._round += 1
        self.state.data.predicting_all = False
        self.state.data.rows = [{**row, "probability": "", "problem": ""} for row in self.state.data.rows]

    async def _open(self, entry: Source, uploaded: Path | None = None) -> bool:
        if self._work.is_busy:
            self._work.complain("wait until this page is ready, then open the exam again")
            return False
        found = await self._work.run("Reading the exam", partial(_read, entry, uploaded))
        if found is None:
            return False
        exam, doubt = found
        with self._server.state:
            self.state.data.title = entry.name
            self._opened(exam)
        if doubt:
            self._work.complain(doubt)
        return True

    def build(self) -> None:
        """The section's part of the page."""
        name = self.state.name
        with html.Div(v_if=(f"{name.rows}.length > 1",), classes="mb-2"):
            with html.Div(classes="d-flex align-center"):
                v3.VTextField(
                    v_if=(f"{name.rows}.length > {_FEW}",),
                    v_model=(name.search,),
                    label="Search",
                    density="compact",
                    hide_details=True,
                    classes="mr-2",
                )
                v3.VBtn(
                    f"{{{{ {name.predicting_all} ? 'Stop' : 'Predict all' }}}}",
                    click=self.predict_all,
                    size="small",
                    id="predict-all",
                )
            with (
                v3.VList(density="compact", max_height=220, classes="overflow-y-auto", id="exams"),
                v3.VListItem(
                    v_for=f"(row, number) in {name.rows}",
                    key="number",
                    v_show=(f"row.name.toLowerCase().includes({name.search}.toLowerCase())",),
                    active=(f"number === {name.chosen}",),
                    title=("row.name",),
                    subtitle=("row.problem",),
                    click=(self.open, "[number]"),
                ),
                v3.Template(v_slot_append=True),
            ):
                html.Span("{{ row.probability }}")
        v3.VBtn("Another exam ...", click=f"{name.bring} = !{name.bring}", size="small", variant="text", id="bring")
        with html.Div(v_show=(name.bring,)):
            self._build_form()

    def _build_form(self) -> None:
        """Sent by the browser itself, into a frame that nobody sees; what is wrong comes back over the page."""
        busy = self._work.state.name.busy
        with html.Form(
            action="upload",
            method="post",
            enctype="multipart/form-data",
            target="sent",
            id="upload",
        ):
            for field_name, label in (
                ("pre", "Pre-contrast"),
                ("early", "Early phase"),
                ("late", "Late phase"),
                ("mask", "Tumour, if segmented"),
            ):
                html.Label(f"{label}", classes="text-caption d-block")
                accept = ",".join((*UPLOADED, ".gz", *((".dcm",) if field_name == "mask" else ())))
                html.Input(type="file", name=field_name, accept=accept, classes="mb-1", style="width: 100%")
            html.Label("Or a DICOM folder", classes="text-caption d-block")
            html.Input(
                type="file", name="dicom", webkitdirectory=True, multiple=True, classes="mb-2", style="width: 100%"
            )
            html.Button(
                "Open",
                type="submit",
                disabled=(f"!!{busy} || {self.state.name.sending}",),
                classes="v-btn v-btn--size-small v-btn--variant-tonal",
                id="send",
            )
        html.Iframe(name="sent", style="display: none", title="answer to the upload")


def _read(entry: Source, uploaded: Path | None) -> tuple[Exam, str]:
    """The exam, and what of its phases would keep it from being predicted, "" if nothing.

    What is wrong with an uploaded one is said without the folder that it lies in here.
    """
    try:
        exam = entry.read()
        return exam, _doubt(exam)
    except DataError as error:
        raise DataError(str(error).replace(str(uploaded), "the upload") if uploaded else str(error)) from None


def _doubt(exam: Exam) -> str:
    """What `check_exam` says of phases that show nothing, wherever the tumour may be segmented."""
    widths = [float(phase.max()) - float(phase.min()) for phase in exam.phases]  # not finite if any voxel is
    if all(np.isfinite(width) and width > 0 for width in widths):
        return ""
    try:
        check_exam(replace(exam, mask=np.ones(exam.pre.shape, np.uint8)))
    except DataError as error:
        return str(error)
    return ""


def _predict(entry: Source, predict: Predict) -> dict[str, str]:
    try:
        exam = entry.read()
        if exam.mask is None:
            return {"problem": "open this exam and segment the tumour first"}
        return {"probability": f"{predict(exam).probability:.0%}"}
    except DataError as error:
        return {"problem": str(error)}
    except MemoryError:
        return {"problem": TOO_LARGE}
