"""The sections "From PACS" and "Store result", on a page whose server was given a PACS."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from PCRPredictorLib.session.pacs.finding import StudySearch
from PCRPredictorLib.session.pacs.place import PacsPlace
from PCRPredictorLib.session.pacs.storing import StoreResult
from PCRPredictorLib.session.session import Session
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from ..work import Work
from .fields import COMPACT, caption, checkbox

_LOOK_S = 0.3  # between two looks at what is being done
_FACTS = (  # of a row: what is known of a study beside its date and description
    "[row.patient_id, row.patient_name, row.breast_dce === 'likely' ? 'breast DCE-MRI' : row.breast_dce === 'possible' "
    "? 'may be breast DCE-MRI' : 'no breast DCE-MRI', row.series + ' series', row.segmentation ? 'with segmentation' "
    ": '', row.predicted ? 'has a result' : ''].filter(Boolean).join(' · ')"
)
_DAY = "row.date ? row.date.slice(0, 4) + '-' + row.date.slice(4, 6) + '-' + row.date.slice(6, 8) : 'no date'"


@dataclass
class SearchState:
    """What is looked for, and what was found.

    Args:
        patient, date, description: that a study must match.
        named: whether the list names the patients.
        rows: as `pacs.rows`.
        total: number of all studies that match; -1 before a search.
        said: what is being done.
        working: whether something of the PACS is awaited, which can be cancelled.
        note: about the study that is open.
    """

    patient: str = ""
    date: str = ""
    description: str = ""
    named: bool = False
    rows: list[dict[str, object]] = field(default_factory=list)
    total: int = -1
    said: str = ""
    working: bool = False
    note: str = ""


@dataclass
class StoreState:
    """Why nothing can be stored, and what lies where."""

    reason: str = ""
    lines: list[str] = field(default_factory=list)
    can_send: bool = False


class SearchSection:
    """Find a study and open it."""

    def __init__(self, server: Server, work: Work, session: Session, place: PacsPlace, search: StudySearch) -> None:
        self._server, self._session, self._place, self._search = server, session, place, search
        self.state = TypedState(server.state, SearchState)
        self._looking: asyncio.Task[None] | None = None
        work.watch(self.state, {self.state.name.named: lambda _named: self.refresh()})

    def refresh(self) -> None:
        """Show what was found."""
        data = self.state.data
        data.rows, data.note = self._search.rows(bool(data.named)), self._search.note
        data.total = self._search.found.total if self._search.found is not None else -1
        if not self._session.activity.doing:
            data.working, data.said = False, ""

    def _look_for(self) -> None:
        data = self.state.data
        self._search.search(data.patient, data.date, data.description)
        self._follow()

    def _open(self, number: int) -> None:
        self._search.open(number)
        self._follow()

    def _follow(self) -> None:
        """Show what is being done until it is done."""
        if self._session.activity.doing:
            self.state.data.working = True
            self._looking = asyncio.ensure_future(self._show())

    async def _show(self) -> None:
        while self.state.data.working:
            with self._server.state:
                self.state.data.said = self._place.said
            await asyncio.sleep(_LOOK_S)

    def build(self, busy: str) -> None:
        """Write the section's part of the page."""
        name = self.state.name
        html.Div(self._place.name or self._place.problem, classes="text-caption", id="pacs-name")
        for key, text in (("patient", "Patient ID"), ("date", "Date"), ("description", "Part of the description")):
            hint = "20240131 or 20240101-20240630" if key == "date" else ""
            caption(f"'{text}'")
            more = {"placeholder": hint, "single_line": True, "aria_label": text, "id": f"pacs-{key}"}
            v3.VTextField(v_model=(getattr(name, key),), keydown_enter=self._look_for, **more, **COMPACT)
        with html.Div(classes="d-flex align-center my-1"):
            search = {"click": self._look_for, "disabled": (f"!!{busy}",), "id": "pacs-search"}
            v3.VBtn("Search", size="small", **search)
            checkbox(name.named, "Name patients", "pacs-named", classes="ml-2")
        with html.Div(v_if=(name.working,), classes="d-flex align-center"):
            html.Div(f"{{{{ {name.said} }}}}", classes="text-caption", id="pacs-said")
            v3.VBtn("Cancel", click=self._session.cancel, size="small", variant="text", id="pacs-cancel")
        found = f"{name.total} + ({name.total} === 1 ? ' study' : ' studies') + ({name.total} > {name.rows}.length ? "
        found += f"', the newest ' + {name.rows}.length + ' are shown' : '')"
        html.Div(f"{{{{ {found} }}}}", v_if=(f"{name.total} >= 0",), classes="text-caption", id="pacs-found")
        self._build_list(busy)
        html.Div(f"{{{{ {name.note} }}}}", v_if=(name.note,), classes="text-caption text-warning", id="pacs-note")

    def _build_list(self, busy: str) -> None:
        name = self.state.name
        with v3.VList(
            v_if=(f"{name.rows}.length",), density="compact", max_height=260, classes="overflow-y-auto", id="studies"
        ):
            row = {"v_for": f"(row, number) in {name.rows}", "key": "row.study", "disabled": (f"!!{busy}",)}
            with v3.VListItem(click=(self._open, "[number]"), **row):
                html.Div(f"{{{{ {_DAY} }}}} {{{{ row.description }}}}", style="line-height: 1.3")
                html.Div(
                    f"{{{{ {_FACTS} }}}}", classes="text-caption text-medium-emphasis", style="white-space: normal"
                )


class StoreSection:
    """Show what would be sent of the result, and send it."""

    def __init__(self, server: Server, store: StoreResult) -> None:
        self._store = store
        self.state = TypedState(server.state, StoreState)

    def refresh(self) -> None:
        """Show what lies where."""
        data, store = self.state.data, self._store
        data.reason, data.lines, data.can_send = store.reason, store.lines(), store.can_send

    def build(self, _busy: str) -> None:
        """Write the section's part of the page."""
        name = self.state.name
        look = {"click": self._store.look, "disabled": (f"!!{name.reason}",), "id": "store"}
        v3.VBtn("Store result ...", size="small", variant="tonal", **look)
        html.Div(f"{{{{ {name.reason} }}}}", v_if=(name.reason,), classes="text-caption", id="store-reason")
        with html.Div(v_if=(f"{name.lines}.length",), classes="text-caption my-1", id="store-plan"):
            html.Div("{{ line }}", v_for=f"(line, n) in {name.lines}", key="n", style="overflow-wrap: anywhere")
            v3.VBtn(
                "Send", v_if=(name.can_send,), click=self._store.send, size="small", color="primary", id="store-send"
            )
