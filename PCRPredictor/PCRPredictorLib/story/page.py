"""The story as one HTML page: it loads nothing and runs no script; its slider is a row of radio buttons."""

from __future__ import annotations

from pathlib import Path

from ..report.rendering import render
from .facts import GUIDED, HOSPITALS, UNGUIDED, Facts
from .layers import grey_pixels, heat_pixels, outline_pixels, to_png
from .scene import Scene
from .words import HOSPITAL_TITLES, MARK, NAMES, TITLE, limits, small_print, stops

_TEMPLATES = Path(__file__).parent / "templates"


def render_story(facts: Facts, scene: Scene) -> str:
    """Return the page of a scene."""
    pictures = {
        hospital: {
            "grey": to_png(grey_pixels(view.grey)),
            "outline": to_png(outline_pixels(view.mask)),
            "heat": {name: to_png(heat_pixels(heat.image)) for name, heat in view.heat.items()},
        }
        for hospital, view in scene.views.items()
    }
    return render(
        "story.html.j2",
        _TEMPLATES,
        title=TITLE,
        stops=stops(facts, scene),
        hospitals=HOSPITALS,
        hospital_titles=HOSPITAL_TITLES,
        names=NAMES,
        single=UNGUIDED,
        guided=GUIDED,
        views=scene.views,
        pictures=pictures,
        facts=facts,
        mark=MARK,
        limits=limits(),
        small_print=small_print(facts, scene),
    )
