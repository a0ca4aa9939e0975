"""Scenes are written in this process and read in a second one, as by Slicer."""

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PCRPredictorLib.errors import DataError
from PCRPredictorLib.exam import Geometry, bounding_box
from PCRPredictorLib.mrml import nodes as mrml
from PCRPredictorLib.mrml import scene as mrml_scene
from PCRPredictorLib.mrml.display import subtract_nodes
from PCRPredictorLib.mrml.exam import exam_from_nodes, is_resampled, segment_array, segment_part
from PCRPredictorLib.mrml.segments import SEGMENT, Tumour, add_segmentation, put_segments
from PCRPredictorLib.outputs import write_prediction
from PCRPredictorView.opengl import opengl_missing
from support.examples import AXIAL, CORONAL, SAGITTAL, tiny_exam, tiny_prediction

TESTING = Path(__file__).parents[2]
TILT = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])

pytestmark = pytest.mark.skipif(
    not mrml_scene.slicer_core_available(), reason="needs slicer-core: pip install slicer-core"
)


def read_back(path, *arguments):
    """Return the content of a scene file as a new process reads it; see read_scene.py."""
    command = [sys.executable, "-m", "harness.read_scene", str(path), *map(str, arguments)]
    done = subprocess.run(command, cwd=TESTING, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """An exam, its prediction and its scene file."""
    exam = tiny_exam(SAGITTAL)
    prediction = tiny_prediction(exam)
    path = tmp_path_factory.mktemp("scènes 1") / "scene.mrb"
    mrml_scene.write_scene(exam, prediction, path)
    return exam, prediction, path


@pytest.fixture(scope="module")
def found(written):
    return read_back(written[2])


@pytest.fixture
def scene(tmp_path):
    with mrml_scene.headless_scene(tmp_path) as scene:
        yield scene


def test_python_without_slicers_modules_writes_no_scene(monkeypatch, tmp_path):
    import slicer

    monkeypatch.delattr(slicer, "vtkSlicerSegmentationsModuleLogic")  # as in PythonSlicer
    exam = tiny_exam(AXIAL)
    write_prediction(exam, tiny_prediction(exam), tmp_path / "out")
    assert (tmp_path / "out" / "prediction.json").is_file()
    assert not (tmp_path / "out" / "scene.mrb").exists()


def add_nodes(scene, exam):
    """Return nodes of pre, early, late and a segmentation."""
    names = ("pre", "early", "late")
    volumes = [mrml.add_volume(scene, getattr(exam, name), exam.geometry, name) for name in names]
    return *volumes, add_segmentation(scene, [Tumour.of_mask(exam.mask)], exam.geometry, volumes[0])


def test_every_volume_is_in_the_scene_with_its_voxels(written, found):
    exam, prediction, _ = written
    sums = {name: volume["sum"] for name, volume in found["volumes"].items()}
    assert sums == {
        "Pre-contrast": exam.pre.sum(),
        "Early phase": exam.early.sum(),
        "Late phase": exam.late.sum(),
        "Early minus pre-contrast": exam.early.sum() - exam.pre.sum(),
        "Attention": pytest.approx(float(prediction.attention.sum()), rel=1e-4),
    }


@pytest.mark.parametrize("name", ["Pre-contrast", "Attention"])
def test_voxels_lie_where_the_exam_has_them(written, found, name):
    position = written[0].geometry.to_physical([3, 2, 1]) * [-1, -1, 1]
    assert found["volumes"][name]["ras_of_voxel_3_2_1"] == pytest.approx(position, abs=1e-3)


def test_segment_is_the_mask_drawn_as_an_outline(written, found):
    segment = found["segment"]
    assert segment["name"] == "tumour"
    assert segment["positions_sum"] == pytest.approx(ras_of_mask(written[0]).sum(0), rel=1e-4)
    assert segment["voxels"] == written[0].mask.sum()
    assert (segment["outline"], segment["fill"]) == (True, False)


def ras_of_mask(exam):
    return exam.geometry.to_physical(np.argwhere(exam.mask)[:, ::-1]) * [-1, -1, 1]


def test_attention_has_its_colours_and_is_transparent_where_faint(found):
    attention = found["attention"]
    assert attention["colours"] == "Attention colours"
    assert attention["highest_colour"] == pytest.approx([0.99, 1.0, 0.64], abs=0.01)
    assert attention["range"] == pytest.approx([0, 1])
    assert attention["threshold"] == pytest.approx(0.15)


@pytest.mark.parametrize("view", ["Red", "Yellow", "Green"])
def test_views_show_attention_over_the_early_phase_at_its_peak(written, found, view):
    shown = found["views"][view]
    assert (shown["background"], shown["foreground"]) == ("Early phase", "Attention")
    assert shown["opacity"] == pytest.approx(0.45)
    off = shown["centre"] - np.multiply(written[1].attention_summary.peak, [-1, -1, 1])
    assert (np.abs(off) < 0.51 * np.asarray(written[0].geometry.spacing)).all()  # the middle of its voxel
    assert shown["field"] == pytest.approx(120)


def test_neither_patient_nor_machine_is_named(written):
    _, _, path = written
    with zipfile.ZipFile(path) as archive:
        text = " ".join(archive.namelist()) + archive.read("scene/scene.mrml").decode()
    assert "SECRET" not in text
    assert str(path.parent) not in text


def test_writing_prints_nothing_and_leaves_nothing_else(tmp_path, capfd):
    exam = tiny_exam(TILT)
    mrml_scene.write_scene(exam, tiny_prediction(exam), tmp_path / "scene.mrb")
    assert "".join(capfd.readouterr()) == ""
    assert [file.name for file in tmp_path.iterdir()] == ["scene.mrb"]


def test_scene_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    exam = tiny_exam()
    monkeypatch.setattr(mrml_scene, "_is_whole", lambda path: False)
    with pytest.raises(OSError, match="incomplete"):
        mrml_scene.write_scene(exam, tiny_prediction(exam), tmp_path / "scene.mrb")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("direction", [AXIAL, SAGITTAL, CORONAL, TILT])
def test_exam_is_the_same_after_conversion_to_nodes_and_back(scene, direction):
    exam = tiny_exam(direction)
    again = exam_from_nodes(*add_nodes(scene, exam), ["tumour"])
    assert again.geometry.matches(exam.geometry)
    assert np.array_equal(again.mask, exam.mask)
    for phase, expected in zip(again.phases, exam.phases, strict=True):
        assert np.array_equal(phase, expected)


def test_phases_of_nodes_are_not_copied(scene):
    nodes = add_nodes(scene, tiny_exam())
    exam = exam_from_nodes(*nodes, ["tumour"])
    nodes[0].GetImageData().GetPointData().GetScalars().SetTuple1(0, 77)
    assert exam.pre[0, 0, 0] == 77


def test_only_the_part_of_a_segment_that_holds_the_tumour_is_read(scene):
    exam = tiny_exam()
    box, part = segment_part(add_nodes(scene, exam)[-1], SEGMENT, exam.geometry)
    assert box == bounding_box(exam.mask)
    assert np.array_equal(part != 0, exam.mask[box] != 0)


def test_an_empty_mask_makes_an_empty_segment(scene):
    exam = tiny_exam()
    pre, _early, _late, node = add_nodes(scene, exam)
    put_segments(node, [Tumour.of_mask(np.zeros_like(exam.mask))], exam.geometry, pre)
    assert not segment_array(node, SEGMENT, exam.geometry).any()


def test_segment_on_a_finer_grid_is_resampled(scene):
    exam = tiny_exam()
    nodes = add_nodes(scene, exam)
    spacing = tuple(s / 2 for s in exam.geometry.spacing)
    origin = tuple(exam.geometry.to_physical([-0.25, -0.25, -0.25]))
    fine = Geometry(tuple(2 * n for n in exam.geometry.size), spacing, origin)
    mask = exam.mask.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    segmentation = add_segmentation(scene, [Tumour.of_mask(mask)], fine, nodes[0])
    assert np.array_equal(exam_from_nodes(*nodes[:3], segmentation, ["tumour"]).mask, exam.mask)


def test_phase_on_a_different_grid_is_refused(scene):
    exam = tiny_exam()
    pre, early, _, segmentation = add_nodes(scene, exam)
    shifted = replace(exam.geometry, origin=(0.0, 0.0, 0.0))
    late = mrml.add_volume(scene, exam.late, shifted, "late")
    with pytest.raises(DataError, match="the late volume must be on the grid of the pre volume"):
        exam_from_nodes(pre, early, late, segmentation, ["tumour"])


NAN, INF = float("nan"), float("inf")
SHEARED, TWICE = [1, 0.5, 0, 0, 1, 0, 0, 0, 1], [1, 1, 0, 0, 0, 0, 0, 0, 1]
LATTICES = {  # what is set on a volume, and the words of the refusal, those of a file
    "NaN": (lambda node: node.SetSpacing(1, NAN, 1), "0.05 to 20 mm wide along each axis, got 1 x nan x 1 mm"),
    "zero": (lambda node: node.SetSpacing(1, 0, 1), "0.05 to 20 mm wide"),
    "infinite": (lambda node: node.SetSpacing(INF, 1, 1), "0.05 to 20 mm wide"),
    "narrow": (lambda node: node.SetSpacing(0.01, 1, 1), "0.05 to 20 mm wide"),
    "wide": (lambda node: node.SetSpacing(1, 1, 500), "0.05 to 20 mm wide"),
    "no place": (lambda node: node.SetOrigin(0, NAN, 0), "its origin must be three numbers in mm"),
    "far away": (lambda node: node.SetOrigin(0, 1e30, 0), "its origin must be three numbers in mm"),
    "sheared": (lambda node: set_axes(node, SHEARED), "at right angles"),
    "one axis twice": (lambda node: set_axes(node, TWICE), "at right angles"),
    "no direction": (lambda node: set_axes(node, [0] * 9), "0.05 to 20 mm wide"),
}


def set_axes(node, rows):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    for k, value in enumerate(rows):
        matrix.SetElement(k // 3, k % 3, value)
    node.SetIJKToRASDirectionMatrix(matrix)


@pytest.mark.parametrize("name", LATTICES)
@pytest.mark.parametrize("phase", [0, 2])
def test_lattice_that_no_exam_can_have_is_refused_as_in_a_file(scene, name, phase):
    nodes = add_nodes(scene, tiny_exam())
    change, words = LATTICES[name]
    change(nodes[phase])
    with pytest.raises(DataError, match=words) as refused:
        exam_from_nodes(*nodes, ["tumour"])
    assert str(refused.value).startswith(f"the {('pre', 'early', 'late')[phase]} volume: its ")
    with pytest.raises(DataError, match=words):
        subtract_nodes(nodes[0], nodes[phase])


def test_segment_on_such_a_lattice_is_refused(scene):
    exam = tiny_exam()
    nodes = add_nodes(scene, exam)
    labelmap = nodes[-1].GetSegmentation().GetSegment("tumour").GetRepresentation("Binary labelmap")
    labelmap.SetSpacing(1, 1, 1e6)
    with pytest.raises(DataError, match=r"the segmentation: its voxels must be 0\.05 to 20 mm wide"):
        exam_from_nodes(*nodes, ["tumour"])
    assert not is_resampled(nodes[-1], "tumour", nodes[0])


def test_unknown_segment_and_moved_volume_are_refused(scene):
    nodes = add_nodes(scene, tiny_exam())
    with pytest.raises(DataError, match="segment 'liver'"):
        exam_from_nodes(*nodes, ["liver"])
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    nodes[1].SetAndObserveTransformNodeID(transform.GetID())
    with pytest.raises(DataError, match="the early volume must not be under a transform"):
        exam_from_nodes(*nodes, ["tumour"])


@pytest.mark.skipif(bool(opengl_missing()), reason=f"needs {opengl_missing()}: apt-get install libegl1 libgl1")
def test_rendered_slice_shows_attention_inside_a_green_outline(written, tmp_path):
    read_back(written[2], "Yellow", tmp_path / "slice.npy")
    pixels = np.load(tmp_path / "slice.npy").astype(int)
    red, green, blue = np.moveaxis(pixels, -1, 0)
    outline = (green > 150) & (red < 130) & (blue < 170)
    warm = red > blue + 40
    rows, columns = np.nonzero(outline)
    inside = warm[rows.min() : rows.max(), columns.min() : columns.max()]
    assert outline.sum() > 50
    assert inside.mean() > 0.5 > 20 * warm[: rows.min() - 40].mean()
