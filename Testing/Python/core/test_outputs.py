"""The files of a prediction with several lesions, and of a tumour alone."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.outputs import predict_cohort, write_prediction, write_tumour
from PCRPredictorLib.reading.sources import Source
from support.examples import OUTPUTS, tiny_exam, tiny_prediction, two_lesions


class Given(Source):
    """An exam in memory."""

    def read(self):
        return {"one": tiny_exam, "two": two_lesions}[self.name]()


for name in ("find", "read_source"):
    setattr(Given, name, None)
Given.__abstractmethods__ = frozenset()


def test_lesions_are_labels_of_the_saved_mask_and_listed(tmp_path):
    exam = two_lesions()
    write_prediction(exam, tiny_prediction(exam), tmp_path / "out", scene=False)
    assert {path.name for path in (tmp_path / "out").iterdir()} == OUTPUTS
    saved = sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "out" / "tumour.nii.gz"))
    listed = json.loads((tmp_path / "out" / "prediction.json").read_text())["lesions"]
    assert [lesion["name"] for lesion in listed] == ["right", "left"]
    for lesion, found in zip(exam.lesions, listed, strict=True):
        assert np.array_equal(saved == found["label"], lesion.mask != 0)


def test_cohort_has_a_row_per_lesion_and_a_column_only_if_needed(tmp_path):
    for names in (["one"], ["one", "two"]):
        predict_cohort([Given(name=name) for name in names], tiny_prediction, tmp_path / "out")
        with (tmp_path / "out" / "predictions.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert ("lesion" in rows[0]) == ("two" in names)
    assert [(row["patient_id"], row["lesion"]) for row in rows] == [("one", ""), ("two", "right"), ("two", "left")]


def test_tumour_is_saved_without_a_prediction(tmp_path):
    exam = tiny_exam()
    write_tumour(exam, tmp_path / "mine.nii.gz")
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "mine.nii.gz")), exam.mask)


@pytest.mark.parametrize(
    ("name", "exam", "problem"),
    [
        ("mine.nrrd", tiny_exam(), r"must end in \.nii\.gz"),
        ("mine.dcm", tiny_exam(), "need an exam in DICOM"),
        ("mine.nii.gz", tiny_exam().with_lesions([]), "no tumour to save"),
    ],
)
def test_tumour_that_cannot_be_saved_leaves_no_file(tmp_path, name, exam, problem):
    with pytest.raises(DataError, match=problem):
        write_tumour(exam, tmp_path / name)
    assert list(tmp_path.iterdir()) == []
