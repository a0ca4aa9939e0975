"""`pcr predict` without a mask: the tumour is found, or grown from a click."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.exam import PHASE_NAMES, Geometry
from PCRPredictorLib.writing import write_nifti

GEOMETRY = Geometry((60, 50, 12), (1.5, 1.5, 3), (-30, -20, 5))
MASK = np.zeros(GEOMETRY.shape, np.uint8)
MASK[4:8, 20:28, 30:38] = 1


@pytest.fixture
def predict(bundle, tmp_path, capsys):
    """Run `pcr predict` on an exam with one bright block; (exit code, what was printed, output folder)."""
    rng = np.random.default_rng(0)
    files = [tmp_path / f"{name}.nii.gz" for name in PHASE_NAMES]
    for file, enhancement in zip(files, (0.0, 300.0, 250.0), strict=True):
        array = rng.normal(200, 10, GEOMETRY.shape) + enhancement * MASK
        write_nifti(array.astype(np.int16), GEOMETRY, file)

    def call(*more):
        out = tmp_path / "out"
        words = ["predict", "--phases", *files, "--model", bundle.path, "--out", out, *more]
        code = run(app, [str(word) for word in words])
        printed = capsys.readouterr()
        return code, " ".join((printed.out + printed.err).replace("│", " ").split()), out

    return call


@pytest.mark.parametrize("more", [["--find-tumour"], ["--click", 21, 16, 20], ["--box", 12, 8, 14, 30, 24, 28]])
def test_tumour_is_found_or_grown_and_marked_as_not_reviewed(predict, more):
    code, printed, out = predict(*more)
    assert code == 0
    assert ("candidate 1 at " in printed) == (more == ["--find-tumour"])
    assert "tumour_unreviewed" in [
        notice["code"] for notice in json.loads((out / "prediction.json").read_text())["warnings"]
    ]
    used = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "tumour.nii.gz")))
    assert 2 * (used & MASK).sum() / (used.sum() + MASK.sum()) > 0.8


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--find-tumour", "--click", 1, 2, 3], "at most one of --mask, --find-tumour"),
        (["--click", 1, 2], "must have three numbers"),
        (["--box", 1, 2, 3], "must have six numbers"),
        (["--click", 1, 2, 3, "--box", 1, 2, 3, 4, 5, 6], "--find-tumour, --click and --box"),
        (["--click-anyway"], "is for a --click"),
    ],
)
def test_tumours_that_contradict_are_refused(predict, more, message):
    code, printed, out = predict(*more)
    assert code == 2
    assert message in printed
    assert not out.exists()


def test_click_where_nothing_enhances_is_refused(predict):
    code, printed, out = predict("--click", -20, -10, 8)
    assert code == 1
    assert "nothing within 3 mm of the click enhances" in printed
    assert not out.exists()


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((-29, -19, 6, -20, -10, 12), "nothing in the box enhances"),
        ((0, 0, 0, 900, 0, 0), "corners of the box must be"),
    ],
)
def test_box_where_nothing_enhances_and_one_beyond_the_exam_are_refused(predict, box, message):
    code, printed, out = predict("--box", *box)
    assert code == 1
    assert message in printed
    assert not out.exists()
