"""The numbers of a response model, and their JSON form; checks that they fit together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from ..clinical import Category, ClinicalSchema
from ..prediction import OperatingPoint
from .bands import Bands
from .course import QUANTITIES, VISITS
from .filling import Filling
from .inputs import EXACT, Input, Level, Scale, clinical_columns

T = TypeVar("T")
_LARGEST = 1e6  # of weights, and of the numbers of patients
_ROUNDING = 1e-8  # of the largest variance


@dataclass(frozen=True)
class Fit:
    """One fit of a formula, such as that without one fold of the training patients.

    Args:
        constant: of the logit.
        weights: of each input or clinical column, by name; one that is left out has no part in it.
    """

    __pydantic_config__ = EXACT

    constant: float
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Formula:
    """The logit of the patients who have been seen at certain visits: a sum over inputs, the mean of several fits.

    Args:
        visits: in the order of time; none for clinical values alone.
        fits: their calibrated logits are averaged.
        calibration: (slope, offset) applied to the logit of every fit.
        operating_points: the first one is the default.
        patients: that it was fitted to.
    """

    __pydantic_config__ = EXACT

    visits: tuple[str, ...]
    fits: tuple[Fit, ...]
    calibration: tuple[float, float]
    operating_points: tuple[OperatingPoint, ...]
    patients: int | None = None

    @cached_property
    def inputs(self) -> list[str]:
        """Return the inputs and clinical columns that have a part in it."""
        return sorted({name for fit in self.fits for name in fit.weights})

    def weights(self, names: tuple[str, ...]) -> np.ndarray:
        """Return the calibrated weights, (F, N), of F fits for N inputs and columns."""
        slope = self.calibration[0]
        return slope * np.array([[fit.weights.get(name, 0.0) for name in names] for fit in self.fits], float)

    @property
    def constants(self) -> np.ndarray:
        """Return the calibrated constants of the fits, (F,)."""
        slope, offset = self.calibration
        return slope * np.array([fit.constant for fit in self.fits], float) + offset


@dataclass(frozen=True)
class Group:
    """Training patients with the same clinical values.

    Args:
        values: of the variables that divide them, as {"hr": "positive", "her2": "negative"}.
        patients: number of them; 0 for a group that the training patients lack.
        positives: with pCR.
    """

    __pydantic_config__ = EXACT

    values: Mapping[str, str]
    patients: int
    positives: int


@dataclass(frozen=True)
class Cost:
    """What it costs if only some quantities are known, measured out of fold in the training patients.

    Args:
        visits: that have been seen.
        quantities: that are known at them; empty for none.
        auc: with these alone, in [0, 1].
        auc_of_all: with all quantities, in [0, 1].
    """

    __pydantic_config__ = EXACT

    visits: tuple[str, ...]
    quantities: tuple[str, ...]
    auc: float
    auc_of_all: float


@dataclass(frozen=True)
class ResponseSettings:
    """All numbers of a response model.

    Args:
        scales: of each quantity.
        levels: quantities at visits that it reads.
        inputs: levels and changes that have a part in a formula.
        filling: of unknown values.
        formulas: one for each set of visits, and one for none.
        bands: of the trial's responders and non-responders.
        groups: of the training patients by clinical values.
        costs: of unknown quantities.
        base_rate: share of the training patients with pCR, in [0, 1].
    """

    __pydantic_config__ = EXACT

    scales: tuple[Scale, ...]
    levels: tuple[Level, ...]
    inputs: tuple[Input, ...]
    filling: Filling
    formulas: tuple[Formula, ...]
    bands: Bands = field(default_factory=Bands)
    groups: tuple[Group, ...] = ()
    costs: tuple[Cost, ...] = ()
    base_rate: float | None = None

    @property
    def visits(self) -> tuple[str, ...]:
        """Return the visits that the model knows."""
        return tuple(visit for visit in VISITS if any(level.visit == visit for level in self.levels))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names of all inputs and clinical columns, which formulas are made of."""
        return (*(each.name for each in self.inputs), *self.filling.columns[len(self.levels) :])

    @cached_property
    def matrix(self) -> np.ndarray:
        """Return which of the C columns each of N inputs and clinical columns adds and takes away, (N, C)."""
        place = {name: k for k, name in enumerate(self.filling.columns)}
        rows = np.zeros((len(self.names), len(place)))
        clinical = [(name,) for name in self.names[len(self.inputs) :]]
        for k, columns in enumerate([*(each.columns for each in self.inputs), *clinical]):
            for name, sign in zip(columns, (1.0, -1.0), strict=False):
                rows[k, place[name]] += sign
        return rows

    @cached_property
    def _weights(self) -> dict[tuple[str, ...], np.ndarray]:
        return {formula.visits: formula.weights(self.names) for formula in self.formulas}

    def weights(self, formula: Formula) -> np.ndarray:
        """Return the calibrated weights, (F, N), of F fits of a formula for all of `names`."""
        return self._weights[formula.visits]

    def formula(self, seen: tuple[str, ...]) -> Formula:
        """Return the formula of the visits that have been seen.

        Without one, that of the fewest earlier visits more, whose values are then estimated; without that, too, the one
        of the most and latest of these visits.
        """
        until = VISITS[: VISITS.index(seen[-1]) + 1] if seen else ()
        wider = [f for f in self.formulas if set(seen) <= set(f.visits) <= set(until)]
        if wider:
            return min(wider, key=lambda formula: len(formula.visits))
        fitting = [formula for formula in self.formulas if set(formula.visits) <= set(seen)]
        return max(fitting, key=lambda formula: (len(formula.visits), [VISITS.index(v) for v in formula.visits][::-1]))


