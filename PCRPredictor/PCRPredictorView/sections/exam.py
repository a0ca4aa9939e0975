"""The section "Exam": the list to choose from, with probabilities, and a form to send a different one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from html import escape
from pathlib import Path

from PCRPredictorLib.curves.phases import hold_phases
from PCRPredictorLib.dicom.identity import SeveralStudies
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam
from PCRPredictorLib.reading.sources import Source, Sources
from PCRPredictorLib.session.exam_list import ExamList
from PCRPredictorLib.session.session import Session
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from ..serving.uploads import UPLOADED, in_users_words, uploaded_entry
from ..work import Work
from .fields import COMPACT, EXAM_FILES, TEXT_FIELD

_FEW = 8  # exams that are shown without a field to search in
_WORDS = {"label": "Labels of the tumours, if several: 1 2, or all", "pick": "Phases to use, if not by time: 0 1 3"}
_STATE = (  # of a row: what is known beside its name
    "[row.label, row.warnings ? row.warnings + (row.warnings === 1 ? ' warning' : ' warnings') : '', row.state, "
    "row.problem].filter(Boolean).join(' · ')"
)
_DIGITS = "font-variant-numeric: tabular-nums"
_ROW = "display: grid; grid-template-columns: minmax(0, 1fr) auto; column-gap: 12px; line-height: 1.3"


@dataclass
class ExamState:
    """The list.

    Args:
        title: of the exam that is open.
        notes: on its source, rich text.
        rows: as `exam_list.Row`.
        chosen: number of the row that is open, -1 for an uploaded exam.
        search: part of a name.
        left_out: sentences about what of a cohort is not in the list.
        predicting_all: whether the list is being predicted.
        bring: whether the form for a different exam is shown.
        sending: whether one is being received from the browser.
        opened: number of those that were; the form is empty after each.
    """

    title: str = ""
    notes: str = ""
    rows: list[dict[str, object]] = field(default_factory=list)
    chosen: int = -1
    search: str = ""
    left_out: list[str] = field(default_factory=list)
    predicting_all: bool = False
    bring: bool = False
    sending: bool = False
    opened: int = 0


class ExamSection:
    """Choose or send an exam.

    Args:
        sources: of the list.
    """

    def __init__(self, server: Server, work: Work, session: Session, sources: Sequence[Source]) -> None:
        self._session = session
        self._uploads = 0
        self._kept: Path | None = None  # the uploaded DICOM files that results refer to
        self.list = ExamList(sources, session, work)
        self.state = TypedState(server.state, ExamState)
        self.state.data.bring = not sources
        self.state.data.left_out = list(sources.said) if isinstance(sources, Sources) else []

    def refresh(self) -> None:
        """Show what session and list hold."""
        data = self.state.data
        data.title, data.chosen, data.predicting_all = self._session.title, self.list.chosen, self.list.is_predicting
        remark = f"<p>{escape(self.list.remark)}</p>" if self.list.remark else ""
        data.notes = self._session.exam_words.text + remark
        data.rows = [asdict(row) for row in self.list.rows]

    def open_upload(self, folder: Path) -> None:
        """Open what a browser sent; its files are deleted, read or not, but for those that results in DICOM need."""
        self._uploads += 1
        title = f"uploaded exam {self._uploads}"
        self.state.data.sending = False
        if not self._session.open(partial(_read_upload, folder, title), title, partial(self._on_uploaded, folder)):
            shutil.rmtree(folder, ignore_errors=True)

    def receive(self, sending: bool) -> None:
        """Note that the browser has begun to send an exam, or that what it sent was refused."""
        self.state.data.sending = sending

    def _on_uploaded(self, folder: Path) -> None:
        if self._kept is not None:
            shutil.rmtree(self._kept, ignore_errors=True)
        self._kept = folder
        self.state.data.bring = False
        self.state.data.opened += 1
        self._session.activity.emit()

    def build(self, busy: str) -> None:
        """Write the section's part of the page."""
        name = self.state.name
        with html.Div(v_if=(f"{name.rows}.length > 1",), classes="mb-2"):
            with html.Div(classes="d-flex align-center"):
                search = {"v_if": (f"{name.rows}.length > {_FEW}",), "v_model": (name.search,), "classes": "mr-2"}
                v3.VTextField(label="Search", **search, **COMPACT)
                text = f"{{{{ {name.predicting_all} ? 'Stop' : 'Predict all' }}}}"
                v3.VBtn(text, click=self.list.predict_all, size="small", id="predict-all")
            with (
                v3.VList(density="compact", max_height=220, classes="overflow-y-auto", id="exams"),
                v3.VListItem(
                    v_for=f"(row, number) in {name.rows}",
                    key="number",
                    v_show=(f"row.name.toLowerCase().includes({name.search}.toLowerCase())",),
                    active=(f"number === {name.chosen}",),
                    click=(self.list.open, "[number]"),
                ),
                html.Div(style=_ROW),
            ):
                html.Span("{{ row.name }}", classes="name text-truncate", title=("row.name",))
                html.Span("{{ row.probability }}", classes="probability text-right", style=_DIGITS)
                state = {"classes": "state text-caption text-medium-emphasis", "style": "grid-column: 1 / -1"}
                html.Span(f"{{{{ {_STATE} }}}}", **state)
        said = {"v_for": f"said in {name.left_out}", "key": "said", "classes": "left-out text-caption text-warning"}
        html.Div("{{ said }}", **said)
        html.Div(v_html=(name.notes,), v_if=(name.notes,), classes="text-caption pl-4 mb-2", id="exam-notes")
        v3.VBtn("Another exam ...", click=f"{name.bring} = !{name.bring}", size="small", variant="text", id="bring")
        with html.Div(v_show=(name.bring,)):
            self._build_form(f"!!{busy} || {name.sending}")

    def _build_form(self, off: str) -> None:
        """Write the form. The browser sends it into a hidden frame; an answer comes back over the page."""
        name = self.state.name
        form = {"action": "upload", "method": "post", "enctype": "multipart/form-data", "target": "sent"}
        with html.Form(id="upload", key=(name.opened,), **form):
            html.Label("A DICOM folder", classes="text-caption d-block")
            many = {"webkitdirectory": True, "multiple": True}
            html.Input(type="file", name="dicom", classes="mb-2", style="width: 100%", **many)
            html.Div("Or files", classes="text-caption font-weight-bold")
            for field_name, label in EXAM_FILES.items():
                html.Label(label, classes="text-caption d-block")
                accept = ",".join((*UPLOADED, ".gz", *((".dcm",) if field_name == "mask" else ())))
                html.Input(type="file", name=field_name, accept=accept, classes="mb-1", style="width: 100%")
            for field_name, label in _WORDS.items():
                html.Label(label, classes="text-caption d-block")
                html.Input(type="text", name=field_name, classes="mb-1", style=TEXT_FIELD, maxlength=100)
            button = "v-btn v-btn--size-small v-btn--variant-tonal"
            html.Button("Open", type="submit", disabled=(off,), classes=button, id="send")
        html.Iframe(name="sent", style="display: none", title="answer to the upload")


def _read_upload(folder: Path, title: str) -> Exam:
    """Return the exam in a folder and delete its files, except the DICOM headers that results refer to.

    An error is reported without the folder's name.
    """
    try:
        exam = hold_phases(uploaded_entry(folder, title).read())
    except SeveralStudies:  # asked about; the files are still needed
        raise
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, DataError):
            raise DataError(in_users_words(folder, str(error))) from None
        raise
    for path in [path for path in folder.rglob("*") if path.is_file() and path not in exam.provenance.files]:
        path.unlink(missing_ok=True)
    return exam
