"""A field for each clinical variable of a model; every one may stay unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import qt
from PCRPredictorLib.clinical import Category, ClinicalSchema, Number
from slicer.i18n import tr as _


class PatientForm:
    """Fields made from a schema.

    Args:
        parent: widget that the fields are laid into; what was in it is replaced.
        schema: of the model.
        changed: called when a value changes.
    """

    def __init__(self, parent: qt.QWidget, schema: ClinicalSchema, changed: Callable[[], None]) -> None:
        self._schema = schema
        self._changed = changed
        old = parent.layout()
        layout = old if old is not None else qt.QFormLayout(parent)
        while layout.rowCount():
            layout.removeRow(0)
        self._fields = {variable.name: self._add(layout, variable) for variable in schema.asked}
        if not self._fields:
            layout.addRow(qt.QLabel(_("This model uses no clinical values.")))

    def values(self) -> dict[str, object]:
        """What was entered, by name; unknown ones are left out."""
        found: dict[str, object] = {}
        for variable in self._schema.asked:
            field = self._fields[variable.name]
            if isinstance(variable, Category):
                if field.currentIndex > 0:
                    found[variable.name] = field.currentText
            elif field.value > field.minimum:
                found[variable.name] = field.value
        return found

    def fill(self, values: Mapping[str, object]) -> None:
        """Enter values; a name that is not given becomes unknown.

        Raises:
            DataError: if a value cannot be read.
        """
        for variable in self._schema.asked:
            value, field = self._schema.parse(values)[variable.name], self._fields[variable.name]
            if isinstance(variable, Category):
                field.setCurrentIndex(1 + list(variable.codings).index(str(value)) if value is not None else 0)
            else:
                field.setDecimals(max(_decimals(variable), decimals_of(value or 0)))
                field.setValue(float(value) if value is not None else field.minimum)

    def keep(self, values: Mapping[str, object]) -> None:
        """Enter what was known of a patient under another model, as far as this one takes it."""
        taken, _problems = self._schema.parse_each(values)
        self.fill({name: value for name, value in taken.items() if value is not None})

    def _add(self, layout: qt.QFormLayout, variable: Number | Category) -> qt.QWidget:
        field = self._choice(variable) if isinstance(variable, Category) else self._number(variable)
        field.objectName = f"clinical_{variable.name}"
        layout.addRow(f"{variable.label}:", field)
        return field

    def _choice(self, variable: Category) -> qt.QComboBox:
        field = qt.QComboBox()
        field.addItem(_("unknown"))
        for name in variable.codings:
            field.addItem(name)
        field.connect("currentIndexChanged(int)", self._changed)
        return field

    def _number(self, variable: Number) -> qt.QDoubleSpinBox:
        """The lowest value stands for "unknown"."""
        field = qt.QDoubleSpinBox()
        field.setDecimals(_decimals(variable))
        field.setRange(variable.minimum - 1, variable.maximum)
        field.setSpecialValueText(_("unknown"))
        field.setSuffix(f" {variable.unit}" if variable.unit else "")
        field.setValue(field.minimum)
        field.connect("valueChanged(double)", self._changed)
        return field


def decimals_of(value: float) -> int:
    """Digits after the point that a field needs to keep a value, six at most."""
    return len(f"{value:.6f}".rstrip("0").partition(".")[2])


def _decimals(variable: Number) -> int:
    """Digits after the point that are usual; a value that was read may have more."""
    return 0 if variable.maximum > 10 else 1
