"""The visits of a patient read, checked and measured."""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.visits import measured
from PCRPredictorLib.visits.given import GivenVisit, source_of
from PCRPredictorLib.visits.read import read_course
from PCRPredictorLib.writing import write_nifti
from support.examples import two_lesions, whole_exam
from support.follow_up.visits import in_place, later_exam, small_exam, write_files, write_study

EXAM = small_exam(0)
LATER = later_exam(EXAM, 0.5, 2)


@pytest.fixture
def given(tmp_path):
    """Write the exams of visits as files and return them as the user gives them."""

    def write(use="drawn", **exams):
        found = []
        for name, exam in exams.items():
            write_files(tmp_path / name, exam)
            found.append(GivenVisit(name, source_of(name, [tmp_path / name])))
        return [*found[:-1], replace(found[-1], use=use)]

    return write


def with_source(visit, **options):
    return replace(visit, source=replace(visit.source, **options))


def codes(visit):
    return [notice.code for notice in visit.notices]


def test_each_visit_is_measured_with_its_own_mask(given):
    course = read_course(given(T0=EXAM, T1=LATER), {"age": 50})
    first, second = course
    assert first.values.functional_volume_ml > second.values.functional_volume_ml > 0
    assert course.clinical == {"age": 50}


def test_visits_from_dicom_have_dates_and_the_age_of_the_header(tmp_path):
    exams = {name: write_study(tmp_path / name, day) for name, day in (("T0", 0), ("T1", 22))}
    sources = {name: source_of(name, [tmp_path / name]) for name in exams}
    for name, exam in exams.items():
        write_nifti(exam.mask, exam.geometry, tmp_path / f"{name}.nii.gz")
    visits = [GivenVisit(name, replace(source, mask=tmp_path / f"{name}.nii.gz")) for name, source in sources.items()]
    course = read_course(visits, {})
    assert [(visit.date - course.visits["T0"].date).days for visit in course] == [0, 22]
    assert course.clinical == {"age": 53}


def test_a_tumour_that_is_gone_is_measured_as_0(given):
    assert list(read_course(given("gone", T0=EXAM, T1=LATER), {}))[1].values.gone


def test_an_empty_mask_means_that_the_tumour_is_gone_and_is_told(given):
    _, second = read_course(given(T0=EXAM, T1=replace(LATER, mask=np.zeros_like(EXAM.mask))), {})
    assert second.values.gone
    assert "mask_empty" in codes(second)


def test_without_a_mask_the_choices_are_told(given):
    with pytest.raises(DataError, match=r"T1: no tumour mask; .* --mask T1 FILE, say --mask T1 gone .*baseline"):
        read_course(given(T0=EXAM, T1=replace(LATER, mask=None)), {})


def test_inside_the_outline_of_the_baseline_a_visit_needs_no_mask(given, monkeypatch):
    monkeypatch.setattr(measured, "register", in_place)
    _, second = read_course(given("baseline", T0=EXAM, T1=replace(LATER, mask=None)), {})
    assert "inside_baseline" in codes(second)
    assert second.values.functional_volume_ml > 0
    assert second.exam.has_tumour


@pytest.mark.parametrize(("use", "got"), [("gone", "--mask T0 gone"), ("baseline", "--mask T0 baseline")])
def test_the_first_visit_must_have_a_tumour(given, use, got):
    first, second = given(T0=EXAM, T1=LATER)
    with pytest.raises(DataError, match=f"T0 is the first visit and must have a tumour, got {got}"):
        read_course([replace(first, use=use), second], {})


def test_the_first_visit_must_have_a_mask_that_is_not_empty(given):
    for mask, message in ((None, "T0: no tumour mask; give it with --mask T0 FILE$"), (EXAM.mask * 0, "an empty mask")):
        with pytest.raises(DataError, match=message):
            read_course(given(T0=replace(EXAM, mask=mask), T1=LATER), {})


def test_a_mask_on_the_grid_of_another_visit_is_named(given):
    wide = small_exam(3, size=(48, 40, 12))
    visits = given(T0=EXAM, T1=wide)
    swapped = [with_source(visits[k], mask=visits[1 - k].source.mask) for k in (0, 1)]
    with pytest.raises(DataError, match=r"T0: the mask mask.nii.gz lies on the grid of T1; .* may be swapped"):
        read_course(swapped, {})


def test_a_mask_on_no_grid_is_refused_with_its_visit(given, tmp_path):
    visits = given(T0=EXAM, T1=LATER)
    other = small_exam(3, size=(20, 20, 6))
    write_nifti(other.mask, other.geometry, tmp_path / "other.nii.gz")
    with pytest.raises(DataError, match=r"T1: other.nii.gz: the mask must lie on the exam's grid"):
        read_course([visits[0], with_source(visits[1], mask=tmp_path / "other.nii.gz")], {})


def test_the_same_exam_twice_is_refused_before_anything_is_measured(given):
    with pytest.raises(DataError, match="T1 must be a different exam than T0"):
        read_course(given(T0=EXAM, T1=EXAM), {})


def test_a_single_visit_is_refused(given):
    with pytest.raises(DataError, match="two visits or more, got one; add a later exam"):
        read_course(given(T0=EXAM), {})
    with pytest.raises(DataError, match="must have T0, the exam before treatment, got T1 alone"):
        read_course(given(T1=EXAM), {})


def test_several_lesions_of_one_breast_are_measured_together(given):
    visits = given(T0=EXAM, T1=LATER)
    labelled = two_lesions(EXAM).labelled_mask()
    write_nifti(labelled, EXAM.geometry, visits[0].source.mask)
    first = read_course([replace(visits[0], source=replace(visits[0].source, labels=("all",))), visits[1]], {}).visits[
        "T0"
    ]
    assert "lesions_together" in codes(first)
    assert np.count_nonzero(first.exam.mask) == np.count_nonzero(EXAM.mask)


def test_of_tumours_in_both_breasts_that_of_the_first_visit_is_followed(given):
    both = [whole_exam(spacing=4.0, noise=noise) for noise in (3.0, 4.0)]
    right = whole_exam(spacing=4.0, tumour=np.array([-70.0, -35.0, 10.0])).mask
    course = read_course(given(T0=both[0], T1=replace(both[1], mask=both[1].mask | right)), {})
    assert np.count_nonzero(course.visits["T1"].exam.mask) == np.count_nonzero(both[1].mask)
    assert "lesions_together" in codes(course.visits["T1"])
