"""A tiny response model with known weights, and courses for it."""

from itertools import combinations

from PCRPredictorLib.clinical import Category, ClinicalSchema, Number
from PCRPredictorLib.model.card import ModelCard
from PCRPredictorLib.prediction import OperatingPoint
from PCRPredictorLib.response.bands import Band, Bands
from PCRPredictorLib.response.bundle import write_response_bundle
from PCRPredictorLib.response.course import VISITS, Course, Visit, VisitValues
from PCRPredictorLib.response.filling import Filling
from PCRPredictorLib.response.inputs import Input, Level, Scale, clinical_columns
from PCRPredictorLib.response.model import ResponseModel
from PCRPredictorLib.response.settings import Cost, Fit, Formula, Group, ResponseSettings

CARD = ModelCard(
    name="tiny response",
    version="1.0.0",
    description="Weights made up for tests.",
    authors="the tests",
    licence="Apache-2.0",
    training_data="no patients",
    intended_use="tests",
    not_intended_use="anything else",
    known_limits="knows nothing",
    metrics={"T0": {"auc": {"value": 0.7, "low": 0.65, "high": 0.75}}},
)
SCHEMA = ClinicalSchema(
    (
        Number("age", "Age", "years", 18, 100, 50, 10, low=25, high=75),
        Category("hr", "Hormone receptors", {"negative": ["0"], "positive": ["1"]}),
        Category("her2", "HER2", {"negative": ["0"], "positive": ["1"]}),
    )
)
SCALES = (
    Scale("functional_volume_ml", "log", 0.1),
    Scale("longest_diameter_mm", "sqrt"),
    Scale("sphericity", "none", when_gone=0.4),
)
TOP = {"functional_volume_ml": 200.0, "longest_diameter_mm": 130.0, "sphericity": 0.7}
_CLINICAL = {"age": -0.1, "hr=positive": -0.4, "hr=negative": 0.4, "her2=positive": 0.3, "her2=negative": -0.3}
_LEVEL = {"functional_volume_ml": -0.2, "longest_diameter_mm": -0.05, "sphericity": 0.5}
_CHANGE = {"functional_volume_ml": -0.5, "longest_diameter_mm": -0.2, "sphericity": 1.0}
CLINICAL = {"age": "52", "hr": "positive", "her2": "negative"}


def tiny_settings() -> ResponseSettings:
    """Three quantities at four visits; a formula for every set of visits that has T0, for T1 alone, and for none."""
    names = [scale.quantity for scale in SCALES]
    levels = tuple(Level(name, visit, 0.0, TOP[name]) for visit in VISITS for name in names)
    inputs = [Input(name, visit) for visit in VISITS[:2] for name in names]
    inputs += [Input(name, visit, "T0", high=1.0) for visit in VISITS[1:] for name in names]
    more = [("T0", *others) for n in range(4) for others in combinations(VISITS[1:], n)]
    return ResponseSettings(
        scales=SCALES,
        levels=levels,
        inputs=tuple(inputs),
        filling=_filling([level.name for level in levels]),
        formulas=tuple(_formula(visits) for visits in [(), ("T1",), *more]),
        bands=Bands(tuple(Band(n, v, r, 1.0, 2.0, 3.0, 40) for n in names for v in VISITS for r in (True, False))),
        groups=tuple(
            Group({"hr": hr, "her2": her2}, n, n // 3)
            for hr, her2, n in (("positive", "negative", 90), ("negative", "negative", 60), ("positive", "positive", 4))
        ),
        costs=(Cost(("T0",), ("longest_diameter_mm",), 0.66, 0.7),),
        base_rate=0.3,
    )


def _filling(levels: list[str]) -> Filling:
    columns = (*levels, *clinical_columns(SCHEMA))
    mean = [
        {"functional": 2.0, "longest": 6.0, "sphericity": 0.25}.get(c.split("_")[0], 0.5 * ("=" in c)) for c in columns
    ]
    rows = [[_covariance(a, b) for b in columns] for a in columns]
    return Filling(columns, tuple(mean), tuple(map(tuple, rows)), tuple(m + 0.1 for m in mean))


def _covariance(one: str, other: str) -> float:
    """Columns of visits hang together, clinical ones do not."""
    scales = {"functional": 1.0, "longest": 1.5, "sphericity": 0.1}
    sd = [scales.get(name.split("_")[0], 0.5) for name in (one, other)]
    shared = "_T" in one and "_T" in other
    return sd[0] * sd[1] * (1.0 if one == other else 0.6 if shared else 0.0)


def _formula(visits: tuple[str, ...]) -> Formula:
    first = visits[0] if visits else None
    weights = dict(_CLINICAL)
    weights |= {f"{name}_{first}": w for name, w in _LEVEL.items() if first is not None}
    weights |= {f"{name}_{visit}_since_T0": w for visit in visits[1:] for name, w in _CHANGE.items()}
    fits = [Fit(0.3 + shift, {n: w * (1 + shift) for n, w in weights.items()}) for shift in (-0.1, 0.0, 0.2)]
    points = (OperatingPoint("balanced", 0.4, 0.7, 0.6), OperatingPoint("high sensitivity", 0.2, 0.9, 0.3))
    return Formula(visits, tuple(fits), (0.9, -0.2), points, 154)


def tiny_response() -> ResponseModel:
    """The model in memory."""
    return ResponseModel(CARD, SCHEMA, tiny_settings(), "0" * 64)


def write_tiny_response(folder):
    """Write the model as a bundle, and return its folder."""
    write_response_bundle(folder, CARD, SCHEMA, tiny_settings(), "# Tiny\n", ["abc"])
    return folder


def tiny_course(*names, clinical=CLINICAL, **values) -> Course:
    """A tumour that shrinks by half from visit to visit; `T1=VisitValues(...)` replaces a visit's values."""
    found = {
        name: VisitValues(20 / 2**k, 40 / 1.26**k, 0.2 + 0.02 * k) for k, name in enumerate(VISITS) if name in names
    }
    return Course({name: Visit(name, each) for name, each in {**found, **values}.items()}, dict(clinical))
