"""`pcr predict` of one exam."""

import gzip
import json
import shutil
import subprocess

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.commands.predict import print_source
from PCRPredictorLib.exam import PHASE_NAMES, Geometry, LeftAside, Provenance
from PCRPredictorLib.reading.images import read_exam
from PCRPredictorLib.writing import write_nifti
from PCRTrainingLib import command_line as _training_commands  # noqa: F401  adds demo and phantom
from support.dicom_exam import write_dicom_exam
from support.examples import OUTPUTS, tiny_exam, tiny_prediction

GEOMETRY = Geometry((60, 50, 12), (1.5, 1.5, 3), (-30, -20, 5))


@pytest.fixture
def files(tmp_path):
    """Folder with the files of an exam: pre, early, late, mask; its name has a space and letters beyond ASCII."""
    folder = tmp_path / "Prüfung 1"
    folder.mkdir()
    rng = np.random.default_rng(0)
    mask = np.zeros(GEOMETRY.shape, np.uint8)
    mask[4:8, 20:28, 30:38] = 1
    for name, enhancement in (("pre", 0.0), ("early", 300.0), ("late", 250.0)):
        array = rng.normal(200, 10, GEOMETRY.shape) + enhancement * mask
        write_nifti(array.astype(np.int16), GEOMETRY, folder / f"{name}.nii.gz")
    write_nifti(mask, GEOMETRY, folder / "mask.nii.gz")
    return folder


@pytest.fixture
def predict(files, bundle, tmp_path, capsys):
    """Run `pcr predict` on the files, with options replaced; (exit code, what was printed, output folder)."""

    def call(*more, phases=("pre", "early", "late"), mask="mask", model=bundle.path):
        out = tmp_path / "out of it"
        arguments = [
            "predict",
            "--phases",
            *(files / f"{p}.nii.gz" for p in phases),
            "--mask",
            files / f"{mask}.nii.gz",
        ]
        where = [] if "--out" in more else ["--out", out]
        code = run(app, [str(a) for a in [*arguments, "--model", model, *where, *more]])
        printed = capsys.readouterr()
        return code, printed.out + printed.err, out

    return call


def change(path, function):
    """Rewrite a volume with its array changed."""
    image = sitk.ReadImage(path)
    changed = sitk.GetImageFromArray(function(sitk.GetArrayFromImage(image)))
    changed.CopyInformation(image)
    sitk.WriteImage(changed, path)


def test_predict_writes_every_file_and_says_where(predict):
    code, printed, out = predict("--clinical", "age=52", "hr=positive")
    assert code == 0, printed
    assert {file.name for file in out.iterdir()} >= OUTPUTS
    assert printed.rstrip().endswith(f"Written to {out}")
    content = json.loads((out / "prediction.json").read_text())
    assert content["clinical"] == {"Age": "52 years", "Hormone receptors": "positive"}


def test_attention_file_lies_on_the_exam(predict, files):
    _, _, out = predict()
    attention, exam = sitk.ReadImage(out / "attention.nii.gz"), sitk.ReadImage(files / "pre.nii.gz")
    assert attention.GetSize() == exam.GetSize()
    for name in ("GetSpacing", "GetOrigin", "GetDirection"):
        assert getattr(attention, name)() == pytest.approx(getattr(exam, name)(), abs=1e-4)


def test_evidence_files_add_up_to_the_term_of_the_image_and_name_their_unit(predict):
    _, _, out = predict("--clinical", "age=52")
    image, units = sitk.ReadImage(out / "evidence.nii.gz"), json.loads((out / "evidence.json").read_text())
    terms = json.loads((out / "prediction.json").read_text())["evidence"]["terms"]
    expected = next(term["log_odds"] for term in terms if term["kind"] == "image")
    assert sitk.GetArrayFromImage(image).sum(dtype=float) == pytest.approx(expected, abs=1e-4)
    assert units["sum"] == pytest.approx(units["towards_response"] + units["against_response"])
    assert units["sum"] == pytest.approx(expected, abs=1e-4)
    assert units["unit"] in image.GetMetaData("ITK_FileNotes")


def test_clinical_variables_come_from_a_file_too(predict, tmp_path):
    (tmp_path / "clinical.json").write_text('{"age": 61}')
    _, _, out = predict("--clinical", str(tmp_path / "clinical.json"))
    assert json.loads((out / "prediction.json").read_text())["clinical"]["Age"] == "61 years"


def test_clinical_file_of_which_no_column_is_known_is_refused(predict, tmp_path):
    (tmp_path / "clinical.csv").write_text("patient,years\nA,61\n")
    code, printed, out = predict("--clinical", str(tmp_path / "clinical.csv"))
    assert code == 1
    assert "names no variable of this model" in printed
    assert not out.exists()


def swap_phases(files):
    shutil.move(files / "pre.nii.gz", files / "x.nii.gz")
    shutil.move(files / "early.nii.gz", files / "pre.nii.gz")
    shutil.move(files / "x.nii.gz", files / "early.nii.gz")


