"""Scenes are written in this process and read back in another one, as Slicer would."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from examples import AXIAL, CORONAL, SAGITTAL, tiny_exam, tiny_prediction
from PCRPredictorLib.mrml import slicer_core_available, write_scene

HARNESS = Path(__file__).parents[1] / "harness"
TILT = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
pytestmark = pytest.mark.skipif(not slicer_core_available(), reason="needs slicer-core: pip install slicer-core")
READ = """
import json, sys, tempfile
import numpy as np
sys.path.insert(0, sys.argv[2])
import slicer, vtk
from vtk.util.numpy_support import vtk_to_numpy
from PCRPredictorLib.mrml import private_scene, quiet
with quiet():
    scene, keep = private_scene(tempfile.mkdtemp())
    assert scene.ReadFromMRB(sys.argv[1], True)
    nodes = [scene.GetNthNode(n) for n in range(scene.GetNumberOfNodes())]
    volumes = {n.GetName(): n for n in nodes if n.IsA("vtkMRMLScalarVolumeNode")}
    by_class = lambda name: next(n for n in nodes if n.IsA(name))
    array = lambda image: vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    def ras(node, ijk):
        matrix = vtk.vtkMatrix4x4(); node.GetIJKToRASMatrix(matrix)
        return list(matrix.MultiplyPoint((*ijk, 1.0))[:3])
    segmentation = by_class("vtkMRMLSegmentationNode")
    names = vtk.vtkStringArray(); segmentation.GetSegmentation().GetSegmentIDs(names)
    mask = slicer.vtkOrientedImageData()
    segmentation.GetBinaryLabelmapRepresentation(names.GetValue(0), mask)
    display = volumes["Attention"].GetDisplayNode()
    composite = by_class("vtkMRMLSliceCompositeNode")
    found = {
        "names": sorted(n.GetName() or "" for n in nodes),
        "sums": {name: float(array(n.GetImageData()).astype(float).sum()) for name, n in volumes.items()},
        "corner": ras(volumes["Early"], (3, 2, 1)),
        "segment": segmentation.GetSegmentation().GetSegment(names.GetValue(0)).GetName(),
        "mask": int((array(mask) > 0).sum()),
        "colour": [round(c, 2) for c in display.GetColorNode().GetLookupTable().GetTableValue(255)],
        "threshold": display.GetLowerThreshold() if display.GetApplyThreshold() else None,
        "foreground": scene.GetNodeByID(composite.GetForegroundVolumeID()).GetName(),
        "opacity": composite.GetForegroundOpacity(),
        "offsets": {n.GetLayoutName(): n.GetSliceOffset() for n in nodes if n.IsA("vtkMRMLSliceNode")},
    }
    if len(sys.argv) > 3:
        from views import render_slice
        np.save(sys.argv[3], render_slice(scene, keep[0], "Red"))
print(json.dumps(found))
"""


def read_back(path, *more):
    command = [sys.executable, "-c", READ, str(path), str(HARNESS), *map(str, more)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize("direction", [AXIAL, SAGITTAL, CORONAL, TILT])
def test_voxels_and_positions_are_those_of_the_exam(tmp_path, direction):
    exam = tiny_exam(direction)
    prediction = tiny_prediction(exam)
    write_scene(exam, prediction, tmp_path / "scène 1.mrb")
    found = read_back(tmp_path / "scène 1.mrb")
    assert found["corner"] == pytest.approx(exam.geometry.to_physical([3, 2, 1]) * [-1, -1, 1], abs=1e-3)
    assert found["sums"]["Late"] == exam.late.astype(float).sum()
    assert found["sums"]["Attention"] == pytest.approx(float(prediction.attention.sum()), rel=1e-4)
    assert found["mask"] == int(exam.mask.sum())


def test_attention_is_coloured_over_the_early_phase_at_its_peak(tmp_path):
    exam = tiny_exam()
    prediction = tiny_prediction(exam)
    write_scene(exam, prediction, tmp_path / "scene.mrb")
    found = read_back(tmp_path / "scene.mrb")
    assert found["foreground"] == "Attention"
    assert found["opacity"] == 0.5
    assert found["threshold"] == pytest.approx(0.2)
    assert found["colour"] == pytest.approx([0.99, 1.0, 0.64, 1.0], abs=0.01)
    assert found["segment"] == "tumour"
    assert found["offsets"]["Red"] == pytest.approx(prediction.attention_summary.peak[2], abs=0.01)


def test_scene_does_not_name_the_patient(tmp_path):
    exam = tiny_exam()
    write_scene(exam, tiny_prediction(exam), tmp_path / "scene.mrb")
    with zipfile.ZipFile(tmp_path / "scene.mrb") as archive:
        text = " ".join(archive.namelist()) + archive.read("scene/scene.mrml").decode()
    assert "SECRET" not in text
    assert str(tmp_path) not in text


def test_writing_prints_nothing(tmp_path, capfd):
    exam = tiny_exam()
    write_scene(exam, tiny_prediction(exam), tmp_path / "scene.mrb")
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""


def test_scene_that_cannot_be_written_is_an_error(tmp_path):
    exam = tiny_exam()
    (tmp_path / "scene.mrb").mkdir()
    with pytest.raises(OSError, match="incomplete file"):
        write_scene(exam, tiny_prediction(exam), tmp_path / "scene.mrb")


def test_rendered_slice_shows_attention_on_the_tumour_and_its_outline(tmp_path):
    sys.path.insert(0, str(HARNESS))
    from views import opengl_missing

    if opengl_missing():
        pytest.skip(f"needs {opengl_missing()}: apt-get install libegl1 libgl1 libgl1-mesa-dri")
    exam = tiny_exam(size=(64, 64, 10))
    write_scene(exam, tiny_prediction(exam), tmp_path / "scene.mrb")
    read_back(tmp_path / "scene.mrb", tmp_path / "slice.npy")
    pixels = np.load(tmp_path / "slice.npy").astype(int)
    colour = np.ptp(pixels, axis=-1)
    green = (pixels[..., 1] > 150) & (pixels[..., 0] < 130) & (pixels[..., 2] < 160)
    assert 0.005 < (colour > 60).mean() < 0.3
    assert green.sum() > 50
