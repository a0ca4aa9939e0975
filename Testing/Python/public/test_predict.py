"""`read`, `predict` and `write` of the Python package give what the command gives."""

import json
import logging
from dataclasses import replace
from functools import partial

import breastpcr
import numpy as np
import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.exam import PHASE_NAMES, Provenance
from PCRPredictorLib.writing import write_nifti
from support.dicom_exam import write_dicom_exam
from support.examples import OUTPUTS, tiny_exam, two_lesions

EXAM = tiny_exam()


@pytest.fixture
def folder(tmp_path):
    """Return a folder with three phases and a mask."""
    place = tmp_path / "exam"
    place.mkdir()
    for name, array in zip((*PHASE_NAMES, "tumour"), (*EXAM.phases, EXAM.mask), strict=True):
        write_nifti(array, EXAM.geometry, place / f"{name}.nii.gz")
    return place


def test_five_lines_give_what_the_command_gives(folder, bundle, tmp_path, capsys):
    exam = breastpcr.read(folder, clinical={"age": 52, "hr": "positive"})
    prediction = breastpcr.predict(exam, bundle.path, out=tmp_path / "python")
    assert capsys.readouterr() == ("", "")
    phases = [str(folder / f"{name}.nii.gz") for name in PHASE_NAMES]
    words = ["--phases", *phases, "--mask", str(folder / "tumour.nii.gz"), "--clinical", "age=52", "hr=positive"]
    assert run(app, ["predict", *words, "--model", str(bundle.path), "--out", str(tmp_path / "command")]) == 0
    results = [json.loads((tmp_path / name / "prediction.json").read_text()) for name in ("python", "command")]
    assert results[0] == results[1]
    assert prediction.probability == results[0]["probability"]
    assert {path.name for path in (tmp_path / "python").iterdir()} == OUTPUTS


def test_a_model_is_loaded_once_for_many_exams(folder, bundle):
    model = breastpcr.load_model(bundle.path)
    exam = breastpcr.read(folder)
    assert breastpcr.predict(exam, model).probability == breastpcr.predict(exam, model).probability


@pytest.mark.parametrize("kind", ["files", "dicom", "array", "patient"])
def test_every_kind_of_exam_is_read(kind, folder, training_cohort, tmp_path):
    mask = folder / "tumour.nii.gz"
    if kind == "files":
        exam = breastpcr.read([folder / f"{name}.nii.gz" for name in PHASE_NAMES], mask=str(mask))
    elif kind == "dicom":
        write_dicom_exam(tmp_path / "dicom", EXAM, "ge")
        exam = breastpcr.read(str(tmp_path / "dicom"), mask=mask)
    elif kind == "array":
        exam = breastpcr.read(folder, mask=np.asarray(EXAM.mask))
    else:
        exam = breastpcr.find_exams(training_cohort)[0].read()
    assert exam.has_tumour


def test_a_written_result_has_the_lesions_that_were_predicted(bundle, tmp_path):
    exam = two_lesions(EXAM)
    prediction = breastpcr.predict(exam, bundle.path)
    breastpcr.write(exam, prediction, tmp_path / "result")
    assert len(json.loads((tmp_path / "result" / "prediction.json").read_text())["lesions"]) == 2


def test_a_tumour_is_grown_where_it_is_and_marked_as_unreviewed():
    bare = replace(EXAM, mask=None)
    grown = breastpcr.grow_tumour(bare, EXAM.centre)
    assert np.logical_and(grown.mask, EXAM.mask).sum() > 0.5 * EXAM.mask.sum()
    assert [notice.code for notice in grown.provenance.notices] == ["tumour_unreviewed"]
    with pytest.raises(breastpcr.DataError, match="three numbers, or six for a box, LPS in mm, got 2"):
        breastpcr.grow_tumour(bare, (1.0, 2.0))


def test_mistakes_are_errors_with_one_sentence(folder, bundle, tmp_path):
    with pytest.raises(breastpcr.DataError, match=r"exam must be an Exam, got str; read it first"):
        breastpcr.predict("exam")
    with pytest.raises(breastpcr.DataError, match="the exam has no tumour; give read"):
        breastpcr.predict(replace(EXAM, mask=None))
    with pytest.raises(breastpcr.DataError, match="must be three files"):
        breastpcr.read([folder / "pre.nii.gz", folder / "early.nii.gz"])
    with pytest.raises(breastpcr.CallError, match=r"^out must be no model bundle"):
        breastpcr.predict(EXAM, bundle.path, out=bundle.path)


