"""The clinical variables that training knows by name, and the clinical schema of a cohort."""

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

KNOWN |= {  # measured in the exam; `kinetics.tumour_quantities` defines them
    name: Number(name, name.replace("_", " ").capitalize(), unit, low, high, mean, sd, measured=True)
    for name, unit, low, high, mean, sd in (
        ("log_volume", "log ml", -3, 7, 2.5, 1.2),
        ("log_functional_volume", "log ml", 0, 7, 2.5, 1.0),
        ("wash_in", "", -1, 5, 1.3, 0.5),
        ("wash_in_spread", "", 0, 5, 0.6, 0.4),
        ("wash_out", "", -1, 1, 0.02, 0.08),
        ("signal_enhancement_ratio", "", 0, 3, 1.0, 0.13),
        ("rim_minus_core", "", -2, 2, 0.0, 0.35),
        ("sphericity", "", 0, 1.5, 0.5, 0.15),
    )
}

USUAL = ("age", "hr", "her2", "menopause")  # the default of a run


def build_schema(
    variables: Iterable[str | Category | Number], rows: Iterable[Mapping[str, object]]
) -> tuple[ClinicalSchema, list[str]]:
    """Return the schema of the chosen variables that have a value in any row, and the names of the other variables.

    Raises:
        DataError: if a name is not known.
    """
    chosen = [_find(variable) for variable in variables]
    filled = {name.lower() for row in rows for name, value in row.items() if str(value).strip()}
    filled |= {variable.name for variable in chosen if isinstance(variable, Number) and variable.measured}
    present = tuple(variable for variable in chosen if variable.name.lower() in filled)
    return ClinicalSchema(present), [variable.name for variable in chosen if variable not in present]


def _find(variable: str | Category | Number) -> Category | Number:
    if not isinstance(variable, str):
        return variable
    if variable.lower() not in KNOWN:
        raise DataError(
            f"clinical variable {variable!r} is not known; use {', '.join(KNOWN)}, or give its whole definition"
        )
    return KNOWN[variable.lower()]
