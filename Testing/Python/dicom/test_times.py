"""The order of phases, and signs that the first one is missing."""

import pytest
from support.dicom.folder import TIMES, read, write_apart, write_together
from support.dicom_exam import assert_refused, clock

ALL = (0, 2, 4)


def test_midnight_within_the_acquisition_changes_nothing(tmp_path):
    times = ("235900", "000014", "000129", "000329", "000529")
    write_apart(tmp_path, lambda p, k: {"AcquisitionTime": times[p]})
    assert read(tmp_path)[0] == ALL


@pytest.mark.parametrize("which", [0, 2])
@pytest.mark.parametrize("time", [None, "999999"])
def test_phases_of_which_one_has_no_time_are_ordered_by_number(tmp_path, which, time):
    write_apart(tmp_path, lambda p, k: {"AcquisitionTime": time} if p == which else {})
    assert read(tmp_path) == ((0, 1, 4), {}, [])


def test_time_that_one_slice_lacks_is_that_of_the_others(tmp_path):
    write_apart(tmp_path, lambda p, k: {"AcquisitionTime": None} if (p, k) == (2, 1) else {})
    assert read(tmp_path) == (ALL, {}, [])


def test_numbers_that_contradict_the_times_are_a_warning(tmp_path):
    write_apart(tmp_path, lambda p, k: {"SeriesNumber": 20 - p})
    assert read(tmp_path) == (ALL, {}, ["phase_order_unclear"])


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        (lambda p, k: {"TemporalPositionIdentifier": p + 2}, "the numbers of its temporal positions start at 2"),
        (lambda p, k: {"AcquisitionNumber": p + 2}, "the numbers of its acquisitions start at 2"),
        (lambda p, k: {"InstanceNumber": 4 * p + k + 5}, "the numbers of its images start at 5"),
        (lambda p, k: {"SeriesDescription": f"t1 dyn post {p}"}, "its name is that of a phase after the injection"),
        (lambda p, k: {"SeriesDescription": "dyn 1st pass"}, "its name is that of a phase after the injection"),
    ],
)
def test_signs_that_the_first_phase_is_missing_are_refused_unless_the_user_chooses(tmp_path, change, sign):
    write_together(tmp_path, lambda p, k: {"AcquisitionTime": clock(TIMES[p]), **change(p, k)})
    assert_refused(tmp_path, f"the pre-contrast phase may be missing, since of the first phase, series 5 .*, {sign}")
    assert read(tmp_path, pick=ALL)[0] == ALL


@pytest.mark.parametrize("sign", [{"ContrastBolusAgent": "Gd"}, {"ContrastBolusStartTime": "101530"}])
def test_first_phase_before_the_contrast_may_have_any_name(tmp_path, sign):
    write_apart(tmp_path, lambda p, k: sign if p else {}, SeriesDescription="dyn post")
    assert read(tmp_path)[0][0] == 0


@pytest.mark.parametrize("names", ["t1 posterior coil", "t1 lateral", "pre and post", "t1 dyn"])
def test_names_that_mean_no_phase_after_contrast_are_no_sign(tmp_path, names):
    write_apart(tmp_path, SeriesDescription=names)
    assert read(tmp_path)[0] == ALL


def test_images_of_a_different_kind_may_have_the_first_numbers_of_a_series(tmp_path):
    kinds = {"W": 20, "F": 0}
    for name, first in kinds.items():
        write_together(
            tmp_path / name,
            lambda p, k, name=name, first=first: {
                "InstanceNumber": first + 4 * p + k + 1,
                "ImageType": ["DERIVED", "PRIMARY", "DIXON", name],
            },
        )
    assert read(tmp_path)[0] == (0, 1, 4)


def test_temporal_positions_that_are_not_there_are_a_warning(tmp_path):
    write_together(tmp_path, NumberOfTemporalPositions=7)
    assert read(tmp_path) == ((0, 1, 4), {}, ["phases_missing"])


def test_dynamic_that_was_repeated_after_a_pause_is_refused(tmp_path):
    write_apart(tmp_path / "1")
    write_apart(tmp_path / "2", lambda p, k: {"SeriesNumber": 15 + p, "AcquisitionTime": clock(900 + TIMES[p])})
    assert_refused(tmp_path, "a long pause divides the phases")


def test_pause_before_a_delayed_phase_or_after_the_first_is_usual(tmp_path):
    times = (0, 1380, 1500, 1620, 2400)
    write_apart(tmp_path, lambda p, k: {"AcquisitionTime": clock(times[p])})
    assert read(tmp_path) == ((0, 1, 4), {}, [])


def test_dynamic_that_was_broken_off_and_repeated_is_refused(tmp_path):
    write_together(tmp_path / "a", count=2, AcquisitionTime="100000")
    write_together(tmp_path / "b", SeriesInstanceUID="1.2.4", SeriesNumber=6)
    assert_refused(tmp_path, r"has two dynamic acquisitions, series 5 \(dyn T1\) and series 6 \(dyn T1\)")
