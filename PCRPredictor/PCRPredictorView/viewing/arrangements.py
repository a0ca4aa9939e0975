"""How the views of the page can be arranged."""

from __future__ import annotations

from enum import Enum

from PCRPredictorLib.mrml.display import COMPARE_VIEWS
from PCRPredictorLib.mrml.follow import COLOURS
from trame_slicer.views import Layout, LayoutDirection, ViewLayoutDefinition


class Arrangement(Enum):
    """How views can be arranged."""

    FOUR_UP = "Four views"
    COMPARE = "Phases side by side"
    HANGING = "Reading"
    VISITS = "Visits side by side"


def layouts() -> dict[str, Layout]:
    """Return the views of each arrangement, by its value."""
    axial, coronal = ViewLayoutDefinition.axial_view(), ViewLayoutDefinition.coronal_view()
    sagittal, space = ViewLayoutDefinition.sagittal_view(), ViewLayoutDefinition.threed_view()
    phases = [ViewLayoutDefinition.slice_view("Axial", label=n, color=c) for n, c in COMPARE_VIEWS.items()]
    visits = [ViewLayoutDefinition.slice_view("Axial", label=n, color=c) for n, c in COLOURS.items()]
    return {
        Arrangement.FOUR_UP.value: _two_by_two([axial, space, coronal, sagittal]),
        Arrangement.COMPARE.value: _two_by_two(phases),
        Arrangement.HANGING.value: _two_by_two([phases[0], phases[1], phases[3], space]),
        Arrangement.VISITS.value: _two_by_two(visits),
    }


def _two_by_two(views: list[ViewLayoutDefinition]) -> Layout:
    rows = [Layout(LayoutDirection.Horizontal, list(views[k : k + 2])) for k in (0, 2)]
    return Layout(LayoutDirection.Vertical, list(rows))
