import re

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.finding.body import outline_body
from PCRPredictorLib.finding.find import find_tumours
from PCRPredictorLib.finding.use import with_clicked_tumour, with_found_tumour

GEOMETRY = Geometry((130, 100, 20), (2.2, 2.2, 4.0), (-143.0, -60.0, -40.0))
K, J, I = np.indices(GEOMETRY.shape)  # noqa: E741
X, Y, Z = (GEOMETRY.to_physical(np.stack([I, J, K], -1))[..., axis] for axis in range(3))


def ball(x, y, z, radius):
    return (X - x) ** 2 + (Y - y) ** 2 + (Z - z) ** 2 <= radius**2


def exam(*lesions, geometry=GEOMETRY, turn=lambda array: array):
    """Two breasts before a chest with a heart, lesions that enhance by 150 %, and some noise."""
    rng = np.random.default_rng(0)
    breasts = ((np.abs(X) - 70) / 60) ** 2 + (np.minimum(Y - 30, 0) / 80) ** 2 <= 1
    body = breasts & (Y < 30) | (Y >= 20)
    pre = np.where(body, 60.0, 0.5) + rng.normal(0, 1.5, X.shape) * body
    rise = 4.0 * body + 150 * ball(10, 95, 0, 38)
    for lesion in lesions:
        rise[lesion] = 90
    phases = [pre, pre + rise + rng.normal(0, 1.5, X.shape) * body, pre + 0.9 * rise]
    return Exam(*(turn(np.clip(phase, 0, None)) for phase in phases), geometry=geometry)


def found(one, **options):
    return find_tumours(*one.phases, one.geometry, **options)


def test_mass_is_first_and_the_heart_is_no_candidate():
    mass = ball(-70, -5, 0, 10)
    first, *others = found(exam(mass))
    assert (first.mask[mass] != 0).mean() > 0.9
    assert first.side == "right"
    assert any(re.fullmatch(r"early enhancement \+\d+ %", reason) for reason in first.reasons)
    assert all(not (one.mask != 0)[ball(10, 95, 0, 30)].any() for one in (first, *others))


def test_mass_is_ranked_before_a_vessel_and_both_breasts_are_searched():
    mass, small = ball(-70, -5, 0, 10), ball(70, -10, 8, 6)
    vessel = (np.abs(X - 60) < 2) & (np.abs(Z + 16) < 3) & (Y > -30) & (Y < 25)
    first, second, *_rest = found(exam(mass, small, vessel))
    assert (first.side, second.side) == ("right", "left")
    assert second.mask[small].any()


def test_mass_is_found_however_the_voxels_are_ordered():
    direction = GEOMETRY.direction @ np.diag([1.0, -1.0, -1.0])
    geometry = Geometry(GEOMETRY.size, GEOMETRY.spacing, tuple(GEOMETRY.to_physical([0, 99, 19])), direction)
    first = found(exam(ball(-70, -5, 0, 10), geometry=geometry, turn=lambda array: array[::-1, ::-1]))[0]
    assert first.side == "right"
    assert np.linalg.norm(np.array(first.position) - [-70, -5, 0]) < 10


def test_candidates_are_at_most_as_many_as_asked_for():
    assert len(found(exam(ball(-70, -5, 0, 10), ball(70, -10, 8, 6)), most=1)) == 1


def test_chest_lies_behind_the_breastbone():
    one = exam()
    body = outline_body(one.early, GEOMETRY)
    whole = tuple(slice(0, n) for n in GEOMETRY.shape)
    chest = body.in_chest(whole)
    assert chest[ball(10, 95, 0, 30)].all()
    assert not chest[(Y < 20) & (np.abs(X) > 30)].any()
    assert abs(body.middle) < 10


def test_found_tumour_is_marked_as_not_reviewed():
    with_tumour, candidates = with_found_tumour(exam(ball(-70, -5, 0, 10)))
    assert np.array_equal(with_tumour.mask, candidates[0].mask)
    assert [notice.code for notice in with_tumour.provenance.notices] == ["tumour_unreviewed"]


def test_exam_without_enhancement_has_no_tumour():
    one = exam()
    with pytest.raises(DataError, match="no tumour was found"):
        with_found_tumour(Exam(one.pre, one.pre, one.pre, one.geometry))


def test_click_grows_the_tumour_and_one_on_the_heart_is_refused_unless_forced():
    one = exam(ball(-70, -5, 0, 10))
    assert with_clicked_tumour(one, (-70, -5, 0)).mask[ball(-70, -5, 0, 8)].all()
    with pytest.raises(DataError, match=r"looks like the heart.*click on the lesion, or add --click-anyway"):
        with_clicked_tumour(one, (10, 95, 0))
    assert with_clicked_tumour(one, (10, 95, 0), force=True).has_tumour
