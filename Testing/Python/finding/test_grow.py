import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.finding.grow import grow_tumour
from PCRPredictorLib.formatting import format_diameters
from PCRPredictorLib.lesion.measurements import measure_lesion
from PCRPredictorLib.reading.cohort import find_patients, read_patient
from scipy import ndimage

GEOMETRY = Geometry((60, 50, 20), (1.0, 1.0, 2.0), (-30.0, 10.0, 5.0))
K, J, I = np.indices(GEOMETRY.shape)  # noqa: E741


def ball(k, j, i, radius):
    return ((K - k) * 2.0) ** 2 + (J - j) ** 2 + (I - i) ** 2 <= radius**2


def phases(*lesions, hole=None):
    """Tissue of 100 that becomes 110, lesions that become 200, with a little noise."""
    rng = np.random.default_rng(0)
    early = np.full(GEOMETRY.shape, 110.0)
    for lesion in lesions:
        early[lesion] = 200
    if hole is not None:
        early[hole] = 120
    return np.full(GEOMETRY.shape, 100.0) + rng.normal(0, 2, GEOMETRY.shape), early


def grow(image, place, **options):
    """Return the mask that a click grows."""
    return grow_tumour(*image, GEOMETRY, place, **options).mask


def position(k, j, i):
    return GEOMETRY.to_physical(np.array([i, j, k], float))


def test_lesion_that_is_clicked_is_taken_and_the_other_left():
    one, other = ball(10, 20, 15, 8), ball(10, 20, 45, 8)
    grown = grow(phases(one, other), position(10, 22, 16))
    assert (grown != 0)[one].mean() > 0.97
    assert not (grown != 0)[other].any()


def test_thin_vessel_is_not_followed():
    lesion, vessel = ball(10, 20, 15, 8), (K == 10) & (J == 20) & (I > 20)
    grown = grow(phases(lesion, vessel, ball(10, 20, 50, 7)), position(10, 20, 15))
    assert not grown[..., 30:].any()


def test_volume_and_diameters_are_those_of_the_report():
    pre, early = phases(ball(10, 20, 15, 6))
    grown = grow_tumour(pre, early, GEOMETRY, position(10, 20, 15))
    found = measure_lesion(Exam(pre, early, early, GEOMETRY, grown.mask))
    measured = (found.longest_mm, *found.across_mm)
    assert grown.volume_ml == pytest.approx(0.9, abs=0.1)
    assert grown.message == f"{grown.volume_ml:.2f} ml, {format_diameters(measured)}"


def test_tumour_that_is_extended_is_kept():
    one, other = ball(10, 20, 15, 8), ball(10, 20, 45, 8)
    grown = grow(phases(one, other), position(10, 20, 45), base=one)
    assert grown[one].all() and grown[other].mean() > 0.97


def test_core_that_does_not_enhance_is_filled():
    grown = grow(phases(ball(10, 20, 15, 9), hole=ball(10, 20, 15, 3)), position(10, 20, 22))
    assert grown[10, 20, 15]


def test_click_beside_the_lesion_finds_it_and_one_far_off_is_refused():
    image = phases(ball(10, 20, 15, 6))
    assert grow(image, position(10, 20, 23)).any()
    with pytest.raises(DataError, match=r"nothing within 3 mm of the click enhances by 30 % \(at most 1\d %\)"):
        grow(image, position(10, 40, 50))
    with pytest.raises(DataError, match="which a lesion is grown from; the minimum enhancement of 70 % limits"):
        grow(image, position(10, 40, 50))
    with pytest.raises(DataError, match="must be inside the exam"):
        grow(image, (500.0, 0.0, 0.0))


def test_click_into_noisy_air_is_not_said_to_enhance():
    pre, early = phases(ball(10, 20, 15, 6))
    pre[:, 35:], early[:, 35:] = 1.0, 3.0
    with pytest.raises(DataError, match=r"enhances by 30 % \(at most 0 %\)"):
        grow((pre, early), position(10, 45, 30))


def test_one_voxel_lesion_is_taken():
    assert grow(phases(ball(10, 20, 15, 0.5)), position(10, 20, 15)).sum() == 1


