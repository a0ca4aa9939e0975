"""A real whole exam, as published and re-written as other scanners would write it: the same phases and probability.

The pre-contrast series of this exam was acquired 23 minutes before the first phase after contrast.
"""

from dataclasses import replace

import numpy as np
import pytest
from PCRPredictorLib.dicom.exam import find_phases, read_dicom_exam
from PCRPredictorLib.exam import Exam, Geometry
from PCRPredictorLib.model.bundle import find_bundle, load_bundle
from PCRPredictorLib.model.predictor import Predictor
from PCRPredictorLib.reading.images import read_series
from support.vendors.styles import DICOM_STYLES, Acquisition, write_series_file

BOX = (slice(23, 42), slice(47, 83), slice(90, 125))  # published, of the lesion
PART = (slice(12, 53), slice(10, 130), slice(40, 180))  # around it, for speed
TIMES = pytest.approx((0, 1371.1, 1736.7), abs=0.1)


@pytest.fixture(scope="module")
def predictor():
    return Predictor(load_bundle(find_bundle("ispy2")))


@pytest.fixture(scope="module")
def published(real_exam):
    """The exam as it is read from its files, with a mask: what enhances by 70 % in the published box."""
    exam = read_dicom_exam(real_exam)
    mask = np.zeros(exam.geometry.shape, np.uint8)
    mask[BOX] = exam.early[BOX] > 1.7 * exam.pre[BOX]
    return replace(exam, mask=mask)


@pytest.fixture(scope="module")
def acquisition(real_exam, published):
    """All four phases of the exam, whole."""
    other = read_dicom_exam(real_exam, pick=(0, 2, 3)).early
    phases = (published.pre, published.early, other, published.late)
    times = tuple(round(time, 2) for time in find_phases(real_exam).times)
    return Acquisition(tuple(phase.astype(np.int16) for phase in phases), published.geometry, times)


def cut(acquisition, published):
    """Return a part of the acquisition, and of the mask."""
    start = published.geometry.to_physical(np.array([span.start for span in PART[::-1]]))
    size = tuple(span.stop - span.start for span in PART[::-1])
    geometry = Geometry(size, published.geometry.spacing, tuple(start), published.geometry.direction)
    return Acquisition(tuple(phase[PART] for phase in acquisition.phases), geometry, acquisition.times), published.mask[
        PART
    ]


def count_files(folder):
    """Return the number of files in a folder, and of those that are of a phase or were left aside with a reason."""
    found = find_phases(folder)
    used = {s.file for phase in found.phases for s in phase.slices}
    aside = sum(item.files for item in read_dicom_exam(folder).provenance.left_aside)
    return sum(path.is_file() for path in folder.rglob("*")), len(used) + aside


def test_phases_and_times_are_right_and_every_file_is_accounted_for(real_exam, published):
    provenance = published.provenance
    assert provenance.phase_times == TIMES
    assert (provenance.picked.phases, provenance.picked.series) == ((0, 1, 3), (2, 4, 17))
    assert provenance.first_post == pytest.approx(1371.1, abs=0.1)
    assert count_files(real_exam) == (256, 256)


def test_time_before_contrast_is_a_warning(predictor, published):
    prediction = predictor.predict(published)
    (message,) = [notice.message for notice in prediction.notices if notice.code == "unfamiliar_timing"]
    assert "first phase after contrast was acquired 1371 s after the pre-contrast one" in message
    assert "time since the injection is unknown" in message


@pytest.fixture(scope="module")
def small(acquisition, published, predictor):
    """A part of the acquisition, its mask and its probability from memory."""
    part, mask = cut(acquisition, published)
    exam = Exam(part.phases[0], part.phases[1], part.phases[3], part.geometry, mask)
    return part, mask, predictor.predict(exam).probability


@pytest.mark.parametrize("style", DICOM_STYLES)
def test_probability_is_the_same_in_every_vendors_style(style, small, predictor, tmp_path):
    part, mask, probability = small
    DICOM_STYLES[style](tmp_path / "exam", part)
    exam = read_dicom_exam(tmp_path / "exam")
    assert exam.provenance.phase_times == TIMES
    assert exam.provenance.picked.phases == (0, 1, 3)
    prediction = predictor.predict(replace(exam, mask=mask, clinical={}))
    assert prediction.probability == pytest.approx(probability, abs=1e-3)
    assert "unfamiliar_timing" in {notice.code for notice in prediction.notices}
    total, accounted = count_files(tmp_path / "exam")
    assert total == accounted


@pytest.mark.parametrize("name", ["exam.nii.gz", "exam.nii", "exam.nrrd"])
def test_probability_is_the_same_from_one_file_with_all_phases(name, small, predictor, tmp_path):
    part, mask, probability = small
    exam = read_series([write_series_file(tmp_path / name, part)])
    assert exam.provenance.picked.phases == (0, 1, 3)
    prediction = predictor.predict(replace(exam, mask=mask))
    assert prediction.probability == pytest.approx(probability, abs=1e-3)
    assert "phase_times_unknown" in {notice.code for notice in prediction.notices}


def test_times_given_with_one_file_are_compared_with_the_training(small, predictor, tmp_path):
    part, mask, probability = small
    exam = read_series([write_series_file(tmp_path / "exam.nii.gz", part)], times=part.times)
    assert (exam.provenance.phase_times, exam.provenance.picked.phases) == (TIMES, (0, 1, 3))
    prediction = predictor.predict(replace(exam, mask=mask))
    assert prediction.probability == pytest.approx(probability, abs=1e-3)
    assert "unfamiliar_timing" in {notice.code for notice in prediction.notices}


@pytest.mark.slow
@pytest.mark.parametrize("style", DICOM_STYLES)
def test_whole_exam_is_the_same_in_every_vendors_style(style, acquisition, published, tmp_path):
    DICOM_STYLES[style](tmp_path / "exam", acquisition)
    exam = read_dicom_exam(tmp_path / "exam")
    for read, expected in zip(exam.phases, published.phases, strict=True):
        np.testing.assert_array_equal(read, expected)
    assert exam.geometry.matches(published.geometry)
    assert exam.provenance.phase_times == TIMES
    total, accounted = count_files(tmp_path / "exam")
    assert total == accounted
