"""The files of a prediction with several lesions, and of a tumour alone."""

import csv
import gzip
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from matplotlib.text import Text
from PCRPredictorLib.commands.predict import print_result
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.outputs import write_prediction, write_tumour
from PCRPredictorLib.reading.sources import Source
from PCRPredictorLib.report.overlay import render_overlay
from PCRPredictorLib.report.wording import describe_card_briefly
from PCRPredictorLib.session.result import Result
from PCRPredictorLib.session.result import describe_result as describe_words
from support.examples import BLOCKING, EXAMPLE_NOTICE, OUTPUTS, tiny_exam, tiny_prediction, two_lesions


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


def test_cohort_has_a_row_per_lesion_and_a_column_only_if_needed(tmp_path, predict_given):
    for names in (["one"], ["one", "two"]):
        out = tmp_path / "-".join(names)
        predict_given([Given(name=name) for name in names], out)
        with (out / "predictions.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert ("lesion" in rows[0]) == ("two" in names)
    assert [(row["patient_id"], row["lesion"]) for row in rows] == [("one", ""), ("two", "right"), ("two", "left")]


def faces_of(exam, prediction, folder, capsys, predict_given):
    """Return what each face shows of a prediction, by its name; the SR has a test of its own."""
    write_prediction(exam, prediction, folder / "out", scene=False)
    predict_given([Given(name="one")], folder / "table", lambda _exam: prediction)
    print_result(prediction, folder)
    model = prediction.model  # panel and page show this of it where it is chosen
    card = SimpleNamespace(name=model.name, version=model.version, auc=model.auc, elsewhere="", known_limits="")
    brief = describe_card_briefly(SimpleNamespace(card=card))
    words = describe_words(Result(exam, prediction, None))
    return {
        "panel and page": "\n".join(
            [words.probability, words.decision, words.model, words.range, words.warnings, brief]
        ),
        "report": (folder / "out" / "report.html").read_text(encoding="utf-8"),
        "picture": "\n".join(text.get_text() for text in render_overlay(exam, prediction).findobj(Text)),
        "command": capsys.readouterr().out,
        "JSON": (folder / "out" / "prediction.json").read_text(encoding="utf-8"),
        "table": (folder / "table" / "predictions.csv").read_text(encoding="utf-8"),
    }


@pytest.mark.parametrize("probability", [0.2, 0.26, 0.62])
def test_every_face_names_model_auc_and_base_rate_and_calls_nothing_predicted(
    probability, tmp_path, capsys, predict_given
):
    exam = tiny_exam()
    for face, text in faces_of(exam, tiny_prediction(exam, probability), tmp_path, capsys, predict_given).items():
        assert "0.73" in text, face
        assert "1.0.0" in text, face
        assert "32 %" in text or "0.32" in text, face
        assert not re.search(r"(pCR|response)\W+predicted", text), face


def test_no_face_gives_a_decision_that_a_warning_forbids(tmp_path, capsys, predict_given):
    exam = tiny_exam()
    prediction = tiny_prediction(exam, notices=[EXAMPLE_NOTICE, BLOCKING])
    for face, text in faces_of(exam, prediction, tmp_path, capsys, predict_given).items():
        assert BLOCKING.message in text, face
        assert EXAMPLE_NOTICE.message in text or EXAMPLE_NOTICE.code in text, face
        assert "bove the threshold" not in text, face
        assert "bove threshold" not in text, face
    written = json.loads((tmp_path / "out" / "prediction.json").read_text())
    assert (written["decision"], written["decision_withheld"]) == (None, BLOCKING.message)
    with (tmp_path / "table" / "predictions.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["decision"], row["decision_withheld"]) == ("", BLOCKING.message)


def test_tumour_is_saved_without_a_prediction(tmp_path):
    exam = tiny_exam()
    write_tumour(exam, tmp_path / "mine.nii.gz")
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "mine.nii.gz")), exam.mask)


@pytest.mark.parametrize(
    ("name", "exam", "problem"),
    [
        ("mine.nrrd", tiny_exam(), r"must end in \.nii\.gz"),
        ("mine.dcm", tiny_exam(), "need an exam that was read from DICOM"),
        ("mine.nii.gz", tiny_exam().with_lesions([]), "no tumour to save"),
    ],
)
def test_tumour_that_cannot_be_saved_leaves_no_file(tmp_path, name, exam, problem):
    with pytest.raises(DataError, match=problem):
        write_tumour(exam, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_no_file_of_a_result_holds_a_path_or_a_name_of_the_input(tmp_path):
    exam = tiny_exam(identifier="HIDDEN-1")
    source = tmp_path / "HIDDEN folder" / "HIDDEN.nii.gz"
    exam = replace(exam, provenance=replace(exam.provenance, files=(source,)))
    write_prediction(exam, tiny_prediction(exam), tmp_path / "out", scene=False)
    for file in (tmp_path / "out").iterdir():
        content = file.read_bytes()
        content = gzip.decompress(content) if file.suffix == ".gz" else content
        assert b"HIDDEN" not in content and str(tmp_path).encode() not in content, file.name
