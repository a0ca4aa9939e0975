"""Results in a folder: one whole result, nothing else, in the order in which they are sent."""

import shutil
from dataclasses import replace

import pydicom
import pytest
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.objects.follow_up import write_dicom_follow_up
from PCRPredictorLib.dicom.objects.results import write_dicom_results
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.pacs.sending import results_in
from support.dicom_exam import write_dicom_exam
from support.examples import tiny_exam, tiny_prediction
from support.follow import examples

pytest.importorskip("highdicom")
EXAM = tiny_exam(size=(12, 10, 6))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder as a prediction writes it, and the exam."""
    folder = tmp_path_factory.mktemp("written")
    write_dicom_exam(folder / "exam", EXAM, "siemens")
    exam = replace(read_dicom_exam(folder / "exam"), mask=EXAM.mask)
    (folder / "out" / "dicom").mkdir(parents=True)
    write_dicom_results(exam, tiny_prediction(EXAM), folder / "out" / "dicom")
    return folder / "out", exam


@pytest.fixture
def out(written, tmp_path):
    return shutil.copytree(written[0], tmp_path / "out")


def test_the_report_is_sent_last_from_the_folder_or_the_one_in_it(out):
    names = [path.name for path in results_in(out)]
    assert names == ["attention.dcm", "evidence.dcm", "tumour.dcm", "report.dcm"]
    assert results_in(out / "dicom") == results_in(out)


def test_a_follow_up_is_sent_like_a_prediction(written, tmp_path):
    write_dicom_follow_up(examples.tiny_course(2, [written[1]] * 2), None, tmp_path)
    assert [path.name for path in results_in(tmp_path)] == ["tumour_T0.dcm", "tumour_T1.dcm", "follow_up.dcm"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda at: shutil.rmtree(at), "out: holds no results in DICOM; give the folder that pcr predict"),
        (lambda at: (at / "report.dcm").unlink(), "out: has no report in DICOM; give the folder"),
        (lambda at: (at / "tumour.dcm").unlink(), "dicom: lacks objects that the report refers to; predict again"),
        (lambda at: (at / "tumour.dcm").write_text("text"), r"tumour\.dcm: is no DICOM object; predict again"),
        (
            lambda at: rename(at / "tumour.dcm", Manufacturer="ACME"),
            r"tumour\.dcm: is no result of this software; give",
        ),
        (
            lambda at: rename(at / "tumour.dcm", at / "old.dcm", SOPInstanceUID="1.2"),
            r"old\.dcm is not of the prediction",
        ),
    ],
)
def test_what_is_not_one_whole_result_is_refused_in_a_sentence(out, change, sentence):
    change(out / "dicom")
    with pytest.raises(DataError, match=sentence):
        results_in(out)


def rename(file, to=None, **tags):
    """Write an object with other values, over it or beside it."""
    data = pydicom.dcmread(file)
    for name, value in tags.items():
        setattr(data, name, value)
    data.save_as(to or file)
