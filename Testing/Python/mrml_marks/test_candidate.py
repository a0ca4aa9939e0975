"""A candidate of *Find tumours* in the scene: outlined, marked, taken away."""

import numpy as np
import pytest
from PCRPredictorLib.mrml import nodes
from PCRPredictorLib.mrml import scene as mrml_scene
from PCRPredictorLib.mrml.marks import candidate
from support.examples import tiny_exam

pytestmark = pytest.mark.skipif(
    not mrml_scene.slicer_core_available(), reason="needs slicer-core: pip install slicer-core"
)
KINDS = ("vtkMRMLSegmentationNode", "vtkMRMLMarkupsFiducialNode")


@pytest.fixture
def scene(tmp_path):
    with mrml_scene.headless_scene(tmp_path) as scene:
        yield scene


def count(scene):
    return [len(nodes.nodes_of(scene, kind)) for kind in KINDS]


def test_one_candidate_is_shown_at_a_time_and_taken_away_without_the_tumour(scene):
    exam = tiny_exam()
    early = nodes.add_exam(scene, exam)["early"]
    for number in (1, 2):
        candidate.show_candidate(scene, exam.mask, exam.centre, exam.geometry, early, f"Candidate {number}")
    assert count(scene) == [2, 1]
    cross = nodes.nodes_of(scene, KINDS[1])[0]
    assert np.allclose(cross.GetNthControlPointPosition(0), exam.centre * (-1, -1, 1))
    assert not cross.GetSaveWithScene()
    candidate.hide_candidate(scene)
    assert count(scene) == [1, 0]
