"""What is known of each patient of a cohort: times, resolution, scanner, clinical and measured variables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..clinical import Category, ClinicalSchema, is_missing
from ..exam import Exam
from ..geometry import Geometry
from ..model.grid import acquisition_order
from ..model.kinetics import measure_quantities
from ..model.tumour import QUANTITIES, measure, summarise_tumour
from ..phases import parse_times
from .distribution import (
    LEAST_PATIENTS,
    LEAST_SHARED,
    Distribution,
    TrainingDistribution,
    summarise_categories,
    summarise_numbers,
)

TIMES = {
    "early": "early phase, after the pre-contrast one",
    "late": "late phase, after the first one after contrast",
}
PLANES = ("sagittal", "coronal", "axial")  # by the axis across the slices: left, posterior, head
PLANE, SLICE_SPACING = "plane", "slice_spacing"
_SCANNER = {"manufacturer": "manufacturer", "field_strength": "field strength"}  # columns of a table


@dataclass(frozen=True)
class PatientFacts:
    """One patient, without an identifier.

    Args:
        numbers: by name, see `numbers_of`; one that is not known is left out.
        categories: by name; one that is not known is left out.
        label: 1 for pCR, 0 for none, None if unknown.
        probability: of pCR, calibrated, in [0, 1]; None without a prediction.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    categories: Mapping[str, str] = field(default_factory=dict)
    label: int | None = None
    probability: float | None = None


def describe_acquisition(geometry: Geometry) -> dict[str, float | str]:
    """Return the plane of the slices, and their distance in mm."""
    order = acquisition_order(geometry)
    across = geometry.direction[:, 2 - order.axes[0]]
    return {PLANE: PLANES[int(np.abs(across).argmax())], SLICE_SPACING: order.spacing(geometry)[0]}


def facts_of_exam(
    exam: Exam, schema: ClinicalSchema, probability: float | None = None, label: int | None = None
) -> PatientFacts:
    """Return what is known of an exam; of several tumours, that of the largest.

    Args:
        exam: with a mask that is not empty.
        schema: of the model.
        probability, label: see `PatientFacts`.
    """
    times = {"early": exam.provenance.early_seconds, "late": exam.provenance.after_first_post[2]}
    measured = {**measure(exam, summarise_tumour(exam)), **measure_quantities(exam, schema)}
    row = {**exam.provenance.table, **exam.clinical}
    return make_facts(row, times, measured, describe_acquisition(exam.geometry), schema, probability, label)


def make_facts(
    row: Mapping[str, object],
    times: Mapping[str, float | None],
    measured: Mapping[str, float],
    acquisition: Mapping[str, float | str],
    schema: ClinicalSchema,
    probability: float | None = None,
    label: int | None = None,
) -> PatientFacts:
    """Return the facts of one patient.

    Args:
        row: of the table, by column.
        times: "early" in s after the pre-contrast phase, "late" in s after the first phase after contrast; if late is
            not known, the table's `acquisition_times` tell it.
        measured: quantities in the exam by name, of `tumour.measure` and `kinetics.tumour_quantities`.
        acquisition: from `describe_acquisition`; may be empty.
        schema: of the model.
        probability, label: see `PatientFacts`.
    """
    values, _ = schema.parse_each(row)
    asked = {variable.name: values[variable.name] for variable in schema.asked}
    numbers: dict[str, object] = {**_times_in(row), **_known(times), **measured, **acquisition, **asked}
    wanted = numbers_of(schema)
    scanner = {name: _spelling(name, row.get(name)) for name in _SCANNER}
    texts = {**scanner, PLANE: str(acquisition.get(PLANE, "")), **asked}
    categories = {name: str(texts[name]) for name in categories_of(schema) if texts.get(name) not in (None, "")}
    return PatientFacts(
        {name: float(numbers[name]) for name in wanted if _is_number(numbers.get(name))},  # type: ignore[arg-type]
        categories,
        label,
        probability,
    )


def numbers_of(schema: ClinicalSchema) -> dict[str, tuple[str, str]]:
    """Return label and unit of every number that is compared, by name."""
    clinical = {v.name: (v.label, v.unit) for v in schema.variables if not isinstance(v, Category)}
    times = {name: (label, "s") for name, label in TIMES.items()}
    return {**times, **QUANTITIES, SLICE_SPACING: ("slice spacing", "mm"), **clinical}


def categories_of(schema: ClinicalSchema) -> dict[str, str]:
    """Return the label of every category that is compared, by name."""
    clinical = {v.name: v.label for v in schema.variables if isinstance(v, Category)}
    return {PLANE: "plane of the slices", **_SCANNER, **clinical}


def summarise(
    patients: Iterable[PatientFacts], schema: ClinicalSchema, least: int = LEAST_PATIENTS
) -> tuple[Distribution, ...]:
    """Return the distribution of every variable.

    Args:
        least: patients with a value that a distribution needs, see `distribution`.
    """
    known = list(patients)
    shared = LEAST_SHARED if least > 1 else 1
    numbers = (
        summarise_numbers(name, label, unit, np.array([p.numbers.get(name, np.nan) for p in known]), least)
        for name, (label, unit) in numbers_of(schema).items()
    )
    categories = (
        summarise_categories(
            name, label, [p.categories.get(name, "") for p in known], least, shared if name in _SCANNER else 1
        )
        for name, label in categories_of(schema).items()
    )
    return *numbers, *categories


def summarise_training(patients: Sequence[PatientFacts], schema: ClinicalSchema) -> TrainingDistribution:
    """Return the distribution of labelled patients that a model is trained on."""
    positives = sum(patient.label or 0 for patient in patients)
    return TrainingDistribution(len(patients), positives, summarise(patients, schema))


def _times_in(row: Mapping[str, object]) -> dict[str, float]:
    """Return the time of the late phase by the table, as training takes it: that of the last phase."""
    seconds = parse_times(row.get("acquisition_times", ""))
    return {"late": seconds[-1] - seconds[1]} if len(seconds) >= 3 else {}


def _known(times: Mapping[str, float | None]) -> dict[str, float]:
    return {phase: time for phase, time in times.items() if time is not None}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _spelling(name: str, value: object) -> str:
    """Return a cell of a scanner's column, the same for all spellings: "GE" for "ge ", "1.5 T" for "1.50"."""
    if is_missing(value):
        return ""
    text = " ".join(str(value).split())
    if name == "field_strength":
        try:
            return f"{float(text.upper().removesuffix('T')):.3g} T"
        except ValueError:
            return text
    return text.upper().split()[0]
