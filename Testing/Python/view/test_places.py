"""Places in the views of the page."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PCRPredictorLib.exam import Geometry, Provenance
from support.examples import tiny_exam

pytest.importorskip("slicer_layer_dm")

FILE, TILT = Provenance("file"), np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])


@pytest.mark.parametrize(
    ("origin", "direction", "provenance", "placed"),
    [
        ((-40, -40, 0), np.eye(3), FILE, False),  # a crop of 80 mm around zero
        ((0, 0, 0), np.eye(3), FILE, False),
        ((0, 12.5, 0), np.eye(3), FILE, False),
        ((-39.6, 31.2, -57.3), np.eye(3), FILE, True),  # of a scanner, in the middle of the table
        ((-40, -40, 0), TILT, FILE, True),
        ((-40, -40, 0), np.eye(3), Provenance("dicom"), True),
        ((-40, -40, 0), np.eye(3), Provenance("file", simulated=True), True),
    ],
)
def test_a_place_that_software_invents_is_told_from_one_of_a_scanner(origin, direction, provenance, placed):
    from PCRPredictorView.viewing.places import is_placed

    geometry = Geometry((112, 112, 8), (80 / 112, 80 / 112, 7.7), origin, direction)
    assert is_placed(geometry, provenance) == placed


@pytest.mark.parametrize("doubtful", [0, 1])
def test_sides_are_uncertain_if_one_of_two_visits_is_not_placed(doubtful, monkeypatch):
    from PCRPredictorView.viewing import visits

    for name in ("put_side_by_side", "fill_views", "turn_to", "remove_side_by_side"):
        monkeypatch.setattr(visits, name, lambda *_values, **_options: SimpleNamespace())
    slicer = SimpleNamespace(scene=None, view_manager=SimpleNamespace(get_view=lambda _name: None))
    views = visits.VisitViews(slicer, lambda _shown: None, lambda: True)
    placed = replace(tiny_exam(), provenance=Provenance("dicom"))
    exams = [placed, placed]
    views.show(*exams, None)
    assert views.is_placed
    geometry = Geometry(placed.geometry.size, placed.geometry.spacing, (0, 0, 0))
    exams[doubtful] = replace(placed, geometry=geometry, provenance=FILE)
    views.show(*exams, None)
    assert not views.is_placed
