"""Places in a slice view: the patient's sides, the slice, and the position of a pixel."""

from __future__ import annotations

import numpy as np
from PCRPredictorLib.exam import Geometry, Provenance
from PCRPredictorLib.mrml.exam import LPS_TO_RAS, Node

_SIDES = (("L", "R"), ("P", "A"), ("S", "I"))  # of the patient: where each LPS axis leads to, and where it comes from

_ZERO_MM = 1e-3


def sides_of(slice_node: Node, is_certain: bool = True) -> list[str]:
    """Return the patient's sides at the left, right, upper and lower edge of a slice view, as in "R", or "R?"."""
    letters = []
    for axis in (0, 1):  # to the right, and up
        towards = [slice_node.GetSliceToRAS().GetElement(row, axis) for row in range(3)]
        longest = max(range(3), key=lambda row: abs(towards[row]))
        positive, negative = ("R", "A", "S")[longest], ("L", "P", "I")[longest]
        letters.append((positive, negative) if towards[longest] > 0 else (negative, positive))
    (right, left), (top, bottom) = letters
    return [side if is_certain else f"{side}?" for side in (left, right, top, bottom)]


def is_placed(geometry: Geometry, provenance: Provenance) -> bool:
    """Return False if a file's header has a place of the exam as software invents it that does not know the place.

    Such a grid lies along the axes, and begins or has its middle at zero along two or more of them.
    """
    if provenance.source != "file" or provenance.simulated:
        return True
    spacing, origin = np.array(geometry.spacing), np.array(geometry.origin)
    middle = origin + (np.array(geometry.size) - 1) / 2 * spacing
    at_zero = (np.abs(origin) < _ZERO_MM) | (np.abs(middle) <= spacing / 2 + _ZERO_MM)
    return not (np.allclose(geometry.direction, np.eye(3), atol=1e-4) and np.count_nonzero(at_zero) > 1)


def describe_slice(slice_node: Node, geometry: Geometry) -> str:
    """Return the number of the exam's slice in a view and the position of its middle, as in "slice 57/120, S 12 mm".

    Args:
        geometry: of the exam.
    """
    to_ras = slice_node.GetSliceToRAS()
    middle, normal = (LPS_TO_RAS[:3, :3] @ [to_ras.GetElement(row, column) for row in range(3)] for column in (3, 2))
    axis = int(np.abs(normal @ geometry.direction).argmax())
    number, count = round(float(geometry.to_index(middle)[axis])) + 1, geometry.size[axis]
    world = int(np.abs(normal).argmax())
    position = f"{_SIDES[world][bool(middle[world] < 0)]} {abs(middle[world]):.0f} mm"
    return f"slice {number}/{count}, {position}" if 1 <= number <= count else position


def position_at(slice_node: Node, x: float, y: float) -> tuple[float, float, float]:
    """Return the LPS position in mm of a pixel of a slice view, counted from its lower left corner."""
    right, anterior, superior, _ = slice_node.GetXYToRAS().MultiplyPoint((x, y, 0, 1))
    position = LPS_TO_RAS[:3, :3] @ (right, anterior, superior)
    return tuple(float(value) for value in position)  # type: ignore[return-value]
