"""What a response model has to beat: clinical values alone, and the published rule, the change of the volume.

The rule is that of I-SPY: the change of the functional tumour volume since the first visit. It is given the same folds,
calibration and choice of the penalty, and once more the clinical values that the model has. Where no volume is known,
the longest diameter stands for it, as radiologists do it (RECIST).

Sources: Hylton et al., Radiology 263:663, 2012 and 279:44, 2016; Eisenhauer et al., Eur J Cancer 45:228, 2009 (RECIST).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PCRPredictorLib.response.course import QUANTITIES, Course
from PCRPredictorLib.visits.columns import DIAMETER, VOLUME

from .config import Candidate, Inputs, ResponseConfig

CLINICAL = "clinical values alone"


@dataclass(frozen=True)
class Baseline:
    """A way to predict that is known.

    Args:
        name: of its row in tables.
        config: of its models.
    """

    name: str
    config: ResponseConfig


def rule_quantity(courses: Sequence[Course]) -> str:
    """Return the quantity whose change is the rule: the functional volume, or the diameter if no patient has one."""
    has = any(visit.values.get(VOLUME) is not None for course in courses for visit in course)
    return VOLUME if has else DIAMETER


def baselines(courses: Sequence[Course], config: ResponseConfig) -> tuple[Baseline, Baseline]:
    """Return the rule alone, and with the clinical values of the model."""
    quantity = rule_quantity(courses)
    label = next(q.label for q in QUANTITIES if q.name == quantity).lower()
    alone = replace(config, quantities=(quantity,), clinical=(), candidates=_with("change alone", config))
    beside = replace(config, quantities=(quantity,), candidates=_with("changes", config))
    return Baseline(f"change of {label} alone", alone), Baseline(f"clinical values and {label}", beside)


def _with(inputs: Inputs, config: ResponseConfig) -> tuple[Candidate, ...]:
    return tuple(Candidate(inputs, strength) for strength in sorted({c.strength for c in config.candidates}))
