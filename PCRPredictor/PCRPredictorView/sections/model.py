"""The section "Model": which model, its card, and the button that predicts."""

from __future__ import annotations

from dataclasses import dataclass, field

from PCRPredictorLib.model.bundle import bundled_models, find_bundle
from PCRPredictorLib.session.session import Session
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from ..work import Work
from .fields import COMPACT


@dataclass
class ModelState:
    """The list.

    Args:
        model: name of the chosen model.
        brief: of it, its name, AUC and limits in a line, rich text.
        card: of it, rich text.
    """

    model: str = ""
    models: list[str] = field(default_factory=list)
    brief: str = ""
    card: str = ""


class ModelSection:
    """Choose a model, and predict.

    Args:
        first: name or folder of the model that is chosen first.
    """

    def __init__(self, server: Server, work: Work, session: Session, first: str) -> None:
        self._session = session
        self._models = dict(bundled_models())
        chosen = find_bundle(first)
        if self._models.get(first) != chosen:  # a different one, even if it is called like a bundled one
            first = str(chosen)
            self._models = {first: chosen, **self._models}
        self.state = TypedState(server.state, ModelState)
        self.state.data.models, self.state.data.model = list(self._models), first
        session.choose_model(chosen)
        work.watch(self.state, {self.state.name.model: self._choose})

    def refresh(self) -> None:
        """Show what the session holds."""
        model, data = self._session.model, self.state.data
        data.brief, data.card = model.describe_briefly(), model.describe()

    def _choose(self, name: str) -> None:
        if self._models[name] != self._session.model.path:
            self._session.choose_model(self._models[name])

    def build(self, busy: str) -> None:
        """Write the section's part of the page."""
        name = self.state.name
        v3.VSelect(
            v_model=(name.model,), items=(name.models,), disabled=(f"!!{busy}",), label="Model", id="model", **COMPACT
        )
        html.Div(v_html=(name.brief,), classes="text-caption", id="model-brief")
        with html.Details(classes="text-caption my-1"):
            html.Summary("About this model")
            html.Div(v_html=(name.card,))
        predict = {"click": self._session.predict, "disabled": (f"!!{busy}",), "title": (busy,), "id": "predict"}
        v3.VBtn("Predict", color="primary", block=True, **predict)