def shift_grid(path):
    image = sitk.ReadImage(path)
    image.SetOrigin((1, 2, 3))
    sitk.WriteImage(image, path)


def with_value(value):
    def spoil(array):
        array = array.astype(np.float32)
        array[2, 3, 4] = value
        return array

    return spoil


BAD_INPUT = {
    "missing file": (lambda f: (f / "late.nii.gz").unlink(), "late.nii.gz"),
    "text file": (lambda f: (f / "late.nii.gz").write_text("hello"), "late.nii.gz"),
    "truncated gzip": (
        lambda f: (f / "late.nii.gz").write_bytes((f / "late.nii.gz").read_bytes()[:-5000]),
        "late.nii.gz",
    ),
    "truncated inside": (
        lambda f: (f / "late.nii.gz").write_bytes(
            gzip.compress(gzip.decompress((f / "late.nii.gz").read_bytes())[:-5000])
        ),
        "late.nii.gz",
    ),
    "empty mask": (lambda f: change(f / "mask.nii.gz", np.zeros_like), "mask"),
    "mask on another grid": (lambda f: shift_grid(f / "mask.nii.gz"), "mask"),
    "phase on another grid": (lambda f: shift_grid(f / "late.nii.gz"), "late.nii.gz"),
    "flat image": (
        lambda f: sitk.WriteImage(sitk.GetImageFromArray(np.zeros((50, 60), np.int16)), f / "late.nii.gz"),
        "late.nii.gz",
    ),
    "not a number": (lambda f: change(f / "late.nii.gz", with_value(np.nan)), "late"),
    "infinite": (lambda f: change(f / "late.nii.gz", with_value(np.inf)), "late"),
    "constant image": (lambda f: change(f / "late.nii.gz", np.ones_like), "late"),
    "phases swapped": (swap_phases, "swapped"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_and_leaves_nothing(predict, files, case):
    spoil, word = BAD_INPUT[case]
    spoil(files)
    code, printed, out = predict()
    assert code == 1, printed
    assert len(printed.strip().splitlines()) == 1, printed
    assert printed.startswith("pcr: ")
    assert word in printed
    assert not out.exists()
    assert not list(out.parent.glob(".out*"))


def test_dicom_folder_gives_the_same_probability_as_nifti(predict, files, bundle, tmp_path, capsys):
    exam = read_exam([files / f"{name}.nii.gz" for name in PHASE_NAMES])
    write_dicom_exam(tmp_path / "dicom", exam, "ge", PatientAge=None)
    _, _, out = predict()
    arguments = ["--dicom", tmp_path / "dicom", "--mask", files / "mask.nii.gz", "--model", bundle.path]
    assert run(app, ["predict", *map(str, arguments), "--out", str(tmp_path / "from dicom")]) == 0
    first, second = (json.loads((o / "prediction.json").read_text("utf-8")) for o in (out, tmp_path / "from dicom"))
    assert first["probability"] == pytest.approx(second["probability"], abs=1e-3)
    assert "SECRET" not in (tmp_path / "from dicom" / "report.html").read_text("utf-8") + capsys.readouterr().out


def test_full_disk_is_one_line_and_leaves_nothing(predict, small_disk):
    code, printed, _ = predict("--out", str(small_disk / "out"))
    assert code == 1
    assert "no space left on device); free some space" in printed
    assert list(small_disk.iterdir()) == []


def test_folder_that_must_not_be_written_is_one_line(predict, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    code, printed, _ = predict("--out", str(small_disk / "out"))
    assert code == 1
    assert "read-only file system); choose a folder that you may write to" in printed


def test_dicom_folder_of_two_patients_is_one_line(files, bundle, tmp_path, capsys):
    exam = read_exam([files / f"{name}.nii.gz" for name in PHASE_NAMES])
    for patient in ("SECRET-1", "SECRET-2"):
        write_dicom_exam(tmp_path / "dicom", exam, "siemens", PatientID=patient)
    arguments = ["--dicom", tmp_path / "dicom", "--mask", files / "mask.nii.gz", "--model", bundle.path]
    assert run(app, ["predict", *map(str, arguments), "--out", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr().err
    assert "more than one patient" in printed
    assert "SECRET" not in printed


def test_label_chooses_the_tumour_in_a_mask_of_several_segments(predict, files):
    change(files / "mask.nii.gz", lambda array: np.where(np.arange(array.shape[2]) < 33, 2, 1).astype(np.uint8) * array)
    code, printed, out = predict("--label", "2")
    assert code == 0, printed
    volume = json.loads((out / "prediction.json").read_text())["tumour"]["volume_ml"]
    assert volume == pytest.approx(4 * 8 * 3 * GEOMETRY.voxel_volume / 1000)
    assert "must have label 7, got 1 (1.08 ml), 2 (0.648 ml); choose" in predict("--label", "7")[1]
    code, printed, _ = predict("--out", out.parent / "new")
    assert (code, printed.count("\n")) == (1, 1)
    assert "has 2 labels, 1 (1.08 ml), 2 (0.648 ml); choose the tumour with --label" in printed
    for words in (("--label", "1", "2"), ("--label", "all")):
        code, printed, out = predict(*words)
        assert code == 0, printed
        found = json.loads((out / "prediction.json").read_text())["lesions"]
        assert [lesion["label"] for lesion in found] == [1, 2]


def test_missing_device_is_one_line(predict):
    code, printed, _ = predict("--device", "cuda")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert code == 1
    assert "'cuda' is not available on this machine; use cpu" in printed


def test_a_word_that_is_no_device_is_a_wrong_call(predict):
    code, printed, _ = predict("--device", "gpu", phases=("pre",))
    assert code == 2
    assert "must be cpu or cuda, got gpu" in printed


def test_two_phases_are_too_few(predict):
    code, printed, _ = predict(phases=("pre", "early"))
    assert code == 1
    assert "got 2" in printed


def test_changed_bundle_is_refused(predict, bundle, tmp_path):
    copy = shutil.copytree(bundle.path, tmp_path / "copy")
    with (copy / "models" / "fold_0.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    code, printed, _ = predict(model=copy)
    assert code == 1
    assert "fold_0.safetensors was changed" in printed


@pytest.mark.parametrize(("pair", "message"), [("hr=perhaps", "negative, positive"), ("sex=f", "use age, hr")])
def test_unknown_clinical_value_or_name_lists_the_allowed_ones(predict, pair, message):
    code, printed, out = predict("--clinical", pair)
    assert code == 1
    assert message in printed
    assert not out.exists()


def test_results_of_an_earlier_prediction_do_not_stay(bundle, tmp_path):
    from PCRPredictorLib.outputs import write_prediction

    exam, out = tiny_exam(), tmp_path / "out"
    (out / "dicom").mkdir(parents=True)
    for name in ("scene.mrb", "notes.txt", "dicom/report.dcm", "dicom/IM0001.dcm"):
        (out / name).write_text("of another exam, or mine")
    write_prediction(exam, tiny_prediction(exam), out, scene=False)
    assert not (out / "scene.mrb").exists() and not (out / "dicom" / "report.dcm").exists()
    assert (out / "notes.txt").exists() and (out / "dicom" / "IM0001.dcm").exists()


def test_saved_tumour_gives_the_same_prediction(predict, files, tmp_path):
    _, _, out = predict()
    first = json.loads((out / "prediction.json").read_text())
    shutil.copy(out / "tumour.nii.gz", files / "saved.nii.gz")
    code, printed, out = predict(mask="saved")
    assert code == 0, printed
    assert json.loads((out / "prediction.json").read_text()) == first


def test_mask_of_the_user_in_the_folder_is_not_replaced(predict, tmp_path):
    (tmp_path / "out of it").mkdir()
    (tmp_path / "out of it" / "tumour.nii.gz").write_text("mine")
    code, printed, out = predict()
    assert code == 1
    assert "tumour.nii.gz: is there already" in printed
    assert [path.name for path in out.iterdir()] == ["tumour.nii.gz"]


def test_times_and_what_was_not_used_are_printed(capsys):
    aside = (LeftAside("series 9 (t1)", "has 4 of 10 slices", 4), LeftAside("a.txt", "is no DICOM"))
    print_source(Provenance("dicom", (0, 1371, 1737), first_post=1371, left_aside=aside))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("phases: early 1371 s, late 1737 s after the pre-contrast one")
    assert lines[1:] == ["not used: series 9 (t1) (4 files): has 4 of 10 slices", "not used: a.txt: is no DICOM"]


def test_long_gap_before_contrast_is_a_warning_of_the_command(bundle, tmp_path, capsys):
    exam = tiny_exam()
    write_dicom_exam(tmp_path / "exam", exam, "siemens", times=(0, 1371, 1737))
    write_nifti(exam.mask, exam.geometry, tmp_path / "mask.nii.gz")
    words = ["--dicom", "exam", "--mask", "mask.nii.gz", "--out", "out"]
    words = [word if word.startswith("--") else str(tmp_path / word) for word in words]
    assert run(app, ["predict", *words, "--model", str(bundle.path)]) == 0
    printed = capsys.readouterr().out
    assert "phases: early 1371 s, late 1737 s after the pre-contrast one; time of the injection unknown" in printed
    assert "warning: The first phase after contrast was acquired 1371 s after the pre-contrast one" in printed


def test_what_changes_of_the_picture_do_is_printed_and_written_on_request(predict):
    code, printed, out = predict("--does-it-matter")
    assert code == 0
    assert "Erasing the tumour from the picture changes the probability by" in printed
    assert json.loads((out / "prediction.json").read_text())["interventions"]["patch_erased"]["places"] == 8
    assert "Erasing the tumour" in (out / "report.html").read_text(encoding="utf-8")
    _, printed, out = predict()
    assert "Erasing" not in printed
    assert json.loads((out / "prediction.json").read_text())["interventions"] is None
