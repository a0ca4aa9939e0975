"""The training distribution of a bundle; of an older one, what can be learned from its times and ranges."""

from __future__ import annotations

from ..errors import DataError
from ..formatting import count
from ..model.bundle import Bundle
from ..model.card import TrainingRange, TrainingTimes
from ..model.tumour import QUANTITIES
from .compare import TRAINING_PATIENTS
from .distribution import Distribution, TrainingDistribution
from .facts import TIMES

_OLD = "{name} {version} does not record what its training patients were like, so that {known}."
_OF_PHANTOMS = (
    "The model {name} {version} was trained on simulated exams, whose variables it does not hold: {known}. Of real "
    "patients its probabilities say nothing."
)
_NOTHING = "nothing can be compared"


def training_distribution(bundle: Bundle) -> TrainingDistribution:
    """Return the training distribution of a bundle.

    Raises:
        DataError: if that part of the bundle is damaged.
    """
    content = bundle.training_distribution
    if content is None:
        return _from_ranges(bundle)
    try:
        return TrainingDistribution.from_json(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{bundle.path}: its training distribution cannot be read ({error}); get it again") from None


def points_fixed_on(bundle: Bundle) -> str:
    """Return on whom the operating points of a bundle were fixed, in words.

    Raises:
        DataError: if that part of the bundle is damaged.
    """
    adapted = bundle.recalibration
    if adapted is None:
        return TRAINING_PATIENTS
    if not isinstance(patients := adapted.get("patients"), int):
        raise DataError(
            f"{bundle.path}: its recalibration must have a number of patients, got {patients!r}; get it again"
        )
    return f"the {patients} patients that it was recalibrated on"


def _from_ranges(bundle: Bundle) -> TrainingDistribution:
    times, ranges = bundle.settings.times, bundle.settings.familiar
    variables = (*map(_of_times, times), *map(_of_range, ranges))
    names = [variable.label for variable in variables]
    known = f"only {count(len(names), 'variable')} can be compared ({'; '.join(names)})" if names else _NOTHING
    text = _OF_PHANTOMS if bundle.card.is_of_phantoms else _OLD
    missing = text.format(name=bundle.card.name, version=bundle.card.version, known=known)
    return TrainingDistribution(variables=variables, missing=missing)


def _of_times(known: TrainingTimes) -> Distribution:
    """Return the distribution of times: percentiles as far as they are known, mean and spread from the quartiles.

    Its 5th and 95th percentile are those of the warnings, which may lie further out.
    """
    low, middle, high = known.quartiles
    percentiles = {"5": known.low, "25": low, "50": middle, "75": high, "95": known.high}
    spread = (high - low) / 1.349  # of a normal distribution with these quartiles
    return Distribution(known.phase, TIMES[known.phase], "s", known.patients, percentiles, middle, spread)


def _of_range(known: TrainingRange) -> Distribution:
    label, unit = QUANTITIES[known.quantity]
    return Distribution(known.quantity, label, unit, percentiles={"1": known.low, "99": known.high})
