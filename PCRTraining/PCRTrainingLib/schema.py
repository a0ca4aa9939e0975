"""The clinical variables that training knows by name, and the clinical schema of a cohort."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from PCRPredictorLib.clinical import Category, ClinicalSchema, Number, Value
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.variables.receptors import RECEPTOR

_DRUGS = {  # of a combination, the first family counts
    "HER2-targeted": [
        "her2",
        "trastuzumab",
        "herceptin",
        "pertuzumab",
        "t-dm1",
        "tdm1",
        "t-dxd",
        "neratinib",
        "lapatinib",
    ],
    "immunotherapy": ["pembrolizumab", "atezolizumab", "durvalumab", "nivolumab", "cemiplimab"],
    "carboplatin": ["cisplatin", "platinum"],
    "other": ["amg 386", "trebananib", "ganitumab", "ganetespib", "mk-2206", "abt 888", "veliparib", "olaparib"],
    "paclitaxel alone": [
        "paclitaxel",
        "nab-paclitaxel",
        "docetaxel",
        "taxane",
        "ac",
        "doxorubicin",
        "cyclophosphamide",
    ],
}
KNOWN: dict[str, Category | Number] = {
    variable.name: variable
    for variable in (
        Number("age", "Age", "years", 18, 100, 50, 11),
        Category("hr", "Hormone receptors", RECEPTOR),
        Category("er", "Oestrogen receptor", RECEPTOR),
        Category("pr", "Progesterone receptor", RECEPTOR),
        Category("her2", "HER2", RECEPTOR),
        Category(
            "menopause",
            "Menopausal status",
            {"pre": ["peri", "premenopausal", "perimenopausal"], "post": ["postmenopausal"]},
        ),
        Category("breast_density", "Breast density", {"a": ["1"], "b": ["2"], "c": ["3"], "d": ["4"]}),
        Category("nottingham_grade", "Grade", {"1": ["low", "i"], "2": ["intermediate", "ii"], "3": ["high", "iii"]}),
        # In I-SPY2's tables 1 is the class high 2, "ultra-high": 84 % of triple negative, 28 % of HR+ HER2- and 15 % of
        # HR+ HER2+ patients, as in van 't Veer et al., EORTC-NCI-AACR 2018. A plain "high" may be either, and
        # "low" was not in the trial: refused.
        Category(
            "mammaprint",
            "MammaPrint",
            {"high1": ["0", "mp1", "high 1"], "high2": ["1", "mp2", "high 2"]},
            optional=True,
        ),
        Category("nac_agent", "Drug", _DRUGS, combined=True, optional=True),
    )
}

_COLUMNS = {  # of tables, for patients without images; the factor makes them ml
    "log_whole_volume": {"tumour_volume_ml": 1.0, "tumour_volume_mm3": 0.001, "ftv_ml": 1.0},
}
KNOWN |= {  # measured in the exam; `kinetics.tumour_quantities` defines them
    name: Number(
        name,
        label or name.replace("_", " ").capitalize(),
        unit,
        low,
        high,
        mean,
        sd,
        measured=True,
        columns=_COLUMNS.get(name, {}),
    )
    for name, label, unit, low, high, mean, sd in (
        ("log_whole_volume", "Tumour volume", "log ml", -3, 7, 2.5, 1.2),
        ("log_volume", "", "log ml", -3, 7, 2.5, 1.2),
        ("log_functional_volume", "", "log ml", 0, 7, 2.5, 1.0),
        ("wash_in", "", "", -1, 5, 1.3, 0.5),
        ("wash_in_spread", "", "", 0, 5, 0.6, 0.4),
        ("wash_out", "", "", -1, 1, 0.02, 0.08),
        ("signal_enhancement_ratio", "", "", 0, 3, 1.0, 0.13),
        ("rim_minus_core", "", "", -2, 2, 0.0, 0.35),
        ("sphericity", "", "", 0, 1.5, 0.5, 0.15),
    )
}

_LEAST_CORRELATION, _LARGEST_DIFFERENCE = 0.9, 0.25  # the second in scales of the variable
STRONGEST = ("age", "hr", "her2")  # of the baseline that a model has to beat, beside the volume
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


def kept_columns(schemas: Iterable[ClinicalSchema]) -> list[str]:
    """Return the columns of a table of clinical rows that a run keeps: of its variables, and of the baselines'."""
    usual = ClinicalSchema(tuple(v for v in KNOWN.values() if v.measured or v.name in STRONGEST))
    schemas = [*schemas, usual]
    names = {variable.name for schema in schemas for variable in schema.asked}
    return sorted(names | {column for schema in schemas for column in schema.table_columns if column not in names})


