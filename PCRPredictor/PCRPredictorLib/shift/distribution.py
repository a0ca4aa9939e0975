"""What the training patients of a model were like: one summary per variable, never a value of one patient.

`TrainingDistribution` is `configs/training_distribution.json` of a bundle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

LEVELS = (1, 5, 25, 50, 75, 95, 99)  # percent
LEAST_PATIENTS = 10  # with a value; percentiles of fewer would be values of single patients
LEAST_SHARED = 3  # patients of a value; rarer ones are counted together
OTHERS = "others"
FORMAT = 1


@dataclass(frozen=True)
class Distribution:
    """One variable of some patients: percentiles of numbers, or shares of categories.

    Args:
        name: key, the same in every cohort.
        label: shown to the user.
        unit: of the numbers, "" if they have none.
        patients: number of patients with a value.
        percentiles: "1" to "99" to value, in `unit`; empty for categories, or if too few have a value.
        mean, sd: of the numbers, in `unit`; None if unknown.
        shares: value to share of the patients with a value, in [0, 1]; empty for numbers.
    """

    name: str
    label: str
    unit: str = ""
    patients: int = 0
    percentiles: Mapping[str, float] = field(default_factory=dict)
    mean: float | None = None
    sd: float | None = None
    shares: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingDistribution:
    """The patients that a model was trained on.

    Args:
        patients: number of patients with images.
        pcr: number of them with pCR, None if unknown.
        variables: as far as known.
        missing: what a bundle of an earlier version does not tell, as a sentence; "" if nothing is missing.
    """

    patients: int = 0
    pcr: int | None = None
    variables: tuple[Distribution, ...] = ()
    missing: str = ""

    def find(self, name: str) -> Distribution | None:
        """Return the distribution of a variable, None if it is not known."""
        return next((variable for variable in self.variables if variable.name == name), None)

    def to_json(self) -> dict[str, object]:
        """Return plain values, for a bundle."""
        return {"format": FORMAT, **asdict(self)}

    @staticmethod
    def from_json(content: Mapping[str, object]) -> TrainingDistribution:
        """Return what `to_json` wrote.

        Raises:
            TypeError, ValueError: if `content` is anything else.
        """
        values = dict(content)
        if values.pop("format", None) != FORMAT:
            raise ValueError(f"its training distribution must have the format {FORMAT}")
        variables = tuple(Distribution(**item) for item in values.pop("variables"))  # type: ignore[attr-defined]
        return TrainingDistribution(variables=variables, **values)  # type: ignore[arg-type]


def summarise_numbers(
    name: str, label: str, unit: str, values: np.ndarray, least: int = LEAST_PATIENTS
) -> Distribution:
    """Return the distribution of numbers, (N,); nan is unknown.

    Args:
        least: patients with a value that percentiles, mean and standard deviation need.
    """
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if len(known) < max(least, 1):
        return Distribution(name, label, unit, len(known))
    percentiles = {str(level): float(value) for level, value in zip(LEVELS, np.percentile(known, LEVELS), strict=True)}
    spread = float(known.std(ddof=1)) if len(known) > 1 else None
    return Distribution(name, label, unit, len(known), percentiles, float(known.mean()), spread)


def summarise_categories(
    name: str, label: str, values: Sequence[str], least: int = LEAST_PATIENTS, shared: int = 1
) -> Distribution:
    """Return the distribution of texts; "" is unknown.

    Args:
        least: patients with a value that shares need.
        shared: patients of a value that has a share of its own; rarer values are counted together as `OTHERS`.
    """
    known = [value for value in values if value]
    if len(known) < max(least, 1):
        return Distribution(name, label, patients=len(known))
    counts: Counter[str] = Counter()
    for value, number in Counter(known).items():
        counts[value if number >= shared else OTHERS] += number
    return Distribution(
        name, label, patients=len(known), shares={value: counts[value] / len(known) for value in sorted(counts)}
    )