def test_real_tumours_are_found_by_a_click_into_them(real_cohort):
    overlaps = []
    for patient in find_patients(real_cohort)[::25]:
        exam = read_patient(patient)
        mask = np.asarray(exam.mask) != 0
        depth = ndimage.distance_transform_edt(mask, sampling=exam.geometry.spacing[::-1])
        inside = np.where(depth > 0.5 * depth.max(), exam.early.astype(float) - exam.pre, -np.inf)
        click = np.unravel_index(inside.argmax(), inside.shape)
        place = exam.geometry.to_physical(np.array(click[::-1]))
        grown = grow_tumour(exam.pre, exam.early, exam.geometry, place).mask != 0
        overlaps.append(2 * (grown & mask).sum() / (grown.sum() + mask.sum()))
    assert np.median(overlaps) > 0.6


def test_tumour_with_a_vessel_that_touches_it_is_cut_off_the_vessel():
    lesion, vessel = ball(10, 25, 20, 9), (J == 25) & (K == 10) & (I > 20)
    grown = grow(phases(lesion, vessel), position(10, 25, 20))
    assert grown[lesion].mean() > 0.95
    assert not grown[..., 40:].any()


def test_click_on_a_vessel_is_asked_about_unless_the_user_insists():
    vessel = ((K - 10) * 2.0) ** 2 + (J - 20) ** 2 <= 2.5
    answer = grow_tumour(*phases(vessel), GEOMETRY, position(10, 20, 30))
    assert answer.verdict == "vessel"
    assert answer.question.startswith("The click stands on what looks like a vessel")
    assert grow_tumour(*phases(vessel), GEOMETRY, position(10, 20, 30), force=True).question == ""
    scribble = np.array([position(10, 20, 28), position(10, 20, 30)])
    assert grow_tumour(*phases(vessel), GEOMETRY, scribble).question.startswith("The scribble stands on")


def test_click_on_skin_is_asked_about():
    pre, early = phases(J < 12)
    pre[:, :10], early[:, :10] = 0, 0
    assert grow_tumour(pre, early, GEOMETRY, position(10, 10, 30)).verdict == "skin"


def test_click_on_a_mass_under_the_skin_is_not():
    pre, early = phases(ball(10, 25, 30, 7))
    pre[:, :8], early[:, :8] = 0, 0
    assert grow_tumour(pre, early, GEOMETRY, position(10, 25, 30)).verdict == "mass"


def test_noise_of_suppressed_fat_is_left_out():
    pre, early = phases(ball(10, 20, 20, 7))
    fat = (I > 28) & (J < 40)
    rng = np.random.default_rng(1)
    pre[fat], early[fat] = rng.uniform(2, 40, fat.sum()), rng.uniform(2, 60, fat.sum())
    assert not grow((pre, early), position(10, 20, 20))[fat].any()


def test_box_and_scribble_work_as_a_click():
    lesion = ball(10, 20, 15, 8)
    image = phases(lesion, ball(10, 20, 45, 8))
    corners = np.array([position(4, 8, 3), position(16, 32, 27)])
    scribble = np.array([position(10, 20, 12), position(10, 20, 15), position(10, 22, 18)])
    for grown in (grow(image, corners, box=True), grow(image, scribble)):
        assert grown[lesion].mean() > 0.97
        assert grown[~lesion].sum() < 0.1 * lesion.sum()


def test_box_needs_two_corners():
    with pytest.raises(DataError, match="must have two corners, got 1"):
        grow(phases(ball(10, 20, 15, 8)), position(10, 20, 15), box=True)


def test_lesion_that_is_joined_to_a_larger_one_is_asked_about():
    joined = ((K - 10) * 2.0) ** 2 + (J - 20) ** 2 <= 2.5
    image = phases(ball(10, 20, 42, 10), ball(10, 20, 8, 3.5), joined & (I > 8) & (I < 42))
    assert grow_tumour(*image, GEOMETRY, position(10, 20, 8)).question
    assert not grow_tumour(*image, GEOMETRY, position(10, 20, 42)).question


def test_a_scribble_grows_the_piece_that_most_of_it_lies_in():
    lesion, speck = ball(10, 25, 25, 8), ball(5, 12, 25, 2)
    points = np.argwhere(lesion | speck)[:, ::-1]  # the speck comes first
    grown = grow(phases(lesion, speck), GEOMETRY.to_physical(points))
    assert grown[lesion].mean() > 0.95
