"""Unknown values of a patient: what the known ones lead one to expect.

The columns of the training patients are described by a mean and a covariance; an unknown column is read as its
conditional mean given the known ones, under a normal distribution. What is read is then linear in what is known, so
that a logit remains a sum of terms. With the mean of the two classes' means and the covariance within them, the logit
of a linear discriminant becomes that of the discriminant that never knew the column.

Source: Anderson, An Introduction to Multivariate Statistical Analysis, 3rd ed., Wiley 2003, sections 2.5 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .inputs import EXACT

_DEPENDENT = 1e-8  # share of the largest variance below which a combination of columns has none


@dataclass(frozen=True, eq=False)
class Filled:
    """All columns of a patient.

    Args:
        numbers: (C,), known or expected.
        covariance: (C, C), of what is unknown given what is known; 0 for known columns.
        known: (C,) bool.
    """

    numbers: np.ndarray
    covariance: np.ndarray
    known: np.ndarray


@dataclass(frozen=True)
class Filling:
    """Mean and covariance of the columns of C numbers, by which unknown ones are estimated.

    Args:
        columns: names: every level of the model, then every clinical column.
        mean: of each, by which an unknown one is estimated.
        covariance: a row per column.
        average: of each column in the training patients, against whom the evidence is told.
    """

    __pydantic_config__ = EXACT

    columns: tuple[str, ...]
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    average: tuple[float, ...]

    @cached_property
    def _matrix(self) -> np.ndarray:
        return np.asarray(self.covariance, float).reshape(len(self.columns), len(self.columns))

    def row(self, known: Mapping[str, float]) -> np.ndarray:
        """Return the columns, (C,), nan where a value is unknown."""
        return np.array([known.get(name, np.nan) for name in self.columns], float)

    def fill(self, known: Mapping[str, float]) -> Filled:
        """Return all columns of a patient.

        Args:
            known: number of each known column, by name.
        """
        numbers = self.row(known)
        has = np.isfinite(numbers)
        mean, matrix = np.asarray(self.mean, float), self._matrix
        if has.all():
            return Filled(numbers, np.zeros_like(matrix), has)
        slopes = regress(matrix, has)
        numbers[~has] = mean[~has] + slopes @ (numbers[has] - mean[has])
        rest = np.zeros_like(matrix)
        rest[np.ix_(~has, ~has)] = matrix[np.ix_(~has, ~has)] - slopes @ matrix[np.ix_(has, ~has)]
        return Filled(numbers, rest, has)


def regress(covariance: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the slopes, (U, K), of the conditional means of U unknown columns in K known ones.

    Columns that depend on each other, as the values of a category do, count as one.

    Args:
        covariance: (C, C).
        known: (C,) bool.

    Source: Anderson 2003, see above.
    """
    inverse = np.linalg.pinv(covariance[np.ix_(known, known)], rcond=_DEPENDENT, hermitian=True)
    return covariance[np.ix_(~known, known)] @ inverse
