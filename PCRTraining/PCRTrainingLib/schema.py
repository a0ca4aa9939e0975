"""The clinical variables that training knows by name, and the schema of a cohort."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PCRPredictorLib.clinical import Category, ClinicalSchema, Number
from PCRPredictorLib.errors import DataError

_RECEPTOR = {
    "negative": ["0", "neg", "-", "no", "false"],
    "positive": ["1", "pos", "+", "yes", "true"],
}
KNOWN: dict[str, Category | Number] = {
    variable.name: variable
    for variable in (
        Number("age", "Age", "years", 18, 100, 50, 11),
        Category("hr", "Hormone receptors", _RECEPTOR),
        Category("er", "Oestrogen receptor", _RECEPTOR),
        Category("pr", "Progesterone receptor", _RECEPTOR),
        Category("her2", "HER2", _RECEPTOR),
        Category(
            "menopause",
            "Menopausal status",
            {"pre": ["peri", "premenopausal", "perimenopausal"], "post": ["postmenopausal"]},
        ),
        Category("breast_density", "Breast density", {"a": ["1"], "b": ["2"], "c": ["3"], "d": ["4"]}),
        Category("nottingham_grade", "Grade", {"1": ["low", "i"], "2": ["intermediate", "ii"], "3": ["high", "iii"]}),
    )
}

USUAL = ("age", "hr", "her2", "menopause")  # what a run takes unless it is told otherwise


def build_schema(
    variables: Iterable[str | Category | Number], rows: Iterable[Mapping[str, object]]
) -> tuple[ClinicalSchema, list[str]]:
    """The schema of a cohort: the variables asked for that any row has a value of, and the names of the others.

    Raises:
        DataError: for a name that is not known.
    """
    chosen = [_find(variable) for variable in variables]
    filled = {name.lower() for row in rows for name, value in row.items() if str(value).strip()}
    present = tuple(variable for variable in chosen if variable.name in filled)
    return ClinicalSchema(present), [variable.name for variable in chosen if variable.name not in filled]


def _find(variable: str | Category | Number) -> Category | Number:
    if not isinstance(variable, str):
        return variable
    if variable.lower() not in KNOWN:
        raise DataError(
            f"clinical variable {variable!r} is not known; use {', '.join(KNOWN)}, or give its whole definition"
        )
    return KNOWN[variable.lower()]
