"""Unknown columns are estimated from known ones."""

import numpy as np
import pytest
from PCRPredictorLib.response.filling import Filling, regress

TWO = Filling(("a", "b"), (1.0, 2.0), ((4.0, 2.0), (2.0, 9.0)), (1.0, 2.0))


def test_an_unknown_column_is_its_conditional_mean_with_what_remains_open():
    found = TWO.fill({"a": 3.0})
    assert found.numbers.tolist() == pytest.approx([3.0, 2.0 + 0.5 * 2.0])
    assert found.covariance.tolist() == [[0.0, 0.0], [0.0, pytest.approx(9.0 - 0.5 * 2.0)]]
    assert found.known.tolist() == [True, False]


def test_nothing_known_gives_the_means_and_everything_known_is_left_as_it_is():
    assert TWO.fill({}).numbers.tolist() == [1.0, 2.0]
    assert TWO.fill({"a": -5.0, "b": 7.0}).numbers.tolist() == [-5.0, 7.0]
    assert Filling((), (), (), ()).fill({}).numbers.shape == (0,)


def test_values_of_a_category_that_add_up_to_one_do_not_blow_up():
    """Their covariance has no inverse; rounding it leaves one of 1e10."""
    share = np.array([0.3, 0.7])
    matrix = np.diag([*share, 1.0]) - np.outer([*share, 0.0], [*share, 0.0])
    matrix[0, 1] = matrix[1, 0] = matrix[0, 1] + 3e-11
    matrix[0, 2] = matrix[2, 0] = 0.1
    slopes = regress(matrix, np.array([True, True, False]))
    assert abs(slopes).max() < 1


def test_a_discriminant_with_estimates_is_the_one_that_never_knew_the_column():
    """With the mean of the classes' means and the covariance within them, as `filling` says."""
    rng = np.random.default_rng(0)
    within = np.cov(rng.standard_normal((3, 50))) + np.eye(3)
    means = rng.standard_normal((2, 3))
    weights = np.linalg.solve(within, means[1] - means[0])
    middle = means.mean(0)
    filling = Filling(tuple("abc"), tuple(middle), tuple(map(tuple, within)), tuple(middle))
    known = [0, 2]
    own = np.linalg.solve(within[np.ix_(known, known)], (means[1] - means[0])[known])
    for row in rng.standard_normal((5, 2)):
        filled = filling.fill(dict(zip("ac", row, strict=True))).numbers
        assert weights @ (filled - middle) == pytest.approx(own @ (row - middle[known]))
