"""The clinical values of the open patient, under whichever model is chosen."""

from __future__ import annotations

from collections.abc import Mapping

from ..clinical import ClinicalSchema
from ..errors import DataError
from ..report.wording import Translate

_ABOUT = {
    "mammaprint": "High genomic risk by the MammaPrint index: high1 is its lower part, high2 (“ultra-high”) its upper "
    "one. The trial took no patient of low risk: the model knows nothing of them, so leave it unknown.",
}


def about_variable(name: str, _: Translate = str) -> str:
    """Return what a clinical variable is, for those that do not explain themselves; else ""."""
    return _(_ABOUT[name]) if name in _ABOUT else ""


class ClinicalForm:
    """All that is known of a patient; a model asks for a part of it.

    Attributes:
        schema: of the chosen model; empty without one.
        values: what is entered of the variables that the model asks for, by name; unknown ones are left out.
    """

    def __init__(self) -> None:
        self.schema = ClinicalSchema(())
        self.values: dict[str, object] = {}
        self._known: dict[str, object] = {}  # also what only other models ask for

    def begin(self, known: Mapping[str, object]) -> list[str]:
        """Take the values of a different patient; nothing of the last one stays.

        Returns:
            A sentence for each value that cannot be read and is left unknown.
        """
        self._known = dict(known)
        return self._fill()

    def adopt(self, schema: ClinicalSchema) -> list[str]:
        """Ask for a different model's variables, filled with what is known of the patient.

        Returns:
            A sentence for each value that this model does not take and is left unknown.
        """
        self.schema = schema
        return self._fill()

    def enter(self, values: Mapping[str, object]) -> None:
        """Take what the user entered, read or not: all values by name; missing, None and "" are unknown."""
        self.values = {name: value for name, value in values.items() if value not in (None, "")}
        self._known |= {variable.name: self.values.get(variable.name) for variable in self.schema.asked}

    @property
    def known(self) -> dict[str, object]:
        """All that is known of the patient, also what only other models ask for; None if it was made unknown."""
        return dict(self._known)

    @property
    def meaning(self) -> dict[str, object]:
        """The values as the model reads them, to be compared: 52 and "52.0" are the same. Unreadable ones stay."""
        read, _problems = self.schema.parse_each(self.values)
        return {name: self.values.get(name) if value is None else value for name, value in read.items()}

    @property
    def problems(self) -> dict[str, str]:
        """A sentence for each value that the model cannot read, by the variable's name."""
        found = {}
        for variable in self.schema.asked:
            try:
                ClinicalSchema((variable,)).parse({variable.name: self.values.get(variable.name)}, strict=True)
            except DataError as error:
                found[variable.name] = str(error)
        return found

    def _fill(self) -> list[str]:
        values, problems = self.schema.parse_each(self._known)
        self.values = {name: value for name, value in values.items() if value is not None}
        return problems
