"""The section "Patient": a field for each clinical variable that the model asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from PCRPredictorLib.clinical import Category, Number
from PCRPredictorLib.formatting import format_entered
from PCRPredictorLib.session.clinical_form import about_variable
from PCRPredictorLib.session.session import Session
from trame.widgets import html
from trame.widgets import vuetify3 as v3
from trame_server import Server
from trame_server.utils.typed_state import TypedState

from ..work import Work
from .fields import COMPACT, caption


@dataclass
class PatientState:
    """The form.

    Args:
        fields: name, label, unit and choices of each variable; a number has no choices.
        values: text of each, by name; "" is unknown.
        problems: why a value cannot be used, by name.
        origins: where the values come from.
    """

    fields: list[dict[str, object]] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    origins: str = ""


class PatientSection:
    """Enter clinical values."""

    def __init__(self, server: Server, work: Work, session: Session) -> None:
        self._session = session
        self.state = TypedState(server.state, PatientState)
        work.watch(self.state, {self.state.name.values: self._enter})

    def refresh(self) -> None:
        """Show what the session holds."""
        asked = self._session.clinical.schema.asked
        self.state.data.fields = [_field_of(variable) for variable in asked]
        self.state.data.values, self.state.data.problems = self._texts(), self._session.clinical.problems
        self.state.data.origins = self._session.clinical.describe_origins()

    def _texts(self) -> dict[str, str]:
        clinical = self._session.clinical
        return {variable.name: format_entered(clinical.values.get(variable.name)) for variable in clinical.schema.asked}

    def _enter(self, values: Mapping[str, object]) -> None:
        if values != self._texts():
            self._session.enter(values)

    def build(self, _busy: str) -> None:
        """Write the section's part of the page."""
        name = self.state.name
        columns = "display: grid; grid-template-columns: 1fr 1fr; column-gap: 8px"  # the result is in sight below
        with (
            html.Div(style=columns),
            html.Div(v_for=f"variable in {name.fields}", key="variable.name", classes="mb-1", style="min-width: 0"),
        ):
            label = "variable.label + (variable.unit ? ', ' + variable.unit : '')"
            caption(label)
            shared = {
                **COMPACT,
                "clearable": True,
                "single_line": True,
                "aria_label": (label,),
                "placeholder": "unknown",
                "model_value": (f"{name.values}[variable.name] || null",),
                "update_modelValue": f"{name.values} = {{...{name.values}, [variable.name]: $event ?? ''}}",
                "name": ("variable.name",),
            }
            v3.VSelect(v_if=("variable.choices.length",), items=("variable.choices",), **shared)
            v3.VTextField(v_else=True, type="number", **shared)
            problem = f"{name.problems}[variable.name]"
            html.Div(
                f"{{{{ {problem} }}}}", v_if=(problem,), classes="text-caption text-error", raw_attrs=['role="alert"']
            )
        html.Div(f"{{{{ {name.origins} }}}}", v_if=(name.origins,), classes="text-caption", id="origins")
        about = f"({name.fields}.find((variable) => variable.about) || {{}})"
        html.Div(
            f"{{{{ {about}.label }}}}: {{{{ {about}.about }}}}",
            v_if=(f"{about}.about",),
            classes="text-caption",
            id="about",
        )
        html.Div("This model asks for no clinical values.", v_if=(f"!{name.fields}.length",), classes="text-caption")


def _field_of(variable: Number | Category) -> dict[str, object]:
    unit, choices = (variable.unit, []) if isinstance(variable, Number) else ("", list(variable.codings))
    about = about_variable(variable.name)
    return {"name": variable.name, "label": variable.label, "unit": unit, "choices": choices, "about": about}
