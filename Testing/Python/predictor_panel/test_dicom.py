"""DICOM results of `pcr predict`, read back into the panel: the same tumour, map and probability."""

import json

import numpy as np
import pytest
from PCRPredictorLib.command_line import app, run
from PCRPredictorLib.dicom.exam import read_dicom_exam
from PCRPredictorLib.dicom.objects.results import FILES
from PCRPredictorLib.exam import Geometry
from PCRPredictorLib.mrml.exam import geometry_of, scalar_array, segment_array
from PCRPredictorLib.mrml.nodes import add_volume
from PCRPredictorLib.phantom.patient import make_exam
from PCRPredictorLib.reading.mask import add_mask
from PCRPredictorLib.writing import write_nifti
from support.dicom_exam import STYLES, write_dicom_exam

pytest.importorskip("slicer")
pytest.importorskip("PySide6")
pytest.importorskip("highdicom")
import highdicom as hd
import slicer
from support.panel_help import choose, predict

SEGMENTATION, MAP, _EVIDENCE, _REPORT = FILES


@pytest.fixture(params=STYLES)
def written(request, tmp_path):
    """Return the folder of a DICOM exam, that of its DICOM results, the content of `prediction.json`, and the mask."""
    simulated = make_exam(seed=3, full=False)
    write_dicom_exam(tmp_path / "exam", simulated, request.param)
    write_nifti(simulated.mask, simulated.geometry, tmp_path / "mask.nii.gz")
    asked = {"--dicom": tmp_path / "exam", "--mask": tmp_path / "mask.nii.gz", "--out": tmp_path / "out"}
    words = [str(word) for pair in asked.items() for word in pair]
    assert run(app, ["predict", *words, "--dicom-results"]) == 0
    saved = json.loads((tmp_path / "out" / "prediction.json").read_text())
    return tmp_path / "exam", tmp_path / "out" / "dicom", saved, simulated.mask


def test_dicom_results_can_be_read_into_the_panel(panel, written):
    folder, results, saved, mask = written
    exam = add_mask(read_dicom_exam(folder), results / SEGMENTATION)
    nodes = choose(panel, exam)
    panel.session.enter(exam.clinical)
    predict(panel)
    assert panel.messages == []
    assert panel.session.result.prediction.probability == pytest.approx(saved["probability"], abs=0.001)
    segment = nodes["segmentation"].GetSegmentation().GetNthSegmentID(0)
    read = segment_array(nodes["segmentation"], segment, geometry_of(nodes["early"]))
    assert np.count_nonzero(read) == np.count_nonzero(mask)
    assert_same_map(load_map(results / MAP), panel.scene.parameters.attention)


def load_map(path):
    """Return a Parametric Map as a volume node."""
    volume = hd.imread(path).get_volume()
    steps = volume.affine[:3, :3][:, ::-1]  # of i, j, k; LPS mm
    spacing = np.linalg.norm(steps, axis=0)
    geometry = Geometry(volume.array.shape[::-1], tuple(spacing), tuple(volume.affine[:3, 3]), steps / spacing)
    return add_volume(slicer.mrmlScene, np.asarray(volume.array, np.float32), geometry, "Attention from DICOM")


def assert_same_map(loaded, shown):
    """Check that each voxel of a loaded map lies within half a voxel of one that is shown, with the same value."""
    values, expected = scalar_array(loaded), scalar_array(shown)
    index = np.argwhere(values > 0)
    places = geometry_of(shown).to_index(geometry_of(loaded).to_physical(index[:, ::-1]))[:, ::-1]
    nearest = places.round().astype(int)
    assert len(index) > 100
    assert np.abs(places - nearest).max() < 0.5
    np.testing.assert_allclose(values[tuple(index.T)], expected[tuple(nearest.T)], atol=0.001)
