"""UIDs of results: the same for the same prediction, whenever and wherever it is made, and different for any other."""

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.objects.follow_up import write_dicom_follow_up
from PCRPredictorLib.dicom.objects.results import FILES, write_dicom_results, write_segmentation
from PCRPredictorLib.errors import Notice
from PCRPredictorLib.exam import Lesion
from PCRPredictorLib.prediction import OperatingPoint
from support.dicom_exam import write_dicom_exam
from support.examples import tiny_exam, tiny_prediction
from support.follow import examples

pytest.importorskip("highdicom")

TINY = tiny_exam(size=(12, 10, 6))


@pytest.fixture(scope="module")
def exam(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exam")
    write_dicom_exam(folder, TINY, "siemens")
    return replace(read_dicom_exam(folder), mask=TINY.mask)


@pytest.fixture
def uids(tmp_path_factory):
    """Return a function that writes the results of a prediction and returns their UIDs."""

    def written(exam, prediction):
        folder = tmp_path_factory.mktemp("results")
        write_dicom_results(exam, prediction, folder)
        return uids_in(folder)

    return written


def uids_in(folder):
    """Return UIDs of instances, series and segments in a folder."""
    found = set()
    for path in folder.iterdir():
        data = pydicom.dcmread(path)
        found |= {data.SOPInstanceUID, data.SeriesInstanceUID}
        found |= {segment.TrackingUID for segment in data.get("SegmentSequence", ())}
    return found


def test_the_same_prediction_has_the_same_uids(exam, uids):
    prediction = tiny_prediction(exam)
    first = uids(exam, prediction)
    assert len(first) == 2 * len(FILES) + 1
    assert uids(replace(exam, mask=np.asarray(exam.mask) * 3), prediction) == first


def test_values_that_computers_may_compute_differently_do_not_count(exam, uids):
    prediction = tiny_prediction(exam)
    other = replace(prediction, probability=prediction.probability + 1e-7, attention=prediction.attention * 0.9999999)
    assert uids(exam, other) == uids(exam, prediction)


@pytest.mark.parametrize(
    "change",
    [
        {"clinical": {"Age": "53 years"}},
        {"operating_point": OperatingPoint("balanced", 0.46)},
        {"notices": (Notice("mask_tiny", "It is tiny."),)},
    ],
)
def test_a_different_prediction_has_different_uids(exam, uids, change):
    prediction = tiny_prediction(exam)
    assert uids(exam, prediction).isdisjoint(uids(exam, replace(prediction, **change)))


def test_a_different_model_has_different_uids(exam, uids):
    prediction = tiny_prediction(exam)
    other = replace(prediction, model=replace(prediction.model, checksum="1" * 64))
    assert uids(exam, prediction).isdisjoint(uids(exam, other))


def test_a_different_tumour_or_phase_has_different_uids(exam, uids):
    prediction = tiny_prediction(exam)
    mask = np.array(exam.mask)
    mask[tuple(np.argwhere(mask)[0])] = 0
    two = exam.with_lesions([Lesion("one", exam.mask), Lesion("other", mask)])
    others = [replace(exam, mask=mask), replace(exam, pre=np.asarray(exam.pre) + 1), two]
    found = [uids(one, tiny_prediction(one)) for one in [exam, *others]]
    assert len(set.union(*found)) == sum(map(len, found))
    assert uids(exam, prediction) == found[0]


def test_images_of_a_different_name_have_different_uids(exam, uids, tmp_path):
    write_dicom_exam(tmp_path, TINY, "siemens")
    copied = replace(read_dicom_exam(tmp_path), mask=TINY.mask)
    assert uids(copied, tiny_prediction(copied)).isdisjoint(uids(exam, tiny_prediction(exam)))


def test_a_tumour_alone_has_its_own_uids(exam, uids, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_segmentation(exam, tmp_path / name / "tumour.dcm")
    assert uids_in(tmp_path / "one") == uids_in(tmp_path / "two")
    assert uids_in(tmp_path / "one").isdisjoint(uids(exam, tiny_prediction(exam)))


def test_a_follow_up_has_the_same_uids_until_a_visit_is_added(exam, tmp_path):
    course = examples.tiny_course(2, [exam, exam])
    for name, known in (("one", course), ("two", course), ("earlier", course.until("T0"))):
        (tmp_path / name).mkdir()
        write_dicom_follow_up(known, examples.tiny_prediction(known), tmp_path / name)
    assert uids_in(tmp_path / "one") == uids_in(tmp_path / "two")
    assert uids_in(tmp_path / "one").isdisjoint(uids_in(tmp_path / "earlier"))
    assert len(uids_in(tmp_path / "one")) == 2 * 3 + 1
