"""Places in the views of the page."""

import numpy as np
import pytest
from PCRPredictorLib.exam import Geometry, Provenance

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
