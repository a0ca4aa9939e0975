"""`pcr predict --series`: all phases in one file or folder."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.writing import write_nifti
from support.examples import tiny_exam

EXAM = tiny_exam()
PHASES = (EXAM.pre, EXAM.early - 20, EXAM.early, EXAM.late)


@pytest.fixture
def predict(bundle, tmp_path, capsys):
    """Run `pcr predict`; (exit code, what was printed). The exam's files are in the folder of the test."""
    for name, array in zip(("pre", "p1", "early", "late", "mask"), (*PHASES, EXAM.mask), strict=True):
        write_nifti(array.astype(np.int16), EXAM.geometry, tmp_path / f"{name}.nii.gz")

    def call(*words):
        code = run(app, ["predict", *map(str, words), "--model", str(bundle.path), "--out", str(tmp_path / "out")])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


def three(folder):
    return [folder / f"{name}.nii.gz" for name in ("pre", "early", "late")]


def result(folder):
    return json.loads((folder / "out" / "prediction.json").read_text())


@pytest.mark.parametrize("name", ["dce.nii.gz", "dce.seq.nrrd", "dce.mha", "folder", "files"])
def test_all_phases_in_one_place_give_the_same_probability_as_three_files(predict, tmp_path, name):
    mask = ("--mask", tmp_path / "mask.nii.gz")
    assert predict("--phases", *three(tmp_path), *mask)[0] == 0
    expected = result(tmp_path)["probability"]
    files = [tmp_path / f"{phase}.nii.gz" for phase in ("pre", "p1", "early", "late")]
    places = [tmp_path / name]
    if name == "folder":
        places[0].mkdir()
        for k, file in enumerate(files):
            (places[0] / f"a_{k:04d}.nii.gz").write_bytes(file.read_bytes())
    elif name == "files":
        places = files
    else:
        sitk.WriteImage(sitk.JoinSeries([sitk.ReadImage(file) for file in files]), places[0])
    code, printed = predict("--series", *places, *mask, "--pick", 0, 2, 3)
    assert code == 0, printed
    assert result(tmp_path)["probability"] == expected
    assert result(tmp_path)["exam"]["phases_found"] == 4


def test_pick_is_refused_for_three_files(predict, tmp_path):
    code, printed = predict("--phases", *three(tmp_path), "--pick", 0, 1, 2)
    assert code == 2
    assert "--pick chooses among the phases of --series" in " ".join(printed.split())


def test_exhausted_memory_is_one_sentence(predict, tmp_path, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr("PCRPredictorLib.reading.images.read_volumes", fail)
    code, printed = predict("--phases", *three(tmp_path), "--mask", tmp_path / "mask.nii.gz")
    assert code == 1
    assert printed == "pcr: the exam needs more memory than this computer has; crop it, or close other programs\n"