def _find(variable: str | Category | Number) -> Category | Number:
    if not isinstance(variable, str):
        return variable
    if variable.lower() not in KNOWN:
        raise DataError(
            f"clinical variable {variable!r} is not known; use {', '.join(KNOWN)}, or give its whole definition"
        )
    return KNOWN[variable.lower()]


def fit_scaling(schema: ClinicalSchema, patients: Sequence[Mapping[str, Value]]) -> tuple[ClinicalSchema, list[str]]:
    """Return the schema with centre, scale and range of its numbers in the patients of a run, and what was decided.

    Labels are not used. Centre and scale are the median and the interquartile range / 1.349, the range is from the 1st
    to the 99th percentile. Degenerate cases:

    - half of the values are equal: the scale is their standard deviation inside the range;
    - nearly all values are equal, or there is one: they are the centre and the range, so that the variable says nothing
      of any patient, and a different value of a new patient is clipped and named; the scale of the definition is kept;
    - no patient has a value: the variable is left out.

    Args:
        patients: values of each, as `ClinicalSchema.complete` or `parse_row` return them.

    Returns:
        The fitted schema, and a sentence for each degenerate case.
    """
    fitted: list[Number | Category] = []
    sentences = []
    for variable in schema.variables:
        if isinstance(variable, Category):
            fitted.append(variable)
        elif known := [float(value) for patient in patients if (value := patient.get(variable.name)) is not None]:
            number = _fit_number(variable, np.array(known))
            fitted.append(number)
            if number.low == number.high:
                text = f"{variable.name} is {variable.describe(number.mean)} in (nearly) every patient with a value"
                sentences.append(f"{text}: it tells none apart")
        else:
            sentences.append(f"no patient has a value of {variable.name}; trained without")
    return ClinicalSchema(tuple(fitted)), sentences


def describe_variables(schema: ClinicalSchema) -> tuple[str, ...]:
    """Return a sentence for each number of a fitted schema: its range in the patients, and how a table agrees."""
    numbers = [v for v in schema.variables if isinstance(v, Number) and v.low is not None]
    return tuple(". ".join(filter(None, (_describe_scaling(v), describe_agreement(v)))) for v in numbers)


def _describe_scaling(variable: Number) -> str:
    return f"{variable.label}: median {variable.describe_limit(variable.mean)}, range {variable.describe_range()}"


def measure_agreement(
    variable: Number, in_table: Sequence[float], in_exam: Sequence[float]
) -> tuple[Number, str | None]:
    """Return a measured variable with the agreement of table and exam, and a sentence about it.

    Args:
        in_table, in_exam: (n,) values of the patients that have both, in the variable's unit. With fewer than 3 there
            is no agreement and no sentence.
    """
    table, exam = np.array(in_table), np.array(in_exam)
    if len(table) < 3:
        return variable, None
    difference = table - exam
    varies = bool(table.std() > 0 and exam.std() > 0)
    agreement = {
        "patients": float(len(table)),
        "correlation": float(np.corrcoef(table, exam)[0, 1]) if varies else 0.0,
        "difference": float(np.median(difference)),
        **({"percent": 100 * float(np.expm1(np.median(difference)))} if variable.is_log else {}),
    }
    found = replace(variable, agreement=agreement)
    return found, describe_agreement(found)


def describe_agreement(variable: Number) -> str | None:
    """Return how well the table's values agree with those measured in the exam, None if it is not known.

    A correlation under 0.9 or a median difference of more than a quarter of the scale is a warning.
    """
    found = variable.agreement
    if found is None:
        return None
    more = f", {found['percent']:+.1f} %" if "percent" in found else ""
    text = (
        f"{variable.label} in the table and measured in the exam: {found['patients']:.0f} patients, correlation "
        f"{found['correlation']:.3f}, median difference {found['difference']:+.3f} {variable.unit}".rstrip()
        + more
    )
    if found["correlation"] < _LEAST_CORRELATION or abs(found["difference"]) > _LARGEST_DIFFERENCE * variable.sd:
        return f"warning: {text}; they are not the same quantity, leave the column out or correct it"
    return text


def _fit_number(variable: Number, values: np.ndarray) -> Number:
    low, first, median, third, high = (float(x) for x in np.percentile(values, [1, 25, 50, 75, 99]))
    spread = (third - first) / 1.349 or float(np.clip(values, low, high).std())
    return replace(variable, mean=median, sd=spread or variable.sd, low=low, high=high)