def test_a_variable_that_the_model_does_not_know_is_refused_as_by_the_command(folder, bundle):
    exam = breastpcr.read(folder, clinical={"agee": 52})
    for wrong in (exam, replace(EXAM, clinical={"agee": 52}, provenance=Provenance())):
        with pytest.raises(breastpcr.DataError, match="'agee' is not known to this model; use age"):
            breastpcr.predict(wrong, bundle.path)


@pytest.mark.parametrize("own", [True, False])
def test_an_array_has_labels_as_a_file_has(folder, own):
    if not own:
        (folder / "tumour.nii.gz").unlink()
    array = np.asarray(EXAM.mask) * np.where(np.arange(EXAM.mask.shape[2]) < 28, 1, 2)
    chosen = breastpcr.read(folder, mask=array, label=2)
    assert np.array_equal(chosen.mask, array == 2)
    assert len(breastpcr.read(folder, mask=array, label="all").lesions) == 2
    with pytest.raises(breastpcr.DataError, match="mask: has 2 labels"):
        breastpcr.read(folder, mask=array)
    with pytest.raises(breastpcr.DataError, match="mask: must have label 7"):
        breastpcr.read(folder, mask=array, label=7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda mask: np.where(mask, np.nan, 0.0), "not finite numbers"),
        (lambda mask: mask * 0.5, "must be a mask of whole numbers"),
        (lambda mask: mask.astype(str), "must be an array of whole numbers, or of True and False, got <U"),
        (lambda mask: mask.astype(complex), "got complex128"),
        (lambda mask: mask[1:], "the mask array must have shape"),
    ],
)
def test_an_array_that_is_no_mask_is_refused(folder, change, message):
    with pytest.raises(breastpcr.DataError, match=message):
        breastpcr.read(folder, mask=change(np.asarray(EXAM.mask)))


@pytest.mark.parametrize("kind", ["folder", "files", "dicom", "patient"])
def test_nothing_is_written_among_the_inputs(kind, folder, training_cohort, bundle, tmp_path):
    out = folder
    if kind == "folder":
        exam = breastpcr.read(folder)
    elif kind == "files":
        files = [folder / f"{name}.nii.gz" for name in PHASE_NAMES]
        exam = breastpcr.read(files, mask=np.asarray(EXAM.mask) != 0)
    elif kind == "dicom":
        out = tmp_path / "dicom"
        write_dicom_exam(out, EXAM, "ge")
        exam = breastpcr.read(out, mask=folder / "tumour.nii.gz")
    else:
        out = training_cohort
        exam = breastpcr.find_exams(training_cohort)[0].read()
    before = sorted(out.rglob("*"))
    with pytest.raises(breastpcr.CallError, match="which holds the input"):
        breastpcr.predict(exam, bundle.path, out=out)
    assert sorted(out.rglob("*")) == before


def test_a_result_replaces_one_of_its_kind_with_a_word_and_no_other(bundle, tmp_path, caplog):
    prediction = breastpcr.predict(EXAM, bundle.path, out=tmp_path / "result")
    assert not caplog.records
    with caplog.at_level(logging.WARNING, "breastpcr"):
        breastpcr.write(EXAM, prediction, tmp_path / "result")
    assert "the prediction of an exam of" in caplog.text
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "kind.json").touch()
    for call in (lambda out: breastpcr.predict(EXAM, bundle.path, out=out), partial(breastpcr.write, EXAM, prediction)):
        with pytest.raises(breastpcr.CallError, match="holds a run already"):
            call(out=tmp_path / "run")


def test_a_variable_of_a_table_that_the_model_does_not_use_is_logged(bundle, caplog):
    with caplog.at_level(logging.WARNING, "breastpcr"):
        breastpcr.predict(replace(EXAM, clinical={"agee": 52}), bundle.path)
    assert "clinical values that the model does not use: agee; it uses age" in caplog.text