def settings_to_json(settings: ResponseSettings) -> dict[str, Any]:
    """Return plain values."""
    return asdict(settings)


def settings_from_json(content: object, schema: ClinicalSchema) -> ResponseSettings:
    """Return the settings that `settings_to_json` gave.

    Args:
        schema: of the model's clinical variables.

    Raises:
        ValueError: in one sentence, if something is missing, not finite, or does not fit the rest.
    """
    settings = read_as(ResponseSettings, content)
    check_settings(settings, schema)
    return settings


def read_as(kind: type[T], content: object) -> T:
    """Return plain values of JSON as a dataclass, each of its type.

    Raises:
        ValueError: in one sentence, naming the first value that is missing or of a different type.
    """
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}" if place else first["msg"]) from None


def check_settings(settings: ResponseSettings, schema: ClinicalSchema) -> None:
    """Check that the parts of a model fit together.

    Raises:
        ValueError: naming the part that does not.
    """
    for variable in schema.asked:
        is_scaled = isinstance(variable, Category) or (variable.sd > 0 and variable.range[0] <= variable.range[1])
        _require(is_scaled, f"{variable.name} must have a standard deviation above 0, and low not above high")
    quantities = [scale.quantity for scale in settings.scales]
    known = {quantity.name for quantity in QUANTITIES}
    _require(set(quantities) <= known and _differ(quantities), "scales must name a quantity each")
    for scale in settings.scales:
        _require(scale.floor >= 0, f"scales: floor of {scale.quantity} must not be negative")
    parts: list[Level | Input] = [*settings.levels, *settings.inputs]
    for part in parts:
        _require(part.quantity in quantities and part.visit in VISITS, f"{part.name} must be of a quantity and a visit")
        ordered = part.low is None or part.high is None or part.low <= part.high
        _require(ordered, f"{part.name}: low must not be above high")
    floors = {scale.quantity: scale.floor for scale in settings.scales if scale.transform == "log"}
    for level in settings.levels:
        is_read = level.low + floors.get(level.quantity, 1.0) > 0 and level.low >= 0
        _require(is_read, f"{level.name}: low must be above 0, or its scale have a floor")
    levels = [level.name for level in settings.levels]
    _require(_differ(levels), "levels must differ")
    _check_inputs(settings.inputs, levels)
    _check_filling(settings.filling, (*levels, *clinical_columns(schema)))
    names = {*(each.name for each in settings.inputs), *clinical_columns(schema)}
    for formula in settings.formulas:
        _check_formula(formula, names)
    seen = [formula.visits for formula in settings.formulas]
    _require(() in seen and _differ(seen), "formulas must be of a different set of visits each, and one of none")


def _check_inputs(inputs: tuple[Input, ...], levels: list[str]) -> None:
    _require(_differ([each.name for each in inputs]), "inputs must differ")
    for each in inputs:
        is_ordered = each.since is None or VISITS.index(each.since) < VISITS.index(each.visit)
        _require(set(each.columns) <= set(levels) and is_ordered, f"inputs: {each.name} must be of the levels")


def _check_filling(filling: Filling, columns: tuple[str, ...]) -> None:
    _require(filling.columns == columns, f"filling.columns must be {', '.join(columns)}")
    matrix = np.asarray(filling.covariance, float) if _is_square(filling.covariance, len(columns)) else None
    fits = len(filling.mean) == len(filling.average) == len(columns) and matrix is not None
    _require(fits, f"filling must have mean, average and covariance of {len(columns)} columns")
    sizes = [abs(x) for row in (filling.mean, filling.average, *filling.covariance) for x in row]
    _require(max(sizes, default=0) <= _LARGEST, f"filling must have numbers up to {_LARGEST:g}")
    if matrix is not None and len(columns):
        tolerance = _ROUNDING * max(float(np.diag(matrix).max()), 1.0)
        is_covariance = np.allclose(matrix, matrix.T) and np.linalg.eigvalsh(matrix).min() >= -tolerance
        _require(bool(is_covariance), "filling.covariance must be symmetric and not negative")


def _check_formula(formula: Formula, names: set[str]) -> None:
    what = f"formula of {' + '.join(formula.visits) or 'no visit'}"
    in_order = tuple(visit for visit in VISITS if visit in formula.visits)
    _require(formula.visits == in_order, f"{what} must name visits in the order of time")
    _require(bool(formula.fits), f"{what} must have a fit")
    sizes = [abs(x) for fit in formula.fits for x in (fit.constant, *fit.weights.values(), *formula.calibration)]
    _require(max(sizes) <= _LARGEST, f"{what} must have weights up to {_LARGEST:g}, got {max(sizes):g}")
    unknown = sorted({name for fit in formula.fits for name in fit.weights} - names)
    _require(not unknown, f"{what} must be of the inputs, got {', '.join(unknown)}")
    points = [point.name for point in formula.operating_points]
    in_range = all(0 <= point.threshold <= 1 for point in formula.operating_points)
    _require(bool(points) and _differ(points) and in_range, f"{what} must have operating points in [0, 1]")
    _require(formula.calibration[0] > 0, f"{what} must have a calibration with a slope above 0")


def _is_square(rows: tuple[tuple[float, ...], ...], size: int) -> bool:
    return len(rows) == size and all(len(row) == size for row in rows)


def _differ(items: list[Any]) -> bool:
    return len(set(items)) == len(items)


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise ValueError(sentence)
