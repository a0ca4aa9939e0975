"""What Slicer must know before any of our panels is opened; called once the application has started."""

from __future__ import annotations

import slicer


def register_own_layouts() -> None:
    """Register our layouts, so that a saved scene that shows one of them opens with its views."""
    from PCRPredictorLib.mrml import display, layouts
    from PCRPredictorLib.mrml.follow import FOLLOW_LAYOUT, follow_layout_xml

    compared = display.compare_layout_xml(display.COMPARE_VIEWS)
    found = {display.COMPARE_LAYOUT: compared, display.STEPS_LAYOUT: compared, FOLLOW_LAYOUT: follow_layout_xml()}
    layouts.register_layouts(slicer.mrmlScene, found)
