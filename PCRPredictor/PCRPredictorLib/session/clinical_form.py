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


_ORIGINS = {
    "table": "From the cohort's table: {names}.",
    "dicom": "From the DICOM headers: {names}.",
    "given": "Given with the exam: {names}.",
    "entered": "Entered here: {names}.",
    "": "From another visit or an earlier result: {names}.",
}


def about_variable(name: str, _: Translate = str) -> str:
    """Return what a clinical variable is, for those that do not explain themselves; else ""."""
    return _(_ABOUT[name]) if name in _ABOUT else ""


class ClinicalForm:
    """All that is known of a patient; a model asks for a part of it.

    Attributes:
        schema: of the chosen model; empty without one.
        values: what is entered of the variables that the model asks for, by name; unknown ones are left out.
        origins: where each value comes from, by name: as `Provenance.clinical_from`, "entered", or "" if unknown.
    """

    def __init__(self) -> None:
        self.schema = ClinicalSchema(())
        self.values: dict[str, object] = {}
        self.origins: dict[str, str] = {}
        self._known: dict[str, object] = {}  # also what only other models ask for
        self._from: dict[str, str] = {}  # origins of what is known, by name in lower case
        self._entered: set[str] = set()

    def begin(self, known: Mapping[str, object], origins: Mapping[str, str] | None = None) -> list[str]:
        """Take the values of a different patient; nothing of the last one stays.

        Args:
            known: by name.
            origins: see `Provenance.clinical_from`.

        Returns:
            A sentence for each value that cannot be read and is left unknown.
        """
        self._known, self._from, self._entered = dict(known), dict(origins or {}), set()
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
        before = self.meaning
        self.values = {name: value for name, value in values.items() if value not in (None, "")}
        self._entered |= {name for name, value in self.meaning.items() if value != before[name]}
        self._name_origins()
        self._known |= {variable.name: self.values.get(variable.name) for variable in self.schema.asked}

    @property
    def entered(self) -> dict[str, object]:
        """What the user entered for this patient, by the variable's name; None if it was made unknown."""
        return {name: self._known.get(name) for name in self._entered}

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
        found: dict[str, str] = {}
        for variable in self.schema.asked:
            try:
                ClinicalSchema((variable,)).parse({variable.name: self.values.get(variable.name)}, strict=True)
            except DataError as error:
                found[variable.name] = str(error)
        return found

    def _fill(self) -> list[str]:
        values, problems = self.schema.parse_each(self._known)
        self.values = {name: value for name, value in values.items() if value is not None}
        self._name_origins()
        return problems

    def _name_origins(self) -> None:
        """Note where each value comes from: a variable may be read from a column of a different name."""
        found: dict[str, str] = {}
        for origin in _ORIGINS:
            part = {name: value for name, value in self._known.items() if self._of(name) == origin}
            read, _problems = self.schema.parse_each(part)
            found |= dict.fromkeys((name for name, value in read.items() if value is not None), origin)
        found |= dict.fromkeys(self._entered, "entered")
        self.origins = {name: found.get(name, "") for name in self.values}

    def _of(self, name: str) -> str:
        return self._from.get(name.strip().lower(), "")

    def describe_origins(self, _: Translate = str) -> str:
        """Return where the values come from, a sentence for each place; "" without values."""
        labels = {variable.name: variable.label for variable in self.schema.asked}
        groups = {origin: [labels[name] for name in labels if self.origins.get(name) == origin] for origin in _ORIGINS}
        texts = {origin: _(text).format(names=", ".join(groups[origin])) for origin, text in _ORIGINS.items()}
        return " ".join(texts[origin] for origin in _ORIGINS if groups[origin])
