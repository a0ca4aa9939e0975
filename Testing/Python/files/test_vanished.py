"""A cohort on a drive that goes away."""

import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.files.vanished import common_folder, refuse_vanished


def test_the_folder_of_all_patients_is_the_one_that_must_stay(tmp_path):
    files = [tmp_path / "images" / name / "pre.nii.gz" for name in ("P1", "P2")]
    assert common_folder(files) == tmp_path / "images"
    assert common_folder([]) is None


def test_a_folder_that_is_gone_or_no_longer_mounted_is_refused(tmp_path):
    (tmp_path / "P1").mkdir()
    refuse_vanished(tmp_path, 3)
    refuse_vanished(None, 3)
    (tmp_path / "P1").rmdir()  # an empty mount point
    for folder in (tmp_path, tmp_path / "P1"):
        with pytest.raises(
            DataError, match="is not there any more, after 3 patients; see that the drive or network is"
        ):
            refuse_vanished(folder, 3)


def test_a_file_with_a_whole_exam_is_not_gone(tmp_path):
    (tmp_path / "exam.nii.gz").touch()
    refuse_vanished(tmp_path / "exam.nii.gz", 3)
