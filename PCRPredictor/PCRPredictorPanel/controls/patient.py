"""The section "Patient": a field for each clinical variable of the model; every one may stay unknown."""

from __future__ import annotations

from typing import Any

import qt
from PCRPredictorLib.clinical import Category, Number
from PCRPredictorLib.session.clinical_form import about_variable
from PCRPredictorLib.session.session import Session
from slicer.i18n import tr as _

from ..toolkit.plain_text import show_plain
from ..toolkit.whole_text import narrow


class PatientForm:
    """Fields for what a session's model asks for.

    Args:
        ui: the panel's widgets by name.
        session: whose clinical values are shown and entered.
    """

    def __init__(self, ui: Any, session: Session) -> None:
        self._layout, self._section, self._session = qt.QFormLayout(ui.patientForm), ui.patientSection, session
        self._asked: tuple[Number | Category, ...] | None = None
        self._fields: dict[str, Any] = {}
        self._origins = ui.originsLabel
        session.activity.on_change.append(self.update)

    def update(self) -> None:
        """Show the model's variables with the values that are known."""
        asked, meaning = tuple(self._session.clinical.schema.asked), self._session.clinical.meaning
        values = {name: value for name, value in meaning.items() if value is not None}
        heading = _("Patient ({known} of {all} values known)").format(known=len(values), all=len(asked))
        self._section.text = heading if asked else _("Patient")  # also for the eye when it is closed
        is_new = asked != self._asked
        if is_new:
            self._build(asked)
        self._origins.text = self._session.clinical.describe_origins(_)
        self._origins.visible = bool(self._origins.text)
        if not is_new and self._values() == values:
            return
        for variable in asked:
            field = self._fields[variable.name]
            before = field.blockSignals(True)
            _fill(field, variable, values.get(variable.name))
            field.blockSignals(before)

    def _build(self, asked: tuple[Number | Category, ...]) -> None:
        while self._layout.rowCount():
            self._layout.removeRow(0)
        self._asked, self._fields = asked, {}
        for variable in asked:
            field = _make_choice(variable) if isinstance(variable, Category) else _make_number(variable)
            field.objectName = f"clinical_{variable.name}"
            field.toolTip = about_variable(variable.name, _)
            changed = "currentIndexChanged(int)" if isinstance(variable, Category) else "valueChanged(double)"
            field.connect(changed, lambda *_: self._session.enter(self._values()))
            self._layout.addRow(f"{variable.label}:", field)
            self._fields[variable.name] = field
        if not asked:
            self._layout.addRow(qt.QLabel(_("This model uses no clinical values.")))
        show_plain(self._layout.parentWidget())

    def _values(self) -> dict[str, object]:
        """Return what the fields hold, by name, without the unknown ones."""
        found: dict[str, object] = {}
        for variable in self._asked or ():
            field = self._fields[variable.name]
            if isinstance(variable, Category):
                if field.currentIndex > 0:
                    found[variable.name] = field.currentText
            elif field.value > field.minimum:
                found[variable.name] = field.value
        return found


def decimals_of(value: float) -> int:
    """Return the digits after the point that a field needs to keep a value, six at most."""
    return len(f"{value:.6f}".rstrip("0").partition(".")[2])


def _make_choice(variable: Category) -> qt.QComboBox:
    field = qt.QComboBox()
    narrow([field])
    for name in (_("unknown"), *variable.codings):
        field.addItem(name)
    return field


def _make_number(variable: Number) -> qt.QDoubleSpinBox:
    """Return a field whose lowest value stands for "unknown"."""
    field = qt.QDoubleSpinBox()
    field.setRange(variable.minimum - 1, variable.maximum)
    field.setSpecialValueText(_("unknown"))
    field.setSuffix(f" {variable.unit}" if variable.unit else "")
    return field


def _fill(field: Any, variable: Number | Category, value: Any) -> None:
    """Show a value, or with None that it is unknown."""
    if isinstance(variable, Category):
        field.setCurrentIndex(max(field.findText(str(value)), 0))
    else:
        usual = 0 if variable.maximum > 10 else 1  # a value that was read may have more
        field.setDecimals(max(usual, decimals_of(value or 0)))
        field.setValue(value if value is not None else field.minimum)
