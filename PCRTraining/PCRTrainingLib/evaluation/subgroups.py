"""Subgroups of a cohort: variables of its table that divide the patients."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..cohort.cache import GridCache
from ..schema import KNOWN
from ..statistics.metrics import age_bin

FAIRNESS_VARIABLES = ("age", "menopause", "breast_density")  # of the MAMA-MIA challenge
_SUBGROUPS = (*FAIRNESS_VARIABLES, "tumor_subtype", "hr", "her2", "site", "manufacturer")


def find_groups(cache: GridCache, index: np.ndarray) -> dict[str, np.ndarray]:
    """Return the variables that divide the patients at the positions `index`, (n,): text each, (n,), "" if unknown."""
    groups = {}
    for name in _SUBGROUPS:
        texts = cache.column(name)[index]
        if name == "age":
            values = np.array([age_bin(age) for age in pd.to_numeric(texts, errors="coerce")])
        else:
            values = np.array([_spelling(name, text) for text in texts])
        if len(set(values) - {""}) > 1:
            groups[name] = values
    return groups


def _spelling(name: str, text: str) -> str:
    """Return a value as the schema names it: "post (>12 months)" and "post" are one group."""
    if name in KNOWN and text:
        try:
            return str(KNOWN[name].parse(text))
        except ValueError:
            return ""
    return text
